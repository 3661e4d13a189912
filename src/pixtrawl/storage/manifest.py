"""URL manifests read: JSON lines, CSV, the post's `keyword_urls.txt`, a plain list of URLs.

What a file is, is told by its content. One row is held at a time. A line that cannot be read is
handed out as a `BadLine` and the rest goes on; a row whose URL is none, or has a scheme that is
not fetched, is still a candidate: its outcome says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Final

from msgspec import Struct

from pixtrawl.errors import MissingExtraError, UsageError
from pixtrawl.labels import Labels
from pixtrawl.lines import Line, Row, csv_rows, decoded, encoding_of, opened, read_lines
from pixtrawl.model import Alternate, Candidate, Kind
from pixtrawl.storage.literal import Broken, read_literal

__all__ = ["FIELDS", "SOURCE", "BadLine", "ReadParquet", "read_manifest", "row_of"]

FIELDS: Final = (
    "query", "label", "url", "kind", "source", "rank", "page_url", "title", "width", "height",
    "thumb_url", "license", "license_url", "creator",
)  # fmt: skip

SOURCE: Final = "urls"  # of rows that name none

_URL_COLUMNS: Final = ("url", "image_url")
_ALSO: Final[Mapping[str, tuple[str, ...]]] = {"title": ("caption", "text"), "query": ("keyword",)}
_KINDS: Final = {kind.value: kind for kind in Kind}
_HEAD_BYTES: Final = 64 * 1024
_MAX_LINE_CHARS: Final = 96 * 2**20  # a data: URI of 64 MiB of bytes is 86 Mi characters
_MAX_PIXELS: Final = 10**9
_LITERAL: Final = re.compile(r"""\{\s*(?:'|\}|"(?:[^"\\]|\\.)*"\s*:\s*[\[(])""", re.DOTALL)
_PYTHON_KEY: Final = re.compile(r"\{\s*'")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")

ReadParquet = Callable[[Path], Iterable[Mapping[str, object]]]


class BadLine(Struct, frozen=True):
    """A line that gives no candidate. `text` is its beginning."""

    file: str
    number: int  # from 1
    problem: str
    text: str = ""


class _Reading(Struct, frozen=True):
    """What the rows of one file have in common."""

    file: str
    stem: str  # query of the rows that name none
    labels: Labels
    label: str | None  # asked for by the user, for every row

    def bad(self, number: int, problem: str, text: str = "") -> BadLine:
        return BadLine(self.file, number, problem, _clean(text[:200]))

    def label_of(self, label: str | None, query: str | None) -> str:
        if self.label or label:
            return self.labels.share(self.label or label or "")
        return self.labels.assign([query])[0] if query else self.labels.share(self.stem)


def read_manifest(
    path: Path,
    *,
    label: str | None = None,
    labels: Labels | None = None,
    read_parquet: ReadParquet | None = None,
) -> Iterator[Candidate | BadLine]:
    """The candidates of a file in its order.

    Args:
        path: JSONL, CSV or TSV with a column `url`, dict literal, plain list; parquet by the hook.
        label: folder name for every row, whatever the rows say.
        labels: hands out labels; give the same one for several files of one data set.
        read_parquet: rows of a parquet file as mappings.

    Raises:
        UsageError: at once, where the file cannot be opened or understood at all.
    """
    with opened(path) as stream:
        head = stream.read(_HEAD_BYTES)
    reading = _Reading(path.name, _clean(path.stem), labels or Labels(), label)
    if head.startswith(b"PAR1") or path.suffix.lower() == ".parquet":
        if read_parquet is None:
            raise MissingExtraError(f"{path}: a parquet manifest", "formats")
        return _mappings(read_parquet(path), reading)
    if encoding_of(head) == "utf-8" and b"\0" in head:
        raise UsageError(f"{path}: is no text, and no parquet file either")
    return _read(path, _reader(path, head), reading)


def _read(path: Path, reader: _Reader, reading: _Reading) -> Iterator[Candidate | BadLine]:
    with opened(path) as stream:
        yield from reader(stream, reading)


def _reader(path: Path, head: bytes) -> _Reader:
    """Which form this is. Raises UsageError for a CSV without a column of URLs."""
    text = head.decode(encoding_of(head), "replace").lstrip("\ufeff \t\r\n")
    suffix = path.suffix.lower()
    lines_of_json = suffix in {".jsonl", ".ndjson"}
    if text.startswith("{"):
        literal = _PYTHON_KEY if lines_of_json else _LITERAL
        return _literal if literal.match(text) else _json_lines
    first = re.split(r"[\r\n]", text, maxsplit=1)[0]
    if lines_of_json:
        return _json_lines
    if _delimiter(first):
        return _csv
    if suffix in {".csv", ".tsv"} and text and not re.match(r"(?i)[a-z][a-z0-9+.-]*:", first):
        raise UsageError(f"{path}: the first line names no column 'url'")
    return _plain


def _literal(stream: BinaryIO, reading: _Reading) -> Iterator[Candidate | BadLine]:
    with decoded(stream) as text:
        for entry in read_literal(text):
            if isinstance(entry, Broken):
                yield reading.bad(entry.line, entry.problem)
                continue
            query = _clean(entry.key).strip() or reading.stem
            row = {"url": entry.url or "", "query": query, "rank": entry.place}
            candidate = _candidate(row, reading)
            if isinstance(candidate, Candidate):
                yield candidate


def _json_lines(stream: BinaryIO, reading: _Reading) -> Iterator[Candidate | BadLine]:
    for line in read_lines(stream, max_chars=_MAX_LINE_CHARS):
        if line.problem:
            yield reading.bad(line.number, line.problem, line.text)
        elif line.text.strip():
            found = _of_json(line, reading)
            yield (
                found
                if isinstance(found, Candidate)
                else reading.bad(line.number, found, line.text)
            )


def _of_json(line: Line, reading: _Reading) -> Candidate | str:
    try:
        value = json.loads(line.text)
    except (ValueError, RecursionError):
        return "is no JSON"
    if isinstance(value, str):
        return _candidate({"url": value}, reading)
    return _candidate(value, reading) if isinstance(value, dict) else "is no JSON object"


def _csv(stream: BinaryIO, reading: _Reading) -> Iterator[Candidate | BadLine]:
    lines = read_lines(stream, max_chars=_MAX_LINE_CHARS)
    first = next(line for line in lines if line.text.strip())
    delimiter = _delimiter(first.text)
    header = _names(first.text, delimiter)
    for row in csv_rows(lines, delimiter=delimiter):
        if not row.problem and not row.raw.strip():
            continue
        found = row.problem or _of_row(row, header, reading)
        yield found if isinstance(found, Candidate) else reading.bad(row.number, found, row.raw)


def _of_row(row: Row, header: list[str], reading: _Reading) -> Candidate | str:
    if len(header) == 1:  # nothing to separate: a comma belongs to the URL
        url = row.cells[0] if len(row.cells) == 1 else row.raw
        return _candidate({"url": url.strip()}, reading)
    if any(cell.strip() for cell in row.cells[len(header) :]):
        return f"{len(row.cells)} columns, the header has {len(header)}"
    return _candidate(dict(zip(header, row.cells, strict=False)), reading)


def _plain(stream: BinaryIO, reading: _Reading) -> Iterator[Candidate | BadLine]:
    rank = 0
    for line in read_lines(stream, max_chars=_MAX_LINE_CHARS):
        text = line.text.strip()
        if line.problem:
            yield reading.bad(line.number, line.problem, line.text)
        elif text and not text.startswith("# "):
            rank += 1
            candidate = _candidate({"url": text, "rank": rank}, reading)
            if isinstance(candidate, Candidate):
                yield candidate


def _mappings(
    rows: Iterable[Mapping[str, object]], reading: _Reading
) -> Iterator[Candidate | BadLine]:
    for number, row in enumerate(rows, 1):
        found = _candidate(row, reading)
        yield found if isinstance(found, Candidate) else reading.bad(number, found)


_Reader = Callable[[BinaryIO, _Reading], Iterator[Candidate | BadLine]]


def _delimiter(first: str) -> str:
    """What separates the columns of a header that has one for URLs, else nothing."""
    found = (one for one in ",\t;" if set(_names(first, one)) & set(_URL_COLUMNS))
    return next(found, "")


def _names(first: str, delimiter: str) -> list[str]:
    return [cell.strip().strip('"').strip().lower() for cell in first.split(delimiter)]


def _candidate(row: Mapping[str, object], reading: _Reading) -> Candidate | str:
    """A row's candidate, or what is wrong with the row."""
    name = next((column for column in _URL_COLUMNS if column in row), None)
    if name is None:
        row = {str(key).lower(): value for key, value in row.items()}
        name = next((column for column in _URL_COLUMNS if column in row), None)
    if name is None:
        return "has no 'url'"
    value = row[name]
    if isinstance(value, (list, dict)):
        return "its 'url' is no text"
    url = "" if value is None else _clean(str(value))
    query = _text(row, "query")
    return Candidate(
        url=url,
        query=query or reading.stem,
        label=reading.label_of(_text(row, "label"), query),
        source=_text(row, "source") or SOURCE,
        rank=_number(row.get("rank")) or 0,
        kind=_kind(row.get("kind"), url),
        page_url=_text(row, "page_url"),
        title=_text(row, "title"),
        width=_number(row.get("width")),
        height=_number(row.get("height")),
        thumb_url=_text(row, "thumb_url"),
        license=_text(row, "license"),
        license_url=_text(row, "license_url"),
        creator=_text(row, "creator"),
        alternates=_alternates(row.get("alternates")),
    )


def _text(row: Mapping[str, object], name: str) -> str | None:
    value = row.get(name)
    if value is None:
        also = _ALSO.get(name, ())
        value = next((row[key] for key in also if row.get(key) is not None), None)
        if value is None:
            return None
    if isinstance(value, str):
        return _clean(value).strip() or None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return None


def _number(value: object) -> int | None:
    """A whole number from 1; data sets write sizes as 640, 640.0 and "640"."""
    if value is None:
        return None
    if isinstance(value, str):
        digits = value.strip().removesuffix(".0")
        value = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None
    if isinstance(value, float):
        value = int(value) if value.is_integer() else None
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _MAX_PIXELS:
        return value
    return None


def _kind(value: object, url: str) -> Kind:
    known = _KINDS.get(value) if isinstance(value, str) else None
    return known or (Kind.DATA if url[:5].lower() == "data:" else Kind.ORIGINAL)


def _alternates(value: object) -> tuple[Alternate, ...]:
    if not isinstance(value, list):
        return ()
    found = []
    for one in value[:16]:
        if isinstance(one, dict) and isinstance(one.get("url"), str):
            url = _clean(one["url"])
            found.append(Alternate(url, _kind(one.get("kind"), url)))
    return tuple(found)


def _clean(text: str) -> str:
    """Text that can be written: a lone surrogate has no UTF-8 form."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def row_of(candidate: Candidate) -> dict[str, object]:
    """A candidate as a row: the `FIELDS`, and `alternates` where there are some."""
    row: dict[str, object] = {name: getattr(candidate, name) for name in FIELDS}
    row["kind"] = candidate.kind.value
    if candidate.alternates:
        row["alternates"] = [
            {"url": one.url, "kind": one.kind.value} for one in candidate.alternates
        ]
    return row
