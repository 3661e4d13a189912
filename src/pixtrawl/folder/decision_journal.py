"""The journal of decisions: what people decided about a data set, one JSON line each, append-only.

Whoever decides adds lines, whether or not a run holds the data set; whoever holds it takes them
into the catalog, each id once. A line is recorded when `append` returns: written in one piece under
a short lock, and on the disk. What a kill or power cut leaves half written is no decision: it has
no newline, or is no JSON, and is skipped and told.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from pixtrawl.catalog.run_log import now
from pixtrawl.errors import StorageError
from pixtrawl.folder.dataset_folder import Folder

__all__ = [
    "ACTIONS",
    "DecisionRecord",
    "Reading",
    "append",
    "new_id",
    "parse",
    "read",
    "record",
    "size",
]

ACTIONS: Final = frozenset(
    {
        "reject", "keep", "restore", "label", "takedown", "forget", "undo",
        "pause", "resume", "stop", "more",
    }
)  # fmt: skip
_MAX_LINE_BYTES: Final = 64 * 2**10
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_LOCK_S: Final = 10.0  # another one writes for milliseconds
_LOOK_S: Final = 0.005


class DecisionRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One decision of a person.

    An image is named by its bytes and the file name that it had when it was decided on, never by a
    position alone. Which of the other fields are set depends on the action.
    """

    id: str
    batch: str  # what was decided at once is undone at once
    at: str  # UTC, ISO 8601
    who: str  # cli | web | python | mcp
    action: str  # one of ACTIONS
    sha256: str = ""  # hex
    file_name: str = ""  # relative to the data set; a label's folder where a label is renamed
    reason: str = ""  # a person's words
    refill: bool = True  # reject: whether another image takes the place
    label: str = ""  # label: where it belongs
    kind: str = ""  # takedown, forget: kind and value of the rule
    value: str = ""
    query: str = ""  # pause, resume, stop, more: text of one query; else all
    limit: int | None = None  # more: images wanted of each query
    run: int | None = None  # pause, resume, stop, more: the run that is meant
    undoes: str = ""  # undo: a batch


class Reading(Struct, frozen=True):
    """What was read: decisions in their order, where to go on, and lines that are none."""

    records: tuple[DecisionRecord, ...]
    end: int  # offset in bytes behind the last whole line
    bad: tuple[str, ...] = ()  # beginnings of lines that cannot be read
    torn: bool = False  # the file ends inside a line


_decoder = msgspec.json.Decoder(DecisionRecord)


def new_id() -> str:
    """An id that no other decision has."""
    return uuid.uuid4().hex


def record(who: str, action: str, batch: str, **fields: object) -> DecisionRecord:
    """A decision made now."""
    return DecisionRecord(id=new_id(), batch=batch, at=now(), who=who, action=action, **fields)  # type: ignore[arg-type]


def parse(data: bytes, start: int = 0) -> Reading:
    """Decisions in bytes of a journal that begin at offset `start`. Never raises."""
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
    return Reading(tuple(records), start + len(whole) + len(newline), tuple(bad), bool(rest))


def _is_sound(one: DecisionRecord) -> bool:
    return (
        bool(one.id)
        and one.action in ACTIONS
        and (not one.sha256 or _SHA256.fullmatch(one.sha256) is not None)
    )


def read(folder: Folder, start: int = 0) -> Reading:
    """What was added from an offset on; from the beginning where the file is shorter than that.

    Raises StorageError.
    """
    try:
        with folder.decisions.open("rb") as file:
            start = start if start <= os.fstat(file.fileno()).st_size else 0
            file.seek(start)
            return parse(file.read(), start)
    except FileNotFoundError:
        return Reading((), 0)
    except OSError as error:
        raise StorageError(f"{folder.decisions} cannot be read: {error}") from error


def size(folder: Folder) -> int:
    """Bytes of the journal; 0 where there is none. Cheap enough to be asked twice a second."""
    try:
        return folder.decisions.stat().st_size
    except OSError:
        return 0


def append(folder: Folder, records: Sequence[DecisionRecord]) -> None:
    """Adds decisions; they are on the disk when it returns. Raises StorageError."""
    lines = b"".join(msgspec.json.encode(one) + b"\n" for one in records)
    try:
        new = not folder.decisions.exists()
        handle = os.open(folder.decisions, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            with _alone(handle, folder):
                _write(handle, lines if _ends_well(handle) else b"\n" + lines)
                os.fsync(handle)
        finally:
            os.close(handle)
        if new:
            _sync_directory(folder)
    except OSError as error:
        raise StorageError(
            f"the decision cannot be recorded in {folder.decisions}: {error.strerror or error}"
        ) from error


def _ends_well(handle: int) -> bool:
    """Whether the last line is whole: a kill may have left it without its end."""
    end = os.lseek(handle, 0, os.SEEK_END)
    if end == 0:
        return True
    os.lseek(handle, end - 1, os.SEEK_SET)
    return os.read(handle, 1) == b"\n"


def _write(handle: int, data: bytes) -> None:
    """One write, as a rule; the system may take less at once of very much."""
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
    """Nobody else adds lines meanwhile. Raises StorageError where somebody does for too long."""
    deadline = time.monotonic() + _LOCK_S
    while not _lock(handle):
        if time.monotonic() > deadline:
            raise StorageError(f"{folder.decisions} is locked by another process; try again")
        time.sleep(_LOOK_S)
    try:
        yield
    finally:
        _unlock(handle)


if sys.platform == "win32":  # pragma: no cover - exercised on Windows only
    import msvcrt

    def _lock(handle: int) -> bool:
        os.lseek(handle, 2**30, os.SEEK_SET)
        with contextlib.suppress(OSError):
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            return True
        return False

    def _unlock(handle: int) -> None:
        os.lseek(handle, 2**30, os.SEEK_SET)
        with contextlib.suppress(OSError):
            msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    _TAKEN: Final = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES})

    def _lock(handle: int) -> bool:
        # flock belongs to the open file: unlike lockf it also keeps threads of a process apart.
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            # A file system without locks: O_APPEND alone keeps lines apart there.
            return error.errno not in _TAKEN
        return True

    def _unlock(handle: int) -> None:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_UN)
