"""The shard worker: carries out leases, gives back hosts, and stops when it hears nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import pixtrawl
from pixtrawl import urls
from pixtrawl.config.groups import Fetch, Images, Politeness
from pixtrawl.engines.base import WorkerSpec
from pixtrawl.engines.heartbeat import Heartbeat
from pixtrawl.engines.lease import Lease, LeaseLostError
from pixtrawl.engines.shard_worker import ShardWorker
from pixtrawl.images.rules import Rules
from pixtrawl.model import Candidate, Outcome, Reason, Task
from pixtrawl.net.hosts.state import HostState
from pixtrawl.playground import Playground

pytestmark = pytest.mark.timeout(120)


def nothing_taken_down(candidate: Candidate, url: str) -> str | None:
    return None


def spec(staging: Path, *, delay_s: float = 0.0, per_host: int = 4) -> WorkerSpec:
    return WorkerSpec(
        fetch=Fetch(allow_address=("127.0.0.0/8",)),
        politeness=Politeness(delay_s=delay_s, per_host=per_host),
        rules=Rules(Images(check="none")), taken_down=nothing_taken_down, staging=staging,
    )  # fmt: skip


@pytest.fixture(scope="module")
def site() -> Iterator[Playground]:
    with Playground(supply=24, hosts=3, cached_copies=False) as running:
        yield running


@pytest.fixture(scope="module")
def tasks(site: Playground) -> Sequence[Task]:
    found = pixtrawl.discover(
        "tabby cat", source="bing", settings={"bing": {"base_url": site.url}}, limit=24,
        allow_address="127.0.0.0/8",
    )  # fmt: skip
    return [Task(n, 1, urls.host_of(one.url), one) for n, one in enumerate(found)]


def by_host(tasks: Sequence[Task]) -> dict[str, tuple[Task, ...]]:
    hosts = dict.fromkeys(task.host for task in tasks)
    return {host: tuple(task for task in tasks if task.host == host) for host in hosts}


def test_leases_give_an_outcome_for_each_row_and_their_hosts_back(
    tasks: Sequence[Task], tmp_path: Path
) -> None:
    got: dict[int, Outcome] = {}

    async def main() -> list[HostState]:
        worker = await ShardWorker.open(spec(tmp_path), silence_s=float("inf"))
        leases = [Lease(id=host, tasks=rows) for host, rows in by_host(tasks).items()]
        ended = await asyncio.gather(
            *(worker.carry_out(lease, lambda t, o: got.__setitem__(t.id, o)) for lease in leases)
        )
        await worker.aclose()
        return [state for states in ended for state in states]

    states = asyncio.run(main())
    assert set(got) == {task.id for task in tasks}
    assert {outcome.reason for outcome in got.values()} == {Reason.SAVED}
    assert {state.host for state in states} == set(by_host(tasks))
    for state in states:
        assert state.requests >= len(by_host(tasks)[state.host])
        assert [robots.origin for robots in state.robots] == [f"http://{state.host}"]


def test_the_next_holder_of_a_host_does_not_ask_for_its_robots_txt_again(
    site: Playground, tasks: Sequence[Task], tmp_path: Path
) -> None:
    host, rows = next(iter(by_host(tasks).items()))

    def asked() -> int:
        return sum(1 for one in site.requests_to("/robots.txt") if one.host == host)

    async def with_worker(lease: Lease, folder: Path) -> tuple[HostState, ...]:
        folder.mkdir()
        worker = await ShardWorker.open(spec(folder), silence_s=float("inf"))
        try:
            return await worker.carry_out(lease, lambda task, outcome: None)
        finally:
            await worker.aclose()

    before = asked()
    states = asyncio.run(with_worker(Lease(id="a", tasks=rows[:2]), tmp_path / "a"))
    assert asked() == before + 1
    lease = Lease(id="a", epoch=1, tasks=rows[2:4], hosts=states)
    (again,) = asyncio.run(with_worker(lease, tmp_path / "b"))
    assert asked() == before + 1
    assert again.requests == states[0].requests + 2


def test_the_next_holder_keeps_the_pace_of_the_last_and_does_not_try_a_dead_host(
    site: Playground, tasks: Sequence[Task], tmp_path: Path
) -> None:
    host, rows = next(iter(by_host(tasks).items()))
    got: list[Outcome] = []

    async def main(state: HostState) -> tuple[HostState, ...]:
        worker = await ShardWorker.open(spec(tmp_path, delay_s=0.2), silence_s=float("inf"))
        lease = Lease(id="x", tasks=rows[:1], hosts=(state,))
        began = asyncio.get_running_loop().time()
        states = await worker.carry_out(lease, lambda task, outcome: got.append(outcome))
        took.append(asyncio.get_running_loop().time() - began)
        await worker.aclose()
        return states

    took: list[float] = []
    requests = len(site.requests)
    (state,) = asyncio.run(main(HostState(host=host, out=Reason.CONNECT_FAILED)))
    assert got.pop().reason is Reason.HOST_OUT
    assert len(site.requests) == requests
    assert state.out is Reason.CONNECT_FAILED
    asyncio.run(main(HostState(host=host, wait_s=0.7)))
    assert got.pop().reason is Reason.SAVED
    assert took[-1] >= 0.7


def test_a_worker_that_hears_nothing_cancels_its_work_and_goes_on_when_it_hears_again(
    site: Playground, tasks: Sequence[Task], tmp_path: Path
) -> None:
    got: list[Outcome] = []

    async def main() -> None:
        worker = await ShardWorker.open(spec(tmp_path, delay_s=1.0, per_host=1), silence_s=0.8)
        rows = next(iter(by_host(tasks).values()))
        with pytest.raises(LeaseLostError):
            await worker.carry_out(Lease(id="slow", tasks=rows), lambda t, o: got.append(o))
        requests = len(site.requests)
        with pytest.raises(LeaseLostError):
            await worker.carry_out(Lease(id="more", tasks=rows[:1]), lambda t, o: got.append(o))
        await asyncio.sleep(1.2)
        assert len(site.requests) == requests
        worker.register_beat()
        again = asyncio.create_task(
            worker.carry_out(Lease(id="slow", epoch=1, tasks=rows[:1]), lambda t, o: got.append(o))
        )
        while not again.done():
            worker.register_beat()
            await asyncio.sleep(0.1)
        await worker.aclose()

    asyncio.run(main())
    assert got[-1].reason is Reason.SAVED
    assert Reason.INTERRUPTED not in {outcome.reason for outcome in got}


def test_a_beat_that_comes_after_silence_does_not_count() -> None:
    now = [0.0]
    heartbeat = Heartbeat(lambda: now[0], 5.0)
    now[0] = 4.9
    heartbeat.register_beat()
    now[0] = 9.8
    assert not heartbeat.is_silent()
    now[0] = 10.0  # stopped for a while: the beats of that time lie in the pipe
    heartbeat.register_beat()
    heartbeat.register_beat()
    assert heartbeat.is_silent()
    heartbeat.renew()
    assert not heartbeat.is_silent()


def test_a_lease_all_of_whose_rows_end_in_silence_at_once_is_lost_and_not_done(
    tasks: Sequence[Task], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    got: list[Outcome] = []

    async def main() -> None:
        worker = await ShardWorker.open(spec(tmp_path), silence_s=100.0)

        async def interrupted(task: Task) -> Outcome:
            monkeypatch.setattr(worker._heartbeat, "is_silent", lambda: True)
            return Outcome(reason=Reason.INTERRUPTED)

        monkeypatch.setattr(worker._node, "work", interrupted)
        with pytest.raises(LeaseLostError):
            await worker.carry_out(Lease(id="a", tasks=tuple(tasks)), lambda t, o: got.append(o))
        await worker.aclose()

    asyncio.run(main())
    assert got == []
