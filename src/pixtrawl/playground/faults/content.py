"""Faults of the content: what arrives whole, and is not what its name or type says."""

from __future__ import annotations

import io
import struct
import zlib
from functools import lru_cache
from typing import ClassVar, Final

import numpy as np
from PIL import Image

from pixtrawl.playground.drawing.pictures import encode
from pixtrawl.playground.faults.base import Case, Fault
from pixtrawl.playground.messages import Answer, ServerResponse
from pixtrawl.playground.store import not_available

PIXEL: Final = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
SVG: Final = (
    b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="640" height="480">'
    b'<rect width="640" height="480" fill="teal"/><circle cx="320" cy="240" r="100"/></svg>'
)
HTML: Final = b"<!doctype html><html><body><h1>Please enable cookies</h1></body></html>"


class _Body(Fault):
    """A fixed body."""

    content_type: ClassVar[str] = "image/jpeg"
    body: ClassVar[bytes] = b""

    def answer(self, case: Case) -> Answer:
        return ServerResponse(self.body, 200, self.content_type)


class HtmlAsJpeg(_Body):
    """An HTML page with status 200, named .jpg and typed image/jpeg."""

    name, reason, body, common = "html-as-jpg", "html", HTML, True


class Html(_Body):
    """An HTML page with status 200 that says so in its type."""

    name, reason, body, content_type = "html", "html", HTML, "text/html"


class Garbage(_Body):
    """2,000 bytes of text as image/jpeg."""

    name, reason, body = "garbage", "not_an_image", b"lorem ipsum dolor sit " * 90


class Svg(_Body):
    """An SVG drawing."""

    name, reason, body = "svg", "unsupported_format", SVG
    content_type, file, common = "image/svg+xml", "{}.svg", True


class TrackingPixel(_Body):
    """A GIF of one pixel."""

    name, reason, also, body = "tracking-pixel", "tracking_pixel", ("too_small",), PIXEL
    content_type, file, common = "image/gif", "{}.gif", True


class EmptyBody(_Body):
    """Status 200 and nothing else."""

    name, reason = "empty-body", "empty_body"


class NoContent(Fault):
    """Status 204."""

    name, reason, also = "no-content", "empty_body", ("client_error", "not_an_image")

    def answer(self, case: Case) -> Answer:
        return ServerResponse(b"", 204, None, [("Content-Length", "0")])


class TruncatedFile(Fault):
    """A JPEG cut at half, sent whole as far as HTTP goes."""

    name, reason, also, common = "truncated-file", "truncated", ("corrupt",), True

    def answer(self, case: Case) -> Answer:
        return ServerResponse(case.picture[: len(case.picture) // 2], 200, "image/jpeg")


class TruncatedPng(Fault):
    """A PNG cut at two thirds."""

    name, reason, also, file = "truncated-png", "truncated", ("corrupt",), "{}.png"

    def answer(self, case: Case) -> Answer:
        body = _as(case.picture, "png")
        return ServerResponse(body[: len(body) * 2 // 3], 200, "image/png")


class Corrupt(Fault):
    """A JPEG with 400 bytes of its picture data turned over."""

    name, reason, also = "corrupt", "corrupt", ("truncated",)

    def answer(self, case: Case) -> Answer:
        body = bytearray(case.picture)
        middle = len(body) // 2
        body[middle : middle + 400] = bytes(255 - value for value in body[middle : middle + 400])
        return ServerResponse(bytes(body), 200, "image/jpeg")


class PngAsJpeg(Fault):
    """A sound PNG named .jpg and typed image/jpeg."""

    name, reason, common = "png-as-jpg", "saved", True

    def answer(self, case: Case) -> Answer:
        return ServerResponse(_as(case.picture, "png"), 200, "image/jpeg")


class WebpWithoutExtension(Fault):
    """A sound WebP under a URL without an extension."""

    name, reason, file, common = "webp-no-extension", "saved", "{}", True

    def answer(self, case: Case) -> Answer:
        return ServerResponse(_as(case.picture, "webp"), 200, "image/webp")


class WrongType(Fault):
    """A sound JPEG typed text/html."""

    name, reason = "wrong-type", "saved"

    def answer(self, case: Case) -> Answer:
        return ServerResponse(case.picture, 200, "text/html; charset=utf-8")


class NoType(Fault):
    """A sound JPEG without a Content-Type."""

    name, reason = "no-type", "saved"

    def answer(self, case: Case) -> Answer:
        return ServerResponse(case.picture, 200, None)


class ExifRotated(Fault):
    """A sound JPEG with EXIF orientation 6: stored 640 x 480, to be shown 480 x 640."""

    name, reason = "exif-6", "saved"

    def answer(self, case: Case) -> Answer:
        with Image.open(io.BytesIO(case.picture)) as image:
            exif = Image.Exif()
            exif[0x0112] = 6
            return ServerResponse(encode(image, "jpeg", exif=exif), 200, "image/jpeg")


class Cmyk(Fault):
    """A sound JPEG in CMYK."""

    name, reason = "cmyk", "saved"

    def answer(self, case: Case) -> Answer:
        with Image.open(io.BytesIO(case.picture)) as image:
            return ServerResponse(encode(image.convert("CMYK"), "jpeg"), 200, "image/jpeg")


class HugePng(_Body):
    """A PNG of 20,000 x 20,000 pixels (400 megapixels) in about 50 KB."""

    name, reason, file, content_type = "huge-png", "too_many_pixels", "{}.png", "image/png"

    def answer(self, case: Case) -> Answer:
        return ServerResponse(huge_png(), 200, "image/png")


class Placeholder(Fault):
    """The picture that hosts show when the real one is gone."""

    name, reason, file = "placeholder", "placeholder", "{}.png"
    also = ("flat", "same_bytes", "same_picture")

    def answer(self, case: Case) -> Answer:
        return ServerResponse(not_available(), 200, "image/png")


class FlatPicture(Fault):
    """A JPEG of one colour."""

    name, reason = "flat", "flat"

    def answer(self, case: Case) -> Answer:
        image = Image.new("RGB", (640, 480), (120, 40 + case.index % 100, 90))
        return ServerResponse(encode(image, "jpeg"), 200, "image/jpeg")


class Icon(Fault):
    """A favicon of 32 x 32 pixels."""

    name, reason, also, file = "icon", "icon", ("too_small", "unsupported_format"), "{}.ico"

    def answer(self, case: Case) -> Answer:
        out = io.BytesIO()
        with Image.open(io.BytesIO(case.picture)) as image:
            image.resize((32, 32)).save(out, "ICO")
        return ServerResponse(out.getvalue(), 200, "image/x-icon")


class Sliver(Fault):
    """A JPEG of 1,600 x 20 pixels."""

    name, reason, also = "sliver", "extreme_aspect", ("too_small",)

    def answer(self, case: Case) -> Answer:
        with Image.open(io.BytesIO(case.picture)) as image:
            return ServerResponse(encode(image.resize((1600, 20)), "jpeg"), 200, "image/jpeg")


class TrailingGarbage(Fault):
    """A sound JPEG followed by 4 KiB of HTML."""

    name, reason = "trailing-garbage", "saved"

    def answer(self, case: Case) -> Answer:
        return ServerResponse(case.picture + HTML * 57, 200, "image/jpeg")


def _as(jpeg: bytes, picture_format: str) -> bytes:
    with Image.open(io.BytesIO(jpeg)) as image:
        return encode(image, picture_format)


@lru_cache(maxsize=1)
def huge_png(side: int = 20_000) -> bytes:
    """Return a one-bit PNG of side x side pixels (PNG, third edition, 11.2)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    row = b"\x00" + np.zeros((side + 7) // 8, np.uint8).tobytes()
    packer = zlib.compressobj(9)
    data = b"".join([*(packer.compress(row) for _ in range(side)), packer.flush()])
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"".join(
        [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", head), chunk(b"IDAT", data), chunk(b"IEND", b"")]
    )
