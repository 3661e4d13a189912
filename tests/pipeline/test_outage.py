"""A search site in trouble is waited out by all its queries together; the clock jumps."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from msgspec import Struct, field

from pixtrawl.errors import FetchError, SourceStop
from pixtrawl.model import Reason, SourceOutcome
from pixtrawl.net.interface import Request, Response
from pixtrawl.net.source_http import SourceHttp
from pixtrawl.pipeline.discovery.breaker import Breaker
from pixtrawl.pipeline.scheduler.query_slots import QuerySlots
from pixtrawl.sources.walls import told_pause_s
from tests.clock import run_jumping

URL = "http://search.test/"


class SiteWithOutages(Struct):
    """Answers in 0.2 s, except in its outages (start and length in seconds)."""

    outages: tuple[tuple[float, float], ...]
    trouble: str = "503"  # or silent, refused, told
    headers: Mapping[str, str] = {}
    poison: str = "poison"  # a word in an address that is never answered well
    seen: list[tuple[float, bool]] = field(default_factory=list)

    async def transfer(self, request: Request, **_: Any) -> Response:
        """As the client's."""
        now = asyncio.get_running_loop().time()
        out = any(start <= now < start + length for start, length in self.outages)
        self.seen.append((now, out))
        if not out and self.poison not in request.url:
            await asyncio.sleep(0.2)
            return Response(url=request.url, status=200, headers={}, body=b"page")
        if self.trouble == "silent":
            await asyncio.sleep(8)
            raise FetchError(Reason.FIRST_BYTE_TIMEOUT)
        if self.trouble == "refused":
            raise FetchError(Reason.CONNECT_FAILED)
        await asyncio.sleep(0.05)
        status = 429 if self.trouble == "told" else 503
        return Response(url=request.url, status=status, headers=self.headers)

    @property
    def asked_in_trouble(self) -> int:
        return sum(out for _, out in self.seen)


def guarded(site: SiteWithOutages, patience_s: float = 900.0) -> tuple[SourceHttp, Breaker]:
    clock = asyncio.get_running_loop().time
    breaker = Breaker(clock, patience_s=patience_s, stated_pause_s=told_pause_s)
    return SourceHttp(site, guard=breaker), breaker  # type: ignore[arg-type]


async def ask(site: SiteWithOutages, queries: Iterable[str], **more: Any) -> list[object]:
    """Five pages for each query, 32 queries at once: status of the last answer, or the failure."""
    http, breaker = guarded(site, **more)
    slots = QuerySlots()

    async def one(query: str) -> object:
        async with slots.place():
            for page in range(5):
                response = await http.get(f"{URL}?q={query}&page={page}")
                if response.status != 200:
                    breaker.note(SourceStop(SourceOutcome.BLOCKED), found=0)
                    return response.status
                await asyncio.sleep(3)  # its pictures
            return 200

    return await asyncio.gather(*(one(query) for query in queries), return_exceptions=True)


@pytest.mark.parametrize("trouble", ["503", "silent", "refused"])
def test_three_outages_cost_no_query(trouble: str) -> None:
    site = SiteWithOutages(((10, 30), (90, 60), (200, 120)), trouble)
    ends = run_jumping(ask(site, [f"cat {n}" for n in range(300)]))
    assert ends == [200] * 300
    # of each outage: what was under way at once, then single probes with growing rests between
    assert site.asked_in_trouble <= 3 * (32 + 10)


def test_an_outage_longer_than_the_patience_ends_every_query_and_not_before() -> None:
    site = SiteWithOutages(((10, 10**9),), "refused")

    async def main() -> tuple[list[object], float]:
        ends = await ask(site, [f"cat {n}" for n in range(300)])
        return ends, asyncio.get_running_loop().time()

    ends, took_s = run_jumping(main())
    assert all(isinstance(end, FetchError) for end in ends)
    assert 905 < took_s < 975
    assert site.asked_in_trouble <= 32 + 40


def test_a_site_that_never_answered_ends_them_after_half_a_minute() -> None:
    site = SiteWithOutages(((0, 10**9),), "refused")

    async def main() -> tuple[list[object], float, dict[str, str]]:
        http, breaker = guarded(site)
        ends = await asyncio.gather(
            *(http.get(f"{URL}{n}") for n in range(40)), return_exceptions=True
        )
        error = ends[0]
        assert isinstance(error, FetchError)
        return list(ends), asyncio.get_running_loop().time(), breaker.explain(error)

    ends, took_s, said = run_jumping(main())
    assert all(isinstance(end, FetchError) for end in ends)
    assert took_s == pytest.approx(30, abs=0.1)
    assert "doctor" in said["next_step"]


@pytest.mark.parametrize("trouble", ["silent", "refused"])
def test_no_patience_means_no_wait(trouble: str) -> None:
    site = SiteWithOutages(((0, 10**9),), trouble)
    ends = run_jumping(ask(site, ["cat"], patience_s=0.0))
    assert isinstance(ends[0], FetchError)
    assert len(site.seen) == 1


@pytest.mark.parametrize(("told", "waited"), [("3", True), ("899", True), ("901", False)])
def test_a_stated_pause_is_a_wait_within_the_patience_and_a_refusal_beyond(
    told: str, waited: bool
) -> None:
    site = SiteWithOutages(((0, 1),), "told", {"retry-after": told})
    ends = run_jumping(ask(site, [f"cat {n}" for n in range(5)]))
    times = [now for now, _ in site.seen]
    if waited:
        assert ends == [200] * 5
        assert min(now for now in times if now > 1) >= float(told)
        assert site.asked_in_trouble == 5  # all at once, before the first was refused
    else:
        assert set(map(str, ends)) == {"429"}
        assert len(times) == 5


def test_a_query_that_fails_by_itself_ends_alone_and_soon() -> None:
    site = SiteWithOutages(())

    async def main() -> tuple[list[object], float]:
        http, _ = guarded(site)

        async def one(query: str) -> object:
            for page in range(60):
                response = await http.get(f"{URL}?q={query}&page={page}")
                if response.status != 200:
                    return response.status
                await asyncio.sleep(1)
            return 200

        began = asyncio.get_running_loop().time()
        poisoned = asyncio.create_task(one("poison"))
        others = [asyncio.create_task(one(f"cat {n}")) for n in range(5)]
        end = await poisoned
        took_s = asyncio.get_running_loop().time() - began
        return [end, *await asyncio.gather(*others)], took_s

    ends, took_s = run_jumping(main())
    assert ends == [503, *[200] * 5]
    assert took_s < 30


def test_a_query_that_has_enough_from_elsewhere_waits_no_longer() -> None:
    site = SiteWithOutages(((0, 10**9),), "told", {"retry-after": "600"})

    async def main() -> float:
        http, _ = guarded(site)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(7):  # as a query that is met ends its asking
                await http.get(URL)
        return asyncio.get_running_loop().time()

    assert run_jumping(main()) == 7


def test_a_cancelled_wait_ends_at_once_and_another_query_tries_the_source() -> None:
    site = SiteWithOutages(((0, 30),), "silent")

    async def main() -> tuple[float, object]:
        http, _ = guarded(site)
        first = asyncio.create_task(http.get(URL))
        await asyncio.sleep(8.5)
        second = asyncio.create_task(http.get(URL))
        await asyncio.sleep(1)
        assert not first.done()
        first.cancel()
        before = asyncio.get_running_loop().time()
        await asyncio.gather(first, return_exceptions=True)
        return asyncio.get_running_loop().time() - before, (await second).status

    assert run_jumping(main()) == (0, 200)


def test_queries_that_step_aside_leave_their_places_to_others() -> None:
    async def main() -> list[str]:
        slots, log = QuerySlots(at_once=1, most_aside=1), []

        async def one(name: str, aside: bool) -> None:
            async with slots.place() as place:
                log.append(name)
                if aside:
                    place.step_aside()
                    place.step_aside()
                await asyncio.sleep(10)
                log.append(f"{name} ends")

        await asyncio.gather(one("a", True), one("b", True), one("c", False))
        async with slots.place():
            log.append("d")
        return log

    assert run_jumping(main()) == ["a", "b", "a ends", "b ends", "c", "c ends", "d"]
