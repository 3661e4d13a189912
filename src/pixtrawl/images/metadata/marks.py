"""Detect blocks that may state rights, outside the picture data.

Runs in the decoder, which has the bytes. Only a file with such a mark is read a second time. The
coded picture, most of a file, is skipped where the format gives its position: searching 64 KiB for
nine marks takes a tenth of the decoding time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

__all__ = ["may_state_rights"]

_PART_BYTES: Final = 64 * 1024  # one JPEG segment, the largest: EXIF with its own thumbnail
_TAIL_BYTES: Final = 16 * 1024
_MAX_CHUNKS: Final = 4096
_PICTURE: Final = frozenset({b"IDAT", b"fdAT", b"VP8 ", b"VP8L", b"ALPH", b"ANMF"})
_MARKS: Final = (
    b"Exif\x00\x00",
    b"eXIf",
    b"EXIF",
    b"Photoshop 3.0\x00",
    b"ns.adobe.com/xap",
    b"<x:xmpmeta",
    b"<rdf:RDF",
    b"XML:com.adobe.xmp",
    b"jumb",  # C2PA's box (C2PA 2.2, 11)
    b"caBX",
)
_ANYWHERE: Final = frozenset({"avif", "gif"})  # their metadata may lie behind the coded picture


def may_state_rights(format: str, data: bytes, scan_at: int = 0) -> bool:
    """Return whether a whole file of a kept `format` has one of the marks outside the picture.

    `scan_at` is the offset of a JPEG's picture: EXIF, IPTC and XMP precede it.
    """
    if format == "tiff":
        return True  # a TIFF is an EXIF structure itself
    return any(mark in part for part in _parts(format, data, scan_at) for mark in _MARKS)


def _parts(format: str, data: bytes, scan_at: int) -> Iterator[bytes]:
    if format == "jpeg" and scan_at:
        yield data[:scan_at]  # usually a few kilobytes; EXIF with a thumbnail may precede the rest
    elif format == "png":
        yield from _chunks(data, 8, "big", 4, 12)
    elif format == "webp":
        yield from _chunks(data, 12, "little", 0, 8)
    elif format in _ANYWHERE:  # decoding takes far longer than this search
        yield data
    else:
        yield data[:_PART_BYTES]
        yield data[max(_PART_BYTES, len(data) - _TAIL_BYTES) :]


def _chunks(
    data: bytes, at: int, order: Literal["big", "little"], name_at: int, around: int
) -> Iterator[bytes]:
    """Yield the chunks of a PNG or RIFF file, name included, except those with pixels."""
    for _ in range(_MAX_CHUNKS):
        name = data[at + name_at : at + name_at + 4]
        if len(name) < 4:
            return
        size_at = at + 4 - name_at
        length = int.from_bytes(data[size_at : size_at + 4], order)
        end = at + around + length
        if name not in _PICTURE:
            yield data[at : min(end, at + _PART_BYTES)]
        at = end + (length & 1 if order == "little" else 0)
