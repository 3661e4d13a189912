"""One row of a list of queries, from a file or from Python: text, label, limit, further columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from pixtrawl.errors import UsageError

__all__ = ["TEXT_COLUMNS", "GivenQuery", "limit_of", "query_of_row", "text_of"]

TEXT_COLUMNS: Final = ("query", "keyword")

_LIMIT: Final = re.compile(r"[0-9]{1,9}")


class GivenQuery(NamedTuple):
    """A query from Python: its text is never taken for a file's name."""

    text: str
    label: str = ""
    limit: int | None = None
    extra: str = ""  # JSON object: columns that have no name here


def query_of_row(row: Mapping[str, Any], where: str) -> GivenQuery:
    """Return a query with its label, limit and further columns. Raise UsageError."""
    named = {name.strip().casefold(): name for name in row}
    name = next((named[word] for word in TEXT_COLUMNS if word in named), None)
    if name is None and len(row) == 1:  # the only column, whatever it is called
        (name,) = row
    if name is None:
        raise UsageError(
            f"{where}: has no 'query' (it has {', '.join(map(repr, row)) or 'nothing'})"
        )
    label = row.get(named.get("label", ""))
    limit = row.get(named.get("limit", ""))
    used = {name, named.get("label"), named.get("limit")}
    own = {key: value for key, value in row.items() if key not in used}
    return GivenQuery(
        text_of(row[name], "query", where),
        "" if label is None else text_of(label, "label", where),
        None if limit is None else limit_of(text_of(limit, "limit", where), where),
        msgspec.json.encode(own, enc_hook=str).decode() if own else "",
    )


def text_of(value: object, what: str, where: str) -> str:
    """Return text, or a whole number as text. Raise UsageError for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():  # pandas' whole numbers beside a gap
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:
        return str(value)
    raise UsageError(f"{where}: the {what} is neither text nor a whole number")


def limit_of(text: str, where: str) -> int | None:
    """Return the number of images wanted; None for a blank. Raise UsageError."""
    if not text.strip():
        return None
    if not _LIMIT.fullmatch(text.strip()) or int(text) < 1:
        raise UsageError(f"{where}: the limit {text.strip()[:40]!r} is not a whole number from 1")
    return int(text)
