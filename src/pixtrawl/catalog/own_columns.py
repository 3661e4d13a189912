"""Columns of the user's own lists (id, price, split ...): their types, and their exported names.

A list's columns are stored with each image under their own names. A column with the name of one of
pixtrawl's is exported as `input_<name>`, one that loaders would take for files as `<name>_text`.
Every row has the same columns with one type each, because loaders rely on it: a column whose values
have different types becomes text (integers and floats: float).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

__all__ = ["coerced", "join", "joined", "note", "shown_names", "types"]

MORE: Final = "input_more"
_MAX_COLUMNS: Final = 500  # per row; the rest goes into the column `input_more` as JSON
_INT64: Final = 2**63
_NULL, _BOOL, _INT, _FLOAT, _TEXT = "null", "bool", "int", "float", "text"
_KINDS: Final[Mapping[type, str]] = {
    type(None): _NULL, bool: _BOOL, int: _INT, float: _FLOAT, str: _TEXT,
}  # fmt: skip
# Hugging Face's ImageFolder loads every column whose name ends so as images.
_FILE_ENDINGS: Final = ("file_name", "file_names")

_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode
_encode: Final = msgspec.json.Encoder().encode


def note(db: sqlite3.Connection, extras: Iterable[str]) -> None:
    """Store the types of the own columns of new rows, in the transaction that adds the rows."""
    known: dict[str, str] | None = None
    for extra in extras:
        if known is None:
            known = types(db)
        for name, value in _decode(extra).items():
            before = known.get(name)
            kind = _joined(before, _kind(value))
            if kind != before:
                known[name] = kind
                db.execute(
                    "INSERT INTO own_column (name, type) VALUES (?, ?) "
                    "ON CONFLICT (name) DO UPDATE SET type = excluded.type",
                    (name, kind),
                )


def joined(known: dict[str, str], extra: str) -> None:
    """Join the types of one row's own columns, a JSON object, into `known`. Pure."""
    for name, value in _decode(extra).items():
        known[name] = _joined(known.get(name), _kind(value))


def join(known: dict[str, str], more: Mapping[str, str]) -> None:
    """Join the types of other rows into `known`. Pure."""
    for name, kind in more.items():
        known[name] = _joined(known.get(name), kind)


def types(db: sqlite3.Connection) -> dict[str, str]:
    """Return the type of each own column, in the order in which they were first seen."""
    return dict(db.execute("SELECT name, type FROM own_column ORDER BY id").fetchall())


def coerced(kinds: Mapping[str, str], *extras: str | None) -> dict[str, Any]:
    """Return all own columns of an image, each with a value of its type; "" or None if missing.

    Args:
        kinds: of `types`.
        extras: JSON objects, the later ones win.
    """
    if not kinds:
        return {}
    given: dict[str, Any] = {}
    for extra in extras:
        if extra:
            given.update(_decode(extra))
    own: dict[str, Any] = {}
    for at, (name, kind) in enumerate(kinds.items()):
        if at >= _MAX_COLUMNS:
            own[MORE] = _as_text({n: given[n] for n in list(kinds)[at:] if n in given})
            break
        value = given.get(name)
        if kind in {_TEXT, _NULL}:
            value = _as_text(value)
        elif kind == _FLOAT and value is not None:
            value = float(value)
        own[name] = value
    return own


def shown_names(names: Sequence[str], ours: Iterable[str]) -> dict[str, str]:
    """Return the exported name of each own column, unique without regard to letter case.

    Args:
        names: of the own columns.
        ours: names that are taken.
    """
    taken = {name.casefold() for name in ours}
    shown: dict[str, str] = {}
    for name in names:
        word = name
        if word.casefold() in taken or word == "":
            word = f"input_{name}"
        if any(word == ending or word.endswith(f"_{ending}") for ending in _FILE_ENDINGS):
            word = f"{word.removeprefix('input_')}_text"
        plain, number = word, 1
        while word.casefold() in taken:
            number += 1
            word = f"{plain}_{number}"
        taken.add(word.casefold())
        shown[name] = word
    return shown


def _kind(value: object) -> str:
    kind = _KINDS.get(type(value), _TEXT)
    return _TEXT if kind == _INT and not -_INT64 <= value < _INT64 else kind  # type: ignore[operator]


def _joined(one: str | None, other: str) -> str:
    """Return the type that holds the values of both."""
    if one in {None, other, _NULL}:
        return other
    if other == _NULL:
        return one
    return _FLOAT if {one, other} == {_INT, _FLOAT} else _TEXT


def _as_text(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else _encode(value).decode()
