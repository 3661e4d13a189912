"""Where a body goes while it arrives: into memory, or into a staged file that is hashed meanwhile.

Pieces are gathered and handed on in blocks of 256 KiB: one system call and one hash update for the
usual picture, and no more memory than that for a large one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

__all__ = ["HEAD_BYTES", "MemoryBody", "Sink", "StagedBody", "Staging"]

HEAD_BYTES: Final = 2048
_BLOCK_BYTES: Final = 256 * 1024
_MAX_PIECES: Final = 512  # below IOV_MAX (1024 on Linux and macOS)
_FLAGS: Final = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class Sink(Protocol):
    """Takes a body piece by piece."""

    def write(self, piece: bytes) -> None:
        """Raises OSError."""
        ...

    def finish(self) -> None:
        """The body is whole. Raises OSError."""
        ...

    def discard(self) -> None:
        """Leaves nothing behind; may follow `finish`, or a `finish` that failed."""
        ...


class MemoryBody:
    """A body kept in memory."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.write = self.pieces.append

    def finish(self) -> None:
        """Nothing to do."""

    def discard(self) -> None:
        """Lets go of the bytes."""
        self.pieces.clear()

    def joined(self) -> bytes:
        return b"".join(self.pieces)


class Staging:
    """The folder that staged files are written to, held open so that it cannot be swapped."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError where the folder cannot be opened."""
        self.folder = folder
        self._fd: int | None = None
        if os.open in os.supports_dir_fd and os.unlink in os.supports_dir_fd:
            self._fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def create(self, name: str) -> int:
        """A new file's descriptor; never an existing file, never through a link.

        Raises OSError, also for a name that is no plain file name.
        """
        if not name or name in {".", ".."} or "/" in name or "\\" in name or "\0" in name:
            raise OSError(f"{name!r} is no file name")
        if self._fd is None:
            return os.open(self.folder / name, _FLAGS, 0o666)
        return os.open(name, _FLAGS, 0o666, dir_fd=self._fd)

    def remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            if self._fd is None:
                (self.folder / name).unlink()
            else:
                os.unlink(name, dir_fd=self._fd)

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


class StagedBody:
    """A body written to `staging/<name>` and hashed while it arrives.

    The file is made when there is something to write, which for most is in `finish`: making one
    can take longer than all else (0.4 ms on ext4 where many have just been removed, as it passes
    over each inode freed in the last seconds).
    """

    def __init__(self, staging: Staging, name: str) -> None:
        self._staging = staging
        self.name = name
        self.head = b""
        self.at_rest = False  # nothing more is written to the file
        self._hash = hashlib.sha256()
        self._pieces: list[bytes] = []
        self._held_bytes = 0
        self._made = False
        self._fd = -1

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    @property
    def held_bytes(self) -> int:
        """What `finish` has yet to hash and to write."""
        return self._held_bytes

    def write(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._held_bytes += len(piece)
        if self._held_bytes >= _BLOCK_BYTES or len(self._pieces) >= _MAX_PIECES:
            self._flush()

    def _flush(self) -> None:
        if not self._made:
            self._fd = self._staging.create(self.name)
            self._made = True
        pieces, held_bytes = self._pieces, self._held_bytes
        self._pieces, self._held_bytes = [], 0
        if len(self.head) < HEAD_BYTES:
            self.head = _head(self.head, pieces)
        for piece in pieces:
            self._hash.update(piece)
        _write_all(self._fd, pieces, held_bytes)

    def finish(self) -> None:
        try:
            if self._pieces:
                # One update and one write: the lock of the interpreter is let go of, and waited
                # for, around each; a picture comes in about eight pieces.
                self._pieces = [b"".join(self._pieces)]
                self._flush()
        finally:
            self._close()
            self.at_rest = True

    def discard(self) -> None:
        self._close()
        self._pieces.clear()
        if self._made:  # else the name is not ours: taken, or none at all
            self._staging.remove(self.name)

    def _close(self) -> None:
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)


def _head(head: bytes, pieces: Iterable[bytes]) -> bytes:
    for piece in pieces:
        head += piece[: HEAD_BYTES - len(head)]
        if len(head) == HEAD_BYTES:
            break
    return head


def _write_all(fd: int, pieces: list[bytes], size_bytes: int) -> None:
    """Writes everything, also where the system takes only a part (a nearly full disk)."""
    if len(pieces) > 1 and hasattr(os, "writev"):
        written = os.writev(fd, pieces)
        if written == size_bytes:
            return
        rest = memoryview(b"".join(pieces))[written:]
    else:
        rest = memoryview(b"".join(pieces) if len(pieces) > 1 else pieces[0])
    while rest:
        rest = rest[os.write(fd, rest) :]
