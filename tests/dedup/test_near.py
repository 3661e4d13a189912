from __future__ import annotations

import importlib.util
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps
from tests.matrices import crossed, sample, slow
from tests.shared_data import shared, shared_rows

from pixtrawl.dedup import Level, NearDuplicates, aligned_distance
from pixtrawl.dedup.aligned import Overlay, lay_over, pixels_of
from pixtrawl.dedup.crop_windows import best_places, cut_windows, shrunk
from pixtrawl.images.inspect import inspect_bytes
from pixtrawl.model import ImageInfo

# Photographs that come with two libraries; textures, text and drawings among them are left out.
PHOTOGRAPHS = {
    "skimage": [
        "data/coffee.png", "data/camera.png", "data/astronaut.png", "data/motorcycle_left.png",
        "data/chelsea.png", "data/coins.png", "data/ihc.png", "data/moon.png",
        "data/retina.jpg", "data/rocket.jpg",
    ],
    "sklearn": ["datasets/images/china.jpg", "datasets/images/flower.jpg"],
}  # fmt: skip

Edit = Callable[[Image.Image], Image.Image]


def info_of(picture: Image.Image, kind: str = "JPEG", **options: object) -> ImageInfo:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    info = inspect_bytes(buffer.getvalue(), 100_000_000).info
    assert info is not None
    return info


def crop(left: float, top: float, right: float, bottom: float) -> Edit:
    def cut(picture: Image.Image) -> Image.Image:
        w, h = picture.size
        return picture.crop((int(left * w), int(top * h), int(right * w), int(bottom * h)))

    return cut


def turned(picture: Image.Image) -> Image.Image:
    return crop(0.05, 0.05, 0.95, 0.95)(picture.rotate(2, Image.Resampling.BICUBIC))


# Edit -> share found at (strict, near), as measured on the twelve photographs, a little below.
EDITS: dict[str, tuple[Edit, float, float]] = {
    "half": (lambda p: p.resize((p.width // 2, p.height // 2)), 1.0, 1.0),
    "thumb": (lambda p: p.resize((120, 120 * p.height // p.width)), 0.8, 1.0),
    "bright": (lambda p: ImageEnhance.Brightness(p).enhance(1.25), 0.9, 0.9),
    "grey": (lambda p: p.convert("L"), 1.0, 1.0),
    "blur": (lambda p: p.filter(ImageFilter.GaussianBlur(1.5)), 1.0, 1.0),
    "stretch": (lambda p: p.resize((int(1.15 * p.width), p.height)), 1.0, 1.0),
    "frame": (lambda p: ImageOps.expand(p, p.width // 25, "white"), 0.6, 0.9),
    "crop 5 %": (crop(0, 0.05, 0.95, 1), 0.0, 1.0),
    "crop 10 %": (crop(0.1, 0.1, 1, 1), 0.0, 0.9),
    "crop middle": (crop(0.05, 0.05, 0.95, 0.95), 0.0, 1.0),
    "crop bottom": (crop(0, 0, 1, 0.9), 0.0, 1.0),
    "rotate 2 degrees": (turned, 0.0, 0.9),
}


@pytest.fixture(scope="module")
def photographs() -> list[Image.Image]:
    found = []
    for package, names in PHOTOGRAPHS.items():
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            pytest.skip(f"the photographs of {package} are not installed")
        found += [Path(spec.origin).parent / name for name in names]
    return [Image.open(file).convert("RGB") for file in found if file.exists()]


@pytest.fixture(scope="module")
def originals(photographs: list[Image.Image]) -> list[ImageInfo]:
    return [info_of(picture, "PNG") for picture in photographs]


def kept(level: str, infos: list[ImageInfo], label: str = "x") -> NearDuplicates:
    near = NearDuplicates(level)
    for number, info in enumerate(infos):
        near.add(label, number, info)
    return near


@pytest.mark.parametrize("edit", sample(EDITS, 2))
def test_edits_of_a_photograph_find_it_and_only_it(
    edit: str, photographs: list[Image.Image], originals: list[ImageInfo]
) -> None:
    change, at_strict, at_near = EDITS[edit]
    edited = [info_of(change(picture), quality=85) for picture in photographs]
    for level, least in (("strict", at_strict), ("near", at_near), ("wide", at_near)):
        near = kept(level, originals)
        found = [near.find("x", info) for info in edited]
        assert all(match is None or match.id == at for at, match in enumerate(found))
        assert sum(match is not None for match in found) / len(found) >= least, level


def test_different_photographs_do_not_find_each_other(originals: list[ImageInfo]) -> None:
    near = NearDuplicates(Level.WIDE)
    for number, info in enumerate(originals):
        assert near.find("x", info) is None
        near.add("x", number, info)
    pairs = [(a, b) for at, a in enumerate(originals) for b in originals[:at]]
    assert min(aligned_distance(a.thumb, b.thumb) for a, b in pairs) > 60


@pytest.mark.parametrize("level", ["strict", "near", "wide"])
def test_the_third_party_suite_is_all_right(level: str) -> None:
    cases = shared_rows("suites/neardup.jsonl")
    folder = shared("suites/neardup")
    near = NearDuplicates(level)
    for number, case in enumerate(cases):
        info = inspect_bytes((folder / case["file"]).read_bytes(), 10**8).info
        assert info is not None
        match = near.find("x", info)
        known = [at for at in range(number) if cases[at]["group"] == case["group"]]
        if case["kind"].startswith("edit"):
            assert match is not None, case
            assert cases[match.id]["group"] == case["group"]
        else:  # originals, distinct ones, and mirrored ones, which stay
            assert match is None, (case, match, known)
        near.add("x", number, info)


def test_the_second_look_stays_within_a_label(photographs: list[Image.Image]) -> None:
    near = kept("near", [info_of(photographs[0])], label="cups")
    cropped = info_of(crop(0.1, 0.1, 1, 1)(photographs[0]))
    match = near.find("cups", cropped)
    assert match is not None
    assert (match.id, match.stage, match.label) == (0, "aligned", "cups")
    assert near.find("saucers", cropped) is None
    across = near.find("saucers", info_of(photographs[0], quality=60))
    assert across is not None
    assert (across.stage, across.label) == ("hash", "cups")


def test_what_is_removed_is_not_found(originals: list[ImageInfo]) -> None:
    near = kept("near", originals)
    match = near.find("x", originals[2])
    assert match is not None
    assert (match.id, match.distance) == (2, 0)
    near.remove(2)
    near.remove(2)
    assert near.find("x", originals[2]) is None
    assert near.find("x", originals[3]) is not None


def test_thumbnails_can_stay_in_the_catalog(photographs: list[Image.Image]) -> None:
    infos = [info_of(picture) for picture in photographs[:4]]
    asked: list[int] = []

    def thumb_of(id: int) -> bytes:
        asked.append(id)
        return infos[id].thumb

    near = NearDuplicates("near", thumb_of)
    for number, info in enumerate(infos):
        near.add("x", number, info)
    match = near.find("x", info_of(crop(0.05, 0.05, 1, 1)(photographs[1])))
    assert match is not None
    assert match.id == 1
    assert 1 in asked


def test_the_original_of_a_crop_is_found_however_long_ago_it_was_added(
    photographs: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pixtrawl.dedup.descriptor_index._CACHED", 1)
    near = NearDuplicates("near")
    for number, picture in enumerate(photographs[:4]):
        near.add("x", number, info_of(picture))
    match = near.find("x", info_of(crop(0.05, 0.05, 1, 1)(photographs[1])))
    assert match is not None
    assert match.id == 1


@pytest.mark.parametrize("level", ["exact", "off"])
def test_two_levels_never_find_anything(level: str, originals: list[ImageInfo]) -> None:
    assert kept(level, originals).find("x", originals[0]) is None


def test_an_image_without_a_hash_is_passed_over(originals: list[ImageInfo]) -> None:
    bare = replace(originals[0], phash=b"", phash_trim=b"", thumb=b"")
    near = kept("near", [bare])
    assert near.find("x", bare) is None
    assert near.find("x", originals[0]) is None


def test_flat_pictures_are_joined_by_colour_and_shape_only() -> None:
    red, near_red = (
        Image.new("RGB", (300, 200), (200, 30, 30)),
        Image.new("RGB", (600, 400), (202, 31, 29)),
    )
    same_grey = Image.new("RGB", (300, 200), (80, 81, 80))
    near = kept("near", [info_of(red, "PNG")])
    match = near.find("x", info_of(near_red, quality=95))
    assert match is not None
    assert match.stage == "flat"
    assert near.find("x", info_of(same_grey, "PNG")) is None
    assert near.find("x", info_of(Image.new("RGB", (200, 300), (200, 30, 30)))) is None
    near.remove(0)
    assert near.find("x", info_of(red, "PNG")) is None


@pytest.mark.parametrize(
    ("way", "turn"),
    [
        ("mirrored", ImageOps.mirror),
        ("mirrored", ImageOps.flip),
        ("turned", lambda p: p.transpose(Image.Transpose.ROTATE_90)),
        ("turned", lambda p: p.transpose(Image.Transpose.ROTATE_180)),
        ("turned", lambda p: p.transpose(Image.Transpose.ROTATE_270)),
        ("mirrored", lambda p: p.transpose(Image.Transpose.TRANSPOSE)),
    ],
    ids=["mirror", "flip", "quarter", "half", "three quarters", "mirror and quarter"],
)
def test_mirrored_and_turned_copies_are_found_on_request_only(
    way: str, turn: Edit, photographs: list[Image.Image], originals: list[ImageInfo]
) -> None:
    usual, asked = kept("near", originals), NearDuplicates("near", turned=True)
    asked.add_many(("x", number, info) for number, info in enumerate(originals))
    for number in (0, 4):  # one landscape, one of things on a table
        copy = info_of(turn(photographs[number]))
        assert usual.find("x", copy) is None
        match = asked.find("x", copy)
        assert match is not None
        assert (match.id, match.stage) == (number, f"hash, {way}")
        cropped = asked.find("x", info_of(crop(0.07, 0, 1, 1)(turn(photographs[number]))))
        assert cropped is not None
        assert (cropped.id, cropped.stage) == (number, f"aligned, {way}")


def test_one_thing_in_the_place_of_another_fits_nearly_everywhere_and_is_no_copy(
    photographs: list[Image.Image],
) -> None:
    ground, cat, coins = photographs[0].resize((600, 400)), photographs[4], photographs[5]

    def showing(thing: Image.Image, left: float) -> ImageInfo:
        picture = ground.copy()
        picture.paste(thing.resize((260, 190)), (170, 105))
        return info_of(crop(left, 0.04, 1, 1)(picture))

    def laid(one: ImageInfo, other: ImageInfo) -> Overlay:
        planes = [pixels_of(info.thumb) for info in (one, other)]
        windows = cut_windows(shrunk(np.stack(planes)))
        return lay_over(planes[0], planes[1], *best_places(windows[0], windows[1:])[0][1:])

    same = laid(showing(cat, 0), showing(cat, 0.08))
    other = laid(showing(cat, 0), showing(coins, 0.08))
    assert same.misfit < 0.3 < 0.6 < other.misfit
    assert same.distance < other.distance
    near = kept("near", [showing(cat, 0)])
    assert near.find("x", showing(coins, 0.08)) is None
    assert near.find("x", showing(cat, 0.08)) is not None


def test_a_whole_catalog_is_made_known_at_once(
    photographs: list[Image.Image], originals: list[ImageInfo]
) -> None:
    near = NearDuplicates("near")
    near.add_many(("x", number, info) for number, info in enumerate(originals))
    near.add_hashes([("y", 100, originals[0].phash, originals[1].phash)])
    blank = info_of(Image.new("RGB", (90, 90), "red"), "PNG")
    near.add_many([("x", 101, blank), ("x", 102, replace(originals[0], phash=b""))])
    for number, picture in enumerate(photographs):
        match = near.find("x", info_of(crop(0, 0.05, 0.95, 1)(picture)))
        assert match is not None
        assert match.id == number
    for number in (0, 1):  # by its hash, and by the one without a border
        match = near.find("y", originals[number])
        assert match is not None
        assert (match.id, match.label) == (100, "y")
    match = near.find("x", blank)
    assert match is not None
    assert match.id == 101


def test_thumbnails_of_an_older_size_have_no_second_look(
    photographs: list[Image.Image], originals: list[ImageInfo]
) -> None:
    old = replace(originals[0], thumb=originals[0].thumb[:1024])
    near = kept("near", [old])
    assert near.find("x", info_of(crop(0.1, 0.1, 1, 1)(photographs[0]))) is None
    assert near.find("x", old) is not None


def test_blank_pages_with_other_words_stay_apart() -> None:
    def page(words: str) -> ImageInfo:
        picture = Image.new("RGB", (400, 400), "white")
        ImageDraw.Draw(picture).text((60, 170), words, fill="black", font_size=60)
        return info_of(picture, "PNG")

    assert kept("near", [page("Hello")]).find("x", page("Moped")) is None


def test_only_the_most_similar_of_many_are_looked_at_twice(photographs: list[Image.Image]) -> None:
    random = np.random.default_rng(4)
    near = NearDuplicates("near")
    for number in range(300):
        coarse = random.integers(0, 256, (7, 7, 3), dtype=np.uint8)
        near.add("x", number, info_of(Image.fromarray(coarse).resize((96, 96))))
    near.add("x", 1000, info_of(photographs[0]))
    match = near.find("x", info_of(crop(0.1, 0, 1, 0.95)(photographs[0])))
    assert match is not None
    assert match.id == 1000


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
    crossed([(middle_square, 9), (padded_by_itself, 7), (telephone, 9)], [True, False]),
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
        (crop(0, 0, 0.8, 1), 9, False),
        slow(middle_square, 9, True),
        (middle_square, 9, False),
        (lambda picture: picture.crop((200, 0, 600, 400)), 8, True),
        slow(lambda picture: picture.crop((200, 0, 600, 400)), 8, False),
        (padded_by_itself, 9, True),
        slow(padded_by_itself, 1, False),
        slow(telephone, 8, True),
        (telephone, 1, False),
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


@pytest.mark.parametrize("mark", sample(MARKS, 2))
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


@pytest.mark.parametrize(("side", "most"), [(150, 2), (200, 0), (240, 0)])
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
