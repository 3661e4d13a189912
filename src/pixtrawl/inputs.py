"""Inputs of the Python functions: words, numbers, paths, lists, dicts, tables, candidates.

Nothing is dropped without a word: a value is taken as what it says, or refused in a sentence that
names it. `docs/how-to.md` has the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from pixtrawl.errors import UsageError
from pixtrawl.model import Candidate, Query
from pixtrawl.pipeline.lists import Given, is_address
from pixtrawl.query_rows import GivenQuery, query_of_row
from pixtrawl.values import is_missing, items_of, kind_of, table_rows

__all__ = ["lists_of", "queries_of"]

_NO_QUERY: Final = "there is no query: give a word, a list of words, or a file of queries"
_NO_URL: Final = "there is no URL to download: give URLs, a file of URLs, or rows with a column url"


# -- queries -----------------------------------------------------------------------------------


def queries_of(given: Any) -> list[str | Query | GivenQuery]:
    """Return queries from queries, words and files of words, in their order.

    Raises:
        UsageError: a value that cannot be a query, with its place.
    """
    if isinstance(given, Mapping):
        found = list(_of_mapping(given))
    elif (rows := table_rows(given)) is not None:
        found = [query_of_row(row, f"row {number}") for number, row in enumerate(rows, 1)]
    else:
        values = _values(given, "queries", _NO_QUERY)
        found = [_query(value, f"query {number}") for number, value in enumerate(values, 1)]
    if not found:
        raise UsageError(_NO_QUERY)
    return found


def _of_mapping(given: Mapping[Any, Any]) -> Iterator[str | Query | GivenQuery]:
    """Return queries of a mapping: one row (`{"query": "cat", ...}`) or many (`{"cat": 3}`)."""
    words = {str(name).casefold() for name in given}
    row_like = words & {"query", "keyword"} and all(
        isinstance(given[name], str) for name in given
        if str(name).casefold() in {"query", "keyword"}
    )  # fmt: skip
    if row_like:
        yield query_of_row({str(name): value for name, value in given.items()}, "query 1")
        return
    for number, (text, value) in enumerate(given.items(), 1):
        where = f"query {number}"
        row: dict[str, Any] = {"query": _word(text, where)}
        if isinstance(value, Mapping):
            row |= {str(name): one for name, one in value.items()}
        elif isinstance(value, str):
            row["label"] = value
        elif value is not None:
            row["limit"] = value
        yield query_of_row(row, where)


def _query(value: Any, where: str) -> str | Query | GivenQuery:
    if isinstance(value, Query):
        return value
    if isinstance(value, Path):
        from pixtrawl.queries import require_file

        return require_file(value)
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return query_of_row({str(name): one for name, one in value.items()}, where)
    if isinstance(value, (list, tuple, set, frozenset)):
        raise UsageError(
            f"{where} is a {type(value).__name__}: give a flat list of words, or rows such as "
            '{"query": "cat", "label": "pets", "limit": 50}'
        )
    return GivenQuery(_word(value, where))


def _word(value: Any, where: str) -> str:
    """Return the text of a string, of UTF-8 bytes or of a number."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bytes, bytearray)):
        try:
            return bytes(value).decode()
        except UnicodeDecodeError:
            raise UsageError(f"{where}: these bytes are not UTF-8") from None
    if isinstance(value, bool) or is_missing(value) or not isinstance(value, (int, float)):
        raise UsageError(
            f"{where} is {kind_of(value)}: a query is text, a number or a Query; "
            "a file of queries is given by its path"
        )
    if isinstance(value, float):
        if value in {float("inf"), float("-inf")}:
            raise UsageError(f"{where} is {value}: a query is text or a number")
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def _values(given: Any, what: str, nothing: str) -> list[Any]:
    """Return the values of any container; a single value becomes a list of one."""
    if given is None:
        raise UsageError(nothing)
    if isinstance(given, (str, bytes, bytearray, Path, Query, Candidate, bool, int, float)):
        return [given]
    if (items := items_of(given)) is not None:
        return items
    if isinstance(given, (set, frozenset)):  # which have no order of their own
        return sorted(given, key=str)
    try:
        return list(given)
    except TypeError:
        pass
    raise UsageError(f"{what}: a value {kind_of(given)} is none; {nothing.partition(': ')[2]}")


# -- lists of URLs -----------------------------------------------------------------------------


def lists_of(given: Any) -> list[str | Given]:
    """Return the lists to download from files, URLs, rows and candidates, in their order.

    Raises:
        UsageError: a value that cannot be one, with its place.
    """
    if isinstance(given, Mapping):
        return [Given("dict", list(_mapping_rows(given)))]
    if (rows := table_rows(given)) is not None:
        return [Given("table", rows)]
    if hasattr(given, "__next__"):  # a generator may be long: one value is held at a time
        return [Given("values", (_list_item(v, f"item {n}") for n, v in enumerate(given, 1)))]
    values = _values(given, "manifests", _NO_URL)
    items = [_list_item(value, f"item {number}") for number, value in enumerate(values, 1)]
    if not items:
        raise UsageError(_NO_URL)
    found: list[str | Given] = []
    for is_file, group in groupby(items, key=_is_file):
        some = list(group)
        found += map(str, some) if is_file else [Given("values", some)]
    return found


def _is_file(item: Any) -> bool:
    return isinstance(item, Path) or (isinstance(item, str) and not is_address(item))


def _list_item(value: Any, where: str) -> str | Path | Candidate | Mapping[str, Any]:
    if isinstance(value, (Candidate, Path)):
        return value
    if isinstance(value, Mapping):
        return {str(name): one for name, one in value.items()}
    if isinstance(value, (bytes, bytearray)):
        value = _word(value, where)
    if isinstance(value, str):
        if not value.strip():
            raise UsageError(f"{where} is empty: a URL or the path of a list is wanted")
        return value
    if is_missing(value):
        return {"url": None}  # its outcome says so
    raise UsageError(
        f"{where} is {kind_of(value)}: a URL, the path of a list, a row (a dict with a url) or a "
        "candidate of `discover` is wanted"
    )


def _mapping_rows(given: Mapping[Any, Any]) -> Iterator[Mapping[str, Any] | Candidate]:
    """Return the rows of a mapping: one row, columns of equal length, or labels with URLs."""
    row = {str(name): _listed(value) for name, value in given.items()}
    names = {name.casefold() for name in row}
    lists = [value for value in row.values() if isinstance(value, list)]
    if names & {"url", "image_url"}:
        if not lists:
            yield row
            return
        longest = len(lists[0])
        if any(not isinstance(value, list) or len(value) != longest for value in row.values()):
            raise UsageError("a dict of columns needs lists of one length: one value for each row")
        for values in zip(*row.values(), strict=True):
            yield dict(zip(row, values, strict=True))
        return
    for label, value in row.items():
        for number, one in enumerate(value if isinstance(value, list) else [value], 1):
            item = _list_item(one, f"{label!r}, item {number}")
            if isinstance(item, (Candidate, Mapping)):
                yield item
            elif _is_file(item):
                raise UsageError(f"{label!r}, item {number}: {str(item)[:80]!r} is no URL")
            else:
                yield {"url": item, "query": label}


def _listed(value: Any) -> Any:
    if isinstance(value, (str, bytes, Mapping, Candidate, Path)):
        return value
    if (items := items_of(value)) is not None:
        return items
    return list(value) if isinstance(value, Iterable) else value
