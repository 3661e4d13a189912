from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from PIL import Image
from tests.matrices import crossed, examples, sample
from tests.shared_data import shared, shared_rows

from pixtrawl.images.inspect import inspect_bytes
from pixtrawl.images.record import MEASURES
from pixtrawl.model import ImageInfo, Reason

CAP = 100_000_000
Encoded = Callable[..., bytes]
Picture = Callable[..., Image.Image]

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")

# Two pictures of the suite contradict each other: the same structure is called one frame and two.
UNDECIDED = {"gdk-pixbuf/gif-test-suite/images-overlap.gif"}
FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "AVIF", "BMP", "TIFF"]


def info_of(data: bytes) -> ImageInfo:
    verdict = inspect_bytes(data, CAP)
    assert verdict.info is not None, verdict
    return verdict.info


def distance(one: bytes, other: bytes) -> int:
    pair = (np.frombuffer(side, dtype=np.uint8) for side in (one, other))
    return int(np.bitwise_count(np.bitwise_xor(*pair)).sum())


def test_the_third_party_suite_gets_its_verdicts() -> None:
    wrong = []
    folder = shared("suites/images")
    for case in shared_rows("suites/images.jsonl"):
        verdict = inspect_bytes((folder / case["file"]).read_bytes(), CAP)
        info = verdict.info
        if case["file"] in UNDECIDED or verdict.reason is Reason.UNSUPPORTED_FORMAT:
            continue
        if case["verdict"] == "invalid" and info:
            wrong.append((case["file"], "accepted"))
        if case["verdict"] == "valid" and not case["file"].endswith(".tga"):
            frames = case["frames"] or 1
            found = (info.width, info.height, info.frames) if info else verdict
            if found != (case["w"], case["h"], frames):
                wrong.append((case["file"], str(found)))
    assert wrong == []


@pytest.mark.parametrize("kind", FORMATS)
def test_every_kept_format_gives_the_whole_image_info(
    picture: Picture, encoded: Encoded, kind: str
) -> None:
    reference = info_of(encoded(picture(3), "PNG"))
    info = info_of(encoded(picture(3), kind))
    assert info.format == kind.lower()
    assert (info.width, info.height, info.frames, info.orientation) == (160, 120, 1, 1)
    assert len(info.phash) == len(info.phash_trim) == 32
    assert len(info.thumb) == 4096
    assert not info.flat
    assert tuple(info.measures) == MEASURES
    assert distance(info.phash, reference.phash) <= 24


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_file_cut_short_is_refused(
    picture: Picture, encoded: Encoded, kind: str, share: float
) -> None:
    data = encoded(picture(4), kind)
    verdict = inspect_bytes(data[: int(len(data) * share)], CAP)
    assert verdict.reason in (Reason.TRUNCATED, Reason.CORRUPT), verdict


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
def test_harmless_bytes_behind_a_picture_are_accepted(
    picture: Picture, encoded: Encoded, kind: str
) -> None:
    info_of(encoded(picture(5), kind) + b"\x00" * 100)


def test_a_jpeg_with_padding_before_its_end_marker_is_accepted(
    picture: Picture, encoded: Encoded
) -> None:
    data = encoded(picture(5))
    info_of(data[:-2] + b"\x00" * 9 + data[-2:])


def test_a_jpeg_without_its_last_two_bytes_is_refused(picture: Picture, encoded: Encoded) -> None:
    assert inspect_bytes(encoded(picture(5))[:-2], CAP).reason is Reason.TRUNCATED


def test_a_png_with_a_flipped_bit_in_its_pixels_is_refused(
    picture: Picture, encoded: Encoded
) -> None:
    data = bytearray(encoded(picture(5), "PNG"))
    data[len(data) // 2] ^= 1
    assert inspect_bytes(bytes(data), CAP).reason is Reason.CORRUPT


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.EMPTY_BODY),
        (b"<!doctype html><title>404</title>", Reason.HTML),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", Reason.UNSUPPORTED_FORMAT),
        (b"%PDF-1.4", Reason.NOT_AN_IMAGE),
        (b"hello", Reason.NOT_AN_IMAGE),
        (b"\xff\xd8\xff\xe0", Reason.TRUNCATED),
    ],
)
def test_what_is_no_picture_has_its_reason(data: bytes, reason: Reason) -> None:
    assert inspect_bytes(data, CAP).reason is reason


@pytest.mark.parametrize("kind", FORMATS)
def test_the_pixel_cap_is_asked_first(picture: Picture, encoded: Encoded, kind: str) -> None:
    verdict = inspect_bytes(encoded(picture(1), kind), 160 * 120 - 1)
    assert verdict.reason is Reason.TOO_MANY_PIXELS
    assert "160x120" in verdict.detail


@pytest.mark.parametrize("size", [(7, 900), (900, 7), (63, 1000), (5, 65)])
def test_a_slender_jpeg_is_read_whatever_scale_it_is_decoded_at(size: tuple[int, int]) -> None:
    buffer = io.BytesIO()
    Image.effect_noise((1000, 1000), 60).crop((0, 0, *size)).save(buffer, "JPEG")
    info = inspect_bytes(buffer.getvalue(), 10**8).info
    assert info is not None
    assert (info.width, info.height) == size


@pytest.mark.parametrize(
    ("kind", "orientation"), crossed(["JPEG", "PNG", "WEBP", "TIFF"], range(1, 9))
)
def test_exif_orientation_is_applied_before_hashing(
    picture: Picture, encoded: Encoded, kind: str, orientation: int
) -> None:
    turns: dict[int, Any] = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    upright = picture(8)
    stored = upright.transpose(turns[orientation]) if orientation in turns else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    info = info_of(encoded(stored, kind, exif=exif))
    assert info.orientation == orientation
    assert (info.width, info.height) == stored.size
    assert distance(info.phash, info_of(encoded(upright, "PNG")).phash) <= 16


def test_a_cmyk_jpeg_is_accepted(picture: Picture, encoded: Encoded) -> None:
    info = info_of(encoded(picture(2).convert("CMYK")))
    assert distance(info.phash, info_of(encoded(picture(2), "PNG")).phash) <= 24


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("1", "PNG"), ("L", "PNG"), ("P", "PNG"), ("LA", "PNG"), ("I;16", "PNG"), ("F", "TIFF")],
)
def test_every_pixel_mode_looks_like_its_picture(
    picture: Picture, encoded: Encoded, mode: str, kind: str
) -> None:
    source = picture(6)
    converted = source.convert("L") if mode in ("I;16", "F") else source.convert(mode)
    if mode == "I;16":
        converted = Image.fromarray(np.asarray(converted).astype(np.uint16) * 257)
    if mode == "F":
        converted = converted.convert("F")
    info = info_of(encoded(converted, kind))
    assert distance(info.phash, info_of(encoded(source, "PNG")).phash) <= 40


WRITTEN: list[tuple[str, dict[str, Any]]] = [
    *(("JPEG", options) for options in (
        {"progressive": True}, {"subsampling": 0}, {"optimize": True}, {"restart_marker_rows": 2},
        {"quality": 5}, {"comment": b"x" * 500}, {"dpi": (72, 72)}, {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0"},
    )),
    *(("PNG", options) for options in ({"compress_level": 0}, {"optimize": True}, {"transparency": (1, 2, 3)})),
    *(("WEBP", options) for options in ({"lossless": True}, {"quality": 3}, {"exact": True})),
    *(("TIFF", {"compression": name}) for name in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")),
    ("TIFF", {"big_tiff": True}), ("GIF", {"interlace": 1}), ("GIF", {"interlace": 0, "comment": b"x"}),
    ("AVIF", {"quality": 20, "subsampling": "4:4:4"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "options", "size"),
    sample(((*way, size) for way in WRITTEN for size in [(1, 1), (7, 3), (17, 130)]), 4),
    ids=str,
)
def test_every_way_of_writing_a_format_is_read_and_refused_when_it_ends_early(
    picture: Picture, encoded: Encoded, kind: str, options: dict[str, Any], size: tuple[int, int]
) -> None:
    data = encoded(picture(9, *size), kind, **options)
    info = info_of(data)
    assert (info.format, info.width, info.height, info.frames) == (kind.lower(), *size, 1)
    assert inspect_bytes(data[: len(data) // 2], CAP).info is None


def test_a_frame_around_a_picture_leaves_its_trimmed_hash(
    picture: Picture, encoded: Encoded
) -> None:
    canvas = Image.new("RGB", (200, 160), "white")
    canvas.paste(picture(7), (20, 20))
    framed, plain = info_of(encoded(canvas)), info_of(encoded(picture(7)))
    assert distance(framed.phash, plain.phash) > 48
    assert distance(framed.phash_trim, plain.phash) <= 40


@pytest.mark.parametrize("colour", ["white", "red", "gray"])
def test_a_picture_of_one_colour_is_flat(encoded: Encoded, colour: str) -> None:
    info = info_of(encoded(Image.new("RGB", (300, 200), colour)))
    assert info.flat
    assert info.measures["contrast"] < 0.01
    assert info.measures["mean_red"] > 0.4


def test_a_gradient_is_flat(encoded: Encoded) -> None:
    assert info_of(encoded(Image.linear_gradient("L"))).flat


def test_measures_say_what_they_are_named_for(picture: Picture, encoded: Encoded) -> None:
    dark = info_of(encoded(picture(1).point(lambda v: v // 4), quality=40)).measures
    plain = info_of(encoded(picture(1), quality=90)).measures
    assert dark["brightness"] < plain["brightness"] / 2
    assert dark["contrast"] < plain["contrast"]
    assert abs(dark["jpeg_quality"] - 40) < 3
    assert abs(plain["jpeg_quality"] - 90) < 3
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    rough = info_of(encoded(Image.fromarray(noise), "PNG")).measures
    assert rough["sharpness"] > 10 * plain["sharpness"]
    assert rough["edges"] > plain["edges"]
    see_through = picture(1).convert("RGBA")
    see_through.putalpha(64)
    alpha = info_of(encoded(see_through, "PNG")).measures
    assert alpha["has_alpha"] == 1.0
    assert alpha["alpha_mean"] == pytest.approx(0.25, abs=0.01)
    assert info_of(encoded(picture(1).convert("L"))).measures["is_gray"] == 1.0


def test_an_animation_has_its_frames(picture: Picture) -> None:
    for kind in ("GIF", "WEBP", "PNG"):
        buffer = io.BytesIO()
        frames = [picture(seed) for seed in range(4)]
        frames[0].save(buffer, kind, save_all=True, append_images=frames[1:], duration=50)
        info = info_of(buffer.getvalue())
        assert (info.frames, info.measures["animated"]) == (4, 1.0)


@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    kind=st.sampled_from(FORMATS),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=12),
    end=st.floats(0, 1),
)
def test_no_damage_raises(
    picture: Picture, encoded: Encoded, kind: str, changes: list[tuple[float, int]], end: float
) -> None:
    data = bytearray(encoded(picture(1, 40, 30), kind))
    for place, value in changes:
        data[int(place * (len(data) - 1))] = value
    verdict = inspect_bytes(bytes(data[: int(end * len(data))]), 1_000_000)
    assert (verdict.info is None) == (verdict.reason is not None)
