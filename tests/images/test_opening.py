"""Damage to metadata alone costs no picture: it is kept, and every way out opens it."""

from __future__ import annotations

import io
import struct
import zlib
from itertools import product

import numpy as np
import pytest
from hypothesis import given, strategies as st
from PIL import Image, ImageCms
from tests.matrices import sample

from pixtrawl.images.fit import fit
from pixtrawl.images.formats.png_chunks import without_damaged_metadata
from pixtrawl.images.inspect import inspect_bytes
from pixtrawl.images.pixels import rgb
from pixtrawl.model import Reason
from pixtrawl.transform import Transform

MAX_PIXELS = 10_000_000
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def picture(mode: str = "RGB") -> Image.Image:
    small = np.random.default_rng(7).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((160, 120), Image.Resampling.BICUBIC).convert(mode)


def encoded(format_: str, mode: str = "RGB", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture(mode).save(buffer, format_, **options)
    return buffer.getvalue()


def chunk(kind: bytes, body: bytes, *, bad: bool = False) -> bytes:
    checksum = zlib.crc32(kind + body) ^ (0xFF if bad else 0)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def with_chunk(data: bytes, extra: bytes, *, after: bool = False) -> bytes:
    at = (data.rindex(b"IEND") if after else data.index(b"IDAT")) - 4
    return data[:at] + extra + data[at:]


BODIES = {
    b"pHYs": struct.pack(">IIB", 2835, 2835, 1),
    b"tEXt": b"Software\0thing",
    b"zTXt": b"Comment\0\0" + zlib.compress(b"text"),
    b"iTXt": b"Comment\0\1\0en\0\0" + zlib.compress(b"text"),
    b"iCCP": b"ICC Profile\0\0" + zlib.compress(PROFILE),
    b"tIME": struct.pack(">HBBBBB", 2020, 1, 1, 1, 1, 1),
    b"eXIf": b"MM\0*\0\0\0\x08\0\0\0\0\0\0",
    b"gAMA": struct.pack(">I", 45455),
    b"cHRM": struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000),
    b"sRGB": b"\0",
    b"sBIT": b"\x08\x08\x08",
    b"bKGD": b"\0\0\0\0\0\0",
    b"tRNS": b"\0\1\0\2\0\3",
    b"caBX": b"whatever",
    b"abCd": b"unknown and ancillary",
}
BOMB = zlib.compress(bytes(1 << 23))
DAMAGED = {
    **{f"{kind.decode()}, checksum": chunk(kind, body, bad=True) for kind, body in BODIES.items()},
    **{
        f"{kind.decode()}, cut": chunk(kind, body[: len(body) // 2])
        for kind, body in BODIES.items()
        if kind != b"tRNS"  # half a colour is not metadata
    },
    **{f"{kind.decode()}, empty": chunk(kind, b"") for kind in BODIES if kind != b"tRNS"},
    "zTXt, unknown packing": chunk(b"zTXt", b"a\0\7" + zlib.compress(b"x")),
    "zTXt, bomb": chunk(b"zTXt", b"a\0\0" + BOMB),
    "iTXt, bomb": chunk(b"iTXt", b"a\0\1\0\0\0" + BOMB),
    "iCCP, bomb": chunk(b"iCCP", b"a\0\0" + BOMB),
    "iCCP, no profile": chunk(b"iCCP", b"a\0\0" + zlib.compress(b"no profile at all" * 20)),
    "eXIf, nonsense": chunk(b"eXIf", b"\xff" * 40),
}


def opens_everywhere(data: bytes, format_: str) -> np.ndarray:
    verdict = inspect_bytes(data, MAX_PIXELS)
    assert verdict.info is not None, (verdict.reason, verdict.detail)
    assert (verdict.info.width, verdict.info.height) == (160, 120)
    for transform in (Transform(encode="jpg"), Transform(mode="border", size=64, encode="png")):
        assert inspect_bytes(data, MAX_PIXELS, transform).rendition is not None
        assert fit(transform, data, format_).data
    return np.asarray(rgb(data))


@pytest.mark.parametrize(("name", "after"), sample(product(DAMAGED, [False, True]), 5))
def test_a_png_with_one_damaged_ancillary_chunk_is_kept_and_opens(name: str, after: bool) -> None:
    data = with_chunk(encoded("PNG"), DAMAGED[name], after=after)
    pixels = opens_everywhere(data, "png")
    assert np.array_equal(pixels, np.asarray(picture()))


@pytest.mark.parametrize("kind", [b"IHDR", b"IDAT", b"IEND"])
def test_a_png_with_a_damaged_critical_chunk_is_corrupt(kind: bytes) -> None:
    data = bytearray(encoded("PNG"))
    at = data.index(kind) - 4
    end = at + 12 + int.from_bytes(data[at : at + 4])
    data[end - 1] ^= 0xFF
    assert inspect_bytes(bytes(data), MAX_PIXELS).reason is Reason.CORRUPT


def test_a_sound_png_keeps_its_bytes_and_what_its_chunks_say() -> None:
    data = encoded("PNG", dpi=(72, 72), icc_profile=PROFILE)
    assert without_damaged_metadata(data) is data


EXIF = b"Exif\0\0" + b"II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"
DAMAGED_EXIF = {
    "nonsense": b"Exif\0\0" + b"\xff" * 60,
    "cut": EXIF[:16],
    "only its name": b"Exif\0\0",
    "an entry count too high": EXIF[:14] + b"\xff\xff" + EXIF[16:],
    "an offset out of it": EXIF[:10] + b"\xff\xff\xff\x7f" + EXIF[14:],
    "an orientation of 99": EXIF.replace(b"\6\0\0\0", b"\x63\0\0\0"),
}


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")  # Pillow's own words, and no more
@pytest.mark.parametrize("format_", ["JPEG", "WEBP", "PNG"])
@pytest.mark.parametrize("name", DAMAGED_EXIF)
def test_damaged_exif_costs_no_picture(format_: str, name: str) -> None:
    data = encoded(format_, exif=DAMAGED_EXIF[name])
    pixels = opens_everywhere(data, format_.lower())
    assert sorted(pixels.shape) == [3, 120, 160]  # upright, where the orientation can be read


@pytest.mark.parametrize("format_", ["JPEG", "WEBP", "PNG", "TIFF"])
@pytest.mark.parametrize("profile", [b"no profile", PROFILE[:200], bytes(300)])
def test_a_damaged_colour_profile_costs_no_picture(format_: str, profile: bytes) -> None:
    data = encoded(format_, icc_profile=profile)
    assert opens_everywhere(data, format_.lower()).shape == (120, 160, 3)


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
def test_what_follows_a_whole_picture_costs_nothing(format_: str) -> None:
    data = encoded(format_) + b"<x:xmpmeta broken" + bytes(100)
    assert opens_everywhere(data, format_.lower()).shape == (120, 160, 3)


@given(st.binary(max_size=200), st.sampled_from(sorted(BODIES)), st.booleans())
def test_no_content_of_an_ancillary_chunk_keeps_a_png_from_being_opened(
    body: bytes, kind: bytes, bad: bool
) -> None:
    if kind == b"tRNS":
        return
    data = with_chunk(encoded("PNG"), chunk(kind, body, bad=bad))
    assert inspect_bytes(data, MAX_PIXELS).info is not None
    assert rgb(data).size in {(160, 120), (120, 160)}
