"""The engine of several processes: hosts with one holder, lost workers, rows that end workers."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pixtrawl.config.groups import Fetch, Images, Politeness
from pixtrawl.engines import host_leases
from pixtrawl.engines.arrivals import Arrivals
from pixtrawl.engines.base import WorkerSpec
from pixtrawl.engines.lease import REST_AFTER_LOSS_S, SILENCE_S
from pixtrawl.engines.processes import ProcessesEngine, worker_count
from pixtrawl.events import Event, Notice
from pixtrawl.images.rules import Rules
from pixtrawl.model import Candidate, Reason, Task
from tests.engines.feed import Hosts, ListFeed, task
from tests.matrices import slow

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(sys.platform == "win32", reason="signals"),
]


def ends_its_worker(candidate: Candidate, url: str) -> str | None:
    """A row that ends every process that takes it."""
    if "poison" in url:
        os.kill(os.getpid(), signal.SIGKILL)
    return None


def spec(staging: Path, *, delay_s: float = 0.0, per_host: int = 4, **fetch: Any) -> WorkerSpec:
    return WorkerSpec(
        fetch=Fetch(allow_address=("127.0.0.0/8",), **fetch),
        politeness=Politeness(delay_s=delay_s, per_host=per_host),
        rules=Rules(Images(check="none")), taken_down=ends_its_worker, staging=staging,
        workers=2,
    )  # fmt: skip


def run(
    spec: WorkerSpec,
    tasks: list[Task],
    meanwhile: Callable[[ProcessesEngine, ListFeed], Any] | None = None,
) -> tuple[ListFeed, list[Event]]:
    events: list[Event] = []

    async def main() -> ListFeed:
        feed = ListFeed(tasks)
        engine = await ProcessesEngine.open(spec, Arrivals(spec.staging), events.append)
        other = None if meanwhile is None else asyncio.create_task(meanwhile(engine, feed))
        try:
            await engine.run(feed)
            assert engine.idle
        finally:
            if other is not None:
                await other
            await engine.aclose()
        return feed

    return asyncio.run(main()), events


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.02)


@pytest.mark.slow  # tests/engines/test_contract.py has the outcomes
def test_all_rows_get_one_outcome_and_hosts_are_spread_over_the_workers(tmp_path: Path) -> None:
    holders: list[Counter[int]] = []

    async def look(engine: ProcessesEngine, feed: ListFeed) -> None:
        await until(lambda: len(feed.outcomes) > 20)
        holders.append(Counter(len(link.tasks) > 0 for link in engine.workers.links.values()))

    with Hosts(lambda host, path: 0.05) as hosts:
        tasks = [task(n, hosts.url(n % 8, f"{n}.png")) for n in range(80)]
        feed, _ = run(spec(tmp_path), tasks, look)
    assert {len(outcomes) for outcomes in feed.outcomes.values()} == {1}
    assert {outcomes[0].reason for outcomes in feed.outcomes.values()} == {Reason.SAVED}
    assert len(feed.outcomes) == 80
    assert holders == [Counter({True: 2})]
    asked = Counter(host for _, host, path in hosts.log if path == "/robots.txt")
    assert set(asked.values()) == {1}


def test_a_host_behind_redirects_of_both_workers_keeps_its_pace(tmp_path: Path) -> None:
    def answer(host: str, path: str) -> str | None:
        return None if host == "127.0.7.9" else hosts.url(9, path[1:])

    with Hosts(answer) as hosts:
        tasks = [task(n, hosts.url(n % 4, f"{n}.png")) for n in range(24)]
        feed, _ = run(spec(tmp_path, delay_s=0.12), tasks)
    assert {outcomes[0].reason for outcomes in feed.outcomes.values()} == {Reason.SAVED}
    times = sorted(at for at, host, _ in hosts.log if host == "127.0.7.9")
    assert len(times) == 24 + 1 + 1  # with robots.txt and tdmrep.json, each asked once
    gaps = [later - sooner for sooner, later in itertools.pairwise(times)]
    assert sum(gap >= 0.1 for gap in gaps) >= len(gaps) - 3, "arrival times vary a little"
    assert times[-1] - times[0] >= 0.12 * (len(times) - 1) - 0.05


@pytest.mark.parametrize("rest_s", [2.0, slow(REST_AFTER_LOSS_S)])
def test_rows_of_a_killed_worker_are_done_again_after_its_hosts_have_rested(
    tmp_path: Path, rest_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_leases, "REST_AFTER_LOSS_S", rest_s)
    assert REST_AFTER_LOSS_S > SILENCE_S, "one that lives on has stopped by then"
    killed: list[tuple[float, set[str]]] = []

    async def kill(engine: ProcessesEngine, feed: ListFeed) -> None:
        links = engine.workers.links.values()
        await until(lambda: len(feed.outcomes) > 20 and all(one.is_ready for one in links))
        link = max(links, key=lambda one: len(one.tasks))
        held = {one.host.partition(":")[0] for one in link.tasks.values()}
        os.kill(link.pid, signal.SIGKILL)
        killed.append((time.monotonic(), held))

    with Hosts(lambda host, path: 0.1) as hosts:
        tasks = [task(n, hosts.url(n % 6, f"{n}.png")) for n in range(90)]
        feed, events = run(spec(tmp_path), tasks, kill)
    assert {outcomes[0].reason for outcomes in feed.outcomes.values()} == {Reason.SAVED}
    assert {len(outcomes) for outcomes in feed.outcomes.values()} == {1}
    ((at, held),) = killed
    assert held
    for host in held:
        later = [when for when, name, _ in hosts.log if name == host and when > at + 0.3]
        assert min(later) - at > rest_s - 0.5
    told = [event.message for event in events if isinstance(event, Notice)]
    assert any("a worker process ended (signal 9" in message for message in told)
    staged = {outcomes[0].staged_name for outcomes in feed.outcomes.values()}
    assert {one.name for one in tmp_path.iterdir()} == staged, "nothing of the killed one is left"


@pytest.mark.slow  # tests/engines/test_suspects.py tells who is to blame
def test_a_row_that_ends_its_workers_is_reported_and_takes_no_other_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_leases, "REST_AFTER_LOSS_S", 0.2)  # four times
    with Hosts(lambda host, path: 0.02) as hosts:
        rows = [hosts.url(n % 3, f"{n}.png") for n in range(30)]
        rows[7] = hosts.url(5, "poison.png")
        feed, _ = run(spec(tmp_path), [task(n, url) for n, url in enumerate(rows)])
    ended = feed.outcomes.pop(7)
    assert [outcome.reason for outcome in ended] == [Reason.WORKER_LOST]
    assert "4 worker processes ended over it" in ended[0].detail
    assert len(feed.outcomes) == 29
    assert {outcomes[0].reason for outcomes in feed.outcomes.values()} == {Reason.SAVED}


@pytest.mark.slow  # tests/engines/test_shard_worker.py has it with a shorter silence
def test_a_worker_that_stood_still_cancels_its_work_and_no_row_is_lost(tmp_path: Path) -> None:
    stopped: list[tuple[float, float, set[str]]] = []

    async def stop(engine: ProcessesEngine, feed: ListFeed) -> None:
        await until(lambda: len(feed.outcomes) > 10)
        link = max(engine.workers.links.values(), key=lambda one: len(one.tasks))
        held = {one.host.partition(":")[0] for one in link.tasks.values()}
        os.kill(link.pid, signal.SIGSTOP)
        at = time.monotonic()
        await asyncio.sleep(SILENCE_S + 1)
        os.kill(link.pid, signal.SIGCONT)
        stopped.append((at, time.monotonic(), held))

    with Hosts(lambda host, path: 0.1) as hosts:
        tasks = [task(n, hosts.url(n % 6, f"{n}.png")) for n in range(80)]
        feed, events = run(spec(tmp_path, delay_s=0.05), tasks, stop)
    assert {outcomes[0].reason for outcomes in feed.outcomes.values()} == {Reason.SAVED}
    assert {len(outcomes) for outcomes in feed.outcomes.values()} == {1}
    assert not [event for event in events if isinstance(event, Notice)], "it lives on"
    ((_, let_go, held),) = stopped
    after = [when for when, host, _ in hosts.log if host in held and when > let_go]
    assert min(after) - let_go > SILENCE_S, "not a single request by the old holder"


def test_cancelling_leaves_open_rows_and_no_process(tmp_path: Path) -> None:
    pids: list[int] = []

    async def main() -> ListFeed:
        with Hosts(lambda host, path: 5.0) as hosts:
            feed = ListFeed([task(n, hosts.url(n % 6, f"{n}.png")) for n in range(30)])
            engine = await ProcessesEngine.open(
                spec(tmp_path), Arrivals(tmp_path), lambda event: None
            )
            running = asyncio.create_task(engine.run(feed))
            await until(lambda: len(hosts.files()) > 5)
            pids.extend(link.pid for link in engine.workers.links.values())
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            await engine.aclose()
        return feed

    feed = asyncio.run(main())
    assert len(feed.outcomes) + len(feed.waiting) == 30
    assert {outcomes[0].reason for outcomes in feed.outcomes.values()} == {Reason.INTERRUPTED}
    assert len(pids) == 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert not list(tmp_path.iterdir())


_PARENT = """
import asyncio, sys
from pathlib import Path
from pixtrawl.engines.arrivals import Arrivals
from pixtrawl.engines.processes import ProcessesEngine
from tests.engines.feed import ListFeed, task
from tests.engines.test_processes import spec, until

async def main():
    feed = ListFeed([task(n, f"{sys.argv[1]}/{n}.png") for n in range(9)])
    engine = await ProcessesEngine.open(spec(Path(sys.argv[2])), Arrivals(Path(sys.argv[2])), print)
    running = asyncio.create_task(engine.run(feed))
    await until(lambda: all(link.is_ready for link in engine.workers.links.values()))
    print(*[link.pid for link in engine.workers.links.values()], flush=True)
    await running

asyncio.run(main())
"""


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at /proc")
def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    with Hosts(lambda host, path: 30.0) as hosts:
        parent = subprocess.Popen(
            [sys.executable, "-c", _PARENT, f"http://127.0.7.1:{hosts.port}", str(tmp_path)],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert parent.stdout is not None
        line = next(line for line in parent.stdout if line[:1].isdigit())
        pids = [int(word) for word in line.split()]
        parent.kill()
        parent.wait()
        parent.stdout.close()
        deadline = time.monotonic() + 60
        while alive := [pid for pid in pids if Path(f"/proc/{pid}").exists()]:
            assert time.monotonic() < deadline, f"still there: {alive}"
            time.sleep(0.05)
    assert len(pids) == 2


def test_the_number_of_workers_follows_the_cores() -> None:
    assert [worker_count(cores) for cores in (1, 2, 8, 16, 32, 64)] == [2, 2, 2, 3, 6, 13]
