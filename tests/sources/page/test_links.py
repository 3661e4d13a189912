"""What is found on a page: suites, recorded pages, playground galleries, and anything at all."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from tests.matrices import examples, sample
from tests.playground.wire import ask
from tests.shared_data import shared_rows, shared_text

from pixtrawl.model import Kind
from pixtrawl.playground import Playground
from pixtrawl.playground.gallery import STYLES
from pixtrawl.sources.page.found import Tier, Wish
from pixtrawl.sources.page.links import PageContent, read_page

URL = "https://a.test/dir/page.html"
LONG = "A" * 200


def read(body: str, **wish: object) -> PageContent:
    return read_page(f"<!doctype html><html><body>{body}</body></html>", URL, Wish(**wish))  # type: ignore[arg-type]


def best(body: str, **wish: object) -> list[str]:
    return [
        picture.ways[0][0].removeprefix("https://a.test") for picture in read(body, **wish).pictures
    ]


@pytest.fixture(scope="module")
def site() -> Iterator[Playground]:
    with Playground() as running:
        yield running


@pytest.mark.parametrize("style", sorted(STYLES))
def test_every_style_of_the_galleries_gives_the_best_address_of_each_picture(
    site: Playground, style: str
) -> None:
    url = site.galleries.url(style, "tabby cat", 2)
    reading = read_page(ask(url).body.decode(), url)
    assert [one.ways[0][0] for one in reading.pictures] == site.galleries.truth(
        style, "tabby cat", 2
    )
    if style == "json-ld":
        assert any(one.facts.license and one.facts.creator for one in reading.pictures)
    if style == "links":
        assert all(one.thumb_url for one in reading.pictures)
    if style != "scroll":
        assert reading.following == [site.galleries.url(style, "tabby cat", 3)]


def test_the_lead_image_of_each_page_of_the_suite_is_among_the_first() -> None:
    for case in shared_rows("suites/pages.jsonl"):
        text = shared_text(f"suites/pages/{case['file']}")
        found = [one.ways[0][0] for one in read_page(text, case["url"]).pictures]
        assert case["lead_image"] in found[:3], case["file"]


def recorded(name: str) -> str:
    return shared_text(f"recorded/page_scraping/{name}")


def test_recorded_pages_give_their_pictures_once_each() -> None:
    lazy = read_page(recorded("readability_lazy-image-3.html"), URL)
    assert len(lazy.pictures) == 2
    gallery = read_page(recorded("readability_data-url-image.html"), URL).pictures
    assert "w_800" in gallery[0].ways[0][0]
    assert [one.ways[0][1] for one in gallery] == [Kind.ORIGINAL, Kind.DATA]
    assert read_page(recorded("readability_svg-parsing.html"), URL).pictures == []
    events = read_page(recorded("extruct_jsonld_songkick.html"), URL).pictures
    addresses = [url for one in events for url, _ in one.ways]
    assert len(addresses) == len(set(addresses)) >= 20


# An article as content systems write it: banners before it, small pictures around it.
_AROUND = (
    "<header><img src='/logo.png' width=120 height=40><img src='/ad.gif' width=728 height=90></header>"
    "{}<aside><img src='/x-80x80.jpg' width=80 height=80></aside><footer><img src='/f.png'></footer>"
)
LEADS = {
    "og": "<head><meta property='og:image' content='/lead.jpg'></head>" + _AROUND.format("<p>text"),
    "og with a name": "<head><meta name='og:image:url' content='/lead.jpg'></head>" + _AROUND.format(""),
    "twitter": "<head><meta name='twitter:image:src' content='/lead.jpg'></head>" + _AROUND.format(""),
    "link": "<head><link rel='image_src' href='/lead.jpg'></head>" + _AROUND.format(""),
    "article": _AROUND.format("<article><figure><img src='/lead.jpg' width=900 height=600></figure></article>"),
    "class": _AROUND.format("<div class='post-image'><img src='/lead.jpg' width=620></div>"),
    "id": _AROUND.format("<div id='main-picture'><img src='/lead.jpg' height=620></div>"),
    "base64 beside it": _AROUND.format(f"<img src='data:image/png;base64,{LONG}'><img src='/lead.jpg' width=620>"),
}  # fmt: skip


@pytest.mark.parametrize("name", LEADS)
def test_the_lead_image_of_an_article_is_among_the_first(name: str) -> None:
    found = [one.ways[0][0] for one in read_page(LEADS[name], URL).pictures]
    assert "https://a.test/lead.jpg" in found[:3]


def test_pictures_that_are_named_twice_are_given_once() -> None:
    block = json.dumps([
        {"@type": "Event", "name": f"Night {at}", "image": f"https://a.test/{at % 25}.jpg"}
        for at in range(50)
    ])  # fmt: skip
    images = "".join(f"<img src='/{at}.jpg'>" for at in range(25))
    found = read(f"<script type='application/ld+json'>{block}</script>{images}").pictures
    addresses = [url for one in found for url, _ in one.ways]
    assert sorted(addresses) == sorted(f"https://a.test/{at}.jpg" for at in range(25))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<img src='a.jpg'>", ["/dir/a.jpg"]),
        ("<base href='/other/'><img src='a.jpg'>", ["/other/a.jpg"]),
        ("<base href='javascript:1'><img src='a.jpg'>", ["/dir/a.jpg"]),
        ("<a href='/big.jpg'><img src='/s.jpg'></a><img src='/s.jpg'>", ["/big.jpg"]),
        ("<a href='/wiki/File:Cat.jpg'><img src='/c.jpg'></a>", ["/c.jpg"]),
        ("<a href='/a.jpg'>a.jpg</a><a href='/b.png'>b.png</a><a href='/c/'>c</a>", ["/a.jpg", "/b.png"]),
        ("<a href='/a.jpg'><img src='/i/image.gif'></a><a href='/b.jpg'><img src='/i/image.gif'></a>", ["/a.jpg", "/b.jpg"]),
        ("<img src='/blank.gif' data-src='/a.jpg'><img src='/blank.gif' data-src='/b.jpg'>", ["/a.jpg", "/b.jpg"]),
        ("<img src='/same.jpg' srcset='/a.jpg 1x, /a2.jpg 2x'><img src='/same.jpg' srcset='/b.jpg 900w'>", ["/a2.jpg", "/b.jpg"]),
        ("<picture><source type='image/webp' srcset='/a.webp'><img src='/a.jpg'></picture>", ["/a.jpg"]),
        ("<picture><source media='(min-width:9px)' srcset='/l.jpg 1600w, /m.jpg 800w'><img src='/s.jpg'></picture>", ["/l.jpg"]),
        ("<img data-src='/x-100x100.jpg' src='/x-900x900.jpg'>", ["/x.jpg"]),
        ("<img src='/t.jpg' data-zoom-image='/zoom.jpg' data-medium-file='/m.jpg'>", ["/zoom.jpg"]),
        ("<img src='/p.gif' data-anything='/real.jpeg?x=1'>", ["/real.jpeg?x=1"]),
        ("<img src='/p.gif' data-x='/a.jpg 300w, /b.jpg 900w'>", ["/b.jpg"]),
        ("<img class=lazy src='data:image/gif;base64,R0lGOD'><noscript><img src='/n.jpg'></noscript>", ["/n.jpg"]),
        (f"<img src='data:image/png;base64,{LONG}' data-src='/a.jpg'>", ["/a.jpg"]),
        (f"<img src='data:image/png;base64,{LONG}'>", [f"data:image/png;base64,{LONG}"]),
        ("<img src='data:image/png;base64,AAAA'>", []),
        (f"<img src='data:image/svg+xml;base64,{LONG}'><img src='/l.svg'>", []),
        ("<div data-bg='/bg'></div><div data-url='/post/1'></div>", ["/bg"]),
        ("<div style=\"background:#fff url( '/a b.jpg' ) no-repeat\"></div>", ["/a%20b.jpg"]),
        ("<div style='background-image:image-set(url(/a.jpg) 1x, url(/b.jpg) 2x)'></div>", ["/b.jpg"]),
        ("<style>@font-face{src:url(/f.woff2)} .x{background:url(/x.png)} @import url(y.css);</style>", ["/x.png"]),
        ("<video poster='/p.jpg'></video><input type=image src='/i.png'><amp-img src='/amp.jpg'></amp-img>", ["/amp.jpg", "/p.jpg", "/i.png"]),
        ("<svg><image xlink:href='/x.png'/></svg><object data='/o.png'></object><object data='/o.pdf'></object>", ["/x.png", "/o.png"]),
        ("<table background='/t.gif'></table>", ["/t.gif"]),
        ("<img src='/t.gif' width=1 height=1><img src='/i.png' width=16 height=16>", []),
        ("<script>window.__INITIAL_STATE__={\"u\":\"https:\\u002F\\u002Fb.test\\u002Fa.jpg?w=9\\u0026v=1\"}</script>", ["https://b.test/a.jpg?v=1"]),
        ("<script>var d=[{thumb:\"thumbnails/c%20d.jpg\",image:'c%20d.jpg',n:'x.js'}]</script>", ["/dir/thumbnails/c%20d.jpg", "/dir/c%20d.jpg"]),
        ("<p>see https://b.test/only.jpg, there</p>", ["https://b.test/only.jpg"]),
        ("<nav><img src='/logo.png'></nav><img src='/a.jpg'>", ["/a.jpg", "/logo.png"]),
        ("<img src='javascript:alert(1)//a.jpg'><img src='ftp://x/a.jpg'><img src='http://[::1/a.jpg'>", []),
    ],
)  # fmt: skip
def test_each_way_of_holding_a_picture(body: str, expected: list[str]) -> None:
    assert best(body) == expected


def test_the_head_names_the_lead_which_then_comes_first() -> None:
    page = (
        "<head><meta property='og:image' content='/b.jpg'><meta property='og:image:width' content='900'>"
        "<meta property='og:image:alt' content='A cat'><meta name='twitter:image' content='/b.jpg'>"
        "<link rel='image_src' href='/c.jpg'><link rel='icon' href='/favicon.ico'></head>"
        "<body><img src='/a.jpg'><img src='/b.jpg'></body>"
    )
    pictures = read_page(page, URL).pictures
    assert [one.ways[0][0][14:] for one in pictures] == ["/b.jpg", "/a.jpg", "/c.jpg"]
    assert pictures[0].tier == Tier.LEAD
    assert (pictures[0].facts.title, pictures[0].facts.width) == ("A cat", 900)
    with_icon = read_page(page, URL, Wish(icons=True)).pictures
    assert with_icon[-1].ways[0][0] == "https://a.test/favicon.ico"


def test_data_written_by_hand_is_read_and_says_whose_picture_it_is() -> None:
    block = """<script type="application/ld+json"><!-- {"@graph": [ // people write this
      {"@type": "ImageObject", "contentUrl": "/full.jpg", "thumbnailUrl": "/small.jpg", "width": "900 px",
       "height": {"value": 600}, "license": {"@id": "https://l.test/by"}, "creator": [{"name": "A"}, {"name": "B"}],
       "caption": "Cat",},
      {"@type": "Product", "image": ["/p1.jpg", {"url": "/p2.jpg"}], "brand": {"logo": "/l.png"}, "thumbnailUrl": 5},
    ]} --></script><img src="/full.jpg">"""
    pictures = read(block).pictures
    facts = pictures[0].facts
    assert pictures[0].ways == [
        ("https://a.test/full.jpg", Kind.ORIGINAL), ("https://a.test/small.jpg", Kind.THUMBNAIL),
    ]  # fmt: skip
    assert (facts.license_url, facts.creator, facts.title, facts.height) == (
        "https://l.test/by", "A, B", "Cat", 600,
    )  # fmt: skip
    assert [one.ways[0][0][14:] for one in pictures[1:]] == ["/p1.jpg", "/p2.jpg", "/l.png"]
    assert pictures[0].tier == Tier.LEAD


def test_titles_and_licences_come_from_around_the_picture() -> None:
    body = (
        "<figure><img src='/a.jpg'><figcaption>A  tabby</figcaption></figure>"
        "<img src='/b.jpg' alt='Own'><a href='/c.jpg' title='Linked'><img src='/c-s.jpg'></a>"
        "<a rel='license nofollow' href='https://creativecommons.org/licenses/by/4.0/'>CC</a>"
    )
    pictures = read(body).pictures
    assert [one.facts.title for one in pictures] == ["A tabby", "Own", "Linked"]
    assert {one.facts.license_url for one in pictures} == {
        "https://creativecommons.org/licenses/by/4.0/"
    }


def test_a_resized_copy_stays_as_the_fall_back_and_can_be_kept_as_it_is() -> None:
    body = "<img src='https://a.test/wp-content/uploads/c-800x600.jpg'>"
    ways = read(body).pictures[0].ways
    assert ways == [
        ("https://a.test/wp-content/uploads/c.jpg", Kind.ORIGINAL),
        ("https://a.test/wp-content/uploads/c-800x600.jpg", Kind.ORIGINAL),
    ]
    assert best(body, upgrade=False) == ["/wp-content/uploads/c-800x600.jpg"]


def test_links_and_robots_words_are_read() -> None:
    page = (
        "<head><meta name='Robots' content='noindex, NoFollow'><meta name=googlebot content=noai>"
        "<link rel='next' href='?page=2'></head><body><a href='/x#top'>x</a>"
        "<a href='/y' rel='nofollow'>y</a><a href='mailto:a@b.c'>m</a><a rel='next' href='?page=2'>n</a></body>"
    )
    reading = read_page(page, URL)
    assert reading.robots == ["noindex, NoFollow"]
    assert reading.nofollow
    assert reading.links == ["https://a.test/x", "https://a.test/dir/page.html?page=2"]
    assert reading.following == ["https://a.test/dir/page.html?page=2"]


def test_renamed_classes_and_cut_pages_change_little(site: Playground) -> None:
    url = site.galleries.url("picture", "tabby cat")
    page = ask(url).body.decode()
    whole = [one.ways[0][0] for one in read_page(page, url).pictures]
    renamed = re.sub(r"(class|id)='[^']*'", r"\1='q7'", page)
    assert [one.ways[0][0] for one in read_page(renamed, url).pictures] == whole
    dice = random.Random(3)
    for _ in range(20):
        cut = page[: dice.randrange(len(page))]
        reading = read_page(cut, url).pictures
        found = [one.ways[0][0] for one in reading if one.tier is not Tier.TEXT]
        assert found[:-1] == whole[: max(0, len(found) - 1)]


HOSTILE = {
    "nested": "<div>" * 1_000_000,
    "figures": "<figure>" * 2900 + "<img src=a.jpg>" * 3000,
    "links": "<a href=a.jpg><img src=b.jpg>" * 40_000,
    "data": "<script type='application/ld+json'>" + '{"image":[' * 200_000 + "</script>",
    "css": "<style>" + "background:url(" * 300_000 + "</style>",
    "declarations": f"<style>{'background:' * 300_000}</style>",
    "state": "<script>window.__X=" + "\"'/" * 600_000 + "</script>",
    "text": "https://" * 400_000,
    "srcset": f"<img srcset='{'a (' * 300_000}'>",
    "attribute": f"<img data-x='{'.jpg 1' * 200_000}'>",
    "styles": "<i style='background:url(a.jpg)'></i>" * 30_000,
}


@pytest.mark.parametrize("name", sample(sorted(HOSTILE), 4))
def test_megabytes_of_malice_end_soon(name: str) -> None:
    started = time.process_time()
    read_page(HOSTILE[name], URL)
    assert time.process_time() - started < 4  # below one on an idle machine


_FRAGMENTS = st.sampled_from(
    ["<img ", "src='a.jpg'", "srcset='", "a.jpg 2x,", "'", ">", "<picture>", "</picture>", "<a href=b.png>",
     "<script type=application/ld+json>", '{"image":', '["x",{"@type":"ImageObject","url":5}]', "}", "</script>",
     "<style>", "url(", ")", "background:", "</style>", "<noscript>", "</noscript>", "<meta property=og:image content=",
     "http://[", "data:image/png;base64,", "\0", "\ud800", "<base href=//>", "<figure>", "<figcaption>", "&#0;"]
)  # fmt: skip


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_FRAGMENTS | st.text(max_size=5), max_size=40).map("".join))
def test_any_page_is_read_and_each_address_is_given_once(page: str) -> None:
    pictures = read_page(page, URL).pictures
    firsts = [picture.ways[0][0] for picture in pictures]
    assert len(firsts) == len(set(firsts))
    for picture in pictures:
        assert 1 <= len(picture.ways) <= 5
        assert all(
            url.lower().startswith(("http://", "https://", "data:image/"))
            for url, _ in picture.ways
        )
