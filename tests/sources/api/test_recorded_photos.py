"""Parsers of photo sites on real answers that were recorded, where they are there."""

from __future__ import annotations

import json
import re

import pytest
from tests.shared_data import shared_text
from tests.sources.api.recorded import load

from pixtrawl import licenses
from pixtrawl.model import Kind
from pixtrawl.sources.api import (
    flickr,
    gbif,
    google_cse,
    openverse,
    pexels,
    pixabay,
    unsplash,
)


def test_a_photo_of_flickr_in_its_largest_size() -> None:
    one = flickr.read_photo(load("flickr/image_data_complete_example.json"))
    assert one is not None
    assert one.url == "https://live.staticflickr.com/65535/49514824541_35d1b4f8db_b.jpg"
    assert (one.width, one.height, one.license) == (1024, 683, "flickr:1")
    assert one.license_url == "https://creativecommons.org/licenses/by-nc-sa/2.0/"
    assert one.creator == "Marine Explorer"


def test_flickr_s_own_table_of_licences_is_ours() -> None:
    text = shared_text("recorded/flickr/licenses_getInfo.yml")
    text = " ".join(text.replace("\\", "").split())
    rows = re.findall(r'<license id="(\d+)" name="([^"]*)" url="([^"]*)"', text)
    assert len(rows) > 10
    for number, name, url in rows:
        ours, theirs = licenses.normalise(f"flickr:{number}"), licenses.normalise(None, url)
        if theirs != licenses.UNKNOWN:
            assert ours == theirs, (number, name)


def test_answers_of_unsplash() -> None:
    text = shared_text("recorded/unsplash/photos.yml")
    answers = re.findall(r"string: '(\{\"total\":.*?\})'\n", text, re.DOTALL)
    assert len(answers) >= 3
    for body in answers:
        said = json.loads(re.sub(r"\n\s*", " ", body.replace("''", "'")))
        listed, pages = unsplash.read_page(said)
        found = [unsplash.read_photo(photo) for photo in listed]
        assert pages > 100
        for one in found:
            assert one is not None
            assert re.match(
                r"https://(images\.unsplash\.com|unsplash\.imgix\.net)/", (one.url or "")
            )
            assert one.width
            assert one.creator
            assert one.alternates[0].kind is Kind.CACHED


OPENVERSE = (
    "search_cat_cc0_20240101_cut",
    "search_cat_page2_20220907",
    "search_ecommerce_20220920",
)


@pytest.mark.parametrize("name", OPENVERSE)
def test_each_result_of_openverse_has_its_own_fields(name: str) -> None:
    said = load(f"openverse/{name}.json")
    batch, _ = openverse.read_page(said)
    assert len(batch.found) == len(said["results"]) > 2
    for one, row in zip(batch.found, said["results"], strict=True):
        assert (one.url, one.page_url) == (row["url"], row["foreign_landing_url"])
        assert one.title == (" ".join(row["title"].split()) if row["title"] else None)
        assert (one.width, one.height) == (row.get("width"), row.get("height"))
        assert (one.thumb_url, one.license_url) == (row["thumbnail"], row["license_url"])
        code = {"cc0": "cc0", "pdm": "pdm"}.get(
            row["license"], f"cc-{row['license']}-{row['license_version']}"
        )
        # the address may name the port to a country's law as well
        assert licenses.normalise(one.license, one.license_url).removesuffix("-jp") == code
        assert one.creator == (row.get("creator") or None)


def test_an_empty_answer_of_openverse_says_that_it_is_empty() -> None:
    batch, _ = openverse.read_page(load("openverse/search_empty_20240102.json"))
    assert batch.empty
    assert not batch.found


@pytest.mark.parametrize(
    "name", ["offset250_cut30_20251113", "taxonkey_limit20_20251113", "year1990_last_page_20251113"]
)
def test_each_picture_of_gbif_has_the_fields_of_its_medium(name: str) -> None:
    said = load(f"gbif/search_{name}.json")
    batch, last = gbif.read_page(said)
    rows = [
        (record, medium)
        for record in said["results"]
        for medium in record["media"]
        if medium.get("identifier")
    ]
    assert len(batch.found) == len(rows) >= 20
    assert last is said["endOfRecords"]
    for one, (record, medium) in zip(batch.found, rows, strict=True):
        assert one.url == medium["identifier"]
        assert one.page_url == (
            medium.get("references") or record.get("references") or one.page_url
        )
        assert one.license == one.license_url == medium["license"]
        assert licenses.normalise(one.license, one.license_url) != licenses.UNKNOWN
        given = medium.get("creator") or medium.get("rightsHolder") or record.get("rightsHolder")
        assert one.creator == (" ".join(given.split()) if given else None)


@pytest.mark.parametrize("name", ["search_2023", "search_page1_2023"])
def test_each_hit_of_pixabay_has_the_size_of_its_largest_address(name: str) -> None:
    said = load(f"pixabay/{name}.json")
    batch, _ = pixabay.read_page(said)
    assert len(batch.found) == len(said["hits"]) >= 20
    for one, hit in zip(batch.found, said["hits"], strict=True):
        assert (one.url, one.page_url) == (hit["largeImageURL"], hit["pageURL"])
        assert (one.title, one.creator) == (hit["tags"], hit["user"])
        assert one.thumb_url == hit["webformatURL"]
        assert one.width
        assert one.height
        assert max(one.width, one.height) == min(1280, max(hit["imageWidth"], hit["imageHeight"]))
        ratio = hit["imageWidth"] / hit["imageHeight"]
        assert abs(one.width / one.height - ratio) < 0.01 * ratio
        assert licenses.normalise(one.license, one.license_url) == "pixabay"


@pytest.mark.parametrize("name", ["search_cat_2020_no_alt", "search_nature_2023"])
def test_each_photo_of_pexels_has_its_fields(name: str) -> None:
    said = load(f"pexels/{name}.json")
    found = pexels.read_page(said)[0].found
    assert len(found) == len(said["photos"]) >= 10
    for one, photo in zip(found, said["photos"], strict=True):
        assert (one.url, one.page_url) == (photo["src"]["original"], photo["url"])
        assert (one.width, one.height) == (photo["width"], photo["height"])
        assert one.creator == " ".join(photo["photographer"].split())
        assert licenses.normalise(one.license, one.license_url) == "pexels"


def test_each_item_of_a_google_search_engine_has_its_fields() -> None:
    said = load("google_cse/image_search_angular_2023.json")
    found = google_cse.read_page(said).found
    assert len(found) == len(said["items"]) == 10
    for one, row in zip(found, said["items"], strict=True):
        image = row["image"]
        assert (one.url, one.page_url, one.title) == (
            row["link"],
            image["contextLink"],
            row["title"],
        )
        assert (one.width, one.height) == (image["width"], image["height"])
        assert (one.thumb_url, one.license) == (image["thumbnailLink"], None)
