"""What was done to a file before shows in its coefficients, and fine textures lie where they do."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps
from tests.dedup.test_original import described, encoded, scene

from pixtrawl.dedup.originals.compression import by_history
from pixtrawl.dedup.originals.preference import prefer
from pixtrawl.dedup.overlay.pair_overlay import grey_of, lay_over_copy
from pixtrawl.images.appearance.portrait import portrait
from pixtrawl.portrait import Portrait

SOURCE = "is what the other was made from"


def saved(image: Image.Image, tables: dict[int, list[int]]) -> tuple[bytes, Portrait]:
    file = io.BytesIO()
    image.save(file, "JPEG", qtables=tables, subsampling=0)
    found = portrait(file.getvalue(), 10**8)
    assert found is not None
    return file.getvalue(), found


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


@pytest.mark.parametrize("step", [2, 4, 9])
def test_of_two_files_with_the_same_steps_the_one_compressed_again_loses(step: int) -> None:
    tables = {0: [step] * 64, 1: [step] * 64}
    strong = ImageEnhance.Contrast(scene(3)).enhance(2.5)
    data, original = saved(strong, tables)
    _, copy = saved(opened(data), tables)
    assert by_history(original, copy, 0.0) == (True, SOURCE)
    assert by_history(copy, original, 0.0) == (False, SOURCE)
    assert by_history(original, original, 0.0) is None, "nothing differs"


def test_steps_of_which_some_are_finer_and_others_coarser_tell_as_well() -> None:
    mixed = [12] * 20 + [4] * 44
    data, original = saved(scene(3), {0: [7] * 64, 1: [7] * 64})
    _, copy = saved(opened(data), {0: mixed, 1: mixed})
    assert by_history(original, copy, 0.0) == (True, SOURCE)
    assert by_history(copy, original, 0.0) == (False, SOURCE)


def test_a_lossless_file_of_an_older_jpeg_wins_over_the_coarser_one_made_of_it() -> None:
    lossless = opened(encoded(scene(4), 93))
    original, copy = described(lossless, kind="PNG"), described(lossless, 87)
    assert by_history(original, copy, 0.0) == (True, SOURCE)


def test_an_enlargement_with_clipped_colours_loses_to_its_source() -> None:
    strong = Image.fromarray((np.asarray(scene(5)) // 64 * 85).astype(np.uint8))
    strong = Image.blend(strong, scene(5), 0.45)
    data = encoded(strong, 90)
    image = opened(data)
    original = portrait(data, 10**8)
    assert original is not None
    copy = described(image.resize((image.width * 2, image.height * 2)), 96)
    assert prefer(original, copy).first


def test_a_picture_of_grain_is_found_inside_of_its_frame() -> None:
    """Nothing coarse tells where it lies."""
    random = np.random.default_rng(8)
    grain = np.clip(random.normal(128, 40, (128, 128)), 0, 255).astype(np.uint8)
    image = Image.fromarray(grain).resize((512, 512), Image.Resampling.BICUBIC)
    framed = ImageOps.expand(image, (60, 40, 60, 150), 250)
    overlay = lay_over_copy(
        grey_of(described(framed.convert("RGB"))),
        grey_of(described(image.convert("RGB"))),
        framed.width / framed.height,
    )
    left, right, top, bottom = overlay.box_in_large()
    assert overlay.first_is_large
    assert (left, right) == pytest.approx((60 / 632, 572 / 632), abs=0.01)
    assert (top, bottom) == pytest.approx((40 / 702, 552 / 702), abs=0.01)
