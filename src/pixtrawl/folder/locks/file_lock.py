"""A file lock that is released when its process dies, by the best means of the file system.

A POSIX record lock (fcntl) belongs to the process and is inherited by no child, so a browser or
decoder that outlives a killed run cannot keep a data set locked. Some network and user-space file
systems lack record locks, or any locks: then flock(2) is tried, and at last it is checked whether
the process named in the file is alive.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from pathlib import Path
from typing import IO, Final

from pixtrawl.errors import StorageError
from pixtrawl.folder.locks.system_lock import Attempt, lock_for_process, lock_open_file

__all__ = ["acquire", "is_held", "release"]

_TORN_DOWN_S: Final = 1.0  # a run that was just killed may take a moment to exit
_LOOK_S: Final = 0.05


def acquire(path: Path, root: Path) -> IO[str]:
    """Lock the data set `root`, trying for 1 s. Raise StorageError: in use, or not writable."""
    try:
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"the data set {root} cannot be written: {error.strerror or error}"
        ) from error
    deadline = time.monotonic() + _TORN_DOWN_S
    while not _try_lock(file):
        if time.monotonic() > deadline:
            holder = _holder(file)[0] or "unknown"
            file.close()
            raise StorageError(
                f"the data set {root} is in use (process {holder}); wait for that run or stop it"
            )
        time.sleep(_LOOK_S)
    file.seek(0)
    file.truncate()
    file.write(f"{os.getpid()}\n{socket.gethostname()}\n{_started(os.getpid())}\n")
    file.flush()
    return file


def release(file: IO[str]) -> None:
    """Release the lock; the file stays, empty."""
    with contextlib.suppress(OSError):
        file.seek(0)
        file.truncate()
    file.close()


def is_held(path: Path) -> bool:
    """Return whether another process holds the lock."""
    try:
        with path.open("r+", encoding="utf-8") as file:
            return not _try_lock(file)
    except OSError:  # no lock file yet, or not writable
        return False


def _holder(file: IO[str]) -> tuple[str, str, str]:
    """Return process id, host and start time of the process that wrote the file last."""
    file.seek(0)
    lines = [*file.read(400).splitlines(), "", "", ""]
    return lines[0].strip(), lines[1].strip(), lines[2].strip()


def _is_named(file: IO[str]) -> bool:
    """Return whether the process named in the file is alive; for file systems without locks."""
    pid, host, started = _holder(file)
    if not pid.isdecimal() or int(pid) == os.getpid():
        return False
    if host != socket.gethostname():
        return bool(host)  # cannot be checked: a person must remove the file if that run is over
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return not started or started == _started(int(pid))


def _started(pid: int) -> str:
    """Return the start time of a process in clock ticks as text; "" without /proc."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]


def _try_lock(file: IO[str]) -> bool:
    for lock in (lock_for_process, lock_open_file):
        attempt = lock(file.fileno())
        if attempt in {Attempt.HELD, Attempt.TAKEN}:
            return attempt is Attempt.HELD
    return not _is_named(file)  # EACCES counts only if the process named in the file is alive
