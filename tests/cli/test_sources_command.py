"""`pixtrawl sources` and `pixtrawl sources check`: what they print, and what they end with."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.shared_data import shared
from tests.sources import synthetic_answers as pages
from tests.sources.google.gridless_pages import GRIDLESS

from pixtrawl import sources
from pixtrawl.cli.main import main
from pixtrawl.model import SourceOutcome
from pixtrawl.sources.replay import reader as replaying

KEYS = (
    "groups", "needs", "filters", "limit", "license", "verified", "delay_s", "terms", "settings",
)  # fmt: skip


def saved(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text, "utf-8")
    return str(path)


def recorded(name: str) -> str:
    return str(shared(f"recorded/{name}"))


def check(capsys: pytest.CaptureFixture[str], name: str, page: str) -> tuple[int, dict[str, Any]]:
    code = main(["sources", "check", name, page, "--json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, found


def test_the_table_has_a_line_for_each_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sources"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines if line} >= set(sources.available())


def test_it_says_who_is_asked_without_a_choice_and_the_readme_says_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["sources"]) == 0
    text = capsys.readouterr().out
    assert "asked without -s (group auto): bing, openverse, wikimedia, ecosia" in text
    assert "-s species: inaturalist, gbif, wikimedia" in text
    numbers = re.search(r"(\d+) sources; (\d+) need no key", text)
    assert numbers is not None
    readme = " ".join((Path(__file__).parents[2] / "README.md").read_text("utf-8").split())
    assert "by default Bing, Openverse, Wikimedia Commons and Ecosia" in readme
    assert f"{numbers[1]} sources in all, {numbers[2]} of them without a key" in readme


def test_every_fact_of_every_source_is_there_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sources", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["sources"]
    assert {row["name"] for row in rows} == set(sources.available())
    for row in rows:
        assert set(KEYS) <= row.keys()
        assert row["verified"] in {"recorded", "real server", "documented only"}
        assert row["terms"], row["name"]


def test_what_is_only_documented_is_in_no_group_until_it_is_switched_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["sources", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["sources"]
    assert not [r["name"] for r in rows if r["groups"] and r["verified"] == "documented only"]
    waiting = {row["name"]: row["groups_if_enabled"] for row in rows if row["groups_if_enabled"]}
    assert waiting == {"duckduckgo": ["auto"], "google": ["auto"]}
    assert main(["sources", "gbif", "--set", "gbif.enabled=true", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["sources"]
    assert (row["groups"], row["groups_if_enabled"]) == (["species"], [])


def test_one_source_is_reported_with_its_terms_pace_and_settings(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["sources", "yandex"]) == 0
    text = capsys.readouterr().out
    for words in ("5 s between requests", "documented only", "forbid automated", "base_url"):
        assert words in text


def test_a_recorded_page_is_read_as_the_source_would(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = check(capsys, "ecosia", recorded("openserp/ecosia/images_results.html"))
    assert (code, found["outcome"], found["results"]) == (0, "ok", 24)
    assert found["missing"] == {"license": 24, "creator": 24}
    code, found = check(capsys, "bing", recorded("bing/bing_images.html"))
    assert (code, found["outcome"], found["results"]) == (0, "ok", 42)


@pytest.mark.parametrize(("name", "page"), [("ecosia", pages.ecosia), ("bing", pages.bing)])
def test_a_page_of_many_results_is_read_as_the_source_would(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, page: Callable[[list[str]], str]
) -> None:
    text = page([pages.number_of(at) for at in range(30)])
    code, found = check(capsys, name, saved(tmp_path, "page.html", text))
    assert (code, found["outcome"], found["results"]) == (0, "ok", 30)
    assert found["missing"] == {"license": 30, "creator": 30}


def test_a_page_without_results_ends_with_3_and_its_reason(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    captcha = saved(tmp_path, "page.html", "<h1>I am not a robot</h1>")
    code, found = check(capsys, "yandex", captcha)
    assert (code, found["outcome"], found["results"]) == (3, "blocked", 0)
    shop = saved(tmp_path, "shop.html", "<p>Welcome to our shop</p>")
    code, found = check(capsys, "yandex", shop)
    assert (code, found["outcome"]) == (3, "changed")


def test_the_first_three_candidates_are_printed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = saved(tmp_path, "page.html", pages.naver([pages.number_of(at) for at in range(5)]))
    assert main(["sources", "check", "naver", page]) == 0
    text = capsys.readouterr().out
    assert "results  5" in text
    assert all((pages.number_of(at) in text) == (at < 3) for at in range(5))
    assert "640x480, A cat" in text
    assert "missing  license 5, creator 5 (of 5)" in text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("startpage", pages.startpage([pages.PICTURE])),  # its token is asked for first
        ("baidu", pages.baidu([pages.baidu_record(pages.PICTURE)], 1)),  # its cookies are
        ("searxng", str(pages.ANSWERS["searxng"].ok)),  # has no address of its own
        ("pexels", str(pages.ANSWERS["pexels"].ok)),  # wants a key
        ("page", pages.page(f"<img src='{pages.PICTURE}' width=640 height=480>")),  # robots.txt
        ("duckduckgo", json.dumps({"query": "cat", "results": [
            {"image": pages.PICTURE, "url": pages.LANDING, "title": "A cat"}]})),
        ("met", json.dumps({"objectID": 5, "primaryImage": pages.PICTURE})),  # ids first
        ("internet_archive", json.dumps({"metadata": {"identifier": "cat"}, "files": [
            {"name": "cat.jpg", "format": "JPEG", "source": "original"}]})),
        ("wikimedia", str(pages.ANSWERS["wikimedia"].ok).replace(  # and more of the batch after it
            '"batchcomplete": true', '"continue": {"gucontinue": "x", "continue": "||"}')),
    ],
)  # fmt: skip
def test_a_source_that_asks_for_something_else_before_reads_the_page_too(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, text: str
) -> None:
    code, found = check(capsys, name, saved(tmp_path, "answer", text))
    assert (code, found["outcome"], found["results"]) == (0, "ok", 1)


def test_a_page_of_google_is_read_without_a_browser(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    thumb = "https://encrypted-tbn0.gstatic.com/images?q=tbn:abc"
    script = f'[0,"docid1",["{thumb}",180,240],["{pages.PICTURE}",480,640],null]'
    code, found = check(
        capsys, "google", saved(tmp_path, "g.html", pages.page(f"<script>{script}</script>"))
    )
    assert (code, found["results"]) == (0, 1)
    (one,) = found["candidates"]
    assert (one["url"], one["width"], one["height"]) == (pages.PICTURE, 640, 480)


@pytest.mark.parametrize(
    ("page", "outcome"),
    [
        ("search_captcha.html", SourceOutcome.BLOCKED),
        ("search_soft_block.html", SourceOutcome.BLOCKED),
        ("search_no_results.html", SourceOutcome.NO_RESULTS),
        ("search_results.html", SourceOutcome.CHANGED),
    ],
)
def test_recorded_pages_of_google_are_told_apart(
    capsys: pytest.CaptureFixture[str], page: str, outcome: SourceOutcome
) -> None:
    code, found = check(capsys, "google", recorded(f"openserp/google/{page}"))
    assert (code, found["outcome"]) == (3, outcome)


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("captcha", SourceOutcome.BLOCKED),
        ("soft_block", SourceOutcome.BLOCKED),
        ("no_results", SourceOutcome.NO_RESULTS),
        ("web_results", SourceOutcome.CHANGED),
    ],
)
def test_pages_of_google_without_pictures_are_told_apart(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, outcome: SourceOutcome
) -> None:
    code, found = check(capsys, "google", saved(tmp_path, "page.html", GRIDLESS[name]))
    assert (code, found["outcome"]) == (3, outcome)


def test_a_source_that_asks_nobody_says_so(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, found = check(capsys, "urls", saved(tmp_path, "list.txt", "https://a.test/1.jpg"))
    assert (code, found["outcome"]) == (3, "unsupported")


@pytest.mark.parametrize(
    "operands", [[], ["bing"], ["bing", "nothere.html"], ["bnig", "x"], ["bing", ".", "more"]]
)
def test_a_mistake_is_an_error_of_use(
    capsys: pytest.CaptureFixture[str], operands: list[str]
) -> None:
    assert main(["sources", "check", *operands]) == 2
    assert capsys.readouterr().err.startswith("pixtrawl: ")


def test_a_file_beyond_the_cap_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "MAX_BYTES", 1 << 20)
    page = saved(tmp_path, "big.html", "x" * ((1 << 20) + 1))
    assert main(["sources", "check", "bing", page]) == 2
    assert "larger than 1 MiB" in capsys.readouterr().err


NASA = {"collection": {"metadata": {"total_hits": 2}, "items": [
    {"data": [{"nasa_id": "a1", "title": "A star"}], "links": [{"href": "https://nasa.test/a1~thumb.jpg"}]},
    {"data": [{"nasa_id": "a2", "title": "A moon"}]},
]}}  # fmt: skip
ASSET = {"collection": {"items": [{"href": "http://nasa.test/a1~orig.jpg"}]}}
ARCHIVE = {
    "response": {"numFound": 1, "start": 0, "docs": [{"identifier": "cat", "title": "A cat"}]}
}
FILES = {"metadata": {"identifier": "cat"}, "files": [
    {"name": "cat.jpg", "format": "JPEG", "source": "original"}]}  # fmt: skip
ID = "https://id.rijksmuseum.nl/"
SEARCH = {"partOf": {"totalItems": 1}, "orderedItems": [{"id": f"{ID}1"}]}
MADE = {"identified_by": [{"type": "Name", "content": "A mill"}], "shows": [{"id": f"{ID}2"}]}
SHOWN = {
    "digitally_shown_by": [{"id": f"{ID}3"}],
    "subject_to": [{"identified_by": [{"type": "Name", "content": "Public domain"}]}],
}
LYING = {"access_point": [{"id": "https://iiif.test/x/full/max/0/default.jpg"}]}


@pytest.mark.parametrize(
    ("name", "answers", "results", "said"),
    [
        ("nasa", [NASA], 0, "a list of 2 records"),
        ("nasa", [ASSET], 1, ""),
        ("nasa", [NASA, ASSET], 1, ""),
        ("internet_archive", [ARCHIVE], 0, "a list of 1 records"),
        ("internet_archive", [FILES], 1, ""),
        ("internet_archive", [ARCHIVE, FILES], 1, ""),
        ("rijksmuseum", [SEARCH], 0, "a list of 1 records"),
        ("rijksmuseum", [MADE], 1, "one record"),
        ("rijksmuseum", [SEARCH, MADE, SHOWN, LYING], 1, ""),
    ],
)
def test_true_answers_of_sources_that_ask_twice_are_no_change_of_form(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, answers: list[object],
    results: int, said: str,
) -> None:  # fmt: skip
    pages = [saved(tmp_path, f"{at}.json", json.dumps(one)) for at, one in enumerate(answers)]
    assert main(["sources", "check", name, *pages, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["outcome"], found["results"]) == ("ok", results)
    assert said in found["detail"].get("message", "")
    if len(answers) > 1:
        (one,) = found["candidates"]
        assert one["title"] in {"A star", "A cat", "A mill"}
        assert one["license"] == ("Public domain" if name == "rijksmuseum" else None)


@pytest.mark.parametrize("name", ["nasa", "internet_archive", "rijksmuseum", "met"])
def test_an_answer_of_another_form_is_still_a_change(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    other = saved(tmp_path, "other.json", json.dumps({"hits": [1, 2]}))
    code, found = check(capsys, name, other)
    assert (code, found["outcome"]) == (3, "changed")


def test_google_s_page_without_scripts_is_read_as_thumbnails_with_their_pages(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    cells = "".join(
        f"<td><a href='/url?q=https://site.test/{at}&amp;sa=U'><img alt='Cat {at}' "
        f"src='https://encrypted-tbn0.gstatic.com/images?q=tbn:A{at}'></a></td>"
        for at in range(20)
    )
    page = saved(
        tmp_path, "page.html", f"<html><body><table><tr>{cells}</tr></table></body></html>"
    )
    code, found = check(capsys, "google", page)
    assert found["results"] == 20
    assert "no images" not in found["detail"]["message"]
    assert {one["kind"] for one in found["candidates"]} == {"thumbnail"}
    assert found["candidates"][3]["page_url"] == "https://site.test/3"
    assert code == 0


@pytest.mark.parametrize("name", ["baidu", "brave", "naver", "google"])
def test_the_word_that_there_is_nothing_is_found_at_the_end_of_a_long_page(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    words = {
        "baidu": "抱歉，没有找到相关的图片", "brave": "Not many great matches came back",
        "naver": "검색결과가 없습니다", "google": "did not match any image results",
    }  # fmt: skip
    long = "<p>some other words stand here</p>" * 5000
    page = saved(tmp_path, "long.html", f"<html><body>{long}<p>{words[name]}</p></body></html>")
    code, found = check(capsys, name, page)
    assert (code, found["outcome"]) == (3, "no_results")
