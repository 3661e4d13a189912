"""Size, times and inode of each file when its bytes were last known, and the durable point.

A file that still has the size, times and inode of its record was not touched since, and need not be
read. The durable point is the newest image up to which all files were on the disk when they were
placed; newer ones may have been lost in a power cut, and are recognised by the system's boot id.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Final, NamedTuple

from msgspec import Struct

from pixtrawl.catalog.schema.states import KEPT, SampleState

__all__ = [
    "ASIDE",
    "FileRecord",
    "RecordedFiles",
    "advance",
    "doubt_newer",
    "durable_point",
    "is_behind",
    "marked",
    "marks",
    "note_aside",
    "of_label",
    "put",
    "raise_number",
    "record_of",
]

ASIDE: Final = -1  # in place of an inode: the file was moved away
_BATCH: Final = 1024
_LAST: Final = itemgetter(3)
_INODE: Final = 0x7FFF_FFFF_FFFF_FFFF  # 64 bits unsigned; SQLite's are signed


class FileRecord(Struct, frozen=True):
    """Size, times and inode of a file."""

    size_bytes: int
    mtime_ns: int
    ctime_ns: int  # a changed file that was given its old mtime back has another one
    inode: int


class RecordedFiles(NamedTuple):
    """Some images of a label, column by column."""

    ids: Sequence[int]
    file_names: Sequence[str]  # `cat/000001.jpg`
    marks: Iterable[int]


def record_of(found: os.stat_result) -> FileRecord:
    """Return the record of a file with this `stat`."""
    return FileRecord(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino & _INODE)


def put(db: sqlite3.Connection, records: Iterable[tuple[int, FileRecord]]) -> None:
    """Store the record of the file of each of these images."""
    db.executemany(
        "INSERT OR REPLACE INTO file_record VALUES (?, ?, ?, ?, ?)",
        (
            (sample_id, one.size_bytes, one.mtime_ns, one.ctime_ns, one.inode)
            for sample_id, one in records
        ),
    )


def marked(db: sqlite3.Connection, label: str) -> Iterator[RecordedFiles]:
    """Yield the kept images of a label with the `marks` of their recorded files, some at a time.

    The mark of an image without a record is that of no file.
    """
    rows = db.execute(
        "SELECT s.id, s.file_name, r.size_bytes, r.mtime_ns, r.ctime_ns, r.inode FROM sample s "
        f"LEFT JOIN file_record r ON r.sample_id = s.id WHERE s.label = ? AND s.state IN {KEPT}",
        (label,),
    )
    while batch := rows.fetchmany(_BATCH):
        ids, names, *facts = zip(*batch, strict=True)
        yield RecordedFiles(ids, names, map(hash, zip(*facts, strict=True)))


def marks(facts: Sequence[tuple[int, int, int, int]]) -> Iterator[int]:
    """Return 64 bits of hash of each record, for this process.

    `facts` are size, mtime, ctime and inode as `stat` gives them.
    """
    if max(map(_LAST, facts)) > _INODE:
        facts = [(*one[:3], one[3] & _INODE) for one in facts]
    return map(hash, facts)


def of_label(
    db: sqlite3.Connection, label: str, row_ids: Collection[int]
) -> Mapping[int, FileRecord]:
    """Return the records of those of a label's images that are in place and in `row_ids`."""
    rows = db.execute(
        "SELECT r.sample_id, r.size_bytes, r.mtime_ns, r.ctime_ns, r.inode FROM sample s "
        f"JOIN file_record r ON r.sample_id = s.id WHERE s.label = ? AND s.state = "
        f"{SampleState.PLACED}",
        (label,),
    )
    return {row[0]: FileRecord(*row[1:]) for row in rows if row[0] in row_ids}


def durable_point(db: sqlite3.Connection) -> int:
    """Return the newest image up to which every placed file was on the disk."""
    row = db.execute("SELECT sample_id FROM durable_point").fetchone()
    return 0 if row is None else int(row[0])


def is_behind(db: sqlite3.Connection) -> bool:
    """Return whether an image in place is newer than the durable point."""
    row = db.execute(
        f"SELECT 1 FROM sample WHERE state = {SampleState.PLACED} "
        "AND id > (SELECT sample_id FROM durable_point) LIMIT 1"
    ).fetchone()
    return row is not None


def advance(db: sqlite3.Connection) -> None:
    """Move the durable point to the newest placed image: all files were synced before this."""
    db.execute(
        "UPDATE durable_point SET sample_id = max(sample_id, coalesce("
        f"(SELECT max(id) FROM sample WHERE state = {SampleState.PLACED}), 0))"
    )


def doubt_newer(db: sqlite3.Connection, boot: str) -> int:
    """Take images newer than the durable point for accepted only, if the system was started since.

    `boot` identifies the time since the system's start. Return how many there are.
    """
    (known,) = db.execute("SELECT boot FROM durable_point").fetchone()
    if known == boot:
        return 0
    count = db.execute(
        f"UPDATE sample SET state = {SampleState.ACCEPTED} WHERE state = {SampleState.PLACED} "
        "AND id > (SELECT sample_id FROM durable_point)"
    ).rowcount
    db.execute("UPDATE durable_point SET boot = ?", (boot,))
    return count


def note_aside(db: sqlite3.Connection, ids: Iterable[int]) -> None:
    """Note that the files of these images are in place no more: no file has such a record."""
    db.executemany(
        "INSERT INTO file_record VALUES (?, 0, 0, 0, ?) "
        "ON CONFLICT (sample_id) DO UPDATE SET inode = excluded.inode",
        ((sample_id, ASIDE) for sample_id in ids),
    )


def raise_number(db: sqlite3.Connection, number: int) -> None:
    """Raise the counter so that this image number is never given again, though no row has it."""
    db.execute("UPDATE durable_point SET number = max(number, ?)", (number,))
