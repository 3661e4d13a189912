"""Cache of renditions (transformed images) between the decoders and the export.

One append-only pack file per transform, beside the catalog; a record is a header and the image
bytes. One file per image would cost an inode and three system calls (0.2 ms on ext4). The next run
truncates a record torn by a kill; a record that fails its checksum is skipped. Missing renditions
are decoded again, so a pack may be removed at any time; a run removes it after its export.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import struct
import threading
import zlib
from array import array
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from msgspec import Struct

from pixtrawl.errors import StorageError
from pixtrawl.folder.files import discard
from pixtrawl.folder.layout import MAP, THUMBS, renditions_name
from pixtrawl.transform import Picture, Transform

__all__ = ["RenditionReader", "RenditionWriter", "remove_all"]

_MAKING: Final = 1  # increment when the same file and transform give other bytes
_HEAD: Final = struct.Struct("<4s32s4sHHII")  # mark, sha256, extension, width, height, bytes, CRC
_MARK: Final = b"pxr1"
_BUFFER_BYTES: Final = 2**17
_RECENT: Final = 10_000


class RenditionWriter:
    """Appends renditions during a run; the run must hold the lock of the data set."""

    def __init__(self, folder: Path, transform: Transform) -> None:
        """Open the pack and truncate a torn record. Raise StorageError if that fails."""
        self._path = _path(folder, transform)
        self._recent: dict[bytes, None] = {}  # a placeholder image repeats many times
        with self._translated_errors():
            folder.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("ab", buffering=_BUFFER_BYTES)
            with self._path.open("rb") as written:
                self._file.truncate(_whole_bytes(written))

    def put(self, sha256: str, picture: Picture) -> None:
        """Append the rendition of the file with this SHA-256 (hex). Raise StorageError."""
        key = bytes.fromhex(sha256)
        if key in self._recent:
            return
        self._recent[key] = None
        if len(self._recent) > _RECENT:
            del self._recent[next(iter(self._recent))]
        head = _HEAD.pack(
            _MARK, key, picture.extension.encode("ascii"), picture.width, picture.height,
            len(picture.data), zlib.crc32(picture.data),
        )  # fmt: skip
        with self._translated_errors():
            self._file.write(head + picture.data)

    def close(self) -> None:
        """Flush the buffer and close the pack. Raise StorageError."""
        with self._translated_errors():
            self._file.close()

    @contextlib.contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(f"cannot write {self._path}: {error}") from error


class RenditionReader:
    """Finds renditions during an export; thread-safe.

    Uses 24 bytes of memory per rendition: the first eight bytes of the hash (sorted), offset, size.
    """

    def __init__(self, folder: Path, transform: Transform) -> None:
        import numpy as np  # not needed for writing

        self._path = _path(folder, transform)
        keys, places, sizes = array("Q"), array("Q"), array("L")
        self._file: IO[bytes] | None = None
        self._reading = threading.Lock()  # all threads share the file offset
        with contextlib.suppress(FileNotFoundError):  # no renditions
            self._file = self._path.open("rb", buffering=0)
            with self._path.open("rb") as file:
                for record in _records(file):
                    keys.append(_key(record.sha256))
                    places.append(record.at)
                    sizes.append(record.end - record.at)
        unsorted = np.frombuffer(keys, np.uint64)
        order = unsorted.argsort(kind="stable")
        self._keys, self._places = unsorted[order], np.frombuffer(places, np.uint64)[order]
        self._sizes = np.frombuffer(sizes, f"u{sizes.itemsize}")[order]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def __len__(self) -> int:
        return len(self._keys)

    def get(self, sha256: str, format_: str) -> Picture | None:
        """Return the rendition of the file with this SHA-256 (hex); None if missing or damaged."""
        wanted = bytes.fromhex(sha256)
        at = int(self._keys.searchsorted(_key(wanted))) if self._file is not None else 0
        while at < len(self._keys) and int(self._keys[at]) == _key(wanted):
            whole = self._read(int(self._places[at]), int(self._sizes[at]))
            record = _RenditionHeader.parse(whole, 0)
            if record is not None and record.sha256 == wanted:
                data = whole[_HEAD.size :]
                if zlib.crc32(data) == record.crc:
                    return Picture(data, record.extension, format_, record.width, record.height)
            at += 1
        return None

    def _read(self, at: int, size_bytes: int) -> bytes:
        assert self._file is not None
        with self._reading:
            self._file.seek(at)
            return self._file.read(size_bytes) or b""


def remove_all(folder: Path) -> None:
    """Remove all packs and thumbs: after a takedown no rendition of the image may stay."""
    for pack in folder.glob(renditions_name("*")):
        discard(pack)
    discard(folder / THUMBS)
    discard(folder / MAP)


class _RenditionHeader(Struct, frozen=True):
    """The header of one record, and its offset in the pack."""

    at: int
    sha256: bytes
    extension: str
    width: int
    height: int
    size_bytes: int
    crc: int

    @property
    def end(self) -> int:
        return self.at + _HEAD.size + self.size_bytes

    @classmethod
    def parse(cls, head: bytes, at: int) -> Self | None:
        if len(head) < _HEAD.size or not head.startswith(_MARK):
            return None
        _, sha256, extension, *numbers = _HEAD.unpack_from(head)
        return cls(at, sha256, extension.rstrip(b"\0").decode("ascii", "replace"), *numbers)


def _records(file: IO[bytes]) -> Iterator[_RenditionHeader]:
    """Yield the complete records from the start, up to the first torn or invalid one."""
    size_bytes = file.seek(0, os.SEEK_END)
    at = file.seek(0)
    while (
        record := _RenditionHeader.parse(file.read(_HEAD.size), at)
    ) and record.end <= size_bytes:
        yield record
        at = file.seek(record.end)


def _whole_bytes(file: IO[bytes]) -> int:
    end = 0
    for record in _records(file):
        end = record.end
    return end


def _key(sha256: bytes) -> int:
    return int.from_bytes(sha256[:8])


def _path(folder: Path, transform: Transform) -> Path:
    text = json.dumps([_MAKING, transform.plain()], sort_keys=True)
    return folder / renditions_name(hashlib.sha256(text.encode()).hexdigest()[:16])
