"""Who is to blame for a lost worker, what a worker gives back, and what a sweep leaves alone."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pixtrawl.cli.main import main
from pixtrawl.cluster.beats import WorkerBeat
from pixtrawl.cluster.commits import Commits
from pixtrawl.cluster.job import description as jobs
from pixtrawl.cluster.job.description import read_index, read_job
from pixtrawl.cluster.store import Store
from pixtrawl.cluster.store_leases import StoreLeases
from pixtrawl.cluster.upkeep import status, sweep
from pixtrawl.cluster.workers import store_worker
from pixtrawl.cluster.workers.program import work
from pixtrawl.cluster.workers.shard_files import ShardWriter
from pixtrawl.config.groups import Config
from pixtrawl.errors import StorageError
from pixtrawl.events import ignore

DATA = "data:image/gif;base64,R0lGODdhAQABAIABAAAAAP///ywAAAAAAQABAAACAkQBADs="


@pytest.fixture
def prepared(tmp_path: Path) -> Store:
    """Six shards without a host, each of one row."""
    rows = [{"url": f"{DATA}#{n}", "title": str(n)} for n in range(6)]
    rows = [{**row, "url": str(row["url"]).replace("base64,", f"x={n};base64,")}
            for n, row in enumerate(rows)]  # fmt: skip
    manifest = tmp_path / "list.jsonl"
    manifest.write_text("\n".join(map(json.dumps, rows)))
    place = tmp_path / "set"
    words = ["cluster", "prepare", str(manifest), "-o", str(place), "--shard-rows", "1"]
    assert main([*words, "--junk", "keep", "--lease", "6", "-q"]) == 0
    return Store(place)


def new_worker(store: Store) -> StoreLeases:
    job = read_job(store)
    leases = StoreLeases(store, read_index(store, job), job.lease_s)
    leases.beats.write(WorkerBeat(worker=leases.worker, host="here"))
    leases.look()
    return leases


def claimed(leases: StoreLeases) -> list[str]:
    """Claim as a worker does: as many as the shards at work allow."""
    found: list[str] = []
    while leases.has_waiting(len(found)) and (claim := leases.claim(len(found))) is not None:
        found.append(claim.entry.id)
        if claim.lost > 1 and len(found) >= {2: 4}.get(claim.lost, 1):
            break
    return found


def lose(store: Store, leases: StoreLeases) -> None:
    path = Path(store.url) / "beats" / f"{leases.worker}.json"
    os.utime(path, (1, 1))


def test_shards_that_lost_workers_get_less_company_and_at_last_none(prepared: Store) -> None:
    sizes = []
    for _ in range(5):
        worker = new_worker(prepared)
        sizes.append(len(claimed(worker)))
        lose(prepared, worker)
    assert sizes == [6, 6, 4, 2, 1]  # the two that were left out of the third, then one alone


def test_shards_that_were_lost_beside_others_are_never_given_up(prepared: Store) -> None:
    for _ in range(7):
        worker = new_worker(prepared)
        while worker.claim(0) is not None:
            pass
        lose(prepared, worker)
    for path in Path(prepared.url, "leases").rglob("0*"):  # as if each had had company
        record = msgspec.json.decode(path.read_bytes())
        path.write_bytes(msgspec.json.encode({**record, "alone": False}))
    assert main(["worker", prepared.url, "-q"]) == 0
    assert status(prepared, read_job(prepared)).reasons == {"saved": 6}


@pytest.mark.parametrize("place", ["claim", "rows", "write"])
def test_a_worker_that_is_stopped_at_any_moment_is_not_counted_as_lost(
    place: str, prepared: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    owner, name = {
        "claim": (StoreLeases, "claim"), "rows": (jobs, "read_rows_of"),
        "write": (ShardWriter, "write"),
    }[place]  # fmt: skip
    plain = getattr(owner, name)

    def slow(*arguments: Any) -> Any:
        begun.set()
        go_on.wait(5)
        return plain(*arguments)

    monkeypatch.setattr(owner, name, slow)

    async def stop() -> None:
        job = read_job(prepared)
        running = asyncio.create_task(work(prepared, job, Config(), tmp_path, ignore))
        await asyncio.to_thread(begun.wait, 5)
        running.cancel()
        await asyncio.sleep(0)
        go_on.set()
        assert not (await running).complete

    asyncio.run(stop())
    leases = new_worker(prepared)
    assert {claim.lost for claim in iter(leases.claim, None)} <= {0}
    assert not leases.has_waiting(0)


def test_a_worker_whose_store_does_not_answer_ends_when_it_is_stopped(
    prepared: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, answers, answered = threading.Event(), threading.Event(), threading.Event()

    def slow(*_: object) -> None:
        begun.set()
        answers.wait(20)
        answered.set()

    monkeypatch.setattr(StoreLeases, "claim", slow)
    monkeypatch.setattr(store_worker, "_END_S", 0.1)

    async def stop() -> None:
        job = read_job(prepared)
        running = asyncio.create_task(work(prepared, job, Config(), tmp_path, ignore))
        await asyncio.to_thread(begun.wait, 5)
        running.cancel()
        assert not (await running).complete

    asyncio.run(stop())
    assert not answered.is_set()
    answers.set()


def test_a_full_disk_of_a_worker_does_not_count_against_its_shards(
    prepared: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def full(*_: object) -> None:
        raise StorageError("cannot write") from OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ShardWriter, "write", full)
    assert main(["worker", prepared.url, "-q", "--scratch", str(tmp_path)]) == 5
    assert f"the disk is full: {tmp_path}/pixtrawl-worker-" in capsys.readouterr().err
    assert {claim.lost for claim in iter(new_worker(prepared).claim, None)} == {0}


def test_a_sweep_leaves_what_a_worker_may_be_about_to_commit(prepared: Store) -> None:
    worker, gone = new_worker(prepared), new_worker(prepared)
    live, lost = worker.claim(), gone.claim()
    assert live is not None
    assert lost is not None
    lose(prepared, gone)
    for claim in (live, lost):
        prepared.put(f"data/{claim.attempt}-00.tar", b"a picture")
    prepared.put("looks/of-no-attempt", b"")
    half = Path(prepared.url, "shards/some.rows.12345678.part")
    half.write_bytes(b"half")
    swept = sweep(prepared, older_s=0, lease_s=6)
    assert (swept.removed, swept.kept) == (3, 1)
    assert [one.name for one in prepared.entries("data")] == [f"data/{live.attempt}-00.tar"]
    assert not half.exists()


def test_the_age_of_an_orphan_is_that_of_the_store(
    prepared: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared.put("data/g-0000000000000000-001-0badcafe-00.tar", b"of a shard without a commit")
    monkeypatch.setattr(time, "time", lambda: 4e9)  # this machine's clock is wrong
    assert sweep(prepared, older_s=3600).kept == 1


@pytest.mark.parametrize("name", [".nfs0000000000000001", "README"])
def test_files_of_others_in_a_store_change_nothing(name: str, prepared: Store) -> None:
    assert main(["worker", prepared.url, "-q"]) == 0
    for folder in ("beats", "commits", "leases", "rollups", "index"):
        path = Path(prepared.url, folder, name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    assert main(["worker", prepared.url, "-q"]) == 0
    found = status(prepared, read_job(prepared))
    assert found.is_complete
    assert not found.workers
    assert {one.shard for one in Commits(prepared).all()} == Commits(prepared).ids()


def test_the_machine_of_a_worker_does_not_change_what_is_kept(
    prepared: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIXTRAWL_MIN_SIZE", "500x500")
    assert main(["worker", prepared.url, "-q", "--set", "images.min_size=500x500"]) == 2
    assert "give it to `pixtrawl cluster prepare`" in capsys.readouterr().err
    assert main(["worker", prepared.url, "-q", "--set", "images.decoders=1"]) == 0
    assert status(prepared, read_job(prepared)).reasons == {"saved": 6}


def test_an_object_that_is_there_and_not_yet_to_be_read_is_not_taken_for_another_s(
    prepared: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store may refuse the second try of a create that was done, and show the object later."""
    assert prepared.create("commits/x.json", b"mine")
    plain, calls = Store.read, []

    def late(self: Store, name: str) -> bytes | None:
        calls.append(name)
        return None if len(calls) < 3 else plain(self, name)

    monkeypatch.setattr(Store, "read", late)
    assert prepared.create("commits/x.json", b"mine")
    assert not prepared.create("commits/x.json", b"of another")
