"""Queries from words and files: queries.csv, .txt, .jsonl or standard input, errors by line.

- `.csv`: one column without a header, or a header with `query` (or `keyword`) and, in any order,
  `label` and `limit`. Where there is one column only, an unquoted comma belongs to the text.
- `.txt`: one a line; a line that begins with `# ` (hash, space) is a comment, `#hashtag` is not.
- `.jsonl`: a string a line, or an object with `query`, `label`, `limit`.
- `-`: as `.txt`, unless its first line shows that it is JSON lines or a CSV with a header.

Every text stays text (`2020`, `null`, `NA`). A line that cannot be used ends the reading with its
number: nothing is fetched for half a list.
"""

from __future__ import annotations

import difflib
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import msgspec
from msgspec import Struct

from pixtrawl.errors import UsageError
from pixtrawl.labels import Labels
from pixtrawl.lines import CsvRow, Line, csv_rows, opened, read_lines
from pixtrawl.model import Filters, Query
from pixtrawl.query_rows import TEXT_COLUMNS, GivenQuery, limit_of, query_of_row, text_of

__all__ = [
    "MAX_CHARS", "GivenQuery", "QueryDefaults", "query_of_row", "read_queries", "require_file",
]  # fmt: skip

MAX_CHARS: Final = 1000  # of one query; no search engine takes as much
_MAX_LINE_CHARS: Final = 64 * 1024
_KINDS: Final = (".csv", ".txt", ".jsonl")
_NOT_READ: Final = (".tsv", ".json", ".xlsx", ".xls", ".ods", ".parquet")
_COLUMNS: Final = (*TEXT_COLUMNS, "label", "limit")

Notice = Callable[[str], None]


class QueryDefaults(Struct, frozen=True, kw_only=True):
    """Values for every query that does not set its own.

    `label` is the folder of all queries without one of their own; `prefix` and `suffix` are words
    put around each text, and are part of it from then on.
    """

    limit: int | None = None
    label: str | None = None
    prefix: str = ""
    suffix: str = ""
    filters: Filters = Filters()


class _QueryEntry(NamedTuple):
    where: str  # "queries.csv:3" or "query 2"
    text: str
    label: str = ""
    limit: int | None = None
    extra: str = ""


def read_queries(
    items: Sequence[str | GivenQuery],
    defaults: QueryDefaults | None = None,
    *,
    stdin: BinaryIO | None = None,
    taken: Iterable[tuple[str, str]] = (),
    notice: Notice | None = None,
) -> list[Query]:
    """Return all queries that `items` name, in order, each once.

    Args:
        items: words, existing `.csv`, `.txt`, `.jsonl` files, or `-`; queries from Python.
        defaults: limit, label, words around and filters for all.
        stdin: what `-` reads; None is the process's own.
        taken: (label, query text) pairs of the data set that is added to.
        notice: called with what was understood in a way that may surprise.

    Raises:
        UsageError: a file or line cannot be used, or there is no query at all.
    """
    defaults = defaults or QueryDefaults()
    entries: list[_QueryEntry] = []
    for number, item in enumerate(items, 1):
        entries.extend(_entries(item, number, stdin, notice or _ignore))
    if not entries:
        raise UsageError("no queries: give words, or a file with one query a line")
    return _queries(entries, defaults, Labels(taken), notice or _ignore)


def _queries(
    entries: list[_QueryEntry], defaults: QueryDefaults, labels: Labels, notice: Notice
) -> list[Query]:
    checked = [_checked(entry, defaults) for entry in entries]
    shared = [labels.share(entry.label) if entry.label else "" for entry in checked]
    own = iter(labels.assign([entry.text for entry in checked if not entry.label]))
    queries: dict[tuple[str, str], Query] = {}
    for entry, word in zip(checked, shared, strict=True):
        label = word or next(own)
        limit = defaults.limit if entry.limit is None else entry.limit
        query = Query(entry.text, label, limit, defaults.filters, entry.extra)
        kept = queries.setdefault((label, entry.text), query)
        if kept.limit != limit:
            notice(f"{entry.where}: {entry.text!r} was given before, its first limit holds")
    return list(queries.values())


def _checked(entry: _QueryEntry, defaults: QueryDefaults) -> _QueryEntry:
    """Return the entry with its final text and label. Raises UsageError."""
    text = entry.text.strip().replace("\r", "").replace("\n", " ")
    if not text:
        raise UsageError(f"{entry.where}: the query is empty")
    text = " ".join(
        part for part in (defaults.prefix.strip(), text, defaults.suffix.strip()) if part
    )
    label = (entry.label or defaults.label or "").strip()
    for what, value in (("query", text), ("label", label)):
        if len(value) > MAX_CHARS:
            raise UsageError(f"{entry.where}: the {what} is longer than {MAX_CHARS} characters")
        if "\0" in value or not _encodes(value):
            raise UsageError(f"{entry.where}: the {what} holds characters that are no text")
    return entry._replace(text=text, label=label)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _entries(
    item: str | GivenQuery, number: int, stdin: BinaryIO | None, notice: Notice
) -> Iterable[_QueryEntry]:
    if isinstance(item, GivenQuery):
        return [_QueryEntry(f"query {number}", *item)]
    if item == "-":
        stream = sys.stdin.buffer if stdin is None else stdin
        return list(_of_stdin(io.BytesIO(stream.read()), notice))
    path = Path(item)
    kind = path.suffix.lower()
    if kind not in _KINDS + _NOT_READ or "\0" in item:
        return [_QueryEntry(f"query {number}", item)]
    if not _is_file(path):
        if kind in _NOT_READ:  # `package.json` is something people look for
            return [_QueryEntry(f"query {number}", item)]
        raise UsageError(_missing(path))
    if kind in _NOT_READ:
        raise UsageError(f"{item}: queries are read from {', '.join(_KINDS)} files")
    with opened(path) as stream:
        lines = read_lines(stream, max_chars=_MAX_LINE_CHARS)
        return list(_READERS[kind](lines, path.name, notice))


def require_file(path: Path) -> str:
    """Return the path of a file of queries. Raise UsageError if it is not one."""
    if path.suffix.lower() not in _KINDS:
        raise UsageError(f"{path}: queries are read from {', '.join(_KINDS)} files")
    if not _is_file(path):
        raise UsageError(_missing(path))
    return str(path)


def _is_file(path: Path) -> bool:
    try:
        return path.exists() and not path.is_dir()  # a pipe will do
    except OSError:  # a name longer than the system takes
        return False


def _missing(path: Path) -> str:
    """Return an error sentence for a missing file; it names one that is spelled alike."""
    if path.is_dir():
        return f"{path}: is a folder, not a file of queries"
    try:
        names = [one.name for one in path.parent.iterdir() if one.suffix.lower() in _KINDS]
    except OSError:
        names = []
    alike = difflib.get_close_matches(path.name, names[:1000], 1)
    hint = f"; did you mean {alike[0]}?" if alike else ""
    return (
        f"{path}: no such file{hint} (a file of queries has a keyword a line; words that end like "
        "a file's name are searched for if they come on standard input, by `-`)"
    )


def _of_stdin(stream: BinaryIO, notice: Notice) -> Iterator[_QueryEntry]:
    name = "standard input"
    lines = list(read_lines(stream, max_chars=_MAX_LINE_CHARS))
    first = next((line.text.strip() for line in lines if line.text.strip()), "")
    kind = ".txt"
    if first[:1] == "{":
        kind = ".jsonl"
    elif _delimiter(first) and _header(first.split(_delimiter(first))):
        kind = ".csv"
    return _READERS[kind](iter(lines), name, notice)


def _of_txt(lines: Iterator[Line], name: str, _: Notice) -> Iterator[_QueryEntry]:
    for line in lines:
        where = f"{name}:{line.number}"
        if line.problem:
            raise UsageError(f"{where}: {line.problem}")
        text = line.text.strip()
        if text and not text.startswith("# ") and text != "#":
            yield _QueryEntry(where, text)


def _of_jsonl(lines: Iterator[Line], name: str, notice: Notice) -> Iterator[_QueryEntry]:
    for line in lines:
        where = f"{name}:{line.number}"
        if line.problem:
            raise UsageError(f"{where}: {line.problem}")
        if not line.text.strip():
            continue
        try:
            value = json.loads(line.text)
        except (ValueError, RecursionError):
            raise UsageError(f"{where}: is no JSON") from None
        if isinstance(value, dict):
            yield _QueryEntry(where, *query_of_row(value, where))
        else:
            yield _QueryEntry(where, text_of(value, "query", where))


def _of_csv(lines: Iterator[Line], name: str, notice: Notice) -> Iterator[_QueryEntry]:
    first = next((line for line in lines if line.text.strip() or line.problem), None)
    if first is None:
        return
    delimiter = _delimiter(first.text) or ","
    rows = csv_rows(_chain(first, lines), delimiter=delimiter)
    header = _header(first.text.split(delimiter))
    names = [cell.strip().strip('"').strip() for cell in first.text.split(delimiter)]
    if header:
        next(rows)
        if own := [word for word, key in zip(names, header, strict=True) if key not in _COLUMNS]:
            notice(f"{name}: kept with each image: {', '.join(own[:8])}")
        _check_header(header, f"{name}:{first.number}")
    noticed = False
    for row in rows:
        where = f"{name}:{row.number}"
        if row.problem:
            raise UsageError(f"{where}: {row.problem}")
        if not any(cell.strip() for cell in row.cells):
            continue
        if len(header) > 1:
            yield _of_cells(header, names, row, where)
            continue
        text, joined = _only_column(row, where)
        if joined and not noticed:
            notice(f"{where}: the comma is taken as part of the query; columns need a header")
            noticed = True
        yield _QueryEntry(where, text)


def _chain(first: Line, lines: Iterator[Line]) -> Iterator[Line]:
    yield first
    yield from lines


def _delimiter(first: str) -> str:
    """Return the delimiter of a header; spreadsheets of some countries write semicolons."""
    return next((one for one in ",;\t" if one in first and _header(first.split(one))), "")


def _header(cells: list[str]) -> list[str]:
    """Return the column names if these cells are a header, else nothing."""
    names = [cell.strip().strip('"').strip().lower() for cell in cells]
    return names if any(name in TEXT_COLUMNS for name in names) else []


def _check_header(header: list[str], where: str) -> None:
    for name in _COLUMNS:
        if header.count(name) > 1:
            raise UsageError(f"{where}: the column {name!r} is there twice")
    if all(name in header for name in TEXT_COLUMNS):
        raise UsageError(f"{where}: both {' and '.join(TEXT_COLUMNS)}: one of them is the query")


def _of_cells(header: list[str], names: list[str], row: CsvRow, where: str) -> _QueryEntry:
    if any(cell.strip() for cell in row.cells[len(header) :]):
        raise UsageError(
            f"{where}: {len(row.cells)} columns, the header has {len(header)}; "
            "put quotation marks around text with a comma"
        )
    cells = {name: cell.strip() for name, cell in zip(header, row.cells, strict=False)}
    text = next(cells[name] for name in TEXT_COLUMNS if name in header)
    limit = limit_of(cells.get("limit", ""), where)
    own = {
        name: cell.strip()
        for name, key, cell in zip(names, header, row.cells, strict=False)
        if key not in _COLUMNS
    }
    extra = msgspec.json.encode(own).decode() if own else ""
    return _QueryEntry(where, text, cells.get("label", ""), limit, extra)


def _only_column(row: CsvRow, where: str) -> tuple[str, bool]:
    """Return the text of a row in a one-column file, and whether cells were joined for it."""
    if not any(cell.strip() for cell in row.cells[1:]):
        return row.cells[0], False
    if '"' in row.raw:
        raise UsageError(
            f"{where}: {len(row.cells)} columns, but the first line does not name them "
            "(query,label,limit); a text with a comma goes into quotation marks as a whole"
        )
    return row.raw.strip(), True


def _ignore(message: str) -> None:
    """Ignore a notice: the default."""


_READERS: Final = {".csv": _of_csv, ".txt": _of_txt, ".jsonl": _of_jsonl}
