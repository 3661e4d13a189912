"""Parse the marker segments of a JPEG (ITU-T T.81 annex B), once, before decoding.

One pass gives size, components, quantisation tables, EXIF and the number of pictures; neither
Pillow nor libjpeg has to open the file for its size.
"""

from __future__ import annotations

import re
import struct
from typing import Final

import numpy as np
from msgspec import Struct, field

from pixtrawl.images.formats import exif

__all__ = [
    "MOST_SEGMENTS", "JpegHead", "count_scans", "essential", "frame_header_at", "profile",
    "quality", "read_head",
]  # fmt: skip

_PAIR: Final = np.dtype("<u2")
_SOS_PAIR: Final = 0xDAFF  # little-endian
_SEQUENTIAL: Final = frozenset({0xC0, 0xC1, 0xC9})
_SOF: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_SOS, _EOI, _DQT, _COM, _APP0 = 0xDA, 0xD9, 0xDB, 0xFE, 0xE0
MOST_SEGMENTS: Final = 4096  # before the first scan; 255 hold the largest colour profile
_FILL: Final = re.compile(rb"\xff+")
# In a scan FF is followed by 00 or is a restart marker; anything else ends it, after fill bytes.
_SCAN_END: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_APP2: Final = 0xE2
_ICC: Final = b"ICC_PROFILE\x00"
_MPF_COUNT: Final = 0xB001  # CIPA DC-007: number of images

# Sum of the 64 numbers of T.81 table K.1, to which IJG qualities 1..100 are a scale.
_STANDARD_LUMA_SUM: Final = 3688


class JpegHead(Struct):
    """The data of the segments before the first scan."""

    width: int = 0
    height: int = 0
    components: int = 0
    frame: int = 0  # marker of the frame header: which process coded it
    precision: int = 8
    frames: int = 1  # pictures in a multi-picture file
    exif: bytes = b""
    luma_table: tuple[int, ...] = ()
    scan_at: int = 0  # offset of the first SOS marker; 0: none
    segments: list[tuple[int, int, int]] = field(default_factory=list)  # marker, start, end
    overfull: bool = False  # more markers before the first scan than are looked at


def read_head(data: bytes) -> JpegHead:
    """Parse the segments up to the first scan or the end of the file. Never raises."""
    head = JpegHead()
    at = 2
    for _ in range(MOST_SEGMENTS):
        at = data.find(b"\xff", at)  # garbage between segments is skipped, as libjpeg does
        if at >= 0 and data.startswith(b"\xff\xff", at) and (fill := _FILL.match(data, at)):
            at = fill.end() - 1
        if at < 0 or at + 4 > len(data) or data[at + 1] == _EOI:
            return head
        marker = data[at + 1]
        if marker == 0 or marker in _STANDALONE:
            at += 2
            continue
        if marker == _SOS:
            head.scan_at = at
            return head
        end = at + 2 + (data[at + 2] << 8 | data[at + 3])
        head.segments.append((marker, at, end))
        _take(head, marker, data[at + 4 : end])
        at = max(end, at + 4)
    head.overfull = True
    return head


def frame_header_at(head: JpegHead) -> int | None:
    """Return the offset of the frame header, which states the size; None where there is none."""
    return next((start for marker, start, _ in head.segments if marker == head.frame), None)


def count_scans(data: bytes, head: JpegHead, most: int) -> int:
    """Return the number of scans, or more than `most` where there are more than that.

    A sequential picture whose first scan has all components has one scan: libjpeg refuses a second
    one. Elsewhere the two bytes of the marker are counted, which coded data never has (0.1 us a
    KiB; `bytes.count` takes 3); only where there are many the segments are walked, as other data
    may follow the picture.
    """
    in_first = data[head.scan_at + 4] if head.scan_at + 4 < len(data) else 0
    if head.frame in _SEQUENTIAL and in_first >= head.components:
        return 1
    count = 0
    for start in (head.scan_at, head.scan_at + 1):
        pairs = np.frombuffer(data, _PAIR, (len(data) - start) // 2, start)
        count += int(np.count_nonzero(pairs == _SOS_PAIR))
    return count if count <= most else _walk_scans(data, head.scan_at, most)


def _walk_scans(data: bytes, at: int, most: int) -> int:
    scans = 0
    for _ in range(most + MOST_SEGMENTS):
        found = _SCAN_END.search(data, at)
        if found is None or data[found.start() + 1] == _EOI:
            return scans
        at = found.end()
        scans += data[at - 1] == _SOS
        if scans > most:
            return scans
        at += max(int.from_bytes(data[at : at + 2], "big"), 2)
    return most + 1


def _take(head: JpegHead, marker: int, body: bytes) -> None:
    if marker in _SOF and len(body) >= 6 and not head.width:
        head.frame = marker
        head.precision, head.height, head.width, head.components = struct.unpack_from(">BHHB", body)
    elif marker == _DQT and not head.luma_table:
        head.luma_table = _first_table(body)
    elif marker == 0xE1 and body.startswith(b"Exif\x00\x00") and not head.exif:
        head.exif = body[6:]
    elif marker == _APP2 and body.startswith(b"MPF\x00"):
        head.frames = _pictures(body[4:])


def _first_table(body: bytes) -> tuple[int, ...]:
    if body and body[0] >> 4 == 0 and len(body) >= 65:
        return tuple(body[1:65])
    if body and len(body) >= 129:
        return struct.unpack_from(">64H", body, 1)
    return ()


def _pictures(mpf: bytes) -> int:
    order = "<" if mpf[:2] == b"II" else ">"
    for tag, _, _, value in exif.entries(mpf):
        if tag == _MPF_COUNT:
            return int(min(max(struct.unpack(order + "I", value)[0], 1), 1000))
    return 1


def quality(table: tuple[int, ...]) -> float:
    """Estimate the IJG quality (1..100) from the quantisation table; 0 without a table."""
    if not table:
        return 0.0
    scale = 100.0 * sum(table) / _STANDARD_LUMA_SUM
    estimate = (200.0 - scale) / 2.0 if scale <= 100.0 else 5000.0 / scale
    return float(min(max(estimate, 1.0), 100.0))


def profile(data: bytes, head: JpegHead) -> bytes | None:
    """Return the embedded colour profile, joined from its pieces; None where one is missing.

    Each piece has its index and the number of pieces (ICC.1:2022, annex B.4).
    """
    pieces: dict[int, bytes] = {}
    count = 0
    for marker, start, end in head.segments:
        if marker == _APP2 and data.startswith(_ICC, start + 4) and end - start >= 18:
            number, count = data[start + 16], data[start + 17]
            pieces[number] = data[start + 18 : end]
    if not count or set(pieces) != set(range(1, count + 1)):
        return None
    return b"".join(pieces[number] for number in sorted(pieces))


def essential(data: bytes, head: JpegHead, padding: int = 0) -> bytes:
    """Return the same picture without the parts that may hold harmless defects.

    Removes comments, application segments except APP0 and APP14 (both define the colours),
    garbage between segments, and `padding` bytes of 00 or FF before the end marker. The rest is
    needed for decoding and must pass the strict decoder.
    """
    if not head.scan_at:
        return data
    kept = [b"\xff\xd8"]
    for marker, start, end in head.segments:
        is_metadata = marker == _COM or (marker & 0xF0 == _APP0 and marker not in (0xE0, 0xEE))
        if not is_metadata:
            kept.append(data[start:end])
    end = data.rfind(b"\xff\xd9")
    if padding and end - padding > head.scan_at and not data[end - padding : end].strip(b"\0\xff"):
        kept += [data[head.scan_at : end - padding], data[end:]]
    else:
        kept.append(data[head.scan_at :])
    return b"".join(kept)
