"""Writes URL manifests: `.jsonl`, `.csv`, or `.txt` in the format of `keyword_urls.txt`.

Rows go to a temporary file that is renamed to the target at the end, also after an interruption, so
the target is always complete. Memory is constant, but for the dict literal: it groups URLs by
query, which takes eight bytes of memory per URL and a temporary file.
"""

from __future__ import annotations

import contextlib
import csv
import json
import re
import tempfile
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, TextIO

from pixtrawl.errors import MissingExtraError, StorageError, UsageError
from pixtrawl.manifests.literal import write_literal
from pixtrawl.manifests.reader import FIELDS, TEXTS, row_of
from pixtrawl.model import Candidate
from pixtrawl.secrets import masked_url

__all__ = ["ManifestWriter", "RowWriter"]

_CONTROL: Final = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]+")


class RowWriter(Protocol):
    """Writes a manifest in one format to one path."""

    def add_query(self, text: str) -> None: ...

    def add(self, candidate: Candidate) -> None: ...

    def flush(self) -> None: ...

    def close(self) -> None: ...


class ManifestWriter:
    """Writes a manifest in the format of its path's suffix; use it as a context manager.

    Args:
        path: `.jsonl`, `.ndjson`, `.csv`, `.txt`, or `.parquet` by `write_parquet`.
        write_parquet: opens a writer of parquet rows on a path.

    Raises UsageError for any other suffix, MissingExtraError for parquet without `write_parquet`,
    StorageError if the file cannot be written.
    """

    def __init__(
        self, path: Path, *, write_parquet: Callable[[Path], RowWriter] | None = None
    ) -> None:
        self.path = path
        self.count = 0  # of candidates
        self.with_secrets = 0  # URLs written with keys or signatures in them
        self._part = path.with_name(path.name + ".part")
        open_writer = _WRITERS.get(path.suffix.lower())
        if path.suffix.lower() == ".parquet":
            if write_parquet is None:
                raise MissingExtraError("a parquet manifest", "formats")
            open_writer = write_parquet
        if open_writer is None:
            raise UsageError(f"{path}: manifests are .jsonl, .csv, .parquet or .txt")
        with self._translated_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = open_writer(self._part)

    def add_query(self, text: str) -> None:
        """Add a query that may have no candidates; the dict literal shows it as `[]`."""
        with self._translated_errors():
            self._writer.add_query(text)

    def add(self, candidate: Candidate) -> None:
        with self._translated_errors():
            self._writer.add(candidate)
        self.count += 1
        self.with_secrets += masked_url(candidate.url) != candidate.url

    def flush(self) -> None:
        """Flush buffers to the operating system, so that a killed process loses nothing."""
        with self._translated_errors():
            self._writer.flush()

    def close(self) -> None:
        """Complete the file and rename it to the target."""
        with self._translated_errors():
            self._writer.close()
            self._part.replace(self.path)

    def discard(self) -> None:
        """Remove the temporary file; the target stays as it was."""
        with contextlib.suppress(OSError):  # the file is removed in any case
            self._writer.close()
        self._part.unlink(missing_ok=True)

    def __enter__(self) -> ManifestWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        if kind is not None and self.count == 0:
            self.discard()
        else:
            self.close()

    @contextlib.contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(f"cannot write {self.path}: {error.strerror or error}") from error


class _JsonLinesWriter:
    def __init__(self, path: Path) -> None:
        self._file = _text_file(path)

    def add_query(self, text: str) -> None:
        """Do nothing: rows name their query, so a query without rows is not written."""

    def add(self, candidate: Candidate) -> None:
        self._file.write(json.dumps(row_of(candidate), ensure_ascii=False) + "\n")

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()


class _CsvWriter:
    """Writes CSV, without alternates, which do not fit into a cell."""

    def __init__(self, path: Path) -> None:
        self._file = _text_file(path)
        names = (*FIELDS, *TEXTS)
        self._rows = csv.DictWriter(self._file, names, extrasaction="ignore", lineterminator="\n")
        self._rows.writeheader()

    def add_query(self, text: str) -> None:
        """Do nothing: rows name their query, so a query without rows is not written."""

    def add(self, candidate: Candidate) -> None:
        row = row_of(candidate)
        for name in ("title", "creator", "license", *TEXTS):  # free text: one row stays one line
            value = row.get(name)
            if isinstance(value, str):
                row[name] = _CONTROL.sub(" ", value)
        self._rows.writerow(row)

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()


class _DictLiteral:
    """Spools URLs to a temporary file, with offsets by query, and writes the literal at close."""

    def __init__(self, path: Path) -> None:
        self._file = _text_file(path)
        self._spool = tempfile.TemporaryFile(dir=path.parent)  # noqa: SIM115 - closed in close
        self._places: dict[str, array[int]] = {}
        self._end = 0

    def add_query(self, text: str) -> None:
        self._places.setdefault(text, array("Q"))

    def add(self, candidate: Candidate) -> None:
        self.add_query(candidate.query)
        self._places[candidate.query].append(self._end)
        url = candidate.url.encode(errors="surrogatepass")
        self._end += self._spool.write(len(url).to_bytes(8) + url)

    def flush(self) -> None:
        self._spool.flush()

    def close(self) -> None:
        if self._file.closed:
            return
        with self._file, self._spool:
            write_literal(self._file, ((text, self._urls(text)) for text in self._places))

    def _urls(self, text: str) -> Iterator[str]:
        for place in self._places[text]:
            self._spool.seek(place)
            size = int.from_bytes(self._spool.read(8))
            yield self._spool.read(size).decode(errors="surrogatepass")


def _text_file(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", errors="replace", newline="\n")


_WRITERS: Final[dict[str, Callable[[Path], RowWriter]]] = {
    ".jsonl": _JsonLinesWriter,
    ".ndjson": _JsonLinesWriter,
    ".csv": _CsvWriter,
    ".txt": _DictLiteral,
}
