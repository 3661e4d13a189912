"""Check that a file is as long as its own structure says, and asks for no more work than allowed.

Not all decoders do: Pillow silently accepts a WebP whose last third is zeros or missing, and stops
reading a PNG at the last row (measured). Each check is one pass over the file's blocks.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Final

from pixtrawl.images.formats import gif_blocks, iso_boxes, tiff_directories
from pixtrawl.images.formats.cost_limits import CostLimits, Fault
from pixtrawl.model import Reason

__all__ = ["check"]

_RUNS_PER_BLOCK: Final = 20  # a run of a BMP costs 1 us, a block of other formats 5 to 10


def check(format: str, data: bytes, limits: CostLimits) -> Fault | None:
    """Return None when the container is complete and within its limits, else the fault.

    Trailing bytes are ignored. A JPEG has no container; its scans are counted with its head.
    """
    walk = _WALKS.get(format)
    return walk(data, limits) if walk else None


def _png(data: bytes, limits: CostLimits) -> Fault | None:
    """Check that every chunk up to IEND is complete, and the CRC of the critical ones.

    PNG, 3rd edition, 5.3 and 13.2.
    """
    at, pixels = 8, False
    for _ in range(limits.blocks):
        if at + 12 > len(data):
            return Reason.TRUNCATED, "PNG without its end chunk"
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
    return limits.too_many("chunks")


def _webp(data: bytes, limits: CostLimits) -> Fault | None:
    size = int.from_bytes(data[4:8], "little")
    if size + 8 > len(data):
        return Reason.TRUNCATED, f"RIFF of {size + 8} bytes, {len(data)} are there"
    at, end = 12, 8 + size
    frames = canvas = 0
    for _ in range(limits.blocks):
        if at + 8 > end:
            return None
        kind = data[at : at + 4]
        if kind == b"VP8X":
            across, down = (int.from_bytes(data[at + n : at + n + 3], "little") for n in (12, 15))
            canvas = (across + 1) * (down + 1)
        elif kind == b"ANMF":
            frames += 1
            if fault := limits.of_frames(frames, canvas):
                return fault
        at += 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        if at > end:
            return Reason.CORRUPT, "a WebP chunk reaches beyond the file"
        at += at & 1
    return limits.too_many("chunks")


def _bmp(data: bytes, limits: CostLimits) -> Fault | None:
    """Check that uncompressed pixel rows lie inside the file, and that there are not many runs.

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
    most = limits.blocks * _RUNS_PER_BLOCK
    if compression in (1, 2) and (len(data) - offset) // 2 > most:
        return limits.too_many("runs", most)
    if compression not in (0, 3, 6) or width <= 0:
        return None
    stride = (width * bits + 31) // 32 * 4
    # The padding of the last row may be missing: no pixel is.
    if offset + stride * height - 3 > len(data):
        return Reason.TRUNCATED, "BMP with fewer rows than its header says"
    return None


def _word(kind: bytes) -> str:
    return kind.decode("ascii", "backslashreplace")


_WALKS: Final[Mapping[str, Callable[[bytes, CostLimits], Fault | None]]] = {
    "png": _png,
    "webp": _webp,
    "gif": gif_blocks.check,
    "avif": iso_boxes.check,
    "bmp": _bmp,
    "tiff": tiff_directories.check,
}
