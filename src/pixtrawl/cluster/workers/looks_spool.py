"""Thumbnails of a shard at work, on local disk: those of thousands of rows are many megabytes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from pixtrawl.cluster.outcome_tables import LookRow
from pixtrawl.errors import StorageError
from pixtrawl.model import ImageInfo

__all__ = ["LooksSpool"]

_HEAD: Final = struct.Struct(">qIII")


class LooksSpool:
    """Row number, thumbnail, colours and fine greys of pictures, in order of arrival."""

    def __init__(self, path: Path) -> None:
        """`path` is created with the first picture."""
        self._path = path
        self._file: IO[bytes] | None = None

    def add(self, row: int, info: ImageInfo) -> None:
        """Add a picture, if it has a thumbnail. Raise StorageError."""
        if not info.thumb:
            return
        try:
            if self._file is None:
                self._file = self._path.open("xb")
            head = _HEAD.pack(row, len(info.thumb), len(info.chroma), len(info.fine))
            self._file.write(head + info.thumb + info.chroma + info.fine)
        except OSError as error:
            raise StorageError(f"cannot write {self._path}: {error.strerror}") from error

    def read(self) -> Iterator[LookRow]:
        """Yield the pictures. Raise OSError."""
        if self._file is None:
            return
        self._file.flush()
        with self._path.open("rb") as file:
            while head := file.read(_HEAD.size):
                row, *sizes = _HEAD.unpack(head)
                thumb, chroma, fine = (file.read(size) for size in sizes)
                yield row, thumb, chroma, fine

    def discard(self) -> None:
        """Remove the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
            self._path.unlink(missing_ok=True)
