"""The truth about a listing equals what is served, and what is served equals the request."""

from __future__ import annotations

import hashlib
import html
import io
import json
import re
from collections import Counter
from urllib.parse import parse_qs, quote, urlsplit

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from pixtrawl.playground import Original, Playground
from pixtrawl.playground.drawing.pictures import picture, slug_of, traits_of
from tests.matrices import slow
from tests.playground.wire import ask

MIX = {"near_duplicate": 0.3, "exact_duplicate": 0.1, "placeholder": 0.1, "thumbnail": 0.1}


def _search(site: Playground, query: str, prefix: str = "", more: str = "") -> str:
    return ask(f"{site.url}{prefix}/search?udm=2&q={quote(query)}{more}").body.decode()


def _records(text: str) -> list[tuple[str, str, int, int]]:
    """(docid, original, width, height) by the pattern of script data; height stands first."""
    plain = re.sub(r"\\u([0-9a-f]{4})", lambda m: chr(int(m[1], 16)), text)
    found = re.findall(r'\[0,"([^"]+)",\["[^"]+",\d+,\d+\],\["([^"]+)",(\d+),(\d+)\]', plain)
    return [(docid, url, int(w), int(h)) for docid, url, h, w in found]


def _all_records(site: Playground, query: str) -> list[tuple[str, str, int, int]]:
    found = _records(_search(site, query))
    while True:
        more = f"&asearch=arc&async=_id:rcnt_1,_fmt:pc&start={len(found)}"
        body = _search(site, query, more=more)
        found += _records(body.encode().decode("unicode_escape"))
        if json.loads(_frames(body)[0])[2] == "":
            return found


def _frames(body: str) -> list[str]:
    assert body.startswith(")]}'\n")
    rest, out = body[5:], []
    while rest:
        length, _, rest = rest.partition(";")
        out.append(rest[: int(length, 16)])
        rest = rest[int(length, 16) :]
    return out


def _tiles(text: str) -> list[dict[str, str]]:
    return [json.loads(html.unescape(m)) for m in re.findall(r" m='([^']+)'", text)]


def _assert_served(entry: Original) -> None:
    seen = ask(entry.url)
    assert seen.status == 200
    assert hashlib.sha256(seen.body).hexdigest() == entry.sha256
    with Image.open(io.BytesIO(seen.body)) as image:
        assert image.size == (entry.width, entry.height), entry.role


def test_script_records_of_all_scrolls_equal_the_truth(site: Playground) -> None:
    truth = [(e.docid, e.url, e.width, e.height) for e in site.expected("tabby cat")]
    assert _all_records(site, "tabby cat") == truth


@pytest.mark.slow
def test_every_listed_file_is_the_one_promised() -> None:
    with Playground(mix=MIX, supply=30, seed=7) as site:
        entries = site.expected("red fox")
        for entry in entries:
            _assert_served(entry)
        roles = Counter(entry.role for entry in entries)
        assert set(roles) == {"photo", *MIX}
        digests = Counter(entry.sha256 for entry in entries if entry.role == "photo")
        assert max(digests.values()) == 1


def test_duplicates_name_an_entry_that_is_listed_as_a_photo() -> None:
    with Playground(mix=MIX, supply=200) as site:
        entries = site.expected("red fox")
        photos = {entry.url for entry in entries if entry.role == "photo"}
        duplicates = [entry for entry in entries if "duplicate" in entry.role]
        assert 60 <= len(duplicates) <= 100
        assert {entry.of for entry in duplicates} <= photos


def test_all_faults_turn_up_in_a_long_listing() -> None:
    with Playground(faults="all", supply=200) as site:
        listed = {e.role.removeprefix("fault:") for e in site.expected("cat") if ":" in e.role}
        assert listed == {truth.name for truth in site.faults()}


@pytest.mark.parametrize(
    ("query", "count"), [("rare bird", 6), ("zzz nothing", 0), ("cat 7-results", 7), ("cat", 120)]
)
def test_words_of_a_query_tell_how_much_it_finds(site: Playground, query: str, count: int) -> None:
    assert len(site.expected(query)) == count
    assert len(_records(_search(site, query))) == min(count, 30)


@pytest.mark.parametrize(
    "query", ["black & white cat", "C# logo", "AC/DC", "\"a 'b' <c>", "ñandú 猫"]
)
def test_any_query_keeps_its_own_listing(site: Playground, query: str) -> None:
    page = _search(site, query)
    urls = [record[1] for record in _records(page)]
    assert urls == [entry.url for entry in site.expected(query)[:30]]
    assert f"<title>{html.escape(query)} - " in page
    assert ask(urls[0]).status == 200


def test_nothing_found_is_said_in_words(site: Playground) -> None:
    assert "did not match any image results" in _search(site, "nothing")
    assert "There are no results for" in ask(f"{site.url}/images/search?q=nothing").body.decode()


def test_hover_pages_hold_no_original_in_clear(site: Playground) -> None:
    for prefix in ("/hover", "/click"):
        page = _search(site, "tabby cat", prefix)
        assert _records(page) == []
        assert "/photo/" not in page
        assert page.count("data-docid=") == 30


def test_class_names_change_with_every_request_when_asked(site: Playground) -> None:
    first, second = (
        set(re.findall(r"class='([^']+)'", _search(site, "cat", "/random-classes"))) for _ in "ab"
    )
    assert not first & second - {"arc-npt"}


def test_the_page_of_2021_carries_its_class_names(site: Playground) -> None:
    page = _search(site, "cat", "/2021")
    assert page.count("Q4LuWd") >= 30
    assert "n3VNCb" in page
    assert "AF_initDataCallback({key: 'ds:1'" in page
    assert len(_records(page)) == 30


@pytest.mark.parametrize(
    ("gate", "status", "sign"),
    [
        ("captcha", 302, "/captcha/sorry/index?continue="), ("js-wall", 200, "SG_SS"),
        ("soft-block", 200, "enablejs"), ("changed", 200, "<figure>"),
        ("no-results", 200, "did not match"), ("rate-limit", 429, "slow"),
        ("consent-dialog", 200, "W0wltc"), ("consent", 302, "/consent/consent-page/m?continue="),
    ],
)  # fmt: skip
def test_gates_answer_in_their_way(site: Playground, gate: str, status: int, sign: str) -> None:
    seen = ask(f"{site.url}/{gate}/search?q=cat&udm=2")
    assert seen.status == status
    assert sign in seen.raw.decode()


def test_rejecting_all_opens_the_results_and_stays_in_vain_where_told(site: Playground) -> None:
    for gate, opened in (("consent", True), ("consent-stays", False)):
        target = f"/{gate}/search?q=cat&udm=2"
        page = ask(site.url + ask(site.url + target).headers["location"]).body.decode()
        assert "id='W0wltc'" in page
        assert f"action='/{gate}/consent-page/save'" in page
        found = ask(site.url + target, "Cookie: SOCS=CAESHAgBEhIaAB")
        assert (found.status == 200) == opened


def test_an_empty_answer_comes_once_for_each_query(site: Playground) -> None:
    counts = [len(_records(_search(site, "once only", "/empty-once"))) for _ in range(2)]
    assert counts == [0, 30]


def test_bing_tiles_over_all_pages_equal_the_truth(site: Playground) -> None:
    url = f"{site.url}/images/search?q=tabby+cat"
    found: list[str] = []
    while True:
        page = ask(url).body.decode()
        new = [m["murl"] for m in _tiles(page) if m["murl"] and m["murl"] not in found]
        if not new:
            break
        found += new
        following = re.search(r"data-nextUrl='([^']+)'", page)
        assert following is not None
        url = site.url + html.unescape(following[1])
    assert found == [entry.url for entry in site.expected_bing("tabby cat")]
    assert len(found) == 100


def test_bing_links_name_width_height_and_a_cached_copy(site: Playground) -> None:
    page = ask(f"{site.url}/images/async?q=tabby+cat").body.decode()
    links = [html.unescape(m) for m in re.findall(r"<a class='iusc' href='([^']+)'", page)]
    about = [parse_qs(urlsplit(link).query) for link in links if "mediaurl" in link]
    assert len(about) == 35
    for entry, values in zip(site.expected("tabby cat"), about, strict=False):
        assert (values["expw"], values["exph"]) == ([str(entry.width)], [str(entry.height)])
        assert values["mediaurl"] == [entry.url]
    assert ask(about[0]["cdnurl"][0]).status == 200


def test_bing_filters_give_other_slices_so_that_a_thousand_are_within_reach() -> None:
    with Playground(supply=2000, cap=100) as site:
        colors = ("RED", "ORANGE", "YELLOW", "GREEN", "TEAL", "BLUE", "PURPLE", "PINK", "BROWN")
        slices = [f"color2-FGcls_{c}" for c in (*colors, "BLACK", "GRAY", "WHITE")]
        slices += [f"aspect-{a}" for a in ("square", "wide", "tall")]
        found = [{e.url for e in site.expected_bing("cat", qft=f"+filterui:{s}")} for s in slices]
        assert all(len(urls) == 100 for urls in found)
        assert len(set().union(*found)) > 1000
        page = ask(f"{site.url}/images/search?q=cat&qft=%2Bfilterui%3Aaspect-tall").body.decode()
        shown = [m["murl"] for m in _tiles(page) if m["murl"]]
        assert set(shown) <= found[-1]


def test_google_filters_are_honoured(site: Playground) -> None:
    entries = site.expected("cat", tbs="ic:specific,isc:blue")
    assert entries
    assert {entry.traits.color for entry in entries} == {"blue"}
    listed = _records(_search(site, "cat", more="&tbs=ic:specific,isc:blue"))
    assert [record[1] for record in listed] == [entry.url for entry in entries]


def test_thumbnails_and_pages_of_entries_are_served(site: Playground) -> None:
    entry = site.expected("tabby cat")[0]
    with Image.open(io.BytesIO(ask(entry.thumb_url).body)) as image:
        assert image.size == (entry.thumb_width, entry.thumb_height)
    page = ask(entry.page_url).body.decode()
    assert f"<meta property='og:image' content='{entry.url}'>" in page


def _bits(body: bytes) -> NDArray[np.bool_]:
    """A 256-bit hash: signs of 16 x 16 cosine terms of a 64 x 64 grey picture."""
    with Image.open(io.BytesIO(body)) as image:
        grey = np.asarray(image.convert("L").resize((64, 64), Image.Resampling.BOX), float)
    basis = np.cos(np.arange(16)[:, None] * (np.arange(64) + 0.5) * np.pi / 64)
    terms = (basis @ grey @ basis.T).ravel()
    bits: NDArray[np.bool_] = terms > np.median(terms)
    return bits


@pytest.mark.parametrize("count", [15, slow(60)])
def test_pictures_are_far_apart_to_a_perceptual_hash(count: int) -> None:
    bits = np.array(
        [_bits(picture(1, slug_of(word), i)) for word in ("cat", "rare bird") for i in range(count)]
    )
    distances = (bits[:, None] != bits[None]).sum(axis=2)
    np.fill_diagonal(distances, 256)
    assert distances.min() >= 62


def test_pictures_depend_on_seed_keyword_and_index_alone() -> None:
    assert picture(1, slug_of("cat"), 3) == picture(1, slug_of("cat"), 3)
    others = {
        picture(s, slug_of(w), i) for s, w, i in ((1, "cat", 3), (2, "cat", 3), (1, "dog", 3))
    }
    assert len(others) == 3
    traits = traits_of(1, slug_of("cat"), 3)
    with Image.open(io.BytesIO(picture(1, slug_of("cat"), 3))) as image:
        assert image.size == (traits.width, traits.height)
