"""Try the operating system's locks on an open file: POSIX and Windows in one place."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable
from enum import Enum
from typing import Final

__all__ = ["Attempt", "lock_for_process", "lock_open_file", "unlock"]


class Attempt(Enum):
    """The result of trying to lock."""

    HELD = "held"
    TAKEN = "taken"  # another process holds it
    DENIED = "denied"  # EACCES: taken, or the file system has no locks (fcntl(2) allows both)
    UNSUPPORTED = "unsupported"


if sys.platform == "win32":  # pragma: no cover - exercised on Windows only
    import msvcrt

    # The locked byte lies far behind the text, so that other processes can read the file.
    _BYTE: Final = 2**30

    def _lock_byte(handle: int) -> Attempt:
        os.lseek(handle, _BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return Attempt.TAKEN
        return Attempt.HELD

    lock_for_process = lock_open_file = _lock_byte

    def unlock(handle: int) -> None:
        """Release the lock of this process."""
        os.lseek(handle, _BYTE, os.SEEK_SET)
        with contextlib.suppress(OSError):
            msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _try(lock: Callable[[int, int], object], handle: int) -> Attempt:
        try:
            lock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in {errno.EAGAIN, errno.EWOULDBLOCK}:
                return Attempt.TAKEN
            return Attempt.DENIED if error.errno == errno.EACCES else Attempt.UNSUPPORTED
        return Attempt.HELD

    def lock_for_process(handle: int) -> Attempt:
        """Lock by a record lock, which no child inherits."""
        return _try(fcntl.lockf, handle)

    def lock_open_file(handle: int) -> Attempt:
        """Lock by flock(2), which belongs to the open file: it excludes threads, too."""
        return _try(fcntl.flock, handle)

    def unlock(handle: int) -> None:
        """Release a lock of `lock_open_file`."""
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_UN)
