"""What is read of each interface's answer: every field of a candidate, from rows of our own.

The counterpart of test_recorded.py for a checkout without recorded answers.
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.net.conftest import Server
from tests.sources.api.asking import ask, serve
from tests.sources.api.stand_ins import ALL, StandIn

from pixtrawl import licenses
from pixtrawl.model import Kind
from pixtrawl.sources.api import flickr, inaturalist, met, openverse, searxng, wikimedia

CC = "https://creativecommons.org"
CC0 = ("CC0", f"{CC}/publicdomain/zero/1.0/")
IMG = "https://img.example"

# name -> address, page, title, size, licence and its address, creator, thumbnail, other addresses
Expected = tuple[
    str, str, str, tuple[int | None, int | None], tuple[str | None, str | None], str | None,
    str | None, list[str],
]  # fmt: skip
PAGE, SIZE, NO_SIZE, NO_LICENSE = "https://page.example/0", (640, 480), (None, None), (None, None)
FIRST: dict[str, Expected] = {
    "openverse": (f"{IMG}/0.jpg", PAGE, "Picture 0", SIZE, ("by-sa 4.0", f"{CC}/licenses/by-sa/4.0/"),
                  "Ann", "https://api.example/v1/images/o0/thumb/", []),
    "wikimedia": (f"{IMG}/0.jpg", PAGE, "File:Picture 0.jpg", SIZE,
                  ("CC BY-SA 4.0", f"{CC}/licenses/by-sa/4.0"), "Ann & Bob", f"{IMG}/0.jpg?thumb", []),
    "duckduckgo": (f"{IMG}/0.jpg", PAGE, "Picture 0", SIZE, NO_LICENSE, None, "https://tse.example/0", []),
    "searxng": (f"{IMG}/0.jpg", PAGE, "A cat", SIZE, NO_LICENSE, "Ann", "https://thumb.example/0", []),
    "google_cse": (f"{IMG}/0.jpg", PAGE, "Picture 0", SIZE, NO_LICENSE, None, "https://tbn.example/0", []),
    "inaturalist": (f"{IMG}/0/original.jpg", "https://page.example/1", "Felis catus (Tabby)", SIZE,
                    ("cc-by-nc", None), "ann", f"{IMG}/0/medium.jpg", [f"{IMG}/0/large.jpg"]),
    "gbif": (f"{IMG}/0.jpg", "https://www.gbif.org/occurrence/1", "Felis catus L.", NO_SIZE,
             ("http://creativecommons.org/licenses/by/4.0/",) * 2, "Museum", None, []),
    "met": (f"{IMG}/0.jpg", PAGE, "Picture 0", NO_SIZE, CC0, "Ann", f"{IMG}/small/0.jpg", []),
    "internet_archive": ("BASE/download/item0/a%20b%231.jpg", "BASE/details/item0", "Picture 0", SIZE,
                         (f"{CC}/licenses/by/3.0/",) * 2, "Ann", "BASE/services/img/item0", []),
    "smithsonian": (f"{IMG}/0.jpg", PAGE, "Picture 0", NO_SIZE, CC0, "Ann", f"{IMG}/0?thumb", []),
    "europeana": (f"{IMG}/0.jpg", "https://www.europeana.eu/item/9/0", "Picture 0", NO_SIZE,
                  ("http://creativecommons.org/licenses/by/4.0/",) * 2, "Ann",
                  "https://api.example/thumb/0", []),
    "flickr": (f"{IMG}/0.jpg", "https://www.flickr.com/photos/1@N0/0", "Picture 0", SIZE,
               ("flickr:4", f"{CC}/licenses/by/2.0/"), "Ann", f"{IMG}/0_n.jpg", []),
    "artic": (f"{IMG}/iiif/2/1adf-0/full/1686,/0/default.jpg", "https://www.artic.edu/artworks/1",
              "Picture 0", (1686, 1124), CC0, "Ann", None, []),
    "cleveland": (f"{IMG}/0.jpg", PAGE, "Picture 0", SIZE, CC0, "Ann", f"{IMG}/0_web.jpg", [f"{IMG}/0.tif"]),
    "nasa": ("http://img.example/n%200~orig.jpg", "https://images.nasa.gov/details/n%200", "Picture 0",
             NO_SIZE, NO_LICENSE, "Ann", "http://img.example/n%200~thumb.jpg", []),
    "loc": (f"{IMG}/0r.jpg#h=640&w=512", f"{PAGE}/", "Picture 0", (512, 640),
            ("No known restrictions on publication.", None), "ann", f"{IMG}/0_150px.jpg#h=150&w=120", []),
    "wellcome": (f"{IMG}/image/V0/full/max/0/default.jpg",
                 "https://wellcomecollection.org/works/s0/images?id=w0", "Picture 0", NO_SIZE,
                 ("cc-by", "http://creativecommons.org/licenses/by/4.0/"), "Ann",
                 f"{IMG}/image/V0/full/!400,400/0/default.jpg", []),
    "rijksmuseum": (f"{IMG}/0/full/max/0/default.jpg", "https://id.rijksmuseum.nl/10", "Picture 0",
                    NO_SIZE, (f"{CC}/publicdomain/mark/1.0/",) * 2, "Ann", None, []),
    "unsplash": (f"{IMG}/0.jpg", PAGE, "Picture 0", SIZE, ("Unsplash License", "https://unsplash.com/license"),
                 "Ann", f"{IMG}/0.jpg?w=400", [f"{IMG}/0.jpg?q=85"]),
    "pexels": (f"{IMG}/0.jpg", PAGE, "Picture 0", SIZE, ("Pexels License", "https://www.pexels.com/license/"),
               "Ann", f"{IMG}/0.jpg?h=350", []),
    "pixabay": (f"{IMG}/0.jpg", PAGE, "cat, tabby", (1280, 960),
                ("Pixabay Content License", "https://pixabay.com/service/license-summary/"), "Ann",
                f"{IMG}/0_150.jpg", []),
}  # fmt: skip


@pytest.mark.parametrize("api", ALL, ids=[api.name for api in ALL])
def test_each_field_of_a_picture_is_read(api: StandIn, server: Server) -> None:
    base = server.url("").rstrip("/")
    first = ask(api.name, serve(server, api), max_pages=1).candidates[0]

    def plain(url: str | None) -> str | None:
        return url.replace(base, "BASE") if url else url

    assert first.kind is Kind.ORIGINAL
    assert (
        plain(first.url), plain(first.page_url), first.title, (first.width, first.height),
        (first.license, first.license_url), first.creator, plain(first.thumb_url),
        [other.url for other in first.alternates],
    ) == FIRST[api.name]  # fmt: skip


# The answer to flickr.photos.licenses.getInfo, as Flickr's own pages have it.
FLICKR = {
    1: "by-nc-sa/2.0", 2: "by-nc/2.0", 3: "by-nc-nd/2.0", 4: "by/2.0", 5: "by-sa/2.0", 6: "by-nd/2.0",
}  # fmt: skip


@pytest.mark.parametrize("number", FLICKR)
def test_a_number_of_flickr_is_the_licence_at_its_address(number: int) -> None:
    address = f"https://creativecommons.org/licenses/{FLICKR[number]}/"
    assert licenses.normalise(f"flickr:{number}") == licenses.normalise(None, address)
    photo = {"id": "1", "license": str(number), "url_o": f"{IMG}/1.jpg"}
    found = flickr.read_photo(photo)
    assert found is not None
    assert found.license_url == address


def test_a_photo_of_flickr_is_taken_in_its_largest_size() -> None:
    sizes = {f"url_{size}": f"{IMG}/{size}.jpg" for size in ("n", "z", "h", "4k", "l")}
    found = flickr.read_photo({"id": "1", **sizes, "width_4k": "4096", "height_4k": 3000})
    assert found is not None
    assert (found.url, found.width, found.height) == (f"{IMG}/4k.jpg", 4096, 3000)


def commons(**info: Any) -> dict[str, Any]:
    about = {"url": f"{IMG}/x.jpg", "descriptionurl": PAGE, "width": 6, "height": 4, **info}
    return {"pageid": 7, "title": "File:X.jpg", "imageinfo": [about]}


@pytest.mark.parametrize(
    ("artist", "creator"),
    [
        ("<a href='//x' title='User:Ann'>Ann</a>", "Ann"),
        ("<div class='vcard'><p>Ann\n<span style='display:none'></span> Lee</p></div>", "Ann Lee"),
        ("Ann &amp; Bob &lt;b@c&gt;", "Ann & Bob <b@c>"),
        ("", None),
    ],
)
def test_markup_of_commons_becomes_plain_text(artist: str, creator: str | None) -> None:
    said = commons(extmetadata={"Artist": {"value": artist}, "LicenseShortName": {"value": "CC0"}})
    (found,) = wikimedia.read_pages({"7": said}).found
    assert (found.creator, found.license, found.license_url) == (creator, "CC0", None)


def test_pieces_of_a_commons_answer_are_one_page_and_a_page_without_a_file_is_none() -> None:
    whole = commons(extmetadata={"Artist": {"value": "Ann"}})
    info = whole["imageinfo"][0]
    pages: dict[str, dict[str, Any]] = {}
    pieces: list[dict[str, Any]] = [
        {"continue": {"iicontinue": "x", "continue": "||"}, "query": {"pages": [{"pageid": 7, "title": "File:X.jpg"}]}},
        {"batchcomplete": True, "query": {"pages": [{"pageid": 7, "imageinfo": [info]}, {"pageid": 8, "missing": True}]}},
    ]  # fmt: skip
    ends = [wikimedia.read_piece(piece, pages) for piece in pieces]
    assert [complete for complete, _ in ends] == [False, True]
    assert ends[0][1] == {"iicontinue": "x", "continue": "||"}
    (found,) = wikimedia.read_pages(pages).found
    assert (found.url, found.title, found.creator) == (f"{IMG}/x.jpg", "File:X.jpg", "Ann")


def test_an_object_of_the_met_has_its_other_views_and_one_without_a_picture_has_none() -> None:
    said = {
        "objectID": 5, "isPublicDomain": True, "primaryImage": f"{IMG}/1.jpg", "title": "Fan",
        "additionalImages": [f"{IMG}/2.jpg", f"{IMG}/3.jpg"], "artistDisplayName": "Ann",
    }  # fmt: skip
    found = met.read_object(said)
    assert found is not None
    assert [one.url for one in found] == [f"{IMG}/1.jpg", f"{IMG}/2.jpg", f"{IMG}/3.jpg"]
    assert {(one.title, one.creator, one.license) for one in found} == {("Fan", "Ann", "CC0")}
    assert not met.read_object({**said, "primaryImage": "", "additionalImages": []})


def test_a_photo_of_inaturalist_no_wider_than_the_large_copy_has_that_copy_as_a_fall_back() -> None:
    photo = {"id": 1, "url": f"{IMG}/1/square.jpeg?9", "license_code": "cc0"}

    def read(width: int) -> Any:
        dimensions = {"width": width, "height": 600}
        said = {"id": 3, "photos": [{**photo, "original_dimensions": dimensions}]}
        (one,) = inaturalist.read_page({"total_results": 1, "results": [said]}).found
        return one

    small, large = read(900), read(1300)
    assert small.url == large.url == f"{IMG}/1/original.jpeg?9"
    assert [other.url for other in small.alternates] == [f"{IMG}/1/large.jpeg?9"]
    assert large.alternates == ()


def test_engines_of_searxng_that_failed_are_listed_and_rows_without_a_picture_left_out() -> None:
    said = {
        "query": "cat", "unresponsive_engines": [["a", "timeout"], ["b", "access denied"]],
        "results": [
            {"url": PAGE, "img_src": f"{IMG}/1.jpg", "resolution": "12 x 9", "title": "x"},
            {"url": PAGE, "title": "no picture"},
        ],
    }  # fmt: skip
    batch, silent = searxng.read_results(said)
    assert silent == {"a": "timeout", "b": "access denied"}
    (one,) = batch.found
    assert (one.url, one.width, one.height) == (f"{IMG}/1.jpg", 12, 9)


def test_an_empty_answer_of_openverse_states_that_it_is_empty() -> None:
    batch, _ = openverse.read_page({"result_count": 0, "page_count": 0, "results": []})
    assert batch.empty
    assert not batch.found
