"""Parsers on real answers that were recorded, where they are there; test_read.py has rows of ours."""

from __future__ import annotations

import re
from typing import Any

from tests.sources.api.recorded import load

from pixtrawl import licenses
from pixtrawl.model import Kind
from pixtrawl.sources.api import (
    artic,
    cleveland,
    europeana,
    inaturalist,
    internet_archive,
    loc,
    met,
    nasa,
    rijksmuseum,
    searxng,
    smithsonian,
    wikimedia,
)


def test_the_three_pieces_of_a_commons_answer_are_merged_by_page() -> None:
    pages: dict[str, dict[str, Any]] = {}
    ends, first = [], 0
    for number in (1, 2, 3):
        piece = load(f"wikimedia_commons/wmc_pretty{number}.json")
        complete, following = wikimedia.read_piece(piece, pages)
        ends.append((complete, sorted(following or {})))
        if number == 1:
            first = len(wikimedia.read_pages(dict(pages)).found)
    assert [complete for complete, _ in ends] == [False, False, True]
    assert ends[0][1] == ["continue", "gucontinue"]
    batch = wikimedia.read_pages(pages)
    assert len(batch.found) >= first > 5
    assert all((one.url or "").startswith("https://upload.wikimedia.org/") for one in batch.found)
    assert all(one.creator and "<" not in one.creator for one in batch.found)
    assert all(one.license and one.page_url and one.title for one in batch.found)


def test_a_long_commons_answer_is_read_whole() -> None:
    pages: dict[str, dict[str, Any]] = {}
    said = load("wikimedia_commons/wmc_raw.json")
    wikimedia.read_piece(said, pages)
    found = wikimedia.read_pages(pages).found
    images = sum("imageinfo" in page for page in said["query"]["pages"].values())
    assert len(found) == images > 20
    known = [licenses.normalise(one.license, one.license_url) for one in found]
    assert licenses.UNKNOWN not in known
    assert {one for one in known if not licenses.allows(one, "open")} == {"no-known-copyright"}


def test_awkward_fields_of_commons_become_plain_text() -> None:
    for name in ("image_info_artist_link", "image_info_artist_div"):
        info = load(f"wikimedia_commons/{name}.json")
        info.setdefault("url", "https://upload.wikimedia.org/x.jpg")
        page = {"pageid": 1, "title": "File:X.jpg", "imageinfo": [info]}
        (found,) = wikimedia.read_pages({"1": page}).found
        assert found.creator
        assert "<" not in found.creator
    without = load("wikimedia_commons/image_info_missing_license_url.json")
    (found,) = wikimedia.read_pages({"1": {"pageid": 1, "imageinfo": [without]}}).found
    assert found.license
    assert found.license_url is None
    gone = load("wikimedia_commons/image_data_missing_imageinfo.json")
    assert wikimedia.read_pages({"1": gone}).found == ()


def test_searxng_s_answer_with_its_silent_engines() -> None:
    batch, silent = searxng.read_results(load("searxng_json/searxng_images.json"))
    assert len(batch.found) == 723
    assert len(silent) == 11
    assert silent["flickr"] == "timeout"
    sized = [one for one in batch.found if one.width]
    assert len(sized) > 40
    assert all(one.kind is Kind.ORIGINAL for one in batch.found)
    assert sum(one.page_url is None for one in batch.found) == 12  # an engine that gives none
    assert not any(re.search("[\ue000-\uf8ff]", one.title or "") for one in batch.found)


def test_observations_of_inaturalist() -> None:
    batch = inaturalist.read_page(load("inaturalist/v1_get_observations_page1.json"))
    assert batch.following is not None
    (one,) = batch.found
    assert one.url == "https://static.inaturalist.org/photos/92152429/original.jpg?1598551272"
    assert (one.width, one.height, one.license) == (1188, 1188, "cc-by-nc")
    assert one.creator == "samroom"
    assert one.title == "Danaus plexippus (Monarch)"
    assert one.page_url == "https://www.inaturalist.org/observations/57754375"
    assert one.alternates == ()  # "large" would be smaller than the original
    alone = load("inaturalist/v1_get_observation_2.json")
    for said in (
        {"total_results": 1, "results": [alone]},
        load("inaturalist/v2_get_observations_full.json"),
    ):
        found = inaturalist.read_page(said).found
        assert found
        assert all("/original." in (one.url or "") and one.license for one in found)


def test_objects_of_the_met() -> None:
    found = met.read_object(load("met/sample_response.json"))
    assert found is not None
    assert [(one.url or "").rpartition("/")[2] for one in found] == [
        "DP251139.jpg", "DP251138.jpg", "DP251120.jpg",
    ]  # fmt: skip
    assert {(one.license, one.creator, one.title) for one in found} == {
        ("CC0", "Kiyohara Yukinobu", "Quail and Millet")
    }
    other = met.read_object(load("met/sample_response_without_additional.json"))
    assert other is not None
    assert len(other) == 1


def test_an_answer_of_cleveland() -> None:
    batch = cleveland.Cleveland({}).parse(load("clevelandmuseum/response_success.json"))
    assert batch.following == {"page": 2, "seen": 1}
    (one,) = batch.found
    assert (one.url or "").endswith("/1916.586.a_print.jpg")
    assert (one.width, one.height, one.license) == (2422, 3400, "CC0")
    assert one.alternates[0].url.endswith("_full.tif")


def test_a_record_of_the_smithsonian() -> None:
    (one,) = smithsonian.read_record(load("smithsonian/actual_record_data.json"))
    assert one.url == "https://collections.nmnh.si.edu/media/?irn=15814382"
    assert one.title == "Passerculus sandwichensis nevadensis"
    assert (one.license, one.creator) == ("CC0", "Seymour H. Levy")


def test_europeana_s_answer() -> None:
    said = load("europeana/europeana_example.json")
    batch = europeana.read_page(said)
    assert len(batch.found) == sum(bool(item.get("edmIsShownBy")) for item in said["items"]) > 20
    assert batch.following == {"cursor": "test_next_cursor"}
    for one in batch.found:
        assert one.title
        assert one.license_url == one.license
        assert "://" not in (one.creator or "")
        assert "wskey" not in (one.page_url or "")


def test_an_item_of_the_library_of_congress_and_a_drawing_in_place_of_one() -> None:
    said = load("loc/photos_civil_war_lincoln_2026_cut2.json")
    batch, more = loc.read_page(said)
    (one,) = batch.found  # the second has a drawing of the site only
    row = said["results"][0]
    assert more
    assert (one.url, one.thumb_url) == (row["image_url"][-1], row["image_url"][0])
    assert (one.width, one.height) == (640, 304)
    assert (one.page_url, one.title) == (row["url"], row["title"])
    assert (one.creator, one.license) == ("jacobs, william leroy", None)
    row["item"] = {"rights": ["No known restrictions on publication."], "contributors": ["J., W."]}
    (one,) = loc.read_page(said)[0].found
    assert licenses.normalise(one.license) == "no-known-copyright"
    assert one.creator == "J., W."


def test_an_object_of_the_rijksmuseum_leaves_its_record_s_licence_alone() -> None:
    made = load("rijksmuseum/hmo_200117708_linked_art_20260412.json")
    lying = {"access_point": [{"id": "https://iiif.micr.io/X/full/max/0/default.jpg"}]}
    one = rijksmuseum.read_picture(made, {}, lying)
    assert one is not None
    assert one.page_url is not None
    assert one.page_url.startswith("https://www.rijksmuseum.nl/nl/collectie/object/RP-T-1930-54(V)")
    assert (one.title, one.creator) == ("Three Scribes", "Rembrandt van Rijn")
    assert (one.license, one.license_url) == (None, None)


def test_each_work_of_the_art_institute_has_its_fields() -> None:
    said = load("artic/list_fields_image_id_2024.json")
    found = artic.Artic({}).parse(said).found
    assert len(found) == len(said["data"]) == 20
    for one, row in zip(found, said["data"], strict=True):
        assert f"/{row['image_id']}/full/843,/0/default.jpg" in (one.url or "")
        assert one.page_url == f"https://www.artic.edu/artworks/{row['id']}"
        assert one.title == row["title"]
        assert one.creator == row["artist_title"]
        assert one.license is None  # the request did not ask whether it is in the public domain


def test_an_item_of_nasa_and_the_list_of_its_files() -> None:
    records, total = nasa.read_items(load("nasa/search_stars_page1_2024_cut25.json"))
    assert (len(records), total) == (25, 6478)
    asset = load("nasa/asset_as11-40-5874.json")["collection"]["items"]
    (one,) = nasa.read_item(records[0], nasa.read_links(asset)) or []
    assert one.url == "http://images-assets.nasa.gov/image/as11-40-5874/as11-40-5874~orig.jpg"
    assert one.thumb_url is not None
    assert one.thumb_url.endswith("~thumb.jpg")
    name = records[0]["data"][0]["nasa_id"]
    assert one.page_url == f"https://images.nasa.gov/details/{name}"
    assert one.title == records[0]["data"][0]["title"]
    assert one.license is None


def test_an_item_of_the_internet_archive() -> None:
    said = load("internet_archive/metadata_nasa_2015.json")
    found = internet_archive.read_files(said, {"identifier": "nasa"}, "https://archive.org")
    assert found is not None
    (one,) = found
    assert one.url == "https://archive.org/download/nasa/globe_west_540.jpg"
    assert one.page_url == "https://archive.org/details/nasa"
    assert one.thumb_url == "https://archive.org/services/img/nasa"
    assert licenses.normalise(one.license, one.license_url) == licenses.UNKNOWN
