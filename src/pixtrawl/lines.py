"""Read untrusted text files line by line: encodings, NUL bytes, endless lines, CSV quoting.

One line is held at a time. What is wrong with a line is said beside it, and the next one follows.
"""

from __future__ import annotations

import codecs
import io
import re
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, cast

from pixtrawl.errors import UsageError

_MARKS: Final = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UNDECODED: Final = re.compile("[\ud800-\udfff]")
_QUOTED: Final = re.compile(r'"([^"]*(?:""[^"]*)*)"')
_MAX_FIELD_LINES: Final = 16  # of one quoted CSV field; a forgotten quote must not eat the file


class Line(NamedTuple):
    """One line without its line break; `problem` is why it cannot be used, or empty."""

    number: int  # from 1
    text: str
    problem: str = ""


class CsvRow(NamedTuple):
    """One CSV row; `raw` is the text it was made from."""

    number: int  # of its first line
    cells: list[str]
    raw: str
    problem: str = ""


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file as a seekable stream (pipes are copied), decompressed. Raises UsageError."""
    try:
        with path.open("rb") as stream:
            if stream.seekable():
                with _decompressed(stream, path) as content:
                    yield content
                return
            import shutil  # with tempfile: 8 ms
            import tempfile

            with tempfile.TemporaryFile() as copy:
                shutil.copyfileobj(stream, copy)
                copy.seek(0)
                with _decompressed(copy, path) as content:
                    yield content
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"{path}: cannot be read: {why}") from error


@contextmanager
def _decompressed(stream: BinaryIO, path: Path) -> Iterator[BinaryIO]:
    """Decompress gzip, and zstd where Python supports it. Raises UsageError."""
    magic = stream.read(4)
    stream.seek(0)
    if magic[:2] == b"\x1f\x8b":
        import gzip

        with gzip.GzipFile(fileobj=stream) as content:
            yield cast("BinaryIO", content)
    elif magic == b"\x28\xb5\x2f\xfd":
        try:
            zstd = import_module("compression.zstd")  # from Python 3.14 on
        except ImportError:
            raise UsageError(
                f"{path}: is compressed by zstd, which this Python cannot read: `zstd -d {path}`"
            ) from None
        with zstd.ZstdFile(stream) as content:
            yield content
    else:
        yield stream


def encoding_of(head: bytes) -> str:
    """Return the encoding of the byte order mark at the start, else UTF-8."""
    return next((name for mark, name in _MARKS if head.startswith(mark)), "utf-8")


def read_lines(
    stream: BinaryIO, *, max_chars: int, latin: Callable[[int], object] | None = None
) -> Iterator[Line]:
    """Yield every line of UTF-8, or of UTF-16/32 with a byte order mark.

    A longer line than `max_chars` is skipped without being held in memory. With `latin` a line that
    is no UTF-8 is read as Latin-1 (Windows-1252), and `latin` is called with its number.
    """
    with decoded(stream) as text:
        for line in _lines(text, max_chars):
            if latin is not None and line.problem and _UNDECODED.search(line.text):
                latin(line.number)
                yield _as_latin(line)
            else:
                yield line


def _as_latin(line: Line) -> Line:
    raw = line.text.encode("utf-8", "surrogateescape")
    try:
        text = raw.decode("cp1252")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return Line(line.number, text, _problem(text))


@contextmanager
def decoded(stream: BinaryIO) -> Iterator[io.TextIOWrapper]:
    """Return the text of a file, decoded as its first bytes say.

    Bytes that are no UTF-8 come through as lone surrogates, and so can be reported by line.
    """
    encoding = encoding_of(stream.read(4))
    stream.seek(0)
    errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
    text = io.TextIOWrapper(stream, encoding=encoding, errors=errors)
    try:
        yield text
    finally:
        if not stream.closed:  # a reader that gave up may have closed it first
            text.detach()


def _lines(text: io.TextIOWrapper, max_chars: int) -> Iterator[Line]:
    number = 0
    while line := text.readline(max_chars + 1):
        number += 1
        if line[-1] == "\n":
            line = line[:-1]
        elif len(line) > max_chars:
            start = line[:80]
            while line and line[-1] != "\n":
                line = text.readline(max_chars + 1)
            yield Line(number, start, f"longer than {max_chars} characters")
            continue
        yield Line(number, line, "" if line.isascii() and "\0" not in line else _problem(line))


def _problem(line: str) -> str:
    if "\0" in line:
        return "holds NUL bytes; save the file as UTF-8"
    if _UNDECODED.search(line):
        return "is not UTF-8; save the file as UTF-8"
    return ""


def csv_rows(lines: Iterator[Line], *, delimiter: str = ",") -> Iterator[CsvRow]:
    """Yield rows by RFC 4180, without the csv module's field limit (data: URIs are long).

    A quote inside an unquoted field is an ordinary character; a quoted field may span some lines.
    """
    waiting: deque[Line] = deque()
    while (line := waiting.popleft() if waiting else next(lines, None)) is not None:
        cells = None if line.problem else _cells(line.text, delimiter)
        if cells is not None or line.problem:
            yield CsvRow(line.number, cells or [], line.text, line.problem)
            continue
        raw = line.text
        more: list[Line] = []
        while cells is None and len(more) < _MAX_FIELD_LINES:
            following = waiting.popleft() if waiting else next(lines, None)
            if following is None:
                break
            more.append(following)
            raw = f"{raw}\n{following.text}"
            if '"' in following.text and not following.problem:
                cells = _cells(raw, delimiter)
        if cells is None:  # the following lines stand on their own again
            waiting.extendleft(reversed(more))
            yield CsvRow(line.number, [], line.text, "a quotation mark is not closed")
        else:
            problem = next((one.problem for one in more if one.problem), "")
            yield CsvRow(line.number, cells, raw, problem)


def _cells(text: str, delimiter: str) -> list[str] | None:
    """Return the fields of a row, or None where a quoted field continues on the next line."""
    if '"' not in text:
        return text.split(delimiter)
    cells = []
    start = 0
    while True:
        value = ""
        if text.startswith('"', start):
            match = _QUOTED.match(text, start)
            if match is None:
                return None
            value = match[1].replace('""', '"')
            start = match.end()
        end = text.find(delimiter, start)
        cells.append(value + (text[start:] if end < 0 else text[start:end]))
        if end < 0:
            return cells
        start = end + 1


def csv_lines(rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Yield rows of CSV that end in LF; unlike `csv`, with carriage returns inside quotes.

    A reader would otherwise take one for the end of the row.
    """
    import csv

    written = _WrittenLines()
    writer = csv.writer(written, lineterminator="\r\n")
    for row in rows:
        writer.writerow(row)
        yield written.pop()[:-2] + "\n"


class _WrittenLines(list[str]):
    """Rows that `csv` has written, one an item."""

    write = list.append
