"""Fetching politely: robots, opt-outs, exclusions and the slots of hosts."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.net.fetchers import failed, fetch_one, with_fetcher

from pixtrawl.config.groups import Politeness
from pixtrawl.model import Reason
from pixtrawl.net.fetcher import Fetched, Fetcher
from pixtrawl.net.interface import Request

# -- robots --------------------------------------------------------------------------------------


def test_robots_txt_is_asked_once_and_obeyed(server: Any, settings: Any, staging: Path) -> None:
    server.route("/robots.txt", body=b"User-agent: *\nDisallow: /private/\n")
    server.route("/a", body=b"x")

    async def use(fetcher: Fetcher) -> list[Any]:
        urls = [server.url("/private/x"), *[server.url("/a")] * 5]
        return await asyncio.gather(
            *(fetcher.fetch(Request(url=u), stage_as=f"f{i}") for i, u in enumerate(urls)),
            return_exceptions=True,
        )

    results = with_fetcher(settings(), use, staging)
    assert results[0].reason is Reason.ROBOTS_TXT
    assert all(isinstance(result, Fetched) for result in results[1:])
    assert server.paths().count("/robots.txt") == 1
    assert "/private/x" not in server.paths()


def test_robots_hold_on_the_hop_too(
    server: Any, other_server: Any, settings: Any, staging: Path
) -> None:
    other_server.route("/robots.txt", body=b"User-agent: pixtrawl\nDisallow: /\n")
    url = server.route("/a", 302, Location=other_server.url("/b"))
    error = failed(settings(), url, staging)
    assert (error.reason, error.final_url) == (Reason.ROBOTS_TXT, other_server.url("/b"))
    assert other_server.paths() == ["/robots.txt"]


@pytest.mark.parametrize(
    ("status", "asked"), [(404, True), (403, True), (401, True), (500, False), (503, False)]
)
def test_what_a_missing_robots_txt_means(
    server: Any, settings: Any, staging: Path, status: int, asked: bool
) -> None:
    server.route("/robots.txt", status, Retry_After="0")
    url = server.route("/a", body=b"x")
    if asked:
        assert fetch_one(settings(), url, staging).response.size_bytes == 1
    else:
        assert failed(settings(), url, staging).reason is Reason.ROBOTS_UNAVAILABLE
        assert server.paths() == ["/robots.txt", "/robots.txt"]


def test_robots_txt_may_move(server: Any, settings: Any, staging: Path) -> None:
    server.route("/robots.txt", 301, Location="/r2")
    server.route("/r2", body=b"User-agent: *\nDisallow: /\n")
    url = server.route("/a", body=b"x")
    assert failed(settings(), url, staging).reason is Reason.ROBOTS_TXT


def test_robots_can_be_left_out(server: Any, settings: Any, staging: Path) -> None:
    server.route("/robots.txt", body=b"User-agent: *\nDisallow: /\n")
    url = server.route("/a", body=b"x", X_Robots_Tag="noai")
    fetch_one(settings(), url, staging, Politeness(ignore_robots=True))
    (staging / "a").unlink()
    fetch_one(settings(), url, staging, robots=False)
    assert "/robots.txt" not in server.paths()


def test_an_opt_out_header_ends_it_before_the_body(
    server: Any, settings: Any, staging: Path
) -> None:
    def handler(connection: Any) -> None:
        connection.send(
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nX-Robots-Tag: otherbot: all\r\n"
            b"X-Robots-Tag: noimageai\r\n\r\n"
        )
        connection.stop.wait(20)

    error = failed(settings(), server.on("/a", handler), staging)
    assert (error.reason, error.attempts) == (Reason.ROBOTS_HEADER, 1)


# -- hosts ---------------------------------------------------------------------------------------


def test_an_excluded_host_is_never_asked(server: Any, settings: Any, staging: Path) -> None:
    url = server.route("/a", body=b"x")
    error = failed(settings(), url, staging, Politeness(exclude_host=("127.0.0.1",)))
    assert error.reason is Reason.HOST_EXCLUDED
    assert server.connections == 0


def test_a_host_that_fails_to_connect_twice_is_out(settings: Any, staging: Path) -> None:
    async def use(fetcher: Fetcher) -> list[Any]:
        first, second = (Request(url=f"http://127.0.0.1:1/{n}") for n in "ab")
        one = await asyncio.gather(fetcher.fetch(first, stage_as="a"), return_exceptions=True)
        two = await asyncio.gather(fetcher.fetch(second, stage_as="b"), return_exceptions=True)
        return [*one, *two]

    first, second = with_fetcher(settings(), use, staging)
    assert (first.reason, first.attempts) == (Reason.CONNECT_FAILED, 2)
    assert (second.reason, second.attempts) == (Reason.HOST_OUT, 1)


def test_one_host_gets_no_more_than_its_slots(server: Any, settings: Any, staging: Path) -> None:
    running: list[int] = []
    most: list[int] = []

    def handler(connection: Any) -> None:
        running.append(1)
        most.append(len(running))
        connection.stop.wait(0.03)
        running.pop()
        connection.reply(200, b"x")

    server.on("*", handler)

    async def use(fetcher: Fetcher) -> None:
        await asyncio.gather(
            *(
                fetcher.fetch(Request(url=server.url(f"/{i}")), stage_as=f"f{i}", robots=False)
                for i in range(12)
            )
        )

    with_fetcher(settings(), use, staging, Politeness(per_host=3))
    assert max(most) == 3


def test_a_silent_host_costs_only_its_own_slot(
    server: Any, other_server: Any, settings: Any, staging: Path
) -> None:
    server.on("*", lambda connection: connection.stop.wait(600))
    other_server.route("*", body=b"x")

    async def use(fetcher: Fetcher) -> int:
        silent = [
            asyncio.create_task(fetcher.fetch(Request(url=server.url(f"/{i}")), robots=False))
            for i in range(20)
        ]
        while not server.seen:
            await asyncio.sleep(0.005)
        await asyncio.gather(
            *(
                fetcher.fetch(Request(url=other_server.url(f"/{i}")), robots=False)
                for i in range(20)
            )
        )
        waiting = sum(not task.done() for task in silent)
        for task in silent:
            task.cancel()
        await asyncio.gather(*silent, return_exceptions=True)
        return waiting

    assert with_fetcher(settings(), use, staging) == 20


def test_a_data_url_needs_no_slot_and_no_robots(settings: Any, staging: Path) -> None:
    fetched = fetch_one(settings(), "data:image/png;base64,AAEC", staging)
    assert (fetched.response.size_bytes, fetched.attempts) == (3, 1)
    (staging / "a").unlink()
    assert failed(settings(), "data:image/png;base64,", staging).reason is Reason.EMPTY_BODY
