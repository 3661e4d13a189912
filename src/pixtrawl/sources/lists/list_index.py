"""A list read once for all queries of a run: its rows by query and by label, kept on disk.

The index is a private temporary SQLite file, which the system removes when it is closed or the
process ends in any way. Memory use does not depend on the length of the list.
"""

from __future__ import annotations

import asyncio
import heapq
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Final

from msgspec import msgpack

from pixtrawl.events import Event, Notice
from pixtrawl.manifests.columns import GivenColumns
from pixtrawl.manifests.reader import BadLine, read_manifest
from pixtrawl.model import Candidate

__all__ = ["ListIndex", "ListWithNotices"]

_TOLD: Final = 5  # broken lines that are reported one by one
_BATCH: Final = 1000  # rows between two checks whether they are still needed
_SCHEMA: Final = """
PRAGMA temp_store = FILE;
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE line (id INTEGER PRIMARY KEY, query TEXT NOT NULL, label TEXT NOT NULL,
  candidate BLOB NOT NULL);
"""
_INDEXES: Final = """
CREATE INDEX line_query ON line (query);
CREATE INDEX line_label ON line (label);
"""
_BY_QUERY: Final = "SELECT id, candidate FROM line WHERE query = :query ORDER BY id"
_BY_LABEL: Final = (
    "SELECT id, candidate FROM line WHERE label = :label AND query <> :query ORDER BY id"
)

_encode: Final = msgpack.Encoder().encode
_decode: Final = msgpack.Decoder(Candidate).decode


class ListWithNotices:
    """A list that reports its oddities and broken lines as notices."""

    def __init__(self, path: Path, given: GivenColumns, emit: Callable[[Event], None]) -> None:
        self._path = path
        self._given = given
        self._emit = emit
        self._notices: list[str] = []
        self._broken = 0

    def open(self) -> Iterator[Candidate | BadLine]:
        """Begin to read. Raises UsageError if the list cannot be opened."""
        return read_manifest(self._path, given=self._given, notices=self._notices)

    def announce(self, rows: Iterable[Candidate | BadLine]) -> None:
        """Emit the notices on rows that were read; the first broken lines one by one."""
        while self._notices:
            self._emit(Notice(self._notices.pop(0)))
        for one in rows:
            if isinstance(one, BadLine):
                self._broken += 1
                if self._broken <= _TOLD:
                    self._emit(Notice(f"{one.file}:{one.number}: {one.problem}", "warning"))

    def end(self) -> None:
        """Emit the number of broken lines if there were more than were named."""
        if self._broken > _TOLD:
            text = f"{self._path.name}: {self._broken} broken lines in all"
            self._emit(Notice(text, "warning"))


class ListIndex:
    """The rows of one list, read when the first query asks; other queries wait for that."""

    def __init__(self, listing: ListWithNotices) -> None:
        self._listing = listing
        self._db = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._reading: asyncio.Task[None] | None = None
        self._closed = False

    async def ready(self) -> None:
        """Wait until the whole list is read. Raises UsageError each time if it cannot be."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
        # A cancelled query does not stop reading for the others.
        await asyncio.shield(self._reading)

    def rows(self, query: str, label: str) -> Iterator[Candidate]:
        """Yield the rows of a query, or of its label, in the order of the list."""
        keys = {"query": query, "label": label}
        ways = (self._db.execute(sql, keys) for sql in (_BY_QUERY, _BY_LABEL))
        for _, candidate in heapq.merge(*ways, key=itemgetter(0)):
            yield _decode(candidate)

    async def aclose(self) -> None:
        """Stop reading and remove the file."""
        self._closed = True
        if self._reading is not None:
            await asyncio.gather(self._reading, return_exceptions=True)
        self._db.close()

    async def _read(self) -> None:
        rows = self._listing.open()
        self._db.executescript(_SCHEMA)
        self._db.execute("BEGIN")
        while batch := await asyncio.to_thread(self._take, rows):
            self._listing.announce(batch)
        self._listing.end()
        if not self._closed:
            self._db.execute("COMMIT")
            await asyncio.to_thread(self._db.executescript, _INDEXES)

    def _take(self, rows: Iterator[Candidate | BadLine]) -> list[Candidate | BadLine]:
        """Add some rows and return them; none at the end of the list."""
        batch = [] if self._closed else list(islice(rows, _BATCH))
        self._db.executemany(
            "INSERT INTO line (query, label, candidate) VALUES (?, ?, ?)",
            ((one.query, one.label, _encode(one)) for one in batch if not isinstance(one, BadLine)),
        )
        return batch
