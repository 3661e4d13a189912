"""The journal of decisions about a data set: append-only JSON lines, a write-ahead log.

Any process may append, also while a run holds the data set; the process that holds the data set
applies each id once (idempotent replay). When `append` returns, the lines are written under a short
lock and synced to disk. A line torn by a kill or power cut (no newline, or no valid JSON) is
skipped and reported.

Besides decisions it holds facts: which image left the data set and where it came from, so that a
lost catalog can be made again without bringing back what a person removed.
"""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from pixtrawl.catalog.decisions import recorded as decisions
from pixtrawl.catalog.run_log import now
from pixtrawl.errors import StorageError
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.locks.system_lock import Attempt, lock_open_file, unlock

__all__ = [
    "ACTIONS",
    "BY_DECISION",
    "FACTS",
    "STEERING",
    "DecisionRecord",
    "JournalReading",
    "append",
    "append_facts",
    "fact",
    "new_id",
    "parse",
    "read",
    "record",
    "size",
]

# Facts that the catalog knows already: an image is gone (`kind`: deleted, refused, taken; `value`:
# the cause) or back, a label's folder was renamed by hand, a rule came from another data set.
FACTS: Final = frozenset({"gone", "back", "renamed", "rule"})
BY_DECISION: Final = "decision"  # cause of a fact: the image was named, its decision says the rest
STEERING: Final = frozenset({"pause", "resume", "stop", "more"})  # for the run at work
ACTIONS: Final = FACTS | STEERING | {
    "reject", "keep", "restore", "take_back", "label", "takedown", "forget", "caption", "undo",
}  # fmt: skip
_MAX_LINE_BYTES: Final = 64 * 2**10
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_LOCK_S: Final = 10.0  # other writers hold it for milliseconds
_LOOK_S: Final = 0.005


class DecisionRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One decision of a person.

    An image is identified by its SHA-256 and its file name at the time of the decision, never by
    position alone. Which other fields are set depends on the action.
    """

    id: str
    batch: str  # decisions of one batch are undone together
    at: str  # UTC, ISO 8601
    who: str  # cli | web | python | mcp
    action: str  # one of ACTIONS
    sha256: str = ""  # hex
    file_name: str = ""  # relative to the data set; a label's folder where a label is renamed
    reason: str = ""  # free text
    refill: bool = True  # reject: whether another image takes the place
    label: str = ""  # label: the new label
    kind: str = ""  # takedown, forget, rule: kind and value of the rule
    value: str = ""  # take_back: SHA-256 of the kept image whose place it takes
    query: str = ""  # pause, resume, stop, more: text of one query; "" for all; gone: its query
    url: str = ""  # gone: where the image came from
    limit: int | None = None  # more: images wanted of each query
    run: int | None = None  # pause, resume, stop, more: id of the run
    text: str = ""  # caption: the caption
    origin: str = ""  # caption: hand or model; "" drops the written one
    undoes: str = ""  # undo: the batch to undo


class JournalReading(Struct, frozen=True):
    """Decisions in order, the offset at which to read on, and invalid lines."""

    records: tuple[DecisionRecord, ...]
    end: int  # offset in bytes after the last complete line
    bad: tuple[str, ...] = ()  # beginnings of lines that cannot be read
    torn: bool = False  # the file ends inside a line


_decoder = msgspec.json.Decoder(DecisionRecord)


def new_id() -> str:
    """Return a unique id for a decision."""
    return uuid.uuid4().hex


def record(who: str, action: str, batch: str, **fields: object) -> DecisionRecord:
    """Return a new decision with an own id and the current time."""
    return DecisionRecord(id=new_id(), batch=batch, at=now(), who=who, action=action, **fields)  # type: ignore[arg-type]


def parse(data: bytes, start: int = 0) -> JournalReading:
    """Parse bytes of a journal that begin at offset `start`. Never raises."""
    whole, newline, rest = data.rpartition(b"\n")
    records, bad = [], []
    for line in whole.split(b"\n") if newline else ():
        if not line.strip():
            continue
        try:
            found = _decoder.decode(line) if len(line) <= _MAX_LINE_BYTES else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
            found = None
        if found is None or not _is_sound(found):
            bad.append(line[:80].decode("utf-8", "replace"))
        else:
            records.append(found)
    return JournalReading(tuple(records), start + len(whole) + len(newline), tuple(bad), bool(rest))


def _is_sound(one: DecisionRecord) -> bool:
    return (
        bool(one.id)
        and one.action in ACTIONS
        and (not one.sha256 or _SHA256.fullmatch(one.sha256) is not None)
    )


def read(folder: Folder, start: int = 0) -> JournalReading:
    """Read the decisions from byte offset `start`, or from 0 if the file is shorter than that.

    Raise StorageError if the journal cannot be read; a missing one is empty.
    """
    try:
        with folder.decisions.open("rb") as file:
            start = start if start <= os.fstat(file.fileno()).st_size else 0
            file.seek(start)
            return parse(file.read(), start)
    except FileNotFoundError:
        return JournalReading((), 0)
    except OSError as error:
        raise StorageError(f"{folder.decisions} cannot be read: {error}") from error


def size(folder: Folder) -> int:
    """Return the size of the journal in bytes, 0 if there is none: one `stat`, cheap to poll."""
    try:
        return folder.decisions.stat().st_size
    except OSError:
        return 0


def fact(action: str, **fields: object) -> DecisionRecord:
    """Return a new fact (`FACTS`)."""
    return record("cli", action, "", **fields)


def append_facts(db: sqlite3.Connection, folder: Folder, facts: Sequence[DecisionRecord]) -> None:
    """Append facts that this transaction writes to the catalog. Raise StorageError."""
    if not facts:
        return
    start, end = append(folder, facts)
    if start == decisions.read_to(db):  # else other lines are to be read first
        decisions.mark(db, end)


def append(folder: Folder, records: Sequence[DecisionRecord]) -> tuple[int, int]:
    """Append records and sync them to disk. Return the offsets in bytes before and behind them.

    Raise StorageError if that fails; what was written of them is then cut off again.
    """
    lines = b"".join(msgspec.json.encode(one) + b"\n" for one in records)
    try:
        new = not folder.decisions.exists()
        handle = os.open(folder.decisions, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            with _alone(handle, folder):
                end = _write_whole(handle, lines)
        finally:
            os.close(handle)
        if new:
            _sync_directory(folder)
        return end - len(lines), end
    except OSError as error:
        raise StorageError(
            f"the decision cannot be recorded in {folder.decisions}: {error.strerror or error}"
        ) from error


def _ends_well(handle: int) -> bool:
    """Return whether the journal ends with a newline; a kill may have torn its last line."""
    end = os.lseek(handle, 0, os.SEEK_END)
    if end == 0:
        return True
    os.lseek(handle, end - 1, os.SEEK_SET)
    return os.read(handle, 1) == b"\n"


def _write_whole(handle: int, lines: bytes) -> int:
    """Write and sync the lines, or restore the old length. Return the new length in bytes."""
    before = os.lseek(handle, 0, os.SEEK_END)
    try:
        _write(handle, lines if _ends_well(handle) else b"\n" + lines)
        os.fsync(handle)
    except OSError:
        # Otherwise a decision that was reported as not recorded would be carried out all the same.
        with contextlib.suppress(OSError):
            os.ftruncate(handle, before)
        raise
    return os.lseek(handle, 0, os.SEEK_END)


def _write(handle: int, data: bytes) -> None:
    """Write all of `data`: usually one system call, more if the system writes only a part."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _sync_directory(folder: Folder) -> None:
    if sys.platform == "win32":  # directories cannot be opened there
        return
    handle = os.open(folder.root, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _alone(handle: int, folder: Folder) -> Iterator[None]:
    """Hold the append lock. Raise StorageError if another process holds it for 10 s."""
    deadline = time.monotonic() + _LOCK_S
    # A file system without locks: there only O_APPEND keeps lines from mixing.
    while lock_open_file(handle) in {Attempt.TAKEN, Attempt.DENIED}:
        if time.monotonic() > deadline:
            raise StorageError(f"{folder.decisions} is locked by another process; try again")
        time.sleep(_LOOK_S)
    try:
        yield
    finally:
        unlock(handle)
