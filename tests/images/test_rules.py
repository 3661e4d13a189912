"""What is kept of whole images: junk by what it measures, and the user's wishes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st
from tests.shared_data import shared

from pixtrawl.config.groups import Images
from pixtrawl.images.inspect import inspect_bytes
from pixtrawl.images.metadata.marks import may_state_rights
from pixtrawl.images.rules import Rules, is_card
from pixtrawl.model import Candidate, Filters, ImageInfo, Kind, Reason
from pixtrawl.playground.store import not_available

PHOTO = {"entropy": 7.0, "contrast": 0.2}


def info(width: int, height: int, **facts: Any) -> ImageInfo:
    return ImageInfo(**{"format": "jpeg", "measures": PHOTO, **facts}, width=width, height=height)


def candidate(**facts: Any) -> Candidate:
    return Candidate(**{
        "url": "http://h.example/a.jpg", "query": "q", "label": "q", "source": "bing", **facts
    })  # fmt: skip


def judged(image: ImageInfo, found: Candidate | None = None, rules: Rules | None = None) -> Reason:
    found = found or candidate()
    return (rules or Rules(Images())).judge(found, found.url, found.kind, image)[0]


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (info(1, 1), Reason.TRACKING_PIXEL),
        (info(3, 2), Reason.TRACKING_PIXEL),
        (info(48, 48), Reason.ICON),
        (info(64, 64), Reason.SAVED),
        (info(900, 100), Reason.EXTREME_ASPECT),
        (info(100, 900), Reason.EXTREME_ASPECT),
        (info(800, 100), Reason.SAVED),
        (info(400, 300, measures={**PHOTO, "animated": 1.0}), Reason.ANIMATED),
        (info(400, 300, frames=3, measures=PHOTO), Reason.SAVED),  # a TIFF with pages
        (info(400, 300, flat=True, measures={"entropy": 0.4}), Reason.FLAT),
        (info(400, 300, flat=True, measures={"entropy": 3.6}), Reason.SAVED),
        (info(400, 300, measures={**PHOTO, "has_alpha": 1.0, "alpha_mean": 0.0}), Reason.FLAT),
    ],
)
def test_junk_has_its_own_reason(image: ImageInfo, reason: Reason) -> None:
    assert judged(image) is reason


@pytest.mark.parametrize(
    "path",
    [
        "/thumbs/a.jpg", "/a-150x150.jpg", "/wiki/thumb/a/200px-Cat.jpg", "/cat_t.jpg",
        "/thumbnails/cat.png", "/tn_cat.jpg",
    ],
)  # fmt: skip
def test_a_small_picture_whose_url_calls_it_a_preview_is_a_thumbnail(path: str) -> None:
    found = candidate(url=f"https://h.example{path}?x=1")
    assert judged(info(200, 150), found) is Reason.THUMBNAIL
    assert judged(info(1200, 900), found) is Reason.SAVED, "large ones are what they are"
    allowing = Rules(Images(allow_thumbnails=True))
    assert judged(info(200, 150), found, allowing) is Reason.SAVED


def test_a_file_far_smaller_than_its_source_says_is_a_thumbnail() -> None:
    found = candidate(width=1600, height=1200)
    assert judged(info(200, 150), found) is Reason.THUMBNAIL
    assert judged(info(200, 180), found) is Reason.SAVED, "another picture"
    assert judged(info(200, 150), candidate()) is Reason.SAVED, "small, but nothing larger is known"


def test_animation_is_kept_where_it_is_asked_for() -> None:
    moving = info(400, 300, measures={**PHOTO, "animated": 1.0})
    assert judged(moving, rules=Rules(Images(), Filters(type="animated"))) is Reason.SAVED


@pytest.mark.parametrize("junk", ["auto", "drop", "keep"])
def test_what_the_user_listed_is_junk_only_when_he_says_so(junk: str) -> None:
    rules = Rules(Images(junk=junk))
    listed, found = candidate(source="urls"), candidate()
    assert judged(info(1, 1), listed, rules) is (
        Reason.TRACKING_PIXEL if junk == "drop" else Reason.SAVED
    )
    assert judged(info(1, 1), found, rules) is (
        Reason.SAVED if junk == "keep" else Reason.TRACKING_PIXEL
    )


def test_sizes_are_those_of_the_upright_picture() -> None:
    rules = Rules(Images(min_size=(600, 800)))
    assert judged(info(800, 600, orientation=6), rules=rules) is Reason.SAVED
    assert judged(info(800, 600), rules=rules) is Reason.TOO_SMALL


@pytest.mark.parametrize(
    ("aspect", "kept"), [("wide", {(4, 3)}), ("tall", {(3, 4)}), ("square", {(5, 5), (5, 4)})]
)
def test_the_shape_asked_for_is_checked(aspect: str, kept: set[tuple[int, int]]) -> None:
    rules = Rules(Images(), Filters(aspect=aspect))
    for shape in ((4, 3), (3, 4), (5, 5)):
        image = info(100 * shape[0], 100 * shape[1])
        expected = Reason.SAVED if shape in kept else Reason.UNWANTED_ASPECT
        assert judged(image, rules=rules) is expected


@pytest.mark.parametrize(
    ("size", "kept"),
    [("small", {300}), ("medium", {700}), ("large", {1200}), ("500x400", {700, 1200})],
)
def test_the_size_asked_for_is_checked_where_the_source_cannot(size: str, kept: set[int]) -> None:
    rules = Rules(Images(), Filters(size=size), size_sources=frozenset({"openverse"}))
    for width in (300, 700, 1200):
        image = info(width, width * 3 // 4)
        expected = Reason.SAVED if width in kept else Reason.UNWANTED_SIZE
        assert judged(image, rules=rules) is expected
        if "x" not in size:  # who chose by size itself has classes of its own
            assert judged(image, candidate(source="openverse"), rules) is Reason.SAVED


@given(width=st.integers(0, 10**5), height=st.integers(0, 10**5), url=st.text(max_size=60))
def test_any_size_and_url_are_judged(width: int, height: int, url: str) -> None:
    image = info(width, height if width else 0)
    if image.width and not image.height:
        return
    rules = Rules(Images(), Filters(aspect="square"))
    assert rules.judge(candidate(url=url), url, Kind.ORIGINAL, image)[0] in Reason


def test_a_notice_is_empty_and_photographs_are_not() -> None:
    notice = inspect_bytes(not_available(), 10**8).info
    assert notice is not None
    assert judged(notice) is Reason.FLAT
    installed = Path(pytest.importorskip("skimage.data").data_dir)  # photographs come with it
    assert_photographs(
        [installed / name for name in ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg")]
    )


def test_photographs_of_the_third_party_suite_are_kept() -> None:
    assert_photographs(sorted(shared("suites/neardup").glob("**/*.jpg")))


def assert_photographs(paths: list[Path]) -> None:
    assert paths
    for path in paths:
        photo = inspect_bytes(path.read_bytes(), 10**8).info
        assert photo is not None
        assert judged(photo) is Reason.SAVED, path.name
        assert photo.flat or not is_card(photo)


def test_only_files_with_a_mark_outside_the_picture_are_asked_for_rights() -> None:
    jpeg = b"\xff\xd8\xff\xe1\x00\x20Exif\x00\x00" + bytes(100)
    pixels = b"\x00\x00\x00\x04IDATjumb\x00\x00\x00\x00"
    named = b"\x00\x00\x00\x01eXIf\x00\x00\x00\x00\x00"
    riff = b"RIFF\x00\x00\x00\x00WEBPVP8 \x03\x00\x00\x00abc\x00"
    files = {
        ("jpeg", jpeg, 100): True,
        ("jpeg", b"\xff\xd8" + bytes(200_000) + b"Exif\x00\x00", 2): False,
        ("png", b"\x89PNG\r\n\x1a\n" + pixels, 0): False,
        ("png", b"\x89PNG\r\n\x1a\n" + pixels + named, 0): True,
        ("webp", riff, 0): False,
        ("webp", riff + b"XMP \x10\x00\x00\x00<x:xmpmeta......", 0): True,
        ("gif", b"GIF89a" + bytes(300_000) + b"<rdf:RDF", 0): True,
        ("tiff", b"II*\x00", 0): True,
        ("png", b"", 0): False,
    }
    for (format, data, scan_at), expected in files.items():
        assert may_state_rights(format, data, scan_at) is expected, (format, data[:40])
