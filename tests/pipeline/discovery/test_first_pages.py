"""Several sources asked for one query: their first pages mixed, nobody waited for in vain."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pixtrawl.catalog import frontier, run_log
from pixtrawl.catalog.database import Catalog
from pixtrawl.errors import SourceStop
from pixtrawl.events import Event, SourceFinished, SourceRests
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.evidence import EvidenceStore
from pixtrawl.model import Candidate, Query, SourceOutcome
from pixtrawl.pipeline.discovery.breakers import Breakers
from pixtrawl.pipeline.discovery.discovery import Discovery, DiscoveryTask
from pixtrawl.pipeline.discovery.first_pages import FirstPages
from pixtrawl.pipeline.scheduler.demand import Demand
from pixtrawl.sources.base import Page, Source, SourceContext, SourceInfo

QUERY = Query("cat", "cat", 100)


def page_of(source: str, count: int, begin: int = 1) -> tuple[Candidate, ...]:
    return tuple(
        Candidate(
            url=f"https://{source}.example/{rank}.jpg", query="cat", label="cat", source=source,
            rank=rank,
        )
        for rank in range(begin, begin + count)
    )  # fmt: skip


class Told:
    """Adds to a list; a URL that came before is not new."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self._seen: set[str] = set()

    async def add(self, candidates: Sequence[Candidate]) -> list[int]:
        self.batches.append([one.url for one in candidates])
        new = []
        for one in candidates:
            new.append(int(one.url not in self._seen))
            self._seen.add(one.url)
        return new


def sources_of(batch: list[str]) -> list[str]:
    return [url.split("//")[1].split(".")[0] for url in batch]


def test_first_pages_are_mixed_by_rank_and_each_source_learns_its_own_count() -> None:
    told = Told()

    async def main() -> list[int]:
        pages = FirstPages(("a", "b", "c"), told.add, grace_s=5.0)
        shared = page_of("a", 3)[0]
        return list(
            await asyncio.gather(
                pages.add("b", page_of("b", 2)),
                pages.add("a", page_of("a", 3)),
                pages.add("c", (*page_of("c", 1), shared)),
            )
        )

    assert asyncio.run(main()) == [2, 3, 1]
    (batch,) = told.batches
    assert sources_of(batch) == ["a", "b", "c", "a", "b", "a", "a"]


def test_a_source_without_a_page_and_a_silent_one_are_not_waited_for() -> None:
    told = Told()

    async def main() -> float:
        started = time.perf_counter()
        pages = FirstPages(("a", "b", "silent", "blocked"), told.add, grace_s=0.2)
        pages.ended("blocked")
        await asyncio.gather(pages.add("a", page_of("a", 2)), pages.add("b", page_of("b", 2)))
        waited = time.perf_counter() - started
        assert await pages.add("silent", page_of("silent", 3)) == 3
        assert await pages.add("a", page_of("a", 2, begin=3)) == 2
        return waited

    assert asyncio.run(main()) > 0.15
    assert [sources_of(batch) for batch in told.batches] == [
        ["a", "b", "a", "b"], ["silent"] * 3, ["a", "a"],
    ]  # fmt: skip


def test_one_source_alone_waits_for_nobody() -> None:
    told = Told()
    pages = FirstPages(("a",), told.add, grace_s=60.0)
    assert asyncio.run(asyncio.wait_for(pages.add("a", page_of("a", 2)), 50)) == 2


def test_a_page_is_added_though_the_source_that_waited_was_stopped() -> None:
    told = Told()

    async def main() -> int:
        pages = FirstPages(("a", "b", "c"), told.add, grace_s=60.0)
        leader = asyncio.create_task(pages.add("a", page_of("a", 1)))
        await asyncio.sleep(0)
        follower = asyncio.create_task(pages.add("b", page_of("b", 2)))
        await asyncio.sleep(0)
        leader.cancel()
        return await asyncio.wait_for(follower, 60)

    assert asyncio.run(main()) == 2


class _Paced(Source):
    """Gives pages of ten after a pause; or ends with a stop."""

    name: ClassVar[str] = "paced"
    info: ClassVar[SourceInfo] = SourceInfo(
        title="x", base_url="", sentence="x", verified="recorded"
    )

    def __init__(self, name: str, pause_s: float, stop: SourceStop | None = None) -> None:
        self._name, self._pause_s, self._stop = name, pause_s, stop

    async def discover(self, query: Query, context: SourceContext) -> AsyncGenerator[Page, None]:
        for begin in itertools.count(1, 10):
            await asyncio.sleep(self._pause_s)
            if self._stop is not None:
                raise self._stop
            yield Page(page_of(self._name, 10, begin), {"begin": begin})

    async def aclose(self) -> None:
        """Holds nothing."""


def ask(
    tmp_path: Path, given: Mapping[str, Source], limit: int, patience_s: float = 0.0
) -> tuple[list[str], list[Event]]:
    """URLs in the order in which they are drawn, and what was told."""
    folder = Folder(tmp_path / "images")
    folder.create()
    catalog = Catalog(folder.catalog)
    events: list[Event] = []

    async def main() -> list[str]:
        run_id = catalog.write_now(lambda db: run_log.begin_run(db, "", {}))
        row = catalog.write_now(lambda db: frontier.ensure_query(db, QUERY, run_id))
        demand = Demand(limit)
        found = 0

        async def add(candidates: Sequence[Candidate]) -> list[int]:
            def write(db: sqlite3.Connection) -> list[int]:
                return [frontier.add(db, row.id, (c,), thumbnails=True) for c in candidates]

            new = await catalog.write(write)
            nonlocal found
            found += sum(new)
            if found >= limit:
                demand.end()
            return new

        http: dict[str, Any] = dict.fromkeys(given)
        breakers = Breakers(given, events.append, patience_s=patience_s)
        discovery = Discovery(given, http, catalog, EvidenceStore(folder), events.append, breakers)
        await asyncio.wait_for(discovery.ask_all(DiscoveryTask(row, run_id, demand, add)), 60)
        return [c.url for c in catalog.write_now(lambda db: list(frontier.everything(db, row)))]

    try:
        return asyncio.run(main()), events
    finally:
        catalog.close()


@pytest.mark.timeout(60)
def test_the_first_images_of_a_query_come_from_every_source_that_answers(tmp_path: Path) -> None:
    stop = SourceStop(SourceOutcome.BLOCKED, kind="captcha", message="m", next_step="n")
    given = {
        "fast": _Paced("fast", 0.0), "slower": _Paced("slower", 0.15),
        "refusing": _Paced("refusing", 0.05, stop), "silent": _Paced("silent", 3600.0),
    }  # fmt: skip
    urls, events = ask(tmp_path, given, 20)
    assert sources_of(urls[:4]) == ["fast", "slower", "fast", "slower"]
    ends = {e.source: e for e in events if isinstance(e, SourceFinished)}
    assert ends["refusing"].outcome is SourceOutcome.BLOCKED
    assert ends["silent"].outcome is SourceOutcome.OK
    assert ends["silent"].detail["message"] == "the query was met before an answer came"


class _Browser(_Paced):
    """Asks by means of its own; the connection breaks after the first page, twice."""

    info: ClassVar[SourceInfo] = SourceInfo(
        title="x", base_url="", sentence="x", verified="recorded", needs=("browser",)
    )
    breaks = 2

    async def discover(self, query: Query, context: SourceContext) -> AsyncGenerator[Page, None]:
        begin = context.position["begin"] + 10 if context.position else 1
        if begin > 1 and self.breaks:
            self.breaks -= 1
            raise SourceStop(SourceOutcome.NETWORK_ERROR, message="the connection broke")
        yield Page(page_of(self._name, 10, begin), {"begin": begin})
        if begin == 1:
            self.breaks -= 1
            raise SourceStop(SourceOutcome.NETWORK_ERROR, message="the connection broke")


@pytest.mark.timeout(60)
def test_a_browser_that_loses_its_connection_rests_and_goes_on_from_its_last_page(
    tmp_path: Path,
) -> None:
    urls, events = ask(tmp_path, {"b": _Browser("b", 0.0)}, 15, patience_s=60.0)
    assert len(urls) == 20
    rests = [event.seconds for event in events if isinstance(event, SourceRests)]
    assert len(rests) == 2
    assert rests[0] < rests[1]
    assert isinstance(events[-1], SourceFinished)
    assert events[-1].outcome is SourceOutcome.OK
    none, ends = ask(tmp_path / "other", {"b": _Browser("b", 0.0)}, 15)
    assert len(none) == 10
    assert isinstance(ends[-1], SourceFinished)
    assert ends[-1].outcome is SourceOutcome.NETWORK_ERROR
