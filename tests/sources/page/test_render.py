"""A page that loads more while it is scrolled, read by way of a real browser."""

from __future__ import annotations

import asyncio
import shutil

import pytest

from pixtrawl.config.groups import Fetch, Politeness
from pixtrawl.model import Query, SourceOutcome
from pixtrawl.net.client import Client
from pixtrawl.net.crawl_http import CrawlHttp
from pixtrawl.net.hosts.accounts import HostAccounts
from pixtrawl.playground import Playground
from pixtrawl.sources.contract import Ending, Replay, answer, ask
from pixtrawl.sources.page.source import WebPage

SHELL = shutil.which("chromium-headless-shell") or shutil.which("chromium")


@pytest.mark.browser
def test_an_endless_list_is_scrolled_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    if SHELL is None:
        pytest.skip("no Chromium on this computer")
    monkeypatch.setenv("PIXTRAWL_CHROME", SHELL)

    async def crawl(url: str) -> Ending:
        fetch = Fetch(allow_address=("127.0.0.0/8",))
        client = Client(fetch)
        hosts = HostAccounts(client, Politeness(), fetch)
        source = WebPage({"render": "true"})
        source.set_network(fetch)
        try:
            return await ask(source, CrawlHttp(hosts), Query(url, "x"))
        finally:
            await source.aclose()
            await hosts.aclose()
            await client.aclose()

    with Playground(supply=35) as site:
        ending = asyncio.run(crawl(site.galleries.url("scroll", "tabby cat")))
        truth = [
            one for page in range(1, 5) for one in site.galleries.truth("scroll", "tabby cat", page)
        ]
    assert [one.url for one in ending.candidates] == truth
    assert len(truth) == 35


def test_without_a_browser_the_outcome_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXTRAWL_CHROME", "/nowhere/at/all")
    source = WebPage({"render": "true"})
    page = answer("<!doctype html><html><body><img src='/a.jpg'></body></html>")
    ending = asyncio.run(ask(source, Replay(page), Query("https://a.test/", "x")))
    assert ending.outcome is SourceOutcome.BROWSER_MISSING
    assert ending.stop is not None
    assert ending.stop.detail["next_step"]
