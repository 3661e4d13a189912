"""Large marks, pages and frames hide no copy; what they have in common makes none."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw
from tests.dedup.edits import Edit, crop, info_of, kept
from tests.matrices import matrix, slow

from pixtrawl.dedup import NearDuplicates
from pixtrawl.model import ImageInfo


def lettered(picture: Image.Image) -> Image.Image:
    """Large words above and below, white with a black rim."""
    picture = picture.copy()
    draw, size = ImageDraw.Draw(picture), picture.width // 10
    for words, at, anchor in (("WHEN THE TEST", 0.03, "mt"), ("IS GREEN AT LAST", 0.97, "mb")):
        place = (picture.width // 2, round(at * picture.height))
        rim = size // 12
        draw.text(place, words, "white", anchor=anchor, font_size=size, stroke_width=rim,
                  stroke_fill="black")  # fmt: skip
    return picture


def marked(across: float, down: float) -> Edit:
    def mark(picture: Image.Image) -> Image.Image:
        """A dark box with a light ring, as large as a quarter of the shorter side."""
        picture = picture.copy()
        side = min(picture.size) // 4
        left, top = (round(share * (full - side)) for share, full in
                     zip((across, down), picture.size, strict=True))  # fmt: skip
        draw = ImageDraw.Draw(picture)
        draw.rectangle((left, top, left + side, top + side), fill=(18, 60, 120))
        draw.ellipse((left + side // 6, top + side // 6, left + side * 5 // 6, top + side * 5 // 6),
                     outline="white", width=side // 12)  # fmt: skip
        return picture

    return mark


def on_page(picture: Image.Image) -> Image.Image:
    """A screenshot with wide margins under a dark bar."""
    w, h = picture.size
    page = Image.new("RGB", (round(1.2 * w), round(1.25 * h)), (245, 245, 247))
    ImageDraw.Draw(page).rectangle((0, 0, page.width, round(0.12 * h)), fill=(60, 64, 72))
    page.paste(picture, (round(0.1 * w), round(0.17 * h)))
    return page


MARKS: dict[str, Edit] = {
    "words above and below": lettered,
    **{f"box {x} {y}": marked(x, y) for x in (0.05, 0.95) for y in (0.05, 0.95)},
    "box in the middle of a side": marked(0.97, 0.5),
    "page": on_page,
    "page, smaller": lambda p: on_page(p).resize((240, 240 * p.height // p.width)),
    "words, cropped by 2 %": lambda p: crop(0.02, 0.02, 1, 1)(lettered(p)),
}


@pytest.mark.parametrize("mark", matrix(MARKS, "words above and below", "page"))
def test_large_marks_and_pages_do_not_hide_a_copy(
    mark: str, photographs: list[Image.Image], originals: list[ImageInfo]
) -> None:
    near = kept("near", originals)
    found = [near.find("x", info_of(MARKS[mark](picture), quality=85)) for picture in photographs]
    assert all(match is None or match.id == at for at, match in enumerate(found))
    assert sum(match is not None for match in found) >= 0.75 * len(found)


def test_other_pictures_under_the_same_words_or_on_the_same_page_stay(
    photographs: list[Image.Image],
) -> None:
    for edit in (lettered, marked(0.05, 0.05), on_page):
        near = NearDuplicates("near")
        for number, picture in enumerate(photographs):
            info = info_of(edit(picture.resize((480, 360))))
            assert near.find("x", info) is None
            near.add("x", number, info)


@pytest.mark.parametrize(("side", "most"), [slow(150, 2), (200, 0), slow(240, 0)])
def test_another_thing_on_the_same_detailed_ground_is_no_copy(
    side: int, most: int, photographs: list[Image.Image]
) -> None:
    ground = photographs[0].resize((480, 360))
    near = NearDuplicates("near")
    taken = 0
    for number, picture in enumerate(photographs[1:]):
        shown = ground.copy()
        thing = picture.resize((side, side))
        shown.paste(thing, ((480 - side) // 2, (360 - side) // 2))
        info = info_of(shown)
        taken += near.find("x", info) is not None
        near.add("x", number, info)
    assert taken <= most


def test_a_framed_copy_in_another_colour_stays(photographs: list[Image.Image]) -> None:
    near = kept("near", [info_of(photographs[0])])
    turned_hue = Image.merge("RGB", photographs[0].split()[::-1])
    assert near.find("x", info_of(on_page(photographs[0]))) is not None
    assert near.find("x", info_of(on_page(turned_hue))) is None


def test_letters_of_one_style_are_neither_marked_copies_nor_framed_ones() -> None:
    near, matches = NearDuplicates("near"), []
    for number, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ"):
        page = Image.new("RGB", (300, 300), "white")
        draw = ImageDraw.Draw(page)
        draw.text((150, 150), letter, "#203060", anchor="mm", font_size=200)
        draw.rectangle((4, 4, 296, 296), outline="#808080", width=4)
        info = info_of(page)
        matches.append(near.find("x", info))
        near.add("x", number, info)
    assert all(one is None or (one.stage != "view" and one.distance <= 44) for one in matches)
