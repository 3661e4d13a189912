"""Check that a file is as long as its own structure says.

Not all decoders do: Pillow silently accepts a WebP whose last third is zeros or missing, and stops
reading a PNG at the last row (measured).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Final

from pixtrawl.model import Reason

__all__ = ["check"]

Fault = tuple[Reason, str]


def check(format: str, data: bytes) -> Fault | None:
    """Return None when the container is complete, else the fault. Trailing bytes are ignored."""
    walk = _WALKS.get(format)
    return walk(data) if walk else None


def _png(data: bytes) -> Fault | None:
    """Check that every chunk up to IEND is complete, and the CRC of the critical ones.

    PNG, 3rd edition, 5.3 and 13.2.
    """
    at, pixels = 8, False
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        end = at + 12 + length
        if end > len(data):
            return Reason.TRUNCATED, f"PNG chunk {_word(kind)} is cut"
        pixels = pixels or kind == b"IDAT"
        if kind[0] & 0x20 == 0:
            stored = int.from_bytes(data[end - 4 : end], "big")
            if zlib.crc32(memoryview(data)[at + 4 : end - 4]) != stored:
                return Reason.CORRUPT, f"checksum of PNG chunk {_word(kind)} is wrong"
        if kind == b"IEND":
            return None if pixels else (Reason.CORRUPT, "PNG without pixels")
        at = end
    return Reason.TRUNCATED, "PNG without its end chunk"


def _webp(data: bytes) -> Fault | None:
    size = int.from_bytes(data[4:8], "little")
    if size + 8 > len(data):
        return Reason.TRUNCATED, f"RIFF of {size + 8} bytes, {len(data)} are there"
    at, end = 12, 8 + size
    while at + 8 <= end:
        at += 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        if at > end:
            return Reason.CORRUPT, "a WebP chunk reaches beyond the file"
        at += at & 1
    return None


def _gif(data: bytes) -> Fault | None:
    """Walk the blocks up to the trailer (GIF89a appendix B)."""
    cut = Reason.TRUNCATED, "GIF without its trailer"
    if len(data) < 13:
        return cut
    at = 13 + _table_bytes(data[10])
    while at < len(data):
        kind = data[at]
        if kind == 0x3B:
            return None
        if kind == 0x21:
            at += 2
        elif kind == 0x2C and at + 10 <= len(data):
            at += 11 + _table_bytes(data[at + 9])
        else:
            # Decoders skip stray bytes between blocks; so does this, up to a limit.
            next_at = data.find(b"\x3b", at)
            return None if next_at >= 0 else cut
        at = _after_sub_blocks(data, at)
    return cut


def _table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _after_sub_blocks(data: bytes, at: int) -> int:
    while at < len(data) and data[at]:
        at += 1 + data[at]
    return at + 1


def _iso_bmff(data: bytes) -> Fault | None:
    """Walk the top-level boxes (ISO/IEC 14496-12 4.2); one must hold the coded data."""
    at = 0
    kinds: set[bytes] = set()
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        size = size or len(data) - at
        if not kind.isalnum() and kinds >= {b"meta", b"mdat"}:
            return None  # other data appended after a complete picture
        kinds.add(kind)
        if size < 8:
            return Reason.CORRUPT, f"box {_word(kind)} of {size} bytes"
        if at + size > len(data):
            return Reason.TRUNCATED, f"box {_word(kind)} is cut"
        at += size
    if not kinds & {b"mdat", b"idat", b"meta"}:
        return Reason.TRUNCATED, "no box with a picture"
    return None


def _bmp(data: bytes) -> Fault | None:
    """Check that uncompressed pixel rows lie inside the file.

    The file size field is wrong in too many intact files to be used.
    """
    if len(data) < 26:
        return Reason.TRUNCATED, "BMP without a header"
    offset, header = (int.from_bytes(data[at : at + 4], "little") for at in (10, 14))
    if header < 40 or len(data) < 54:
        return None
    width = int.from_bytes(data[18:22], "little", signed=True)
    height = abs(int.from_bytes(data[22:26], "little", signed=True))
    bits = int.from_bytes(data[28:30], "little")
    compression = int.from_bytes(data[30:34], "little")
    if compression not in (0, 3, 6) or width <= 0:
        return None
    stride = (width * bits + 31) // 32 * 4
    # The padding of the last row may be missing: no pixel is.
    if offset + stride * height - 3 > len(data):
        return Reason.TRUNCATED, "BMP with fewer rows than its header says"
    return None


def _word(kind: bytes) -> str:
    return kind.decode("ascii", "backslashreplace")


_WALKS: Final[Mapping[str, Callable[[bytes], Fault | None]]] = {
    "png": _png,
    "webp": _webp,
    "gif": _gif,
    "avif": _iso_bmff,
    "bmp": _bmp,
}
