"""Small files that would cost a decoder much time: one maker for each way, all of our own making."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from PIL import Image

from pixtrawl.images.formats.png_chunks import SIGNATURE

__all__ = ["BOMBS", "animated_gif", "animated_png", "progressive", "tiff"]

MANY: Final = 1 << 20


# -- JPEG ----------------------------------------------------------------------------------------


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


class _Bits:
    def __init__(self) -> None:
        self.value, self.count = 1, 0

    def put(self, code: int, length: int) -> None:
        self.value = self.value << length | code
        self.count += length

    def stuffed(self) -> bytes:
        spare = -self.count % 8
        self.put((1 << spare) - 1, spare)
        data = self.value.to_bytes(self.count // 8 + 1)[1:]
        return data.replace(b"\xff", b"\xff\x00")


def progressive(width: int, height: int, scans: int) -> bytes:
    """A grey progressive JPEG without a detail, whose scan of all details comes again and again."""
    blocks = ((width + 7) // 8) * ((height + 7) // 8)
    # One DC code (no difference) of one bit; 15 AC codes of four bits: a run of blocks without any.
    tables = _segment(0xC4, b"\x00" + bytes([1] + [0] * 15) + b"\x00")
    runs = bytes(power << 4 for power in range(15))
    tables += _segment(0xC4, b"\x10" + bytes([0, 0, 0, 15] + [0] * 12) + runs)
    frame = _segment(0xC2, struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00")
    flat = bytes((blocks + 7) // 8 - (1 if blocks % 8 else 0))
    flat += bytes([(1 << (8 - blocks % 8)) - 1]) if blocks % 8 else b""
    bits, left = _Bits(), blocks
    while left:
        power = min(left.bit_length() - 1, 14)
        run = min(left, (2 << power) - 1)
        bits.put(power, 4)
        bits.put(run - (1 << power), power)
        left -= run
    first = _segment(0xDA, b"\x01\x01\x00\x00\x00\x00") + flat
    details = _segment(0xDA, b"\x01\x01\x00\x01\x3f\x00") + bits.stuffed()
    head = b"\xff\xd8" + _segment(0xDB, b"\x00" + b"\x01" * 64) + frame + tables
    return head + first + details * (scans - 1) + b"\xff\xd9"


def _within_jpeg(what: bytes, *, before_scan: bool = True) -> bytes:
    data = progressive(256, 256, 2)
    at = data.index(b"\xff\xda") if before_scan else data.rindex(b"\xff\xda")
    return data[:at] + what + data[at:]


# -- PNG -----------------------------------------------------------------------------------------


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png(chunks: Iterable[bytes], width: int = 8, height: int = 8) -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    rows = _chunk(b"IDAT", zlib.compress(bytes(width + 1) * height))
    return SIGNATURE + header + b"".join(chunks) + rows + _chunk(b"IEND", b"")


def animated_png(width: int, height: int, frames: int) -> bytes:
    """An APNG whose frames after the first are of one pixel."""

    def control(number: int, across: int, down: int) -> bytes:
        times = struct.pack(">HHBB", 1, 10, 0, 0)
        return _chunk(b"fcTL", struct.pack(">IIIII", number, across, down, 0, 0) + times)

    dot = zlib.compress(b"\0\1")
    chunks = [_chunk(b"acTL", struct.pack(">II", frames, 0)), control(0, width, height)]
    whole = _png(chunks, width, height)
    more = b"".join(
        control(2 * at - 1, 1, 1) + _chunk(b"fdAT", struct.pack(">I", 2 * at) + dot)
        for at in range(1, frames)
    )
    return whole[:-12] + more + whole[-12:]


def _pixel_by_pixel() -> bytes:
    packed = zlib.compressobj(0)
    rows = packed.compress(bytes(1001) * 1000) + packed.flush()
    whole = _png([], 1000, 1000)
    pieces = b"".join(_chunk(b"IDAT", rows[at : at + 1]) for at in range(len(rows)))
    return whole[: whole.index(b"IDAT") - 4] + pieces + whole[-12:]


# -- GIF -----------------------------------------------------------------------------------------


def animated_gif(
    width: int, height: int, frames: int, *, stray: bytes = b"", pieces: int = 0
) -> bytes:
    """A GIF of one-pixel frames on a screen of that size."""
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    dot = b"!\xf9\x04\0\x0a\0\0\0,\0\0\0\0\1\0\1\0\0\2\2\x44\1\0"
    comment = b"!\xfe" + b"\1x" * pieces + b"\0" if pieces else b""
    return head + dot + stray + comment + dot * (frames - 1) + b";"


# -- others --------------------------------------------------------------------------------------


def _webp(chunks: bytes, width: int = 4000, height: int = 4000) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X\x0a\0\0\0\x02\0\0\0" + size + b"ANIM\6\0\0\0\0\0\0\0\0\0" + chunks
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _still_webp() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16)).save(buffer, "WEBP", lossless=True)
    return buffer.getvalue()


def _webp_frames(frames: int) -> bytes:
    picture = _still_webp()[12:]
    place = b"\0" * 6 + b"\x0f\0\0\x0f\0\0" + b"\x0a\0\0\0"
    one = b"ANMF" + struct.pack("<I", len(place) + len(picture)) + place + picture
    return _webp(one * frames)


def _webp_chunks() -> bytes:
    data = _still_webp()
    body = data[8:] + b"JUNK\0\0\0\0" * (2 * MANY)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _avif_frames(frames: int) -> bytes:
    buffer = io.BytesIO()
    pictures = [Image.new("L", (16, 16), at % 250) for at in range(frames)]
    pictures[0].save(
        buffer, "AVIF", save_all=True, append_images=pictures[1:], speed=10, quality=10
    )
    return buffer.getvalue()


def tiff(tags: Mapping[int, tuple[int, int, bytes]], directories: int = 1, spare: int = 0) -> bytes:
    """A little-endian TIFF of equal directories: tag -> (type, count, its data or value)."""
    entries, extra = b"", b""
    base = 8 + spare
    for tag, (kind, count, value) in sorted(tags.items()):
        if len(value) > 4:
            entries += struct.pack("<HHII", tag, kind, count, base + len(extra))
            extra += value
        else:
            entries += struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0")
    size = 2 + len(entries) + 4
    start = base + len(extra)
    data = b"II*\0" + struct.pack("<I", start) + bytes(spare) + extra
    for at in range(directories):
        following = start + size * (at + 1) if at + 1 < directories else 0
        data += struct.pack("<H", len(entries) // 12) + entries + struct.pack("<I", following)
    return data


def _grey_tiff(
    width: int, height: int, strips: int, directories: int = 1, more: int = 0, rows: int = 0
) -> bytes:
    short, long = 3, 4
    tags = {
        256: (long, 1, struct.pack("<I", width)),
        257: (long, 1, struct.pack("<I", height)),
        258: (short, 1, b"\x08\0"),
        259: (short, 1, b"\x01\0"),
        262: (short, 1, b"\x01\0"),
        273: (long, strips, struct.pack("<I", 8) * strips),
        277: (short, 1, b"\x01\0"),
        278: (long, 1, struct.pack("<I", rows or height)),
        279: (long, strips, struct.pack("<I", width) * strips),
    }
    tags |= {40000 + at: (short, 1, b"\1\0") for at in range(more)}
    return tiff(tags, directories, spare=width * height)


def _run_length_bmp(runs: int) -> bytes:
    body = b"\1\7" * runs + b"\0\1"
    head = struct.pack("<IiiHHIIiiII", 40, runs // 1000, 1000, 1, 8, 1, len(body), 0, 0, 256, 0)
    start = 14 + 40 + 1024
    return b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + head + bytes(1024) + body


def _texts() -> bytes:
    one = _chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(MANY)))
    return _png([one] * 20_000)


BOMBS: Final[Mapping[str, Callable[[], bytes]]] = {
    "jpeg of 5,000 scans": lambda: progressive(2000, 2000, 5000),
    "jpeg of 100,000 scans": lambda: progressive(64, 64, 100_000),
    "jpeg of 90 megapixels and 500 scans": lambda: progressive(9000, 10_000, 500),
    "jpeg of 90 megapixels and 90 scans": lambda: progressive(9000, 10_000, 90),
    "jpeg with 30 MB of fill bytes": lambda: _within_jpeg(b"\xff" * (30 * MANY)),
    "jpeg with fill bytes between scans": lambda: _within_jpeg(
        b"\xff" * (30 * MANY), before_scan=False
    ),
    "jpeg with fill bytes at its end": lambda: (
        progressive(256, 256, 2)[:-2] + b"\xff" * (30 * MANY) + b"\xd9"
    ),
    "jpeg with stuffed bytes before its scan": lambda: _within_jpeg(b"\xff\0" * (15 * MANY)),
    "jpeg with restart markers before its scan": lambda: _within_jpeg(b"\xff\xd0" * (15 * MANY)),
    "jpeg with restart markers in its scan": lambda: (
        progressive(256, 256, 2)[:-2] + b"\xff\xd0" * (15 * MANY) + b"\xff\xd9"
    ),
    "jpeg of empty segments": lambda: _within_jpeg(b"\xff\xe1\0\2" * (7 * MANY)),
    "jpeg with empty segments between scans": lambda: _within_jpeg(
        b"\xff\xe1\0\2" * (7 * MANY), before_scan=False
    ),
    "jpeg with tables between scans": lambda: _within_jpeg(
        _segment(0xC4, b"\x03" + bytes([1] + [0] * 15) + b"\x00") * MANY, before_scan=False
    ),
    "png of empty chunks": lambda: _png([_chunk(b"abCd", b"") * (2 * MANY)]),
    "png of texts that unpack to a megabyte": _texts,
    "png whose pixels come a byte at a time": _pixel_by_pixel,
    "apng of 10,000 frames": lambda: animated_png(64, 64, 10_000),
    "apng of 300 frames of 64 megapixels": lambda: animated_png(8000, 8000, 300),
    "gif of 40,000 frames": lambda: animated_gif(8000, 8000, 40_000),
    "gif of 1,500 frames of 16 megapixels": lambda: animated_gif(4000, 4000, 1500),
    "gif of 40,000 frames behind a stray byte": lambda: animated_gif(
        8000, 8000, 40_000, stray=b"\x07"
    ),
    "gif of blocks of one byte": lambda: animated_gif(64, 64, 2, pieces=15 * MANY),
    "gif of stray bytes": lambda: animated_gif(64, 64, 2, stray=b"\x07" * (30 * MANY)),
    "gif of empty extensions": lambda: animated_gif(64, 64, 2, stray=b"!\xfe\0" * (10 * MANY)),
    "webp of empty chunks": _webp_chunks,
    "webp of 5,000 frames": lambda: _webp_frames(5000),
    "webp of 400 frames of 16 megapixels": lambda: _webp_frames(400),
    "avif of 3,000 frames": lambda: _avif_frames(3000),
    "tiff of 60,000 tags": lambda: _grey_tiff(64, 64, 1, more=25_000),
    "tiff of a million strips": lambda: _grey_tiff(8, 8, MANY, rows=1),
    "tiff of 20,000 directories": lambda: _grey_tiff(64, 64, 1, directories=20_000),
    "tiff of 2,000 pages of a megapixel": lambda: _grey_tiff(1000, 1000, 1, directories=2000),
    "bmp of 15,000,000 runs": lambda: _run_length_bmp(15_000_000),
}
"""What a bomb is -> its maker. Making one takes up to two seconds."""
