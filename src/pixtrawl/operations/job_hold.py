"""The lock that shows other processes that a job is being carried out.

It is released when its process dies, so that a job whose process was killed is known as one that
can go on, whatever its file says.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pixtrawl.errors import StorageError
from pixtrawl.folder.locks.system_lock import Attempt, lock_open_file, unlock

__all__ = ["JobHold", "is_held"]

_TRIES_S: Final = 1.0  # `is_held` of another process takes the lock for a moment
_AGAIN_S: Final = 0.02


class JobHold:
    """The lock on one job; not held before `take`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def take(self) -> None:
        """Take the lock. Raise StorageError where another process carries the job out.

        Where the file cannot be made, or the file system has no locks, the job runs without.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            return
        deadline = time.monotonic() + _TRIES_S
        while (found := lock_open_file(handle)) is Attempt.TAKEN and time.monotonic() < deadline:
            time.sleep(_AGAIN_S)
        if found is Attempt.TAKEN:
            os.close(handle)
            raise StorageError("this job is at work in another process already; wait for its end")
        self._handle = handle

    def release(self) -> None:
        """Release the lock, and remove its file."""
        if self._handle is None:
            return
        with contextlib.suppress(OSError):  # Windows does not remove what is open
            self._path.unlink()
        unlock(self._handle)
        os.close(self._handle)
        self._handle = None


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int | None]:
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        yield None
        return
    try:
        yield handle
    finally:
        os.close(handle)


def is_held(path: Path) -> bool:
    """Return whether a process, also this one, carries the job out."""
    with _opened(path) as handle:
        if handle is None:
            return False
        found = lock_open_file(handle)
        if found is Attempt.HELD:
            unlock(handle)
        return found in {Attempt.TAKEN, Attempt.DENIED}
