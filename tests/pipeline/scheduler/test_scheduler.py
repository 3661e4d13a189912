"""Which candidate goes next: exactly N, no host beyond its share, a dead host costs its own slot."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from unittest.mock import create_autospec

import pytest

from pixtrawl.catalog import frontier, run_log
from pixtrawl.catalog.database import Catalog
from pixtrawl.catalog.frontier import QueryRow
from pixtrawl.engines.task_runner import TaskRunner
from pixtrawl.model import Candidate, Outcome, Query, Reason, Task
from pixtrawl.pipeline.scheduler import window
from pixtrawl.pipeline.scheduler.scheduler import Scheduler
from pixtrawl.pipeline.scheduler.window import QueryWindow
from pixtrawl.pipeline.steering import Steering


class Bench:
    """A catalog with candidates, and a worker that ends as the URL says."""

    def __init__(self, path: Path) -> None:
        self.catalog = Catalog(path / "catalog.sqlite3")
        self.run_id = self.catalog.write_now(lambda db: run_log.begin_run(db, "test", {}))
        self.busy: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.worked: list[str] = []
        self.never = asyncio.Event()

    def query(self, text: str, urls: list[str], limit: int | None) -> QueryRow:
        query = Query(text, text, limit)
        found = [Candidate(url=url, query=text, label=text, source="t") for url in urls]
        row = self.catalog.write_now(lambda db: frontier.ensure_query(db, query, self.run_id))
        self.catalog.write_now(lambda db: frontier.add(db, row.id, found, thumbnails=False))
        return row

    async def work(self, task: Task) -> Outcome:
        self.busy[task.host] += 1
        self.most[task.host] = max(self.most[task.host], self.busy[task.host])
        try:
            if "dead" in task.host:
                await self.never.wait()
            await asyncio.sleep(0)
        finally:
            self.busy[task.host] -= 1
        self.worked.append(task.candidate.url)
        good = "bad" not in task.candidate.url
        return Outcome(reason=Reason.SAVED if good else Reason.NOT_FOUND)

    async def run(
        self, rows: list[QueryRow], per_host: int = 4, steering: Steering | None = None
    ) -> Scheduler:
        deciding: set[asyncio.Task[None]] = set()

        async def write(task: Task, outcome: Outcome) -> None:
            await self.catalog.write(lambda db: frontier.settle(db, task.id, outcome, self.run_id))
            scheduler.decided(task, gained=outcome.reason is Reason.SAVED)

        def decide(task: Task, outcome: Outcome) -> None:
            if outcome.reason is Reason.INTERRUPTED:
                return
            job = asyncio.create_task(write(task, outcome))
            deciding.add(job)
            job.add_done_callback(deciding.discard)

        scheduler = Scheduler(self.catalog, per_host, decide)
        scheduler.steering = steering
        for row in rows:
            count = self.catalog.write_now(lambda db, r=row: frontier.open_count(db, r.id))  # type: ignore[misc]
            scheduler.input_complete(scheduler.add(row, count))
        scheduler.close()
        engine = TaskRunner(self.work, concurrency=64)
        await asyncio.wait_for(engine.run(scheduler), 60)
        await scheduler.aclose()
        await asyncio.gather(*deciding)
        return scheduler


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_query_draws_until_it_has_its_n_and_hardly_further(bench: Bench) -> None:
    urls = [f"http://h{i % 9}.example/{'bad' if i % 3 else 'good'}/{i}" for i in range(600)]
    row = bench.query("cat", urls, 50)
    scheduler = asyncio.run(bench.run([row]))
    assert scheduler.queries[row.id].saved == 50
    assert len(bench.worked) <= 3 * 50 + 20
    bench.catalog.close()


def test_every_candidate_is_worked_once_when_there_is_no_limit(bench: Bench) -> None:
    urls = [f"http://h{i % 3}.example/{i}" for i in range(1600)]  # far beyond window and share
    asyncio.run(bench.run([bench.query("cat", urls, None)]))
    assert sorted(bench.worked) == sorted(urls)
    bench.catalog.close()


def test_no_host_gets_more_at_once_than_its_share(bench: Bench) -> None:
    urls = [f"http://h{i % 2}.example/{i}" for i in range(400)]
    asyncio.run(bench.run([bench.query("cat", urls, None)], per_host=3))
    assert max(bench.most.values()) == 3
    bench.catalog.close()


@pytest.mark.parametrize("steering", [None, create_autospec(Steering, instance=True)])
def test_many_queries_without_a_limit_share_what_may_be_in_memory(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, steering: Steering | None
) -> None:
    monkeypatch.setattr(window, "_ALL_WINDOWS", 320)
    held: list[int] = []
    load = QueryWindow.load

    async def noted(self: QueryWindow, catalog: Catalog) -> None:
        await load(self, catalog)
        held.append(len(self.waiting()))

    monkeypatch.setattr(QueryWindow, "load", noted)
    urls = [[f"http://h{at % 3}.example/{query}/{at}" for at in range(60)] for query in range(20)]
    rows = [bench.query(f"cat {some[0]}", some, None) for some in urls]
    asyncio.run(bench.run(rows, steering=steering))
    assert max(held[:20]) == 16
    assert sorted(bench.worked) == sorted(url for some in urls for url in some)
    bench.catalog.close()


@pytest.mark.parametrize("in_memory", [window._ALL_WINDOWS, window._LEAST_WINDOW])
def test_a_host_that_never_answers_does_not_keep_the_others_waiting(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, in_memory: int
) -> None:
    monkeypatch.setattr(window, "_ALL_WINDOWS", in_memory)
    # Its candidates fill the whole window and all that is set aside; the others come after them.
    urls = [f"http://dead.example/{i}" for i in range(1500)]
    urls += [f"http://alive.example/{i}" for i in range(40)]
    scheduler = asyncio.run(bench.run([bench.query("cat", urls, 40)]))
    assert next(iter(scheduler.queries.values())).saved == 40
    assert bench.most["dead.example"] == 4
    bench.catalog.close()


def test_one_query_cannot_starve_another(bench: Bench) -> None:
    long = bench.query("long", [f"http://h.example/a{i}" for i in range(2000)], None)
    short = bench.query("short", [f"http://h.example/b{i}" for i in range(20)], 10)
    asyncio.run(bench.run([long, short]))
    last_of_short = max(i for i, url in enumerate(bench.worked) if "/b" in url)
    assert last_of_short < 200
    bench.catalog.close()


def test_a_host_that_drains_while_more_of_it_is_loaded_loses_none(bench: Bench) -> None:
    urls = [f"http://a.example/{i}" for i in range(300)]
    row = bench.query("q", urls, None)
    window = QueryWindow(row)

    async def draw_all() -> list[Task]:
        window.open = len(urls)
        await window.load(bench.catalog)
        more = [Candidate(url=f"{url}/more", query="q", label="q", source="t") for url in urls]
        bench.catalog.write_now(lambda db: frontier.add(db, row.id, more, thumbnails=False))
        window.open += len(more)

        def take() -> Task | None:
            return window.take(lambda host: True, lambda host: None)

        loading = asyncio.create_task(window.load(bench.catalog))
        await asyncio.sleep(0)  # asked for, not yet answered
        drawn = [task for _ in range(240) if (task := take()) is not None]
        await loading
        while window.wants_load() or window.open:
            if window.wants_load():
                await window.load(bench.catalog)
            while (task := take()) is not None:
                drawn.append(task)
        return drawn

    drawn = asyncio.run(draw_all())
    assert len({task.id for task in drawn}) == len(drawn) == 600
