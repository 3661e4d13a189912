"""Originals out of pages of every form, by a real Chromium."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import pytest
from tests.matrices import matrix, slow

from pixtrawl.model import Kind
from pixtrawl.playground import Playground

if TYPE_CHECKING:
    from tests.sources.google.conftest import Desk

pytestmark = pytest.mark.browser

WHOLE = ["2020", "2024", "escaped", "2026", "hover", "context", "scroll", "virtual", "more"]


@pytest.mark.parametrize("form", matrix(WHOLE, "2026", "more"))
def test_every_original_is_found_with_size_page_and_title(desk: Desk, form: str) -> None:
    asked = desk.ask(form)
    items = desk.site.items(form, "tabby cat")
    assert asked.stop is None
    found = {c.url: (c.width, c.height, c.page_url, c.title, c.kind) for c in asked.candidates}
    assert found == {i.url: (i.width, i.height, i.page, i.title, Kind.ORIGINAL) for i in items}
    ranks = [c.rank for c in asked.candidates]
    assert sorted(ranks) == list(range(1, len(items) + 1))
    assert asked.pages[-1].position == {"rank": len(items)}


def test_thumbnails_of_deferred_tiles_tie_tile_and_record(desk: Desk) -> None:
    asked = desk.ask("deferred")
    items = {i.url: i for i in desk.site.items("deferred", "tabby cat")}
    assert {c.url: (c.title, c.thumb_url) for c in asked.candidates} == {
        u: (i.title, i.thumb) for u, i in items.items()
    }


@pytest.mark.parametrize("form", ["click", slow("panel")])
def test_a_click_gives_the_original_the_page_and_the_title(desk: Desk, form: str) -> None:
    asked = desk.ask(form)
    items = desk.site.items(form, "tabby cat")
    assert [(c.url, c.page_url, c.title) for c in asked.candidates] == [
        (i.url, i.page, i.title) for i in items
    ]


def test_a_request_after_a_click_is_enough_where_the_page_never_shows_the_picture(
    desk: Desk,
) -> None:
    asked = desk.ask("request")
    items = desk.site.items("request", "tabby cat")
    assert [unquote(c.url) for c in asked.candidates] == [
        unquote(i.url).partition("#")[0] for i in items
    ]


def test_clicks_are_bounded_and_what_is_left_is_given_as_thumbnails(desk: Desk) -> None:
    asked = desk.ask("request", click_limit="3", scroll_passes="2")
    assert [c.kind for c in asked.candidates] == [Kind.ORIGINAL] * 3 + [Kind.THUMBNAIL] * 5
    assert asked.stop is None


@pytest.mark.slow
@pytest.mark.timeout(120)  # 150 s with 1.5 s a click; about 8 s on an idle machine
def test_ten_keywords_with_ten_urls_each_by_clicks_alone_in_one_browser(desk: Desk) -> None:
    async def all_of_them() -> int:
        google = desk.google(desk.site.base("click"))
        asked = await asyncio.gather(*(desk.asking(google, f"keyword {n}", 10) for n in range(10)))
        return sum(len(one.candidates) >= 10 for one in asked)

    assert desk.runner.run(all_of_them()) == 10


@pytest.mark.parametrize("layout", matrix(["scripts", "hover", "mixed", "2021"], "mixed"))
def test_another_authors_page_is_read_as_well(desk: Desk, layout: str) -> None:
    with Playground(supply=45) as playground:
        asked = desk.ask(f"{playground.url}/random-classes/{layout}", "quiet lake")
        truth = {e.url: (e.page_url, e.title) for e in playground.expected("quiet lake")}
        assert asked.stop is None
        assert {c.url: (c.page_url, c.title) for c in asked.candidates} == truth
        assert playground.requests_to("/photo/") == []  # no picture was loaded on the way
        assert playground.requests_to("q=tbn") == []
        assert playground.errors == []


def test_queries_are_encoded_and_filters_reach_the_server(desk: Desk) -> None:
    desk.ask("2024", "C# & größe", enough=1)
    assert any(f"q={quote('C# & größe')}&udm=2" in hit for hit in desk.site.hits)
