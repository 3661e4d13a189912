"""Workers roll up the commits of a large job, so that they need not list them one by one."""

from __future__ import annotations

import asyncio
import threading

import pytest

from pixtrawl.cluster.beats import WorkerBeat
from pixtrawl.cluster.commits import PER_ROLL, Commit, Commits, ObjectEntry
from pixtrawl.cluster.job.partition import ShardEntry
from pixtrawl.cluster.store import Store
from pixtrawl.cluster.store_leases import StoreLeases
from pixtrawl.cluster.workers import roll_ups
from pixtrawl.cluster.workers.roll_ups import RollUps
from pixtrawl.errors import StorageError
from pixtrawl.events import Event, Notice

OUTCOMES = ObjectEntry(name="outcomes/o.parquet", size_bytes=1, sha256="", rows=1)
SHARDS = [
    ShardEntry(id=f"g-{n}", chain=f"g-{n}", rows=1, groups=1, largest="h.example", largest_rows=1)
    for n in range(8)
]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    """Six shards of eight committed, where five are many."""
    monkeypatch.setattr(roll_ups, "PER_ROLL", 5)
    store = Store("memory://roll-ups")
    for folder in ("commits", "leases", "beats", "rollups"):
        for entry in store.entries(folder):
            store.remove(entry.name)
    first = worker_of(store)
    first.look()
    for claim in [claim for _ in range(6) if (claim := first.claim()) is not None]:
        commit = Commit(
            shard=claim.entry.id, attempt=claim.attempt, worker=first.worker, rows=1,
            outcomes=OUTCOMES, reasons={"saved": 1},
        )  # fmt: skip
        assert Commits(store).create(commit)
    first.beats.end(first.worker)
    return store


def worker_of(store: Store) -> StoreLeases:
    leases = StoreLeases(store, SHARDS, 45.0)
    leases.beats.write(WorkerBeat(worker=leases.worker, host="here"))
    return leases


async def rolled(store: Store, leases: StoreLeases) -> list[Event]:
    told: list[Event] = []
    leases.look()
    beside = RollUps(store, leases, told.append)
    if (task := beside.begin()) is not None:
        await task
    await beside.aclose()
    return told


def test_one_of_the_workers_rolls_up_what_is_many(store: Store) -> None:
    workers = sorted((worker_of(store), worker_of(store)), key=lambda one: one.worker)
    assert not asyncio.run(rolled(store, workers[1]))
    assert not store.entries("rollups")
    assert not asyncio.run(rolled(store, workers[0]))
    assert len(store.entries("rollups")) == 1
    assert not store.entries("commits")
    assert not store.entries("leases")
    for one in workers:
        one.look()
        assert one.open_shards == 2
    assert len(list(Commits(store).all())) == 6


def test_few_commits_stay_as_they_are(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roll_ups, "PER_ROLL", 7)
    asyncio.run(rolled(store, worker_of(store)))
    assert len(store.entries("commits")) == 6
    assert PER_ROLL > 1_000


def test_a_store_that_fails_meanwhile_is_told_and_stops_no_worker(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> tuple[int, int]:
        raise StorageError("cannot write")

    monkeypatch.setattr(roll_ups, "roll_up", failing)
    told = asyncio.run(rolled(store, worker_of(store)))
    assert told == [Notice("commits are not rolled up: cannot write", level="warning")]
    assert len(store.entries("commits")) == 6


def test_a_worker_that_ends_waits_for_no_store_that_does_not_answer(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = threading.Event()

    def hanging(*_: object) -> tuple[int, int]:
        answered.wait(30)
        return 0, 0

    async def ended(leases: StoreLeases) -> bool:
        leases.look()
        beside = RollUps(store, leases, list[Event]().append)
        assert beside.begin() is not None
        await asyncio.sleep(0)  # it has begun
        await asyncio.wait_for(beside.aclose(), 10)
        return not answered.is_set()

    monkeypatch.setattr(roll_ups, "roll_up", hanging)
    try:
        assert asyncio.run(ended(worker_of(store)))
    finally:
        answered.set()
