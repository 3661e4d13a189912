"""Crawling over HTTP: robots.txt, excluded hosts and the pace, on every hop."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from pixtrawl.config.groups import Politeness
from pixtrawl.errors import FetchError
from pixtrawl.model import Reason
from pixtrawl.net.client import Client
from pixtrawl.net.crawl_http import CrawlHttp
from pixtrawl.net.fetcher import Fetcher
from pixtrawl.net.hosts.accounts import HostAccounts
from pixtrawl.net.interface import Request


def get(fetch: Any, *urls: str, delay_s: float = 0.0, **politeness: Any) -> list[Any]:
    async def main() -> list[Any]:
        client = Client(fetch())
        hosts = HostAccounts(client, Politeness(**politeness), fetch())
        http = CrawlHttp(hosts, delay_s=delay_s)
        try:
            results: list[Any] = []
            for url in urls:
                try:
                    results.append(await http.get(url))
                except FetchError as error:
                    results.append(error.reason)
            return results
        finally:
            await hosts.aclose()
            await client.aclose()

    return asyncio.run(main())


@pytest.fixture
def site(server: Any) -> Any:
    server.route("/robots.txt", 200, body=b"User-agent: pixtrawl\nDisallow: /private")
    server.route("/open", 200, body=b"open")
    server.route("/private", 200, body=b"private")
    server.route("/moved", 302, Location="/private")
    return server


def test_robots_txt_governs_every_hop_and_is_asked_once(site: Any, settings: Any) -> None:
    found = get(settings, site.url("/open"), site.url("/private"), site.url("/moved"))
    assert found[0].body == b"open"
    assert found[1:] == [Reason.ROBOTS_TXT, Reason.ROBOTS_TXT]


def test_the_user_may_ignore_robots(site: Any, settings: Any) -> None:
    found = get(settings, site.url("/moved"), ignore_robots=True)
    assert found[0].body == b"private"


def test_excluded_hosts_are_never_asked(site: Any, settings: Any) -> None:
    assert get(settings, site.url("/open"), exclude_host=("127.0.0.1",)) == [Reason.HOST_EXCLUDED]


def test_requests_to_one_host_keep_their_distance(site: Any, settings: Any) -> None:
    async def main() -> float:
        client = Client(settings())
        hosts = HostAccounts(client, Politeness(), settings())
        http = CrawlHttp(hosts, delay_s=0.15)
        started = asyncio.get_running_loop().time()
        try:
            await asyncio.gather(*(http.get(site.url("/open")) for _ in range(3)))
        finally:
            await hosts.aclose()
            await client.aclose()
        return asyncio.get_running_loop().time() - started

    assert asyncio.run(main()) >= 0.3


def test_a_host_that_is_crawled_and_downloaded_from_has_one_account(
    server: Any, settings: Any
) -> None:
    server.route("/robots.txt", 200, body=b"User-agent: *\nDisallow: /no\nSitemap: http://x/s.xml")
    server.route("*", 200, body=b"body")
    at: list[float] = []
    transfer = Client.transfer

    async def timed(client: Client, request: Request, **more: Any) -> Any:
        at.append(asyncio.get_running_loop().time())
        return await transfer(client, request, **more)

    async def main() -> str:
        fetch = settings()
        client = Client(fetch)
        politeness = Politeness(delay_s=0.1)
        hosts = HostAccounts(client, politeness, fetch)
        http = CrawlHttp(hosts)
        fetcher = Fetcher(client, politeness, fetch, hosts=hosts)
        try:
            await asyncio.gather(
                *(http.get(server.url(f"/page{n}")) for n in range(3)),
                *(fetcher.fetch(Request(url=server.url(f"/file{n}"))) for n in range(3)),
            )
            with pytest.raises(FetchError, match="robots"):
                await fetcher.fetch(Request(url=server.url("/no/file")))
            return (await http.get(server.url("/robots.txt"))).text
        finally:
            await hosts.aclose()
            await client.aclose()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "transfer", timed)
        assert "Sitemap:" in asyncio.run(main()), "sitemaps are read from the one answer"
    assert [request.target for request in server.seen].count("/robots.txt") == 1
    assert len(at) == 8  # robots.txt and tdmrep.json once each
    assert all(later - earlier >= 0.09 for earlier, later in pairwise(at))


def test_an_address_held_by_a_file_is_held_for_pages(server: Any, settings: Any) -> None:
    server.route("/robots.txt", 404)
    server.route("/x", 429, Retry_After="3600")

    async def main() -> None:
        fetch = settings(retries=0)
        client = Client(fetch)
        hosts = HostAccounts(client, Politeness(), fetch)
        fetcher = Fetcher(client, Politeness(), fetch, hosts=hosts)
        try:
            with pytest.raises(FetchError):
                await fetcher.fetch(Request(url=server.url("/x")))
            with pytest.raises(FetchError):
                await CrawlHttp(hosts).get(server.url("/x"))
        finally:
            await hosts.aclose()
            await client.aclose()

    asyncio.run(main())
    assert [request.target for request in server.seen].count("/x") == 1
