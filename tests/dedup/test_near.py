from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps
from tests.dedup.edits import Edit, crop, info_of, kept
from tests.matrices import sample, slow
from tests.shared_data import shared, shared_rows

from pixtrawl.dedup import Level, NearDuplicates, aligned_distance
from pixtrawl.dedup.overlay.aligned import Overlay, lay_over, pixels_of
from pixtrawl.dedup.overlay.crop_windows import best_places, cut_windows, shrunk
from pixtrawl.images.inspect import inspect_bytes
from pixtrawl.model import ImageInfo


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


@pytest.mark.parametrize("edit", sample(EDITS, 4))
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
    monkeypatch.setattr("pixtrawl.dedup.search.descriptor_index._CACHED", 1)
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
        slow("mirrored", ImageOps.flip),
        ("turned", lambda p: p.transpose(Image.Transpose.ROTATE_90)),
        slow("turned", lambda p: p.transpose(Image.Transpose.ROTATE_180)),
        slow("turned", lambda p: p.transpose(Image.Transpose.ROTATE_270)),
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
    hashes = ImageInfo(format="", phash=originals[0].phash, phash_trim=originals[1].phash)
    near.add_many([("y", 100, hashes)])
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
