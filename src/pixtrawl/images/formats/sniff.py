"""Detect a file's format by its signature, never by its name or the server's content type.

Follows WHATWG MIME sniffing (https://mimesniff.spec.whatwg.org, sections 6.1 and 7.1) where it has
a rule, else each format's own specification. Whether the bytes are a whole picture is left to the
decoder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

__all__ = ["EXTENSIONS", "HEAD_BYTES", "IMAGE_FORMATS", "KEPT_FORMATS", "extension", "sniff"]

HEAD_BYTES: Final = 4096  # the most that sniffing reads of a file

EXTENSIONS: Final[Mapping[str, str]] = {
    "jpeg": "jpg",
    "png": "png",
    "webp": "webp",
    "gif": "gif",
    "avif": "avif",
    "bmp": "bmp",
    "tiff": "tif",
}
"""Formats that are kept, each with its one extension: a closed list, so that no server can
choose a file's name."""

KEPT_FORMATS: Final = frozenset(EXTENSIONS)

IMAGE_FORMATS: Final = KEPT_FORMATS | frozenset(
    {
        "heic", "heif", "jxl", "jp2", "svg", "ico", "cur", "psd", "jxr", "dds", "exr", "hdr",
        "qoi", "icns", "xcf", "djvu", "flif", "bpg", "pnm", "raw", "emf",
    }
)  # fmt: skip
"""All formats that `sniff` reports as images, kept or not."""


def extension(format: str) -> str:
    """Return the file name extension of a kept format, without a dot. Raises KeyError."""
    return EXTENSIONS[format]


def sniff(head: bytes) -> str | None:
    """Return the format of a file by its first bytes (`HEAD_BYTES` are enough).

    A member of `IMAGE_FORMATS`, or `html`, `xml` or `pdf`, or None for anything else.
    """
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return name
    if head[4:8] == b"ftyp":
        return _iso_bmff(head)
    if head.startswith(b"RIFF"):
        return "webp" if head[8:14] == b"WEBPVP" else None
    return _weak(head) or _markup(head[:HEAD_BYTES])


_SIGNATURES: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"FUJIFILMCCD-RAW", "raw"),
    (b"IIRO", "raw"),
    (b"IIU\x00\x18\x00\x00\x00", "raw"),
    (b"II\xbc\x01", "jxr"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00\x08\x00\x00\x00", "tiff"),  # BigTIFF
    (b"MM\x00+\x00\x08\x00\x00", "tiff"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "jxl"),
    (b"\xff\x0a", "jxl"),
    (b"\xff\x4f\xff\x51", "jp2"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "jp2"),
    (b"8BPS\x00\x01\x00\x00\x00\x00\x00\x00", "psd"),
    (b"8BPS\x00\x02\x00\x00\x00\x00\x00\x00", "psd"),
    (b"DDS |\x00\x00\x00", "dds"),
    (b"v/1\x01", "exr"),
    (b"#?RADIANCE\n", "hdr"),
    (b"qoif", "qoi"),
    (b"icns", "icns"),
    (b"gimp xcf ", "xcf"),
    (b"AT&TFORM", "djvu"),
    (b"FLIF", "flif"),
    (b"BPG\xfb", "bpg"),
    (b"%PDF-", "pdf"),
)

_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
_HEIC_BRANDS: Final = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
)
_HEIF_BRANDS: Final = frozenset({b"mif1", b"mif2", b"msf1", b"miaf"})


def _iso_bmff(head: bytes) -> str | None:
    """Match the major brand, then the compatible ones (ISO/IEC 14496-12 4.3, 23008-12 annex B).

    `mif1` means any HEIF: a compatible brand then gives the codec. A video that lists an image
    brand as compatible stays a video.
    """
    size = int.from_bytes(head[:4], "big")
    major = head[8:12]
    compatible = {head[at : at + 4] for at in range(16, min(size, len(head), 512), 4)}
    if major in _AVIF_BRANDS:
        return "avif"
    if major in _HEIC_BRANDS:
        return "heic"
    if major == b"crx ":
        return "raw"
    if major not in _HEIF_BRANDS:
        return None
    if compatible & _AVIF_BRANDS:
        return "avif"
    return "heic" if compatible & _HEIC_BRANDS else "heif"


def _weak(head: bytes) -> str | None:
    """Match signatures too short to be trusted alone: a second field has to be valid."""
    if head.startswith(b"BM"):
        return "bmp" if len(head) < 18 or 12 <= _u32(head, 14) <= 256 else None
    if head[:4] in (b"\x00\x00\x01\x00", b"\x00\x00\x02\x00"):
        return _icon(head)
    if head.startswith(b"\x01\x00\x00\x00") and head[40:44] == b" EMF":
        return "emf"
    return "pnm" if _PNM.match(head) else None


# Width and height follow white space and any number of comments, each to the end of its line.
_PNM: Final = re.compile(rb"P[1-6]\s(?:\s*#[^\n]*\n)*\s*\d+\s(?:\s*#[^\n]*\n)*\s*\d+\s")


def _icon(head: bytes) -> str | None:
    """Match an ICONDIR with an entry whose reserved byte is 0 and whose data has a size."""
    if len(head) >= 22:
        count, reserved, size = head[4] | head[5] << 8, head[9], _u32(head, 14)
        if count == 0 or reserved not in (0, 255) or size == 0:
            return None
    return "ico" if head[2] == 1 else "cur"


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


_HTML_TAG: Final = re.compile(
    rb"<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p"
    rb"|meta|link|center|span|img)[\s>/]",
    re.IGNORECASE,
)
_SKIPPED: Final = re.compile(
    rb"(?:\s+|<\?[^>]{0,2048}>|<!--.*?(?:-->|$)|<!doctype[^\[>]*(?:\[[^\]]*\]\s*)?>)",
    re.IGNORECASE | re.DOTALL,
)


def _markup(head: bytes) -> str | None:
    """Match HTML, SVG or other XML by the first element, after any prologue."""
    text = _plain(head)
    start = text.lstrip(b"\t\n\x0c\r ")
    if not start.startswith(b"<"):
        return None
    if _HTML_TAG.match(start):
        return "html"
    at = 0
    while (skipped := _SKIPPED.match(start, at)) and skipped.end() > at:
        if b"html" in skipped.group().lower()[:16]:
            return "html"
        at = skipped.end()
    if re.match(rb"<(?:\w+:)?svg[\s>/:]", start[at:], re.IGNORECASE):
        return "svg"
    if _HTML_TAG.match(start, at):
        return "html"
    if start.startswith(b"<!--"):
        return "html"  # WHATWG: a leading comment alone is HTML
    return "xml" if start.startswith(b"<?xml") else None


def _plain(head: bytes) -> bytes:
    """Remove a byte order mark, and fold UTF-16 to ASCII so that its markup is recognised."""
    if head.startswith(b"\xef\xbb\xbf"):
        return head[3:]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[2:].replace(b"\x00", b"")
    return head
