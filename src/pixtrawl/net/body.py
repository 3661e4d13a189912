"""Response bodies while they arrive: kept in memory, or written to a staged file and hashed.

Pieces are buffered in blocks of 256 KiB: one system call and one hash update for most pictures, and
bounded memory for large ones.
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
    """Receives a body piece by piece."""

    def write(self, piece: bytes) -> None:
        """Append a piece. Raises OSError."""
        ...

    def finish(self) -> None:
        """Complete the body. Raises OSError."""
        ...

    def discard(self) -> None:
        """Remove what was written; allowed after `finish`, failed or not."""
        ...


class MemoryBody:
    """A body kept in memory."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.write = self.pieces.append

    def finish(self) -> None:
        """Do nothing: the bytes are in memory already."""

    def discard(self) -> None:
        """Free the bytes."""
        self.pieces.clear()

    def joined(self) -> bytes:
        return b"".join(self.pieces)


class Staging:
    """The folder of staged files, held open so that it cannot be replaced by another."""

    def __init__(self, folder: Path) -> None:
        """Open the folder. Raises OSError."""
        self.folder = folder
        self._fd: int | None = None
        if os.open in os.supports_dir_fd and os.unlink in os.supports_dir_fd:
            self._fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def create(self, name: str) -> int:
        """Create a file and return its descriptor; never opens an existing file or follows a link.

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

    The file is created at the first write, which for most bodies is in `finish`: creating one is
    slow on ext4 where many have just been removed (0.4 ms: it skips recently freed inodes).
    """

    def __init__(self, staging: Staging, name: str) -> None:
        self._staging = staging
        self.name = name
        self.head = b""
        self.at_rest = False  # True: nothing more will be written to the file
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
        """Bytes that `finish` still has to hash and write."""
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
                # Join first: each update and write releases the GIL and waits to get it back,
                # and a picture arrives in about eight pieces.
                self._pieces = [b"".join(self._pieces)]
                self._flush()
        finally:
            self._close()
            self.at_rest = True

    def discard(self) -> None:
        self._close()
        self._pieces.clear()
        if self._made:  # otherwise a file of that name belongs to something else
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
    """Write everything, repeating partial writes (a nearly full disk)."""
    if len(pieces) > 1 and hasattr(os, "writev"):
        written = os.writev(fd, pieces)
        if written == size_bytes:
            return
        rest = memoryview(b"".join(pieces))[written:]
    else:
        rest = memoryview(b"".join(pieces) if len(pieces) > 1 else pieces[0])
    while rest:
        rest = rest[os.write(fd, rest) :]
