"""Defects of the usual scraping script, each a test: the real command against the playground.

The script clicks through Google Images in ten Chromes, collects URLs in `keyword_urls.txt` and fetches
them with requests in threads. Most tests look at one shared run: its kind of `queries.csv`, through a real Chrome, against
a search page in the layout of 2021.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image

from pixtrawl.playground import Playground
from tests.script_defects.script_runs import LIMIT, QUERIES, Ran, alive, google, pixtrawl

FAULTS = (
    "html-as-jpg", "short-body", "base64-in-path", "data-svg", "hotlink", "slow-first-byte",
    "retry-after", "flaky-503", "png-as-jpg", "webp-no-extension", "truncated-file",
)  # fmt: skip
EXTENSIONS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif", "AVIF": "avif"}

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def downloaded(site: Playground, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """`pixtrawl download` of the URLs that the script's `fetch_img` stumbled over."""
    work = tmp_path_factory.mktemp("faults")
    rows: list[dict[str, Any]] = [
        {"url": site.fault(name, number).url, "query": "faults", "page_url": f"{site.url}/page/x/1"}
        for number, name in enumerate(FAULTS)
    ]
    rows.append({"url": None, "query": "faults"})
    (work / "urls.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    before = len(site.requests)
    run = pixtrawl("download", str(work / "urls.jsonl"), folder=work / "images")
    run.requests = site.requests[before:]
    return run


def ended(run: Ran, site: Playground, fault: str) -> str:
    """The reason that a fault's URL ended with."""
    import sqlite3

    with sqlite3.connect(run.folder / ".pixtrawl-catalog.sqlite3") as db:
        url = site.fault(fault, FAULTS.index(fault)).url
        (reason,) = db.execute("SELECT reason FROM candidate WHERE url = ?", (url,)).fetchone()
    return str(reason)


@pytest.mark.slow  # tests/sources/google/test_outcomes.py has the page, defect 03 the browser
@pytest.mark.browser
def test_defect_01_an_unknown_page_is_reported_and_no_browser_is_left(
    site: Playground, tmp_path: Path
) -> None:
    run = pixtrawl("run", "tabby cat", *google(site, "changed"), "-n", "2", folder=tmp_path / "i")
    assert run.code == 4
    answer = run.query("tabby cat")["sources"]["google"]
    assert answer["outcome"] == "changed"
    assert answer["detail"]["next_step"]
    for kept in answer["detail"]["evidence"]:
        assert (run.folder / kept).stat().st_size > 0
    assert run.keyword_urls() == {"tabby cat": []}
    assert alive(run.browsers) == []


def test_defect_02_a_browser_that_cannot_start_is_reported(
    site: Playground, tmp_path: Path
) -> None:
    run = pixtrawl(
        "run", "tabby cat", *google(site, "2021"), folder=tmp_path / "images",
        environ={"PIXTRAWL_CHROME": str(tmp_path / "no-chrome")},
    )  # fmt: skip
    assert run.code == 5
    assert run.query("tabby cat")["sources"]["google"]["outcome"] == "browser_missing"
    assert "no-chrome" in json.dumps(run.report)


@pytest.mark.browser
def test_defect_04_no_thumbnail_stands_in_for_an_original(site: Playground, ran: Ran) -> None:
    for query in QUERIES:
        truth = {entry.url: entry for entry in site.expected(query)}
        for row in (row for row in ran.rows() if row["query"] == query):
            entry = truth[row["url"]]
            assert row["kind"] == "original"
            assert not row["url"].startswith("data:")
            assert entry.role in {"photo", "exact_duplicate"}
            assert (row["width"], row["height"]) == (entry.width, entry.height)


@pytest.mark.browser
def test_defect_05_the_extension_is_that_of_the_content(ran: Ran, downloaded: Ran) -> None:
    seen = Counter[str]()
    for run in (ran, downloaded):
        for row in run.rows():
            file = run.folder / row["file_name"]
            with Image.open(file) as image:
                assert file.suffix == f".{EXTENSIONS[image.format or '']}"
            seen[file.suffix] += 1
    assert {".jpg", ".png", ".webp"} <= set(seen)


def test_defect_06_a_page_with_status_200_is_no_image(site: Playground, downloaded: Ran) -> None:
    assert ended(downloaded, site, "html-as-jpg") == "html"
    for row in downloaded.rows():
        assert not (downloaded.folder / row["file_name"]).read_bytes().startswith(b"<!doctype")


def test_defect_07_half_a_body_is_no_image(site: Playground, downloaded: Ran) -> None:
    assert ended(downloaded, site, "short-body") == "body_incomplete"
    assert ended(downloaded, site, "truncated-file") == "truncated"


def test_defect_08_base64_in_a_path_is_only_a_path(site: Playground, downloaded: Ran) -> None:
    assert ended(downloaded, site, "base64-in-path") == "saved"
    assert all(file.stat().st_size > 0 for file in downloaded.folder.glob("faults/*"))


def test_defect_09_a_data_uri_without_base64_is_read(site: Playground, downloaded: Ran) -> None:
    assert ended(downloaded, site, "data-svg") == "unsupported_format"


def test_defect_10_an_empty_address_is_an_outcome_and_stops_nothing(downloaded: Ran) -> None:
    assert downloaded.code == 0
    report = downloaded.report
    assert report["reasons"]["bad_url"] == 1
    assert report["totals"]["candidates"] == len(FAULTS) + 1
    assert sum(report["reasons"].values()) == len(FAULTS) + 1


@pytest.mark.browser
def test_defect_11_no_query_writes_outside_its_folder(ran: Ran) -> None:
    work = ran.folder.parents[2]
    outside = {path.name for path in work.rglob("*") if ran.folder not in (path, *path.parents)}
    assert outside == {"queries.csv", "deep", "er"}
    label = ran.query("../../escaped")["label"]
    assert len(list((ran.folder / label).iterdir())) == LIMIT


@pytest.mark.browser
def test_defect_12_a_slash_in_a_query_stops_nothing(ran: Ran) -> None:
    assert ran.query("AC/DC")["saved"] == LIMIT
    assert "/" not in ran.query("AC/DC")["label"]
    after = QUERIES[QUERIES.index("AC/DC") + 1 :]
    assert {query: ran.query(query)["saved"] for query in after} == dict.fromkeys(after, LIMIT)


@pytest.mark.browser
def test_defect_13_the_whole_query_is_searched(site: Playground, ran: Ran) -> None:
    searches = [r for r in ran.requests if "/search?" in r.target]
    asked = {parse_qs(urlsplit(r.target).query)["q"][0] for r in searches}
    assert asked == set(QUERIES)
    for query in ("black & white cat", "C# logo"):
        truth = {entry.url for entry in site.expected(query)}
        assert {row["url"] for row in ran.rows() if row["query"] == query} <= truth


@pytest.mark.browser
def test_defect_14_a_comma_belongs_to_the_query(ran: Ran, tmp_path: Path) -> None:
    assert ran.query("cat, sleeping")["saved"] == LIMIT
    (tmp_path / "queries.csv").write_text('"one, two"\nthree\n')
    run = pixtrawl("run", str(tmp_path / "queries.csv"), "--dry-run", folder=tmp_path / "images")
    assert [query["query"] for query in run.report["queries"]] == ["one, two", "three"]


@pytest.mark.browser
def test_defect_15_a_number_is_a_query(ran: Ran) -> None:
    assert ran.query("2020")["saved"] == LIMIT
    assert len(list((ran.folder / "2020").iterdir())) == LIMIT


@pytest.mark.browser
def test_defect_16_null_is_a_query(ran: Ran) -> None:
    assert [ran.query(text)["saved"] for text in ("null", "NA")] == [LIMIT, LIMIT]
    assert len(list((ran.folder / "null").iterdir())) == LIMIT


@pytest.mark.browser
def test_defect_17_a_repeated_query_is_one_query(ran: Ran) -> None:
    assert [query["query"] for query in ran.report["queries"]] == list(QUERIES)
    first_pages = [r for r in ran.requests if "/search?" in r.target and "q=tabby+cat" in r.target]
    assert sum("asearch" not in r.target for r in first_pages) <= 1
    assert ran.query("tabby cat")["saved"] == LIMIT


def test_defect_18_we_say_who_asks_and_try_again_what_may_still_come(
    site: Playground, downloaded: Ran
) -> None:
    for fault in ("hotlink", "slow-first-byte", "retry-after", "flaky-503"):
        assert ended(downloaded, site, fault) == "saved"
    (asked,) = [r for r in downloaded.requests if "/fault/hotlink/" in r.target]
    assert asked.headers["referer"] == f"{site.url}/page/x/1"
    assert asked.headers["user-agent"].startswith("pixtrawl/")
    assert sum("/fault/flaky-503/" in r.target for r in downloaded.requests) == 3


@pytest.mark.browser
@pytest.mark.skipif(sys.platform != "linux", reason="processes are counted in /proc")
def test_defect_19_one_browser_serves_all_queries(ran: Ran) -> None:
    assert len(ran.browsers) == 1


@pytest.mark.browser
def test_defect_23_images_are_checked_distinct_and_say_where_they_come_from(ran: Ran) -> None:
    rows = ran.rows()
    for row in rows:
        body = (ran.folder / row["file_name"]).read_bytes()
        assert hashlib.sha256(body).hexdigest() == row["sha256"]
        assert row["page_url"].startswith("http://127.0.0.1:")
        assert row["title"]
        assert "license" in row
    per_label = Counter((row["label"], row["sha256"]) for row in rows)
    assert max(per_label.values()) == 1
    assert {"html", "body_incomplete"} & set(ran.report["reasons"])
