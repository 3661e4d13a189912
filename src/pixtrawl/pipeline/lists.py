"""Opens the lists of a download: files, standard input, URLs as arguments, values from Python."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO, Final

from msgspec import Struct
from msgspec.structs import replace

from pixtrawl.config.groups import Lists
from pixtrawl.errors import UsageError
from pixtrawl.labels import Labels
from pixtrawl.manifests.columns import GivenColumns
from pixtrawl.manifests.reader import BadLine, ListContext, read_manifest, read_rows
from pixtrawl.model import Candidate
from pixtrawl.pipeline.parquet_manifest import read_rows as read_parquet

__all__ = ["Given", "OpenList", "given_columns", "is_address", "open_lists"]

_ADDRESS: Final = re.compile(r"(?i)(?:[a-z][a-z0-9+.-]+://|data:)")
_WORDS: Final = "urls"  # label of URLs that come without one
_STDIN: Final = "-"


class Given(Struct):
    """Values from Python: candidates, rows, URLs, paths of lists. Read once, in order."""

    name: str  # for messages
    items: Iterable[Any]


class OpenList(Struct):
    """An opened list. Reading it appends to `notices`; the reader emits and removes them."""

    name: str
    rows: Iterator[Candidate | BadLine]
    notices: list[str]


def is_address(word: str) -> bool:
    """Whether an argument is a URL rather than the path of a list."""
    return _ADDRESS.match(word.strip()) is not None


def given_columns(lists: Lists) -> GivenColumns:
    """Return the column names of the settings."""
    return GivenColumns(lists.url_column, lists.label_column, lists.caption_column, lists.id_column)


def open_lists(
    items: Sequence[str | Given],
    labels: Labels,
    *,
    label: str | None = None,
    lists: Lists = Lists(),
    stdin: BinaryIO | None = None,
) -> list[OpenList]:
    """Open all lists of a download, in order.

    Args:
        items: paths, `-` for standard input, URLs, or values.
        labels: assigns labels.
        label: label for every row, overriding those of the rows.
        lists: the settings that name columns.
        stdin: the stream for `-`; None for the standard input of the process.

    Raises:
        UsageError: a list cannot be read at all.
    """
    opener = _Opener(labels, label, given_columns(lists), stdin)
    found: list[OpenList] = []
    for is_word, group in groupby(items, key=lambda i: isinstance(i, str) and is_address(i)):
        if is_word:
            found.append(opener.given(Given(_WORDS, list(group))))
            continue
        found += [opener.given(i) if isinstance(i, Given) else opener.file(i) for i in group]
    return found


class _Opener:
    def __init__(
        self, labels: Labels, label: str | None, given: GivenColumns, stdin: BinaryIO | None
    ) -> None:
        self._labels, self._label, self._given, self._stdin = labels, label, given, stdin
        self._read_stdin = False

    def file(self, word: str, notices: list[str] | None = None) -> OpenList:
        notices = [] if notices is None else notices
        if word == _STDIN:
            return self._standard_input(notices)
        rows = read_manifest(
            Path(word), label=self._label, labels=self._labels, read_parquet=read_parquet,
            given=self._given, notices=notices,
        )  # fmt: skip
        return OpenList(word, rows, notices)

    def _standard_input(self, notices: list[str]) -> OpenList:
        if self._read_stdin:
            raise UsageError("standard input (`-`) can be read only once")
        self._read_stdin = True
        stream = self._stdin or sys.stdin.buffer
        # Copied to disk: the format is detected from the start, and parquet is read from the end.
        with tempfile.NamedTemporaryFile(prefix="pixtrawl-stdin-", delete=False) as copy:
            shutil.copyfileobj(stream, copy)
        path = Path(copy.name)
        try:
            rows = read_manifest(
                path, label=self._label or None, labels=self._labels, read_parquet=read_parquet,
                given=self._given, notices=notices, name=_WORDS,
            )  # fmt: skip
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return OpenList("standard input", _then_removed(rows, path), notices)

    def given(self, given: Given) -> OpenList:
        notices: list[str] = []
        return OpenList(given.name, self._values(given, notices), notices)

    def _values(self, given: Given, notices: list[str]) -> Iterator[Candidate | BadLine]:
        reading = ListContext(given.name, _WORDS, self._labels, self._label, self._given, notices)
        place = 0
        for kind, group in groupby(given.items, key=_kind):
            if kind == "row":
                yield from read_rows(group, reading)
                continue
            for item in group:
                place += 1
                if kind == "file":
                    yield from self.file(str(item), notices).rows
                elif isinstance(item, Candidate):
                    yield self._relabelled(item)
                else:
                    yield reading.candidate(str(item).strip(), None, place)

    def _relabelled(self, candidate: Candidate) -> Candidate:
        if self._label:
            return replace(candidate, label=self._labels.share(self._label))
        return candidate


def _kind(item: Any) -> str:
    if isinstance(item, Mapping):
        return "row"
    if isinstance(item, Path) or (isinstance(item, str) and not is_address(item)):
        return "file"
    return "one"


def _then_removed(rows: Iterator[Candidate | BadLine], path: Path) -> Iterator[Candidate | BadLine]:
    try:
        yield from rows
    finally:
        path.unlink(missing_ok=True)
