"""Rows on local disk, split by host group until each piece fits into memory.

The memory needed does not depend on the number of rows: a piece that is too large is split into 64
others by a hash of the group, or of the URL where it holds one group only.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
from msgspec import Struct

from pixtrawl import urls
from pixtrawl.cluster.job.host_groups import group_of
from pixtrawl.errors import StorageError
from pixtrawl.model import Candidate

__all__ = ["PackedRow", "Row", "Spool"]

_WAYS: Final = 64
_IN_MEMORY_ROWS: Final = 20_000
_IN_MEMORY_BYTES: Final = 8 * 2**20  # on disk; as objects about three times that
_BUFFER_BYTES: Final = 32 * 1024
_CACHED_GROUPS: Final = 8_192
_LENGTH: Final = struct.Struct("<I")


class Row(Struct, frozen=True, array_like=True):
    """A row of the manifests: its number from 1 over all of them, and its candidate."""

    number: int
    candidate: Candidate


class PackedRow(Struct, frozen=True, array_like=True, gc=False):
    """A row as it lies on disk and in the store, which dividing rows need not read."""

    number: int
    key: bytes  # of the URL
    row: msgspec.Raw  # a `Row`, as msgpack


class _Record(Struct, frozen=True, array_like=True):
    group: str
    packed: PackedRow


class _Piece(Struct):
    path: Path
    rows: int = 0
    size_bytes: int = 0
    group: str = ""  # of the first row
    is_mixed: bool = False
    last_key: bytes = b""
    file: BinaryIO | None = None


class Spool:
    """Takes rows in any order and gives them back group by group, each URL once."""

    def __init__(self, folder: Path, in_memory_rows: int = _IN_MEMORY_ROWS) -> None:
        """`folder` must exist and have room for all rows twice."""
        self._folder = folder
        self._in_memory_rows = in_memory_rows
        self._names = itertools.count()
        self.rows = 0
        self.duplicates = 0  # rows whose URL another row has

    def take(self, candidates: Iterable[Candidate]) -> None:
        """Write all rows to disk. Raise StorageError."""
        encode = msgspec.msgpack.encode

        def records() -> Iterator[_Record]:
            for candidate in candidates:
                self.rows += 1
                raw = msgspec.Raw(encode(Row(self.rows, candidate)))
                url = candidate.url
                yield _Record(group_of(url), PackedRow(self.rows, urls.url_key(url), raw))

        self._pieces = self._split(records(), _by_group(0))

    def groups(self) -> Iterator[tuple[str, list[PackedRow]]]:
        """Yield the rows of each group; a large group comes in several parts, one after another.

        Call it once, after `take`. Raise StorageError.
        """
        for piece in self._pieces:
            yield from self._groups(piece, 1)

    def _groups(self, piece: _Piece, level: int) -> Iterator[tuple[str, list[PackedRow]]]:
        fits = piece.rows <= self._in_memory_rows and piece.size_bytes <= _IN_MEMORY_BYTES
        if fits or piece.rows == 1:
            yield from self._loaded(piece)
            return
        way = _by_group(level) if piece.is_mixed else _by_url(level)
        pieces = self._split(_read(piece), way)
        piece.path.unlink()
        for part in pieces:
            yield from self._groups(part, level + 1)

    def _loaded(self, piece: _Piece) -> Iterator[tuple[str, list[PackedRow]]]:
        by_group: dict[str, dict[bytes, PackedRow]] = {}
        for record in _read(piece):
            rows = by_group.setdefault(record.group, {})
            if record.packed.key in rows:
                self.duplicates += 1
            else:
                rows[record.packed.key] = record.packed
        piece.path.unlink()
        for group in sorted(by_group):
            rows = by_group.pop(group)  # else each would be there twice
            yield group, sorted(rows.values(), key=_number)

    def _split(self, records: Iterable[_Record], way: Callable[[_Record], int]) -> list[_Piece]:
        pieces: dict[int, _Piece] = {}
        encoder = msgspec.msgpack.Encoder()
        try:
            for record in records:
                place = way(record)
                piece = pieces.get(place)
                if piece is None:
                    piece = pieces[place] = _Piece(self._folder / f"{next(self._names)}.rows")
                    piece.group = record.group
                    piece.file = piece.path.open("xb", buffering=_BUFFER_BYTES)
                # A run of one URL collapses here: no hash could split it.
                if record.packed.key == piece.last_key:
                    self.duplicates += 1
                    continue
                piece.last_key = record.packed.key
                piece.is_mixed |= record.group != piece.group
                piece.rows += 1
                data = encoder.encode(record)
                assert piece.file is not None
                piece.file.write(_LENGTH.pack(len(data)) + data)
                piece.size_bytes += _LENGTH.size + len(data)
        except OSError as error:
            raise StorageError(f"cannot write to {self._folder}: {error.strerror}") from error
        finally:
            for piece in pieces.values():
                if piece.file is not None:
                    piece.file.close()
                    piece.file = None
        return [pieces[place] for place in sorted(pieces)]


def _by_group(level: int) -> Callable[[_Record], int]:
    @lru_cache(_CACHED_GROUPS)
    def place(group: str) -> int:
        return blake2b(group.encode(), digest_size=1, salt=bytes([level])).digest()[0] % _WAYS

    return lambda record: place(record.group)


def _by_url(level: int) -> Callable[[_Record], int]:
    def way(record: _Record) -> int:
        return blake2b(record.packed.key, digest_size=1, salt=bytes([level])).digest()[0] % _WAYS

    return way


def _read(piece: _Piece) -> Iterator[_Record]:
    decoder = msgspec.msgpack.Decoder(_Record)
    with piece.path.open("rb") as file:
        while head := file.read(_LENGTH.size):
            yield decoder.decode(file.read(_LENGTH.unpack(head)[0]))


def _number(row: PackedRow) -> int:
    return row.number
