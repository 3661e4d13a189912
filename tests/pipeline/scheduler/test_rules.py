"""Single rules of scheduler, window and demand, without an engine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.catalog.data import Data

from pixtrawl.catalog.frontier import QueryRow
from pixtrawl.model import Outcome, Reason, Task
from pixtrawl.pipeline.scheduler import window as window_module
from pixtrawl.pipeline.scheduler.demand import Demand
from pixtrawl.pipeline.scheduler.scheduler import Scheduler
from pixtrawl.pipeline.scheduler.window import QueryWindow

OK = Outcome(reason=Reason.SAVED, size_bytes=100)


class Desk:
    """A scheduler over a real catalog; what it hands on is kept in `settled`."""

    def __init__(self, root: Path, per_host: int = 4, max_total_bytes: int | None = None) -> None:
        self.data = Data(root)
        self.settled: list[Task] = []
        self.scheduler = Scheduler(
            self.data.catalog, per_host, lambda task, outcome: self.settled.append(task),
            max_total_bytes=max_total_bytes,
        )  # fmt: skip

    async def add(self, urls: int, limit: int | None, hosts: int = 100) -> QueryWindow:
        row: QueryRow = self.data.query("cat", limit)
        found = self.data.add(row, *(f"http://h{n % hosts}.example/{n}" for n in range(urls)))
        window = self.scheduler.add(row, found)
        assert self.scheduler.next() is None, "candidates are being loaded"
        await self.scheduler.aclose()
        return window

    def take(self) -> list[Task]:
        taken = []
        while (task := self.scheduler.next()) is not None:
            taken.append(task)
        return taken


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.data.catalog.close()


def test_no_more_is_started_than_is_wanted_until_it_fails_or_becomes_slow(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        window = await desk.add(20, limit=3)
        tasks = desk.take()
        assert len(tasks) == 3
        desk.scheduler.settled(tasks[0], Outcome(reason=Reason.NOT_FOUND))
        assert desk.take() == [], "undecided still counts"
        desk.scheduler.decided(tasks[0], gained=0)
        assert len(desk.take()) == 1
        desk.scheduler.settled(tasks[1], OK)
        desk.scheduler.decided(tasks[1], gained=1)
        assert desk.take() == []
        monkeypatch.setattr(window_module, "SLOW_S", -1.0)  # all under way are slow now
        assert window.promised() == 0
        assert window.may_start()

    asyncio.run(main())


def test_a_host_has_its_share_and_gets_the_next_when_one_is_settled(tmp_path: Path) -> None:
    desk = Desk(tmp_path, per_host=2)

    async def main() -> None:
        await desk.add(5, limit=None, hosts=1)
        first = desk.take()
        assert len(first) == 2
        desk.scheduler.settled(first[0], OK)
        assert len(desk.take()) == 1
        assert desk.settled == [first[0]]

    asyncio.run(main())
    desk.data.catalog.close()


def test_a_query_ends_with_its_number_or_when_nothing_is_left(desk: Desk) -> None:
    async def main() -> None:
        window = await desk.add(2, limit=5)
        tasks = desk.take()
        desk.scheduler.close()
        for task in tasks:
            desk.scheduler.settled(task, OK)
            desk.scheduler.decided(task, gained=1)
        states = [(window.demand.is_over, desk.scheduler.over)]  # its sources may have more
        desk.scheduler.input_complete(window)
        states.append((window.demand.is_over, desk.scheduler.over))
        assert states == [(False, False), (True, True)]

    asyncio.run(main())


def test_an_image_that_is_lost_is_wanted_again(desk: Desk) -> None:
    async def main() -> None:
        window = await desk.add(9, limit=2)
        tasks = desk.take()
        desk.scheduler.settled(tasks[0], OK)
        desk.scheduler.decided(tasks[0], gained=1)
        assert desk.take() == []
        desk.scheduler.lost(window.row.id)
        assert len(desk.take()) == 1

    asyncio.run(main())


def test_a_spent_budget_of_bytes_starts_nothing_more(tmp_path: Path) -> None:
    desk = Desk(tmp_path, max_total_bytes=150)

    async def main() -> None:
        window = await desk.add(9, limit=None)
        tasks = [task for task in (desk.scheduler.next(), desk.scheduler.next()) if task]
        halted = []
        for task in tasks:
            desk.scheduler.settled(task, OK)
            halted.append(desk.scheduler.halted)
        assert halted == [False, True]
        assert desk.take() == []
        for task in tasks:
            desk.scheduler.decided(task, gained=1)
        assert window.demand.is_over
        assert desk.scheduler.fetched_bytes == 200

    asyncio.run(main())
    desk.data.catalog.close()


def test_sources_are_asked_on_while_fewer_are_open_than_are_needed(desk: Desk) -> None:
    async def main() -> None:
        window = await desk.add(24, limit=5)
        window.update_demand()
        assert await asyncio.wait_for(window.demand.wait(), 60)
        assert window.demand.wanted() == 25
        desk.scheduler.found(window, 1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(window.demand.wait(), 0.01)

    asyncio.run(main())


def test_demand_wakes_who_waits_with_what_it_has_to_know() -> None:
    async def main() -> None:
        demand = Demand(3)
        demand.update(more=False, about=0)
        waiting = asyncio.create_task(demand.wait())
        await asyncio.sleep(0)
        demand.update(more=True, about=7)
        assert (await waiting, demand.wanted()) == (True, 7)
        demand.end()
        demand.update(more=False, about=0)
        assert await demand.wait() is False, "what is over stays over"
        await demand.over()

    asyncio.run(main())
