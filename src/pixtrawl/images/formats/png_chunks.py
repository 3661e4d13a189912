"""Remove damaged chunks without pixels from a PNG. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

__all__ = ["SIGNATURE", "without_damaged_metadata"]

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_MOST_BYTES: Final = 1 << 20  # decompressed size of one text or profile: Pillow's limit
_ALL_TEXT_BYTES: Final = 32 << 20  # of all texts, decompressed; Pillow raises above 64 MiB
# Size of chunks of fixed length (PNG, 3rd edition, 11.3).
_LENGTHS: Final = {b"pHYs": 9, b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"tIME": 7}
_TEXTS: Final = frozenset({b"tEXt", b"zTXt", b"iTXt", b"iCCP"})  # a profile is packed as they are
# Frames of an animation: these hold pixels, although they are named as ancillary chunks.
_FRAMES: Final = frozenset({b"acTL", b"fcTL", b"fdAT"})


def without_damaged_metadata(data: bytes) -> bytes:
    """Return a PNG without its damaged ancillary chunks; other data unchanged.

    As in libpng, such a chunk counts as absent. Chunks with pixels stay, damaged or not.
    """
    if not data.startswith(SIGNATURE):
        return data
    kept: list[tuple[int, int]] = []
    texts_bytes = 0
    for kind, start, end in _chunks(data):
        if kind[0] & 0x20 and kind not in _FRAMES:
            is_text = kind in _TEXTS
            if is_text and texts_bytes > _ALL_TEXT_BYTES:
                continue
            unpacked_bytes = _unpacked_bytes(kind, data, start, end)
            texts_bytes += max(unpacked_bytes, end - start) if is_text else 0
            if unpacked_bytes < 0 or (is_text and texts_bytes > _ALL_TEXT_BYTES):
                continue
        if kept and kept[-1][1] == start:
            kept[-1] = kept[-1][0], end
        else:
            kept.append((start, end))
    if len(kept) == 1 and kept[0][0] == len(SIGNATURE):
        return data
    return b"".join([SIGNATURE, *(data[start:end] for start, end in kept)])


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield (kind, start, end) of each chunk up to IEND; the last may be truncated."""
    at = len(SIGNATURE)
    while at + 8 <= len(data):
        kind = data[at + 4 : at + 8]
        end = min(at + 12 + int.from_bytes(data[at : at + 4], "big"), len(data))
        yield kind, at, end
        if kind == b"IEND":
            return
        at = end


def _unpacked_bytes(kind: bytes, data: bytes, start: int, end: int) -> int:
    """Return how many bytes an ancillary chunk decompresses to, 0 for one that is not packed.

    -1 where it has a wrong checksum or Pillow cannot read it.
    """
    body = memoryview(data)[start + 8 : end - 4]
    if zlib.crc32(memoryview(data)[start + 4 : end - 4]) != int.from_bytes(data[end - 4 : end]):
        return -1
    if kind in _LENGTHS:
        return 0 if len(body) == _LENGTHS[kind] else -1
    if kind in {b"iCCP", b"zTXt"}:
        _, _, rest = bytes(body).partition(b"\0")
        return _unpacks(rest[1:]) if rest[:1] == b"\0" else -1
    return _international(bytes(body)) if kind == b"iTXt" else 0


def _international(body: bytes) -> int:
    """Return the same for the body of an iTXt chunk."""
    _, _, rest = body.partition(b"\0")
    if rest[:1] != b"\1":
        return 0 if len(rest) >= 2 else -1
    _, found, text = rest[2:].partition(b"\0")
    _, found_too, text = text.partition(b"\0")
    return _unpacks(text) if rest[1:2] == b"\0" and found and found_too else -1


def _unpacks(packed: bytes) -> int:
    """Return the decompressed size; -1 for damaged data, or more than Pillow's limit."""
    unpacking = zlib.decompressobj()
    try:
        size_bytes = len(unpacking.decompress(packed, _MOST_BYTES))
    except zlib.error:
        return -1
    return size_bytes if unpacking.eof else -1
