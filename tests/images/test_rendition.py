"""One decode for two: the picture as it will be exported, and what is told of the file."""

from __future__ import annotations

import asyncio
import io
import struct
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image, ImageCms
from tests.matrices import sample, slow

from pixtrawl.config.groups import Images
from pixtrawl.images import record, rendition
from pixtrawl.images.decoders.pool import DecoderPool
from pixtrawl.images.fit import fit
from pixtrawl.images.inspect import inspect_bytes
from pixtrawl.images.interface import Verdict
from pixtrawl.model import ImageInfo, Reason
from pixtrawl.transform import Picture as Rendition, Transform

Picture = Callable[..., Image.Image]
Encoded = Callable[..., bytes]
CAP = 10**8
BORDER = Transform(mode="border", size=96, encode="jpg", quality=95)
TRANSFORMS = [
    BORDER,
    Transform(mode="keep_ratio", size=40),
    Transform(mode="center_crop", size=300, upscale=False, encode="webp"),
    Transform(encode="png", flatten="#ff8000"),
    Transform(mode="keep_ratio_largest", size=64, encode="avif"),
]


def bits_apart(one: ImageInfo | None, other: ImageInfo | None) -> int:
    assert one is not None
    assert other is not None
    return (int.from_bytes(one.phash) ^ int.from_bytes(other.phash)).bit_count()


@pytest.mark.parametrize(
    ("kind", "transform"),
    [
        (kind, transform) if transform is BORDER else slow(kind, transform)
        for kind in ["JPEG", "PNG", "WEBP", "GIF", "AVIF", "BMP", "TIFF"]
        for transform in TRANSFORMS
    ],
    ids=lambda one: one if isinstance(one, str) else f"{one.mode}-{one.encode}",
)
def test_a_rendition_is_what_an_export_would_have_made(
    picture: Picture, encoded: Encoded, kind: str, transform: Transform
) -> None:
    data = encoded(picture(3, 640, 400), kind)
    alone, verdict = inspect_bytes(data, CAP), inspect_bytes(data, CAP, transform)
    assert alone.info is not None
    assert verdict.rendition == fit(transform, data, alone.info.format)
    assert alone.rendition is None


@pytest.mark.parametrize(
    ("size", "mode", "progressive"),
    [
        (size, mode, progressive)
        if (mode == "RGB" and not progressive) or size == (640, 400)
        else slow(size, mode, progressive)
        for size in [(640, 400), (1601, 1203), (130, 98), (70, 1100), (40, 30)]
        for mode in ["RGB", "L"]
        for progressive in [False, True]
    ],
)
def test_what_is_told_of_a_jpeg_hardly_depends_on_whether_it_is_rendered(
    picture: Picture, encoded: Encoded, size: tuple[int, int], mode: str, progressive: bool
) -> None:
    data = encoded(picture(5, *size).convert(mode), quality=90, progressive=progressive)
    alone, verdict = inspect_bytes(data, CAP), inspect_bytes(data, CAP, BORDER)
    assert bits_apart(alone.info, verdict.info) <= 4
    assert alone.info is not None
    assert verdict.info is not None
    for name, value in alone.info.measures.items():
        assert verdict.info.measures[name] == pytest.approx(value, rel=0.1, abs=0.01), name
    infos = (alone.info, verdict.info)
    one, other = (np.frombuffer(info.chroma, np.int8).astype(int) for info in infos)
    assert np.abs(one - other).mean() <= 3
    kept = {"phash", "phash_trim", "thumb", "chroma", "measures"}
    same = replace(verdict.info, **{name: getattr(alone.info, name) for name in kept})
    assert same == alone.info


@pytest.mark.parametrize("orientation", sample(range(1, 9), 3, 2))
def test_a_turned_jpeg_stands_upright(picture: Picture, encoded: Encoded, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(picture(2, 400, 240), exif=exif.tobytes())
    verdict = inspect_bytes(data, CAP, Transform(mode="keep_ratio", size=60, encode="png"))
    assert verdict.rendition == fit(
        Transform(mode="keep_ratio", size=60, encode="png"), data, "jpeg"
    )
    size = (verdict.rendition.width, verdict.rendition.height)
    assert size == ((100, 60) if orientation < 5 else (60, 100))
    assert bits_apart(inspect_bytes(data, CAP).info, verdict.info) <= 4


def test_a_turned_tiff_is_turned_once(picture: Picture) -> None:
    buffer = io.BytesIO()
    source = picture(4, 200, 100)
    source.save(buffer, "TIFF", tiffinfo={0x0112: 6})
    done = fit(Transform(encode="png"), buffer.getvalue(), "tiff")
    expected = source.transpose(Image.Transpose.ROTATE_270)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(done.data))), np.asarray(expected))
    verdict = inspect_bytes(buffer.getvalue(), CAP, Transform(encode="png"))
    assert verdict.rendition == done


def test_a_colour_profile_is_applied(picture: Picture, encoded: Encoded) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    for bad in (profile, profile[:60], b"\xff" * 300):
        data = encoded(picture(1, 300, 200), icc_profile=bad)
        assert inspect_bytes(data, CAP, BORDER).rendition == fit(BORDER, data, "jpeg")


@pytest.mark.parametrize(
    ("kind", "share"), sample(product(["JPEG", "PNG", "WEBP", "GIF"], [0.2, 0.6, 0.95]), 5)
)
def test_damage_is_found_as_without_renditions(
    picture: Picture, encoded: Encoded, kind: str, share: float
) -> None:
    data = encoded(picture(1, 500, 400), kind)
    cut = data[: int(len(data) * share)]
    alone, verdict = inspect_bytes(cut, CAP), inspect_bytes(cut, CAP, BORDER)
    assert verdict.reason is alone.reason
    assert verdict.reason is not None
    assert verdict.rendition is None


def test_a_jpeg_that_is_only_accepted_after_tidying_is_left_to_the_export(
    picture: Picture, encoded: Encoded
) -> None:
    data = encoded(picture(1, 500, 400))
    padded = data[:-2] + bytes(512) + data[-2:]
    verdict = inspect_bytes(padded, CAP, BORDER)
    assert verdict == inspect_bytes(padded, CAP)
    assert verdict.info is not None


def test_a_large_rendition_is_left_to_the_export(picture: Picture, encoded: Encoded) -> None:
    data = encoded(picture(1, 300, 200))
    assert inspect_bytes(data, CAP, Transform(mode="border", size=1100)).rendition is None
    sliver = encoded(picture(1, 2000, 20))
    longest = Transform(mode="keep_ratio", size=5000)
    verdict = inspect_bytes(sliver, CAP, longest)
    assert verdict.info is not None
    assert verdict.rendition is None


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_rendition_that_needs_too_much_memory_costs_no_image(
    picture: Picture, encoded: Encoded, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encoded(picture(1, 300, 200), kind)

    def exhausted(*_: object) -> Rendition:
        raise MemoryError

    monkeypatch.setattr(rendition, "finished", exhausted)
    assert inspect_bytes(data, CAP, BORDER) == inspect_bytes(data, CAP)


@pytest.mark.parametrize("isolation", [True, False])
def test_decoders_send_renditions_along(
    tmp_path: Path, picture: Picture, encoded: Encoded, isolation: bool
) -> None:
    files = {
        "a": encoded(picture(1, 700, 500)),
        "b": encoded(picture(2, 64, 48), "PNG"),
        "c": b"<html>no</html>",
        "d": encoded(picture(3, 900, 600), "AVIF"),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)

    async def ask() -> list[Verdict]:
        pool = DecoderPool(Images(decoders=2), tmp_path, transform=BORDER, isolation=isolation)
        try:
            asked = [pool.inspect(name, len(data)) for name, data in files.items()]
            return [*await asyncio.gather(*asked), await pool.inspect("missing", 1)]
        finally:
            await pool.aclose()

    whole, small, page, avif, missing = asyncio.run(ask())
    assert whole.rendition == fit(BORDER, files["a"], "jpeg")
    assert small.rendition == fit(BORDER, files["b"], "png")
    assert avif.rendition == fit(BORDER, files["d"], "avif")
    assert (page.reason, page.rendition) == (Reason.HTML, None)
    assert (missing.reason, missing.rendition) == (Reason.STORE_FAILED, None)


def answer(width: int, height: int, length: int, data: bytes = b"") -> bytes:
    info = ImageInfo(
        format="jpeg", width=9, height=9, phash=bytes(32), phash_trim=bytes(32), thumb=bytes(4096)
    )
    return record.pack_verdict(7, Verdict(info)) + struct.pack("<HHI", width, height, length) + data


def test_the_length_of_an_answer_is_known_once_its_head_is_there() -> None:
    whole = answer(9, 9, 5, b"bytes")
    head = record.ANSWER_BYTES[record.RENDER]
    for end in range(0, head, 97):
        assert record.answer_size(record.RENDER, whole[:end]) == head
    assert record.answer_size(record.RENDER, whole[:head]) == len(whole) == head + 5
    verdict = record.unpack_rendered(whole, 7, 10, CAP, BORDER)
    assert verdict.rendition == Rendition(b"bytes", "jpg", "jpeg", 9, 9)


def test_a_decoder_that_promises_too_much_is_hostile() -> None:
    with pytest.raises(record.HostileAnswerError, match="length"):
        record.answer_size(record.RENDER, answer(9, 9, 2**32 - 1))


@pytest.mark.parametrize("size", [(0, 9), (9, 0), (65_000, 9), (9, 16_384)])
def test_a_rendition_of_an_impossible_size_is_hostile(size: tuple[int, int]) -> None:
    with pytest.raises(record.HostileAnswerError, match="rendition"):
        record.unpack_rendered(answer(*size, 1, b"x"), 7, 10, CAP, BORDER)
