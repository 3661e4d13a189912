"""Reads lists that are tables: CSV, TSV, semicolons, with or without a header, `URL label` lines.

The separator and the header are detected from the first lines: a first line with a URL in it is a
row, any other is a header.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO, Final

from msgspec import Struct

from pixtrawl.errors import UsageError
from pixtrawl.lines import CsvRow, Line, csv_rows, read_lines
from pixtrawl.manifests.columns import (
    Chosen,
    GivenColumns,
    choose,
    is_url,
    names_a_picture,
    plain_name,
)
from pixtrawl.manifests.rows import BadLine, ListContext, Rows
from pixtrawl.model import Candidate

__all__ = ["MAX_LINE_CHARS", "TableFormat", "read_table", "table_of"]

MAX_LINE_CHARS: Final = 96 * 2**20  # a data: URI of 64 MiB of bytes is 86 Mi characters
_SAMPLE: Final = 200  # rows inspected
_SEPARATORS: Final = (",", "\t", ";", "|")
_URL_NAMES: Final = frozenset({"url", "image_url"})
_PAIR: Final = re.compile(r"(\S+)[ \t]+(\S.*)")
_MAX_LABEL_CHARS: Final = 40


class TableFormat(Struct, frozen=True):
    """The format of a table: separator, header and columns."""

    separator: str  # "" for one column; " " for a URL, blanks, and the rest of the line
    names: tuple[str, ...]
    has_header: bool
    sample: tuple[Mapping[str, str], ...]
    chosen: Chosen | None = None  # if the names do not determine the columns


def table_of(text: str, suffix: str, given: GivenColumns, where: str) -> TableFormat | None:
    """Detect the table format from the beginning of a file; return None for a plain list.

    Raises:
        UsageError: it is a table, but none or several of its columns hold URLs.
    """
    lines = [line for line in text.splitlines()[:_SAMPLE] if line.strip()]
    if not lines:
        return None
    if len(lines) > 1 and len(text) >= 60_000:
        lines.pop()  # may be cut off
    if pair := _pairs(lines, given, where):
        return pair
    return _by_separator(lines, suffix, given, where) or _by_one_column(lines, suffix, where)


def _by_separator(
    lines: Sequence[str], suffix: str, given: GivenColumns, where: str
) -> TableFormat | None:
    tables = [one for sep in _order(suffix) if (one := _split(lines, sep, suffix)) is not None]
    for table in tables:
        if not table.has_header:
            return _headless(table, given, where)
        if given.url or _URL_NAMES & {plain_name(name) for name in table.names}:
            return table
    for table in tables:
        if any(is_url(value) for row in table.sample for value in row.values()):
            return table
    if suffix in {".csv", ".tsv"} and tables:
        choose(tables[0].names, tables[0].sample, given, where)  # raises UsageError
    return None


def _by_one_column(lines: Sequence[str], suffix: str, where: str) -> TableFormat | None:
    one_name = plain_name(lines[0].strip().strip('"'))
    if one_name in _URL_NAMES or (len(lines) > 1 and _one_column(lines, suffix)):
        name = lines[0].strip().strip('"').strip()
        rows = tuple({name: line.strip()} for line in lines[1:])
        return TableFormat("", (name,), True, rows)
    if suffix in {".csv", ".tsv"} and not re.match(r"(?i)[a-z][a-z0-9+.-]*:", lines[0]):
        raise UsageError(f"{where}: no column holds URLs; the first line is {lines[0][:80]!r}")
    return None


def read_table(
    stream: BinaryIO, table: TableFormat, reading: ListContext
) -> Iterator[Candidate | BadLine]:
    """Yield the candidates of a table row by row, and a BadLine for each bad row."""
    rows = Rows(table.names, table.sample, reading, table.chosen)
    lines = read_lines(stream, max_chars=MAX_LINE_CHARS, latin=latin_told(reading))
    place = 0
    skipped = not table.has_header
    for row in _rows(lines, table):
        if not row.problem and not row.raw.strip():
            continue
        if not skipped:
            skipped = True
            continue
        problem = row.problem or _too_wide(row, table)
        if problem:
            yield reading.bad(row.number, problem, row.raw)
            continue
        place += 1
        for found in rows.of(dict(zip(table.names, row.cells, strict=False)), place):
            yield (
                found
                if isinstance(found, Candidate)
                else reading.bad(row.number, found.problem, row.raw)
            )


def latin_told(reading: ListContext) -> Callable[[int], object]:
    """Return a callback that adds a notice, once, that a list is not UTF-8."""
    guessed: list[int] = []

    def once(number: int) -> None:
        if not guessed:
            guessed.append(number)
            reading.notices.append(
                f"{reading.file}:{number}: is not UTF-8; such lines are read as Latin-1"
            )

    return once


def _rows(lines: Iterator[Line], table: TableFormat) -> Iterator[CsvRow]:
    if table.separator == "":  # one column: a comma is part of the URL
        for line in lines:
            text = line.text.strip()
            cells = next(iter(csv_rows(iter([line])))).cells if text[:1] == '"' else [text]
            yield CsvRow(line.number, cells if len(cells) == 1 else [text], line.text, line.problem)
        return
    if table.separator == " " or (table.separator == "\t" and not table.has_header):
        for line in lines:
            yield CsvRow(line.number, _plain_cells(line.text, table), line.text, line.problem)
        return
    for row in csv_rows(lines, delimiter=table.separator):
        if row.problem and table.separator == "\t":  # quotation marks mean nothing in most TSV
            cells = row.raw.split("\t")
            if len(cells) == len(table.names):
                yield CsvRow(row.number, cells, row.raw)
                continue
        yield row


def _plain_cells(text: str, table: TableFormat) -> list[str]:
    if table.separator == "\t":
        return text.rstrip("\r").split("\t")
    match = _PAIR.fullmatch(text.strip())
    return list(match.groups()) if match else [text.strip()]


def _too_wide(row: CsvRow, table: TableFormat) -> str:
    if any(cell.strip() for cell in row.cells[len(table.names) :]):
        what = "header" if table.has_header else "first line"
        return f"{len(row.cells)} columns, the {what} has {len(table.names)}"
    return ""


# -- format detection --------------------------------------------------------------------------


def _order(suffix: str) -> Sequence[str]:
    return ("\t", ",", ";", "|") if suffix == ".tsv" else _SEPARATORS


def _split(lines: Sequence[str], separator: str, suffix: str) -> TableFormat | None:
    """Return the lines as a table with this separator, or None if they are not one."""
    if separator not in lines[0]:
        return None
    numbered = (Line(number, line) for number, line in enumerate(lines, 1))
    if separator == "\t" and any(is_url(cell) for cell in lines[0].split("\t")):
        rows = [line.split("\t") for line in lines]
    else:
        rows = [row.cells for row in csv_rows(numbered, delimiter=separator) if not row.problem]
    if not rows or len(rows[0]) < 2:
        return None
    first = [cell.strip() for cell in rows[0]]
    width = len(first)
    if any(is_url(cell) for cell in first):
        even = [row for row in rows if len(row) == width]
        if len(even) * 10 < len(rows) * 9 or not _separates(even, separator, suffix):
            return None
        names = tuple(f"column_{at}" for at in range(1, width + 1))
        return TableFormat(separator, names, False, _dicts(names, even))
    names = _unique(first)
    if suffix not in {".csv", ".tsv"} and not (
        _URL_NAMES & {plain_name(name) for name in names}
        or any(is_url(cell) for row in rows[1:] if len(row) <= width for cell in row)
    ):
        return None
    return TableFormat(separator, names, True, _dicts(names, rows[1:]))


def _separates(rows: Sequence[Sequence[str]], separator: str, suffix: str) -> bool:
    """Return whether the separator divides columns, rather than being part of the URLs."""
    if separator == "\t":
        return True
    if suffix != ".csv":
        return False
    for row in rows:
        for at, cell in enumerate(row[:-1]):
            after = row[at + 1]
            inside = is_url(cell) and not (names_a_picture(cell) or after[:1].isspace())
            if inside or (is_url(cell) and names_a_picture(after) and not is_url(after)):
                return False
    return True


def _unique(cells: Sequence[str]) -> tuple[str, ...]:
    names: list[str] = []
    for at, cell in enumerate(cells, 1):
        name = cell.strip().strip("\ufeff") or f"column_{at}"
        names.append(name if name not in names else f"{name}_{at}")
    return tuple(names)


def _dicts(names: Sequence[str], rows: Iterable[Sequence[str]]) -> tuple[Mapping[str, str], ...]:
    return tuple(dict(zip(names, row, strict=False)) for row in rows)


def _one_column(lines: Sequence[str], suffix: str) -> bool:
    """Return whether the lines are a column name with only URLs below it."""
    return (
        suffix in {".csv", ".tsv"}
        and not is_url(lines[0])
        and all(is_url(line.strip().strip('"')) for line in lines[1:])
    )


def _pairs(lines: Sequence[str], given: GivenColumns, where: str) -> TableFormat | None:
    """Return the table if every line is `URL label` or `URL caption`, divided by blanks."""
    found = [_PAIR.fullmatch(line.strip()) for line in lines if not line.startswith("# ")]
    pairs = [match.groups() for match in found if match and is_url(match[1])]
    if not pairs or len(pairs) < len(found) or any(names_a_picture(rest) for _, rest in pairs):
        return None
    if any("\t" in line for line in lines) or any(is_url(rest) for _, rest in pairs):
        return None
    names = ("column_1", "column_2")
    return _headless(TableFormat(" ", names, False, _dicts(names, pairs)), given, where)


def _headless(table: TableFormat, given: GivenColumns, where: str) -> TableFormat:
    """Choose the columns of a table without a header by their content."""
    chosen = choose(table.names, table.sample, given, where)
    number = int(chosen.url.removeprefix("column_"))
    guessed = [] if given.url else [f"column {number} as the URL"]
    label, caption = chosen.label, chosen.caption
    others = [name for name in table.names if name != chosen.url]
    if len(others) == 1 and not (label or caption):
        other = int(others[0].removeprefix("column_"))
        if _are_labels([row.get(others[0], "") for row in table.sample]):
            label = others[0]
            guessed.append(f"column {other} as the label (--caption-column {other} if it is not)")
        else:
            caption = others[0]
            guessed.append(f"column {other} as the caption (--label-column {other} if it is not)")
    notice = f"{where}: has no header; taking {', '.join(guessed)}" if guessed else ""
    chosen = Chosen(chosen.url, (), label, caption, chosen.id, certain=True, notice=notice)
    return TableFormat(table.separator, table.names, False, table.sample, chosen)


def _are_labels(values: Sequence[str]) -> bool:
    """Return whether values look like labels: short, and repeated or few without digits."""
    values = [value.strip() for value in values if value.strip()]
    if not values or any(len(v) > _MAX_LABEL_CHARS or len(v.split()) > 3 for v in values):
        return False
    if len(set(values)) * 2 <= len(values):
        return True
    return len(values) < 20 and not any(char.isdigit() for value in values for char in value)
