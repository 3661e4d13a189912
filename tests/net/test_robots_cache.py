"""The cache of robots.txt: bounded, asked once, and never in the way of the event loop."""

from __future__ import annotations

import asyncio
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable, Coroutine
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st
from tests.clock import run_jumping

from pixtrawl.errors import FetchError
from pixtrawl.model import Reason
from pixtrawl.net.interface import Request, Response
from pixtrawl.net.robots.cache import ReadAnswer, RobotsCache
from pixtrawl.net.robots.exclusion import ROBOTS_MAX_BYTES, parse_robots
from pixtrawl.net.robots.rules import AgentRules
from pixtrawl.net.robots.store import RobotsStore

HOSTILE = ("User-agent: *\n" + "".join(f"Disallow: *~{n}\n" for n in range(40_000))).encode()[
    :ROBOTS_MAX_BYTES
]
Answer = tuple[int, dict[str, str], bytes]


class Web:
    """Answers for robots.txt of any host, and how often each was asked and when."""

    def __init__(self, answer: Callable[[str], Answer]) -> None:
        self.answer = answer
        self.asked: Counter[str] = Counter()
        self.at: list[float] = []

    async def send(self, request: Request, read: ReadAnswer) -> Response:
        self.asked[request.url] += 1
        self.at.append(asyncio.get_running_loop().time())
        status, headers, body = self.answer(request.url)
        response = Response(
            url=request.url, status=status, headers=headers, body=body, size_bytes=len(body)
        )
        await read(response)
        return response


def with_cache(
    web: Web,
    use: Callable[[RobotsCache], Coroutine[Any, Any, Any]],
    *,
    folder: Path | None = None,
    run: Callable[[Any], Any] = asyncio.run,
    **sizes: int,
) -> Any:
    async def main() -> Any:
        cache = RobotsCache(
            web.send,
            RobotsStore(folder, **sizes),
            max_crawl_delay_s=60,
            paced=lambda _account, _delay_s: None,
        )
        try:
            return await use(cache)
        finally:
            await cache.aclose()

    return run(main())


async def reason_of(cache: RobotsCache, url: str) -> Reason | None:
    try:
        await cache.check(url)
    except FetchError as error:
        return error.reason
    return None


def test_memory_does_not_grow_with_hostile_hosts_and_none_is_asked_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pixtrawl.net.robots.cache._READY_BYTES", 100_000)
    web = Web(lambda _url: (200, {}, HOSTILE[:30_000]))

    async def use(cache: RobotsCache) -> tuple[int, int]:
        held = []
        for count in (6, 12):
            for host in range(count):
                assert await reason_of(cache, f"http://h{host}.test/a~7") is Reason.ROBOTS_TXT
            held.append(tracemalloc.get_traced_memory()[0])
        return held[0], held[1]

    tracemalloc.start()
    try:
        small, large = with_cache(web, use, folder=tmp_path, memory_bytes=50_000)
    finally:
        tracemalloc.stop()
    assert large - small < 60_000  # six hosts more, whose files have 180,000 bytes
    assert large < 2**20
    assert set(web.asked.values()) == {1}
    assert list(tmp_path.iterdir()) == []  # the file has no name


def test_a_host_beyond_the_room_for_rules_is_reported_so_and_not_asked_again() -> None:
    web = Web(lambda url: (200, {}, b"User-agent: *\nDisallow: /" + url.encode() * 300))

    async def use(cache: RobotsCache) -> list[Reason | None]:
        return [await reason_of(cache, f"http://h{host}.test/a") for host in (*range(30), 29, 0)]

    reasons = with_cache(web, use, memory_bytes=1000, file_bytes=2000)
    assert reasons[0] is reasons[-1] is None
    assert reasons[29] is reasons[30] is Reason.ROBOTS_UNAVAILABLE
    assert set(web.asked.values()) == {1}


def test_a_long_path_against_many_rules_does_not_block_the_loop() -> None:
    web = Web(lambda _url: (200, {}, HOSTILE))
    url = "http://h.test/" + "~a" * 30_000

    async def use(cache: RobotsCache) -> tuple[int, Reason | None]:
        await cache.check("http://h.test/")
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0.001)
                turns += 1

        working = asyncio.create_task(others())
        reason = await reason_of(cache, url)
        working.cancel()
        return turns, reason

    turns, reason = with_cache(web, use)
    assert reason is None
    assert turns, "others have turns while it is matched (30 when idle); none if it held the loop"


def test_threads_take_short_turns_only_while_rules_are_worked_on() -> None:
    usual_s = sys.getswitchinterval()
    seen: list[float] = []

    def answer(_url: str) -> Answer:
        seen.append(sys.getswitchinterval())
        return 200, {}, HOSTILE[:40_000]

    async def use(cache: RobotsCache) -> None:
        task = asyncio.create_task(cache.check("http://h.test/a"))
        while not task.done():
            seen.append(sys.getswitchinterval())
            await asyncio.sleep(0)
        await task

    with_cache(Web(answer), use)
    assert min(seen) < usual_s / 10
    assert seen[0] == sys.getswitchinterval() == usual_s


def test_a_host_whose_rules_cost_too_much_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pixtrawl.net.robots.cache._HOST_CHECKS_S", 0.0)
    web = Web(lambda _url: (200, {}, HOSTILE))

    async def use(cache: RobotsCache) -> list[Reason | None]:
        urls = ["http://h.test/" + "a" * 60_000 + str(n) for n in range(3)]
        return [await reason_of(cache, url) for url in urls]

    assert with_cache(web, use) == [None, Reason.ROBOTS_UNAVAILABLE, Reason.ROBOTS_UNAVAILABLE]


def test_agents_times_rules_cost_no_more_than_the_file() -> None:
    agents = "".join(f"User-agent: a{n}\n" for n in range(15_000))
    content = agents + "User-agent: *\n" + "Disallow: /a\n" * 15_000 + "Disallow: /b\n"
    tracemalloc.start()
    try:
        rules = parse_robots(content)
        assert not rules.allows("/b")
        assert tracemalloc.get_traced_memory()[1] < 40 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("status", [429, 200])
def test_a_robots_txt_that_answers_429_is_asked_once_a_pause(status: int) -> None:
    web = Web(lambda _url: (429, {"retry-after": "5"}, b""))

    async def use(cache: RobotsCache) -> list[Reason | None]:
        reasons = []
        for step in range(200):  # ten seconds
            if step == 150 and status == 200:
                web.answer = lambda _url: (200, {}, b"User-agent: *\nDisallow: /no\n")
            reasons.append(await reason_of(cache, f"http://h.test/{step}"))
            await asyncio.sleep(0.05)
        return reasons

    reasons = with_cache(web, use, run=run_jumping)
    assert len(web.at) == 2
    assert web.at[1] - web.at[0] >= 5
    assert reasons[0] is reasons[99] is Reason.RATE_LIMITED


def test_without_a_stated_pause_the_pauses_of_a_429_grow() -> None:
    web = Web(lambda _url: (429, {}, b""))

    async def use(cache: RobotsCache) -> None:
        for _ in range(1000):
            assert await reason_of(cache, "http://h.test/x") is Reason.RATE_LIMITED
            await asyncio.sleep(0.1)

    with_cache(web, use, run=run_jumping)
    gaps = [later - earlier for earlier, later in pairwise(web.at)]
    assert len(web.at) <= 8  # in a hundred seconds
    assert all(later > 1.5 * earlier for earlier, later in pairwise(gaps[:5]))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Crawl-delay: 60", None),
        ("Crawl-delay: 61", Reason.CRAWL_DELAY),
        ("crawl-delay:86400", Reason.CRAWL_DELAY),
        ("Crawl-delay: 0.5", None),
        ("Crawl-delay: soon", None),
        ("Crawl-delay: -5", None),
        ("Crawl-delay: 1e99", None),
        ("User-agent: other\nCrawl-delay: 100", None),
        ("Disallow: /x\nCrawl-delay: 100", Reason.CRAWL_DELAY),
        ("Crawl-delay: 1\nCrawl-delay: 100", Reason.CRAWL_DELAY),
    ],
)
def test_a_crawl_delay_beyond_the_bound_is_reported(line: str, reason: Reason | None) -> None:
    web = Web(lambda _url: (200, {}, f"User-agent: *\nAllow: /\n{line}\n".encode()))
    assert with_cache(web, lambda cache: reason_of(cache, "http://h.test/a")) is reason


def test_the_file_is_read_back_as_it_came() -> None:
    content = b"User-agent: *\nDisallow: /x # why\nSitemap: http://h.test/s.xml\n\xff"
    web = Web(lambda _url: (200, {}, content))

    async def use(cache: RobotsCache) -> bytes:
        await cache.check("http://h.test/a")
        for host in range(50):
            await cache.check(f"http://{host}.test/a")
        return (await cache.answer("http://h.test/robots.txt")).body

    assert with_cache(web, use, memory_bytes=500) == content
    assert set(web.asked.values()) == {1}


_LINE = st.builds(
    "{}: {}".format,
    st.sampled_from(["Allow", "Disallow", "Crawl-delay", "Content-Signal", "Content-Usage"]),
    st.text("/a*$%2F~. é\\", max_size=8),
)


@given(st.lists(_LINE, max_size=12), st.text("/a%2F~. é$", max_size=12))
def test_packed_rules_say_the_same(lines: list[str], path: str) -> None:
    rules = parse_robots("\n".join(["User-agent: *", *lines])).of()
    again = AgentRules.unpacked(rules.packed())
    assert again.allows("/" + path) is rules.allows("/" + path)
    assert (again.records, again.crawl_delay_s) == (rules.records, rules.crawl_delay_s)


def test_lines_of_preferences_are_handed_on_for_the_agents_they_are_for() -> None:
    content = (
        "Content-Signal: search=no\n"  # before any group: for everyone, unlike rules
        "User-agent: other\nContent-Usage: train-ai=y\n"
        "User-agent: *\nNoise: 1\nContent-Signal: ai-train=no, search=yes\n"
        "Allow: /\nContent-Usage: /pictures/ train-ai=n\n"
    )
    assert parse_robots(content).of().records == (
        ("content-signal", "search=no"),
        ("content-signal", "ai-train=no, search=yes"),
        ("content-usage", "/pictures/ train-ai=n"),
    )


@pytest.mark.parametrize("noise", ["Noise: 1", "Sitemap: http://x/s", "Crawl-delay: 3", "", "# no"])
def test_a_line_of_another_kind_ends_no_group(noise: str) -> None:
    before = f"User-agent: pixtrawl\n{noise}\nUser-agent: other\nDisallow: /x\n"
    between = f"User-agent: pixtrawl\n{noise}\nDisallow: /a\n{noise}\nDisallow: /x\n"
    assert not parse_robots(before).allows("/x")
    assert not parse_robots(between).allows("/x")
