"""Parsers on real answers that were recorded, read from ../shared/recorded where it is there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pixtrawl import licenses
from pixtrawl.model import Kind
from pixtrawl.sources import (
    cleveland,
    europeana,
    flickr,
    inaturalist,
    met,
    searxng,
    smithsonian,
    unsplash,
    wikimedia,
)

RECORDED = Path(__file__).parents[4] / "shared" / "recorded"

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason=f"no recorded answers at {RECORDED}")


def load(name: str) -> Any:
    return json.loads((RECORDED / name).read_text(encoding="utf-8"))


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
    assert all(one.url.startswith("https://upload.wikimedia.org/") for one in batch.found)
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
        assert all("/original." in one.url and one.license for one in found)


def test_objects_of_the_met() -> None:
    found = met.read_object(load("met/sample_response.json"))
    assert found is not None
    assert [one.url.rpartition("/")[2] for one in found] == [
        "DP251139.jpg", "DP251138.jpg", "DP251120.jpg",
    ]  # fmt: skip
    assert {(one.license, one.creator, one.title) for one in found} == {
        ("CC0", "Kiyohara Yukinobu", "Quail and Millet")
    }
    other = met.read_object(load("met/sample_response_without_additional.json"))
    assert other is not None
    assert len(other) == 1


def test_an_answer_of_cleveland() -> None:
    batch, total, shown = cleveland.read_page(load("clevelandmuseum/response_success.json"))
    assert (total, shown) == (32483, 1)
    (one,) = batch.found
    assert one.url.endswith("/1916.586.a_print.jpg")
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


def test_a_photo_of_flickr_in_its_largest_size() -> None:
    one = flickr.read_photo(load("flickr/image_data_complete_example.json"))
    assert one is not None
    assert one.url == "https://live.staticflickr.com/65535/49514824541_35d1b4f8db_b.jpg"
    assert (one.width, one.height, one.license) == (1024, 683, "flickr:1")
    assert one.license_url == "https://creativecommons.org/licenses/by-nc-sa/2.0/"
    assert one.creator == "Marine Explorer"


def test_flickr_s_own_table_of_licences_is_ours() -> None:
    text = (RECORDED / "flickr" / "licenses_getInfo.yml").read_text(encoding="utf-8")
    text = " ".join(text.replace("\\", "").split())
    rows = re.findall(r'<license id="(\d+)" name="([^"]*)" url="([^"]*)"', text)
    assert len(rows) > 10
    for number, name, url in rows:
        ours, theirs = licenses.normalise(f"flickr:{number}"), licenses.normalise(None, url)
        if theirs != licenses.UNKNOWN:
            assert ours == theirs, (number, name)


def test_answers_of_unsplash() -> None:
    text = (RECORDED / "unsplash" / "photos.yml").read_text(encoding="utf-8")
    answers = re.findall(r"string: '(\{\"total\":.*?\})'\n", text, re.DOTALL)
    assert len(answers) >= 3
    for body in answers:
        said = json.loads(re.sub(r"\n\s*", " ", body.replace("''", "'")))
        listed, pages = unsplash.read_page(said)
        found = [unsplash.read_photo(photo) for photo in listed]
        assert pages > 100
        for one in found:
            assert one is not None
            assert re.match(r"https://(images\.unsplash\.com|unsplash\.imgix\.net)/", one.url)
            assert one.width
            assert one.creator
            assert one.alternates[0].kind is Kind.CACHED
