"""Decoding of `Content-Encoding` while a body arrives, as browsers do it.

Servers and buckets send values that are no coding (`utf-8`, `base64`, `aws-chunked`), name gzip
twice, or name it for a file that is not compressed. libcurl fails on all of these; here unknown
names are ignored, and a body that is not compressed passes unchanged.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

__all__ = ["OFFERED", "Coding", "coding_of", "is_foreign"]

OFFERED: Final = "gzip, deflate"
_GZIP: Final = frozenset({"gzip", "x-gzip"})
_FOREIGN: Final = frozenset({"br", "zstd"})  # decoded by libcurl, where it is built with them
_MOST: Final = 5  # nested codings; libcurl has the same limit
_PART_BYTES: Final = 256 * 1024  # decompressed at once: size limits are checked between parts
_GZIP_MAGIC: Final = b"\x1f\x8b"
_LOOKED_AT: Final = 16  # bytes needed to see whether a body is compressed at all


class _Stage(Protocol):
    def feed(self, piece: bytes) -> Iterator[bytes]: ...


def is_foreign(header: str) -> bool:
    """Return whether the header names a coding that only libcurl can decode (br, zstd)."""
    return any(name in _FOREIGN for name in _names(header))


def coding_of(header: str) -> Coding | None:
    """Return the decoder for a `Content-Encoding` header; None where it names no coding.

    Raises ValueError for more than 5.
    """
    stages: list[_Stage] = []
    for name in reversed(_names(header)):  # the last one was put on last
        if name in _GZIP:
            stages.append(_Unpacking(gzip=True))
        elif name == "deflate":
            stages.append(_Unpacking(gzip=False))
    if len(stages) > _MOST:
        raise ValueError(f"{len(stages)} content codings, one on another")
    return Coding(stages) if stages else None


def _names(header: str) -> list[str]:
    return [name.strip().lower() for name in header.split(",")] if header else []


class Coding:
    """The codings of one body."""

    def __init__(self, stages: Sequence[_Stage]) -> None:
        self._stages = stages

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Decode a piece of the body, in parts of at most 256 KiB. Raises zlib.error."""
        return _through(self._stages, piece)

    def finish(self) -> Iterator[bytes]:
        """Return the bytes still buffered at the end of the body. Raises zlib.error."""
        for at, stage in enumerate(self._stages):
            assert isinstance(stage, _Unpacking)
            for part in stage.finish():
                yield from _through(self._stages[at + 1 :], part)


def _through(stages: Sequence[_Stage], piece: bytes) -> Iterator[bytes]:
    if not stages:
        yield piece
        return
    for part in stages[0].feed(piece):
        yield from _through(stages[1:], part)


class _Unpacking:
    """gzip (RFC 1952) or deflate, with or without the zlib header (RFC 9110 8.4.1.2: with)."""

    def __init__(self, *, gzip: bool) -> None:
        self._gzip = gzip
        self._held = b""  # until it is known whether the body is compressed
        self._plain = False
        self._done = False
        self._begun = False
        self._zlib = zlib.decompressobj(31 if gzip else 15)

    def feed(self, piece: bytes) -> Iterator[bytes]:
        if self._plain:
            yield piece
            return
        if self._begun:
            yield from self._unpacked(piece)
            return
        self._held += piece
        if len(self._held) >= _LOOKED_AT:
            yield from self._begin()

    def finish(self) -> Iterator[bytes]:
        if self._held:
            yield from self._begin()

    def _begin(self) -> Iterator[bytes]:
        """Choose the decompressor by the first bytes."""
        held, self._held = self._held, b""
        if self._gzip:
            self._plain = not held.startswith(_GZIP_MAGIC)
        elif len(held) < 2 or held[0] & 0x0F != 8 or int.from_bytes(held[:2]) % 31:
            self._zlib = zlib.decompressobj(-15)
            self._plain = not _is_deflated(held)
        self._begun = True
        yield from self.feed(held)

    def _unpacked(self, piece: bytes) -> Iterator[bytes]:
        while piece and not self._done:
            part = self._zlib.decompress(piece, _PART_BYTES)
            if part:
                yield part
            piece = self._zlib.unconsumed_tail
            if self._zlib.eof:
                piece = self._zlib.unused_data
                # Several members may follow each other; any other trailing bytes are ignored.
                if self._gzip and piece.startswith(_GZIP_MAGIC):
                    self._zlib = zlib.decompressobj(31)
                else:
                    self._done = True


def _is_deflated(head: bytes) -> bool:
    try:
        zlib.decompressobj(-15).decompress(head, 1024)
    except zlib.error:
        return False
    return True
