"""Reads lists of URLs in many formats: JSON, tables, `keyword_urls.txt`, plain lines.

The format is detected from the content. Rows are streamed. A line that cannot be read yields a
`BadLine`, and reading continues. A row with an invalid URL or an unsupported scheme still yields a
candidate, so that its outcome is recorded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final

from pixtrawl.errors import MissingExtraError, UsageError
from pixtrawl.labels import Labels
from pixtrawl.lines import decoded, encoding_of, opened, read_lines
from pixtrawl.manifests.columns import GivenColumns, is_url
from pixtrawl.manifests.json_documents import find_rows, read_document
from pixtrawl.manifests.literal import Broken, read_literal
from pixtrawl.manifests.rows import FIELDS, SOURCE, TEXTS, BadLine, ListContext, Rows, clean
from pixtrawl.manifests.tables import MAX_LINE_CHARS, latin_told, read_table, table_of
from pixtrawl.model import Candidate

__all__ = [
    "FIELDS",
    "SOURCE",
    "TEXTS",
    "BadLine",
    "ListContext",
    "ReadParquet",
    "read_manifest",
    "read_rows",
    "row_of",
]

_HEAD_BYTES: Final = 64 * 1024
_SAMPLE: Final = 100  # rows inspected before the first is yielded
_PACKED: Final = (".gz", ".zst")
_LITERAL: Final = re.compile(
    r"""\{\s*(?:'|\}|"(?:[^"\\]|\\.)*"\s*:\s*[\[(]\s*['"\])])""", re.DOTALL
)
_PYTHON_KEY: Final = re.compile(r"\{\s*'")

ReadParquet = Callable[[Path], Iterable[Mapping[str, object]]]
_Reader = Callable[[BinaryIO, ListContext], Iterator[Candidate | BadLine]]


def read_manifest(  # noqa: PLR0913 - options for reading a list
    path: Path,
    *,
    label: str | None = None,
    labels: Labels | None = None,
    read_parquet: ReadParquet | None = None,
    given: GivenColumns = GivenColumns(),
    notices: list[str] | None = None,
    name: str | None = None,
) -> Iterator[Candidate | BadLine]:
    """Return the candidates of a file, in its order.

    Args:
        path: JSON, JSONL, CSV or TSV, dict literal or plain list, also compressed (.gz, .zst);
            parquet by `read_parquet`.
        label: label of every row, overriding those in the rows.
        labels: assigns labels; pass the same object for all files of one data set.
        read_parquet: returns the rows of a parquet file as mappings.
        given: columns given by the user.
        notices: list to which messages on surprising guesses are appended.
        name: name of the list for messages, if the path means nothing to the user.

    Raises:
        UsageError: immediately, if the file cannot be opened or its format not be read.
        MissingExtraError: immediately, for parquet without `read_parquet`.
    """
    with opened(path) as stream:
        head = stream.read(_HEAD_BYTES)
    plain = path.with_suffix("") if path.suffix.lower() in _PACKED else path
    reading = ListContext(
        name or path.name, clean(name or plain.stem), labels or Labels(), label, given,
        [] if notices is None else notices,
    )  # fmt: skip
    suffix = "" if name else plain.suffix.lower()
    if head.startswith(b"PAR1") or suffix == ".parquet":
        if read_parquet is None:
            raise MissingExtraError(f"{path}: a parquet manifest", "formats")
        return read_rows(read_parquet(path), reading)
    if encoding_of(head) == "utf-8" and b"\0" in head:
        raise UsageError(f"{path}: is no text, and no parquet file either")
    return _read(path, _reader(path, head, suffix, reading), reading)


def read_rows(
    rows: Iterable[Mapping[str, Any]], reading: ListContext
) -> Iterator[Candidate | BadLine]:
    """Return the candidates of rows that are mappings already.

    Raises:
        UsageError: immediately, if no column of URLs can be determined.
    """
    rows = iter(rows)
    sample = list(islice(rows, _SAMPLE))  # `zip` with a range would take one row more
    names = list(dict.fromkeys(str(name) for row in sample for name in row))
    if not names:
        return iter(())
    return _of_rows(_chained(sample, rows), Rows(names, sample, reading))


def _chained(
    first: Iterable[Mapping[str, Any]], rest: Iterator[Mapping[str, Any]]
) -> Iterator[Mapping[str, Any]]:
    yield from first
    yield from rest


def _of_rows(rows: Iterable[Mapping[str, Any]], made: Rows) -> Iterator[Candidate | BadLine]:
    for number, row in enumerate(rows, 1):
        yield from made.of(row, number)


def _read(path: Path, reader: _Reader, reading: ListContext) -> Iterator[Candidate | BadLine]:
    with opened(path) as stream:
        yield from reader(stream, reading)


def _reader(path: Path, head: bytes, suffix: str, reading: ListContext) -> _Reader:
    """Detect the format and return its reader. Raise UsageError without a column of URLs."""
    text = head.decode(encoding_of(head), "replace").lstrip("\ufeff \t\r\n")
    lines_of_json = suffix in {".jsonl", ".ndjson"}
    if text.startswith("{"):
        pattern = _PYTHON_KEY if lines_of_json else _LITERAL
        if pattern.match(text) and suffix != ".json":
            return _literal
    if lines_of_json:
        return _json_lines(text, reading)
    if text.startswith(("{", "[")) and (suffix == ".json" or _is_json(text)):
        if text.startswith("{") and not _is_document(text):
            return _json_lines(text, reading)
        with opened(path) as stream, decoded(stream) as content:
            place = find_rows(content, reading)
        return lambda stream, reading: read_document(stream, reading, place)
    if text.startswith("<"):
        raise UsageError(
            f"{reading.file}: is a web page; its images are found by `pixtrawl run -s page`"
        )
    table = table_of(text, suffix, reading.given, reading.file)
    if table is None:
        return _plain
    Rows(table.names, table.sample, _silent(reading), table.chosen)  # raises UsageError early
    return lambda stream, reading: read_table(stream, table, reading)


def _silent(reading: ListContext) -> ListContext:
    return ListContext(reading.file, reading.stem, reading.labels, reading.label, reading.given)


def _is_json(text: str) -> bool:
    """Return whether brackets open JSON; a plain list may begin with `[::1]`."""
    return re.match(r"[\[{]\s*(?:[\[{\"\]}]|\Z)", text) is not None


def _is_document(text: str) -> bool:
    """Return whether the file is one JSON object, not one object per line."""
    lines = [line for line in text.splitlines()[:2] if line.strip()]
    try:
        value = json.loads(lines[0])
    except (ValueError, RecursionError):
        return len(lines) < 2 or not lines[0].rstrip().endswith("}")
    if not isinstance(value, dict) or len(lines) > 1:
        return False
    if any(isinstance(value.get(name), str) for name in ("url", "image_url")):
        return False
    holds_lists = any(isinstance(one, (list, dict)) for one in value.values())
    return holds_lists or (len(value) > 1 and all(map(is_url, value.values())))


def _literal(stream: BinaryIO, reading: ListContext) -> Iterator[Candidate | BadLine]:
    with decoded(stream) as text:
        for entry in read_literal(text):
            if isinstance(entry, Broken):
                yield reading.bad(entry.line, entry.problem)
                continue
            query = clean(entry.key).strip() or reading.stem
            yield reading.candidate(entry.url or "", query, entry.place)


def _json_lines(text: str, reading: ListContext) -> _Reader:
    """Return a reader of JSON lines, each an object or a string."""
    sample = [row for line in text.splitlines()[:_SAMPLE] if (row := _object(line))]
    names = list(dict.fromkeys(name for row in sample for name in row))
    made = Rows(names, sample, reading) if names else None

    def read(stream: BinaryIO, reading: ListContext) -> Iterator[Candidate | BadLine]:
        place = 0
        latin = latin_told(reading)
        for line in read_lines(stream, max_chars=MAX_LINE_CHARS, latin=latin):
            if line.problem:
                yield reading.bad(line.number, line.problem, line.text)
                continue
            if not line.text.strip():
                continue
            try:
                value = json.loads(line.text)
            except (ValueError, RecursionError):
                yield reading.bad(line.number, "is no JSON", line.text)
                continue
            place += 1
            if isinstance(value, str):
                yield reading.candidate(clean(value), None, place)
            elif not isinstance(value, dict) or made is None:
                yield reading.bad(line.number, "is no JSON object", line.text)
            else:
                for found in made.of(value, place):
                    yield (
                        found
                        if isinstance(found, Candidate)
                        else reading.bad(line.number, found.problem, line.text)
                    )

    return read


def _object(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _plain(stream: BinaryIO, reading: ListContext) -> Iterator[Candidate | BadLine]:
    rank = 0
    for line in read_lines(stream, max_chars=MAX_LINE_CHARS, latin=latin_told(reading)):
        text = line.text.strip()
        if line.problem:
            yield reading.bad(line.number, line.problem, line.text)
        elif text and not text.startswith("# "):
            rank += 1
            yield reading.candidate(text, None, rank)


def row_of(candidate: Candidate) -> dict[str, object]:
    """Return a candidate as a row: `FIELDS`, `alternates` if any, then the list's own columns."""
    row: dict[str, object] = {name: getattr(candidate, name) for name in FIELDS}
    row["kind"] = candidate.kind.value
    row |= {name: text for name in TEXTS if (text := getattr(candidate, name))}
    if candidate.alternates:
        row["alternates"] = [
            {"url": one.url, "kind": one.kind.value} for one in candidate.alternates
        ]
    if candidate.extra:
        row |= {name: value for name, value in candidate.own.items() if name not in row}
    return row
