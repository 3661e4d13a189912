"""Squares, deep crops and padded copies are found, whichever came first."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageOps
from tests.dedup.edits import Edit, crop, info_of, kept
from tests.matrices import slow

from pixtrawl.dedup import NearDuplicates


def padded_by_itself(picture: Image.Image) -> Image.Image:
    """The picture on a blurred, enlarged copy of it, as video sites pad."""
    side = max(picture.size)
    ground = ImageOps.fit(picture, (side, side)).filter(ImageFilter.GaussianBlur(side / 30))
    ground.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return ground


def telephone(picture: Image.Image) -> Image.Image:
    w, h = picture.size
    screen = Image.new("RGB", (w, round(1.5 * h)))
    draw = ImageDraw.Draw(screen)
    draw.text((w // 30, w // 60), "10:41", "white", font_size=max(8, w // 28))
    screen.paste(picture, (0, (screen.height - h) // 2))
    return screen


def middle_square(picture: Image.Image) -> Image.Image:
    return ImageOps.fit(picture, (min(picture.size), min(picture.size)))


@pytest.mark.parametrize(
    ("edit", "least", "original_first"),
    [
        slow(middle_square, 9, True),
        slow(middle_square, 9, False),
        (padded_by_itself, 7, True),
        slow(padded_by_itself, 7, False),
        slow(telephone, 9, True),
        (telephone, 9, False),
    ],
)
def test_squares_and_frames_are_found_at_wide_whichever_came_first(
    edit: Edit, least: int, original_first: bool, photographs: list[Image.Image]
) -> None:
    long = [picture.resize((600, 400)) for picture in photographs]  # none is a square
    pairs = [(info_of(one), info_of(edit(one), quality=85)) for one in long]
    near = kept("wide", [pair[not original_first] for pair in pairs])
    found = [near.find("x", pair[original_first]) for pair in pairs]
    assert all(match is None or match.id == at for at, match in enumerate(found))
    assert sum(match is not None for match in found) >= least
    for number in range(len(pairs)):
        near.remove(number)
    assert all(near.find("x", pair[original_first]) is None for pair in pairs)


@pytest.mark.parametrize(
    ("edit", "least", "original_first"),
    [
        (crop(0.2, 0.2, 1, 1), 7, True),
        slow(crop(0.2, 0.2, 1, 1), 7, False),
        slow(crop(0, 0, 0.8, 1), 9, True),
        slow(crop(0, 0, 0.8, 1), 9, False),
        slow(middle_square, 9, True),
        (middle_square, 9, False),
        slow(lambda picture: picture.crop((200, 0, 600, 400)), 8, True),
        slow(lambda picture: picture.crop((200, 0, 600, 400)), 8, False),
        (padded_by_itself, 9, True),
        slow(padded_by_itself, 1, False),
        slow(telephone, 8, True),
        slow(telephone, 1, False),
    ],  # of twelve
    ids=[
        f"{name}-{order}"
        for name in ("corner", "side", "middle square", "end square", "padding", "telephone")
        for order in ("original first", "copy first")
    ],
)
def test_deep_crops_and_padded_copies_are_found_at_near_whichever_came_first(
    edit: Edit, least: int, original_first: bool, photographs: list[Image.Image]
) -> None:
    long = [picture.resize((600, 400)) for picture in photographs]
    pairs = [(info_of(one), info_of(edit(one), quality=85)) for one in long]
    near = kept("near", [pair[not original_first] for pair in pairs])
    found = [near.find("x", pair[original_first]) for pair in pairs]
    assert all(match is None or match.id == at for at, match in enumerate(found))
    assert sum(match is not None for match in found) >= least


def test_a_deep_crop_in_another_colour_is_another_picture(photographs: list[Image.Image]) -> None:
    for picture in photographs[:1]:
        long = picture.convert("RGB").resize((600, 400))
        blue = Image.merge("RGB", long.split()[::-1])
        near = kept("near", [info_of(long)])
        square = near.find("x", info_of(middle_square(long)))
        assert square is not None
        assert near.find("x", info_of(middle_square(blue))) is None


def test_an_image_that_a_person_removed_meanwhile_is_no_match_by_look(
    photographs: list[Image.Image],
) -> None:
    long = photographs[0].convert("RGB").resize((600, 400))
    thumbs = {0: info_of(long).thumb}
    near = NearDuplicates("near", lambda id: thumbs.get(id, b""), lambda id: b"")
    near.add("x", 0, info_of(long))
    near._pictures.clear()  # as in a large data set: the thumbnail has to be read again
    assert near.find("x", info_of(middle_square(long))) is not None
    thumbs.clear()
    assert near.find("x", info_of(middle_square(long))) is None
