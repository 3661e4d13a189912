"""Words, labels and bars that were laid over a copy, or added to it, are told from the scene."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw
from tests.dedup.test_original import described, scene

from pixtrawl.dedup.originals.marks import by_coloured_mark
from pixtrawl.dedup.originals.preference import prefer
from pixtrawl.dedup.overlay.pair_overlay import grey_of, lay_over_copy


def with_a_door(seed: int, colour: str) -> Image.Image:
    image = scene(seed).convert("L").convert("RGB")
    ImageDraw.Draw(image).rectangle((150, 200, 270, 320), fill=colour)
    return image


def covered(image: Image.Image) -> Image.Image:
    """Return a copy with a white label over the door."""
    image = image.copy()
    ImageDraw.Draw(image).rectangle((146, 196, 274, 324), fill="white")
    return image


def with_a_bar(image: Image.Image, *, above: bool) -> Image.Image:
    """Return a copy with a black bar added to it, and words on that."""
    high = image.height // 9
    shown = Image.new("RGB", (image.width, image.height + high))
    shown.paste(image, (0, high if above else 0))
    middle = (image.width // 2, high // 2 if above else image.height + high // 2)
    draw = ImageDraw.Draw(shown)
    draw.text(middle, "as seen on the evening news", "white", anchor="mm", font_size=high // 2)
    return shown


@pytest.mark.parametrize(("seed", "colour"), [(0, "#600000"), (2, "#000050")])
def test_the_only_coloured_part_of_a_scene_is_no_mark_where_the_other_has_a_white_label(
    seed: int, colour: str
) -> None:
    picture = with_a_door(seed, colour)
    found = prefer(described(picture, 90), described(covered(picture), 92))
    assert found.first
    assert found.why == "bears no mark"


def test_colours_say_nothing_against_the_greys() -> None:
    plain, marked = (
        described(scene(1).convert("L").convert("RGB")),
        described(with_a_door(1, "red")),
    )
    overlay = lay_over_copy(grey_of(plain), grey_of(marked))
    assert by_coloured_mark(plain, marked, overlay, None) == (True, "bears no mark")
    assert by_coloured_mark(plain, marked, overlay, 0.5) == (True, "bears no mark")
    assert by_coloured_mark(plain, marked, overlay, 2.0) is None


@pytest.mark.parametrize(
    ("seed", "darker", "above"), [(1, 150, False), (3, 120, False), (3, 120, True)]
)
def test_a_black_bar_with_words_is_not_more_of_a_dark_scene(
    seed: int, darker: int, above: bool
) -> None:
    night = scene(seed).point(lambda value: max(0, value - darker))
    found = prefer(described(night, 90), described(with_a_bar(night, above=above), 90))
    assert found.first
    assert found.why == "has no frame"


def test_a_black_sky_is_more_of_the_scene_than_a_crop_shows() -> None:
    picture = scene(2)
    sky = Image.new("RGB", (480, 90))
    picture.paste(sky, (0, 0))
    crop = described(picture.crop((0, 45, 480, 360)), 92)
    found = prefer(described(picture, 90), crop)
    assert found.first
    assert found.why == "shows more of the picture"
