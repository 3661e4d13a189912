"""What a file would cost is counted before it is decoded, and sound pictures stay below it."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from tests.images.bombs import BOMBS, animated_gif, animated_png, progressive
from tests.matrices import matrix

from pixtrawl.config.groups import Images
from pixtrawl.images.decoders.pool import DecoderPool
from pixtrawl.images.formats import gif_blocks, iso_boxes, jpeg, tiff_directories
from pixtrawl.images.formats.cost_limits import CostLimits
from pixtrawl.images.inspect import inspect_bytes
from pixtrawl.images.metadata.rights import read_rights
from pixtrawl.model import ImageInfo, Reason

CAP = 100_000_000
Encoded = Callable[..., bytes]
Picture = Callable[..., Image.Image]
S, F, B = Reason.TOO_MANY_SCANS, Reason.TOO_MANY_FRAMES, Reason.TOO_MANY_BLOCKS

# The others are sound pictures, however odd, and cheap: they are read in one pass.
REASONS = {
    "jpeg of 5,000 scans": S,
    "jpeg of 100,000 scans": S,
    "jpeg of 90 megapixels and 500 scans": S,
    "jpeg of 90 megapixels and 90 scans": S,
    "jpeg with stuffed bytes before its scan": B,
    "jpeg with restart markers before its scan": B,
    "jpeg of empty segments": B,
    "png of empty chunks": B,
    "png whose pixels come a byte at a time": B,
    "apng of 10,000 frames": F,
    "apng of 300 frames of 64 megapixels": F,
    "gif of 40,000 frames": F,
    "gif of 1,500 frames of 16 megapixels": F,
    "gif of 40,000 frames behind a stray byte": F,
    "gif of blocks of one byte": B,
    "gif of stray bytes": B,
    "gif of empty extensions": B,
    "webp of empty chunks": B,
    "webp of 5,000 frames": F,
    "webp of 400 frames of 16 megapixels": F,
    "avif of 3,000 frames": F,
    "tiff of 60,000 tags": B,
    "tiff of a million strips": B,
    "tiff of 20,000 directories": F,
    "tiff of 2,000 pages of a megapixel": F,
    "bmp of 15,000,000 runs": B,
}


ALWAYS = (
    "jpeg of 5,000 scans", "apng of 10,000 frames", "gif of blocks of one byte",
    "webp of 5,000 frames", "tiff of 60,000 tags", "bmp of 15,000,000 runs",
)  # fmt: skip


@pytest.mark.parametrize("what", matrix(BOMBS, *ALWAYS))
def test_a_bomb_costs_little_and_has_its_reason(what: str) -> None:
    data = BOMBS[what]()
    begun = time.process_time()
    verdict = inspect_bytes(data, CAP)
    read_rights(data)
    assert time.process_time() - begun < 1.0  # at most 0.5 s on two idle cores
    assert verdict.reason is REASONS.get(what), verdict
    assert verdict.info is not None or verdict.detail


def info_of(data: bytes, limits: CostLimits = CostLimits()) -> ImageInfo:
    verdict = inspect_bytes(data, CAP, limits=limits)
    assert verdict.info is not None, verdict
    return verdict.info


@pytest.mark.parametrize("scans", matrix([2, 10, 20, 100], 20))
def test_a_progressive_picture_of_a_large_camera_is_kept(scans: int) -> None:
    assert info_of(progressive(6000, 4000 if scans <= 20 else 3000, scans)).width == 6000


@pytest.mark.parametrize("scans", [2, 12, 100])
def test_scans_are_counted_as_they_are(scans: int) -> None:
    data = progressive(64, 64, scans)
    head = jpeg.read_head(data)
    assert jpeg.count_scans(data, head, 1000) == scans
    assert jpeg.count_scans(data, head, scans) == scans
    assert jpeg.count_scans(data, head, scans - 1) > scans - 1


def test_data_behind_a_picture_is_no_scan_of_it(picture: Picture, encoded: Encoded) -> None:
    """A film or a second picture behind the end marker, as telephones write them."""
    data = encoded(picture(1), progressive=True) + b"\xff\xda\0\x08" * 5000
    head = jpeg.read_head(data)
    assert jpeg.count_scans(data, head, 100) == 10
    info_of(data)


def test_a_scan_mark_within_a_comment_between_scans_is_no_scan() -> None:
    data = progressive(64, 64, 3)
    at = data.rindex(b"\xff\xda")
    comment = b"\xff\xfe" + struct.pack(">H", 402) + b"\xff\xda" * 200
    data = data[:at] + comment + data[at:]
    assert jpeg.count_scans(data, jpeg.read_head(data), 100) == 3
    info_of(data)


@pytest.mark.parametrize("frames", matrix([2, 300, 800], 2, 300))
def test_animations_of_several_hundred_frames_are_kept(frames: int) -> None:
    assert info_of(animated_gif(640, 480, frames)).frames == frames
    assert info_of(animated_png(640, 480, frames)).frames == frames


@pytest.mark.parametrize("kind", ["WEBP", "AVIF", "TIFF", "GIF", "PNG"])
def test_the_limits_of_frames_hold_for_every_format(encoded: Encoded, kind: str) -> None:
    pictures = [Image.new("RGB", (64, 64), (at * 20, 9, 9)) for at in range(8)]
    data = encoded(pictures[0], kind, save_all=True, append_images=pictures[1:], duration=50)
    assert info_of(data, CostLimits(frames=8)).frames == 8
    assert inspect_bytes(data, CAP, limits=CostLimits(frames=7)).reason is F
    exact = 8 * 64 * 64
    assert info_of(data, CostLimits(frame_pixels=exact)).frames == 8
    verdict = inspect_bytes(data, CAP, limits=CostLimits(frame_pixels=exact - 1))
    assert verdict.reason is F
    assert "4096 pixels" in verdict.detail


def test_one_frame_is_left_to_the_pixel_cap() -> None:
    assert inspect_bytes(animated_gif(40_000, 40_000, 1), CAP).reason is Reason.TOO_MANY_PIXELS


@pytest.mark.parametrize("kind", ["GIF", "AVIF", "TIFF"])
def test_a_walk_ends_on_every_cut_of_a_file(picture: Picture, encoded: Encoded, kind: str) -> None:
    walks = {"GIF": gif_blocks.check, "AVIF": iso_boxes.check, "TIFF": tiff_directories.check}
    check, data = walks[kind], encoded(picture(2), kind)[:4000]
    for end in [*range(200), *range(200, len(data), 37)]:
        check(data[:end], CostLimits())
        check(data[:end] + bytes(range(256)) * 2, CostLimits())


def test_a_circle_of_directories_ends() -> None:
    circle = b"II*\0" + struct.pack("<IHI", 8, 0, 8)
    assert tiff_directories.check(circle, CostLimits()) is None


def test_items_without_number_are_refused(picture: Picture, encoded: Encoded) -> None:
    """libavif compares each item of a list with all others."""
    data = encoded(picture(2), "AVIF")
    at = data.index(b"iinf") - 4
    entry = struct.pack(">I4sIHH4s", 21, b"infe", 2 << 24, 7, 0, b"av01") + b"\0"
    body = struct.pack(">IH", 0, 60_000) + entry * 60_000
    size = int.from_bytes(data[at : at + 4], "big")
    box = struct.pack(">I4s", len(body) + 8, b"iinf") + body
    meta = data.index(b"meta") - 4
    grown = int.from_bytes(data[meta : meta + 4], "big") + len(box) - size
    data = data[:at] + box + data[at + size :]
    data = data[:meta] + struct.pack(">I", grown) + data[meta + 4 :]
    assert inspect_bytes(data, CAP).reason is B


def test_the_settings_reach_the_decoders(tmp_path: Path) -> None:
    files = {
        "gif": animated_gif(64, 64, 5), "jpeg": progressive(64, 64, 5),
        "large": animated_gif(500, 500, 4), "fine": animated_gif(64, 64, 4),
    }  # fmt: skip

    async def ask(*, isolation: bool) -> list[Reason | None]:
        images = Images(
            decoders=1, max_pixels=300_000, max_frames=4, max_scans=4, max_frame_pixels=900_000
        )
        pool = DecoderPool(images, tmp_path, isolation=isolation)
        try:
            return [(await pool.inspect(name, len(data))).reason for name, data in files.items()]
        finally:
            await pool.aclose()

    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    for isolation in (True, False):
        assert asyncio.run(ask(isolation=isolation)) == [F, S, F, None]
