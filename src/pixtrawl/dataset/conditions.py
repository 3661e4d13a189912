"""Conditions on columns of metadata: `width__ge=640`, `label="cat"`, `license_id__in=[...]`."""

from __future__ import annotations

import contextlib
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from pixtrawl.errors import UsageError
from pixtrawl.folder.derived.metadata_rows import FLAGS, INTEGERS, NUMBERS

__all__ = ["Row", "check", "conditions_of", "matches"]

Row = Mapping[str, object]

_OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
    "in": lambda value, wanted: value in wanted,
    "contains": lambda value, wanted: wanted in value,
}

# Operators of the command line; longer ones first, because the regex takes the first match.
_WRITTEN: Final = {
    ">=": "ge", "<=": "le", "!=": "ne", "==": "eq", ">": "gt", "<": "lt", "=": "eq",
    "~": "contains",
}  # fmt: skip
_CONDITION: Final = re.compile(
    rf"\s*(\w+)\s*({'|'.join(map(re.escape, _WRITTEN))})\s*(.*?)\s*", re.DOTALL
)
_WORDS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def conditions_of(texts: Iterable[str]) -> list[dict[str, Any]]:
    """Parse texts such as `sharpness>=100`, `is_gray=false`, `title~sunset`, each into a dict.

    Raises:
        UsageError: a text is no condition, or its value does not fit a column of numbers or flags.
    """
    return [_condition(text) for text in texts]


def _condition(text: str) -> dict[str, Any]:
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise UsageError(f"--where: {text!r} is no condition (example: sharpness>=100)")
    column, sign, written = found.groups()
    value: object = written
    if column in FLAGS:
        value = _WORDS.get(written.lower())
        if value is None:
            raise UsageError(f"--where: {column} is true or false, not {written!r}")
    elif column in NUMBERS or column in INTEGERS:
        try:
            value = float(written)
        except ValueError:
            raise UsageError(f"--where: {column} is a number, not {written!r}") from None
    return {f"{column}__{_WRITTEN[sign]}": value}


def matches(row: Row, conditions: Mapping[str, object]) -> bool:
    """Return whether a row of metadata fulfils all conditions.

    A missing value (None) fulfils only `ne`, and equality with None.

    Raises:
        UsageError: no such column or comparison, or the two values cannot be compared.
    """
    return all(_holds(row, name, wanted) for name, wanted in conditions.items())


def check(row: Row, conditions: Mapping[str, object]) -> None:
    """Raise UsageError if a condition names an unknown column or comparison."""
    for name in conditions:
        _comparison(row, name)


def _comparison(row: Row, name: str) -> Callable[[Any, Any], bool]:
    column, _, word = name.partition("__")
    if column not in row:
        raise UsageError(f"filter: no column {column!r}{_near(column, row)}")
    compare = _OPERATORS.get(word or "eq")
    if compare is None:
        raise UsageError(f"filter: no comparison {word!r} (one of {', '.join(_OPERATORS)})")
    return compare


def _holds(row: Row, name: str, wanted: object) -> bool:
    compare = _comparison(row, name)
    column, _, word = name.partition("__")
    value = row[column]
    if isinstance(wanted, str) and isinstance(value, bool):  # from --where
        wanted = _WORDS.get(wanted.lower(), wanted)
    elif isinstance(wanted, str) and isinstance(value, int | float):
        with contextlib.suppress(ValueError):
            wanted = float(wanted)
    if value is None:
        return (word == "ne") if wanted is not None else word in {"", "eq"}
    if wanted is None:
        return word == "ne"
    try:
        return bool(compare(value, wanted))
    except TypeError:
        raise UsageError(f"filter: {name}={wanted!r} cannot be compared with {value!r}") from None


def _near(column: str, row: Row) -> str:
    near = get_close_matches(column, row, 1)
    return f" (did you mean {near[0]}?)" if near else f" (columns: {', '.join(row)})"
