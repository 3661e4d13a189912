"""Every field of a candidate, from answers of the documented forms with rows of our own.

What a source says of its record (the licence of metadata, a drawing of its own site, a copy of its
own) is not what it says of the picture.
"""

from __future__ import annotations

from typing import Any

import pytest

from pixtrawl import licenses
from pixtrawl.sources.api import europeana, gbif, loc, pixabay, rijksmuseum
from pixtrawl.sources.results import ImageResult

DRAWING = "https://www.loc.gov/static/images/original-format/{}.svg"
EN, NL = ({"id": f"http://vocab.getty.edu/aat/{n}"} for n in ("300388277", "300388256"))
CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
SHOWN_AT = "https://www.rijksmuseum.example/nl/collectie/object/X-1"


# -- Library of Congress


def item(**more: Any) -> dict[str, Any]:
    return {
        "id": "http://www.loc.gov/item/1/", "url": "https://www.loc.gov/item/1/", "title": "A mill",
        "contributor": ["doe, ann"],
        "image_url": [
            "https://tile.loc.gov/x/1_150px.jpg#h=71&w=150",
            "https://tile.loc.gov/x/1t.gif#h=71&w=150",
            "https://tile.loc.gov/x/1r.jpg#h=304&w=640",
        ],
        **more,
    }  # fmt: skip


def read_loc(*items: dict[str, Any]) -> tuple[ImageResult, ...]:
    return loc.read_page({"results": list(items), "pagination": {"next": None}})[0].found


def test_an_item_of_the_library_of_congress_has_every_field() -> None:
    about = {
        "rights": ["No known restrictions on publication."],
        "contributors": ["Doe, Ann, 1860-1920, artist", "Roe, Bob"],
    }
    (one,) = read_loc(item(item=about))
    assert one == ImageResult(
        url="https://tile.loc.gov/x/1r.jpg#h=304&w=640", page_url="https://www.loc.gov/item/1/",
        title="A mill", width=640, height=304,
        thumb_url="https://tile.loc.gov/x/1_150px.jpg#h=71&w=150",
        license="No known restrictions on publication.",
        creator="Doe, Ann, 1860-1920, artist; Roe, Bob",
    )  # fmt: skip
    assert licenses.normalise(one.license) == "no-known-copyright"


@pytest.mark.parametrize(
    ("about", "license_id"),
    [
        ({"rights": "No known restrictions on publication."}, "no-known-copyright"),
        ({"rights_information": "No known restrictions on publication."}, "no-known-copyright"),
        ({"rights": ["No known restrictions.", "In copyright"]}, "unknown"),
        ({"rights": ["Publication may be restricted."]}, "unknown"),
        ({"rights": []}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_a_right_of_the_library_of_congress_is_reported_or_unknown(
    about: dict[str, Any], license_id: str
) -> None:
    (one,) = read_loc(item(item=about, rights=["No known restrictions on publication."]))
    assert licenses.normalise(one.license, one.license_url) == license_id
    assert one.creator == "doe, ann"


@pytest.mark.parametrize("form", ["group-of-images", "photo-print-drawing", "map", "film-video"])
def test_drawings_of_the_library_s_site_are_no_originals(form: str) -> None:
    alone = item(image_url=[DRAWING.format(form)])
    assert read_loc(alone) == ()
    batch, _ = loc.read_page({"results": [alone], "pagination": {"next": None}})
    assert batch.empty  # the item says itself that it shows nothing: the source has not changed
    beside = item(image_url=[DRAWING.format(form), "https://tile.loc.gov/x/1.jpg"])
    assert [one.url for one in read_loc(beside)] == ["https://tile.loc.gov/x/1.jpg"]
    http = item(image_url=[DRAWING.format(form).replace("https://www.", "http://")])
    assert read_loc(http) == ()


# -- Rijksmuseum


def name(content: str, language: dict[str, str]) -> dict[str, Any]:
    return {"type": "Name", "content": content, "language": [language]}


MADE = {
    "id": "https://id.rijksmuseum.nl/1",
    "subject_of": [
        {  # the record of the object: its right is not that of the picture
            "id": "https://data.rijksmuseum.nl/1",
            "subject_to": [{"type": "Right", "classified_as": [{"id": CC0}]}],
        },
        {
            "type": "LinguisticObject",
            "digitally_carried_by": [
                {"type": "DigitalObject", "format": "text/html", "access_point": [{"id": SHOWN_AT}]}
            ],
        },
    ],
    "subject_to": [{"classified_as": [{"id": CC0}]}],
    "identified_by": [
        {"type": "Identifier", "content": "X-1"}, name("Molen", NL), name("A mill", EN),
    ],
    "produced_by": {"referred_to_by": [name("schilder: Ann", NL), name("Ann", EN)]},
}  # fmt: skip
LYING = {"access_point": [{"id": "https://iiif.example/X/full/max/0/default.jpg"}]}


def right(*names: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Right", "identified_by": list(names)}


def test_a_picture_of_the_rijksmuseum_has_every_field() -> None:
    shown = {"subject_to": [right(name("Publiek domein", NL), name("Public domain", EN))]}
    assert rijksmuseum.read_picture(MADE, shown, LYING) == ImageResult(
        url="https://iiif.example/X/full/max/0/default.jpg", page_url=SHOWN_AT, title="A mill",
        license="Public domain", creator="Ann",
    )  # fmt: skip
    plain = rijksmuseum.read_picture(MADE, shown, {"access_point": LYING["access_point"][0]})
    assert plain is not None
    assert plain.url == "https://iiif.example/X/full/max/0/default.jpg"


@pytest.mark.parametrize(
    ("shown", "license_id"),
    [
        ({"subject_to": [right(name("Publiek domein", NL))]}, "pdm"),
        ({"subject_to": [right(name("CC0 1.0", EN))]}, "cc0"),
        ({"subject_to": [{"classified_as": [{"id": CC0}]}]}, "cc0"),
        ({"subject_to": [right(name("In copyright", EN))]}, licenses.RESERVED),
        ({"subject_to": [right(name("Auteursrechtelijk beschermd", NL))]}, licenses.RESERVED),
        ({"subject_to": [right(name("CC0", EN)), right(name("In copyright", EN))]}, "unknown"),
        ({"subject_to": [right(name("Ask us", EN))]}, "unknown"),
        ({"subject_to": []}, "unknown"),
        ({}, "unknown"),
        (None, "unknown"),
    ],
)
def test_the_right_of_a_picture_is_that_of_the_visual_item_and_never_of_the_record(
    shown: Any, license_id: str
) -> None:
    one = rijksmuseum.read_picture(MADE, shown, LYING)
    assert one is not None
    assert licenses.normalise(one.license, one.license_url) == license_id


# -- GBIF, Europeana


def test_the_licence_of_a_gbif_record_is_not_that_of_its_picture() -> None:
    media = {"type": "StillImage", "identifier": "https://img.example/1.jpg"}
    told = {**media, "identifier": "https://img.example/2.jpg", "license": CC0}
    record = {"key": 1, "license": f"{CC0}legalcode", "media": [media, told]}
    said = {"count": 1, "endOfRecords": True, "results": [record]}
    found = gbif.read_page(said)[0].found
    assert [licenses.normalise(one.license, one.license_url) for one in found] == ["unknown", "cc0"]


@pytest.mark.parametrize(
    ("rights", "license_id"),
    [
        ([CC0], "cc0"),
        ([CC0, CC0.replace("https", "http")], "cc0"),
        ([CC0, "http://rightsstatements.org/vocab/InC/1.0/"], "unknown"),
        ([], "unknown"),
    ],
)
def test_rights_of_europeana_that_contradict_each_other_are_unknown(
    rights: list[str], license_id: str
) -> None:
    row = {"id": "/1/a", "edmIsShownBy": ["https://img.example/1.jpg"], "rights": rights}
    (one,) = europeana.read_page({"success": True, "totalResults": 1, "items": [row]}).found
    assert licenses.normalise(one.license, one.license_url) == license_id


# -- Pixabay


@pytest.mark.parametrize(
    ("name", "size", "shown"),
    [
        ("imageURL", (4000, 3000), (4000, 3000)),
        ("fullHDURL", (4000, 3000), (1920, 1440)),
        ("largeImageURL", (4000, 3000), (1280, 960)),
        ("largeImageURL", (3000, 4000), (960, 1280)),
        ("largeImageURL", (1901, 1920), (1267, 1280)),
        ("largeImageURL", (1280, 720), (1280, 720)),
        ("largeImageURL", (640, 480), (640, 480)),
        ("largeImageURL", (100_000, 10), (1280, 1)),
        ("largeImageURL", (None, 480), (None, None)),
    ],
)
def test_a_size_of_pixabay_is_that_of_the_address_it_gives(
    name: str, size: tuple[int | None, int], shown: tuple[int | None, int | None]
) -> None:
    hit = {name: "https://pixabay.example/get/1.jpg", "imageWidth": size[0], "imageHeight": size[1]}
    (one,) = pixabay.read_page({"totalHits": 1, "hits": [hit]})[0].found
    assert (one.width, one.height) == shown
