"""Translate conditions on images into SQL.

Only columns that metadata.jsonl has unchanged, and only comparisons with the same result in SQLite
and Python: texts by code point, numbers by value. The caller evaluates all other conditions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

__all__ = ["COLUMNS", "SqlConditions", "in_sql"]

_TEXTS: Final[Mapping[str, str]] = {"label": "s.label", "format": "s.format", "kind": "s.kind"}
_NUMBERS: Final[Mapping[str, str]] = {
    "number": "s.number", "width": "s.width", "height": "s.height", "frames": "s.frames",
    "size_bytes": "s.size_bytes",
}  # fmt: skip
_SIGNS: Final[Mapping[str, str]] = {
    "": "=", "eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<=",
}  # fmt: skip
_INT64: Final = 2**63
COLUMNS: Final = (*_TEXTS, *_NUMBERS)


class SqlConditions(NamedTuple):
    """Conditions as terms of SQL with their values, and those that have no such form."""

    terms: list[str]
    values: list[object]
    rest: dict[str, object]


def in_sql(conditions: Mapping[str, object]) -> SqlConditions:
    """Translate the conditions of `Dataset.filter`, such as `width__ge`, on a table `s`."""
    found = SqlConditions([], [], {})
    for name, wanted in conditions.items():
        pair = _condition(name, wanted)
        if pair is None:
            found.rest[name] = wanted
        else:
            found.terms.append(pair[0])
            found.values.append(pair[1])
    return found


def _condition(name: str, wanted: object) -> tuple[str, object] | None:
    """Return SQL with one `?`, and its value, for e.g. `width__ge` and 640; None if unsupported."""
    column, _, word = name.partition("__")
    sql = _TEXTS.get(column) or _NUMBERS.get(column)
    if sql is None:
        return None
    if word == "in" and isinstance(wanted, list | tuple | set | frozenset):
        if not all(_fits(column, one) for one in wanted):
            return None
        values = msgspec.json.encode(list(wanted)).decode()
        return f"{sql} IN (SELECT value FROM json_each(?))", values
    sign = _SIGNS.get(word)
    return (f"{sql} {sign} ?", wanted) if sign is not None and _fits(column, wanted) else None


def _fits(column: str, value: object) -> bool:
    """Return whether SQLite compares this value with the column as Python would."""
    if column in _TEXTS:
        return isinstance(value, str) and _is_unicode(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and abs(value) < _INT64


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
