"""Workers that are killed or stand still: nothing is lost or doubled, no host has two holders."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pixtrawl.cli.main import main
from pixtrawl.cluster.beats import Beats, WorkerBeat
from pixtrawl.cluster.commits import Commits
from pixtrawl.cluster.job.description import read_job
from pixtrawl.cluster.store import Store
from pixtrawl.cluster.upkeep import status, sweep
from pixtrawl.errors import StorageError
from tests.cluster.servers import LoggedHosts
from tests.cluster.test_job import table

ROWS = int(os.environ.get("PIXTRAWL_CLUSTER_ROWS", "8"))  # 2,000 by `make test-cluster`
HOSTS = max(2, ROWS // 100)
LEASE_S = 3.0


def worker(store: Path, name: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pixtrawl", "worker", str(store), "--user-agent", name, "-q"]
    return subprocess.Popen(command)


def wait_for_request(site: LoggedHosts, name: str, process: subprocess.Popen[bytes]) -> None:
    while not any(asked.agent.startswith(name) for asked in site.log):
        assert process.poll() is None, f"{name} has ended"
        time.sleep(0.02)


@pytest.mark.slow  # tests/engines/test_processes.py has lost workers
@pytest.mark.timeout(900)
def test_a_worker_frozen_and_one_killed_lose_nothing_and_a_late_one_neither_asks_nor_commits(
    tmp_path: Path,
) -> None:
    store = tmp_path / "set"
    with LoggedHosts(wait_s=0.2) as site:
        urls = [site.url(f"127.0.8.{1 + n % HOSTS}", n) for n in range(ROWS)]
        manifest = tmp_path / "urls.jsonl"
        manifest.write_text("\n".join(json.dumps({"url": url}) for url in urls))
        assert main(
            ["cluster", "prepare", str(manifest), "-o", str(store), "--shard-rows", "40", "-q",
             "--lease", str(LEASE_S), "--per-host", "1", "--min-size", "16", "--junk", "keep",
             "--allow-address", "127.0.0.0/8"]
        ) == 0  # fmt: skip
        frozen = worker(store, "frozen")
        wait_for_request(site, "frozen", frozen)
        frozen.send_signal(signal.SIGSTOP)
        frozen_at = time.monotonic()
        killed = worker(store, "killed")
        wait_for_request(site, "killed", killed)
        killed.kill()
        killed.wait()
        killed_at = time.monotonic()
        last = worker(store, "last")
        assert last.wait() == 0
        attempts = {commit.attempt for commit in Commits(Store(store)).all()}
        resumed_at = time.monotonic()
        frozen.send_signal(signal.SIGCONT)
        assert frozen.wait() == 0  # it sees that all is done
    by = {
        name: [a for a in site.log if a.agent.startswith(name)]
        for name in ("frozen", "killed", "last")
    }
    assert not [asked for asked in by["frozen"] if asked.at > resumed_at]
    assert {commit.attempt for commit in Commits(Store(store)).all()} == attempts
    # A beat is a ninth of the lease old at the most when its worker stops.
    for earlier, later, at in (("frozen", "killed", frozen_at), ("killed", "last", killed_at)):
        held = {asked.host for asked in by[earlier]}
        again = [asked.at for asked in by[later] if asked.host in held]
        assert min(again, default=at + LEASE_S) >= at + LEASE_S / 2
    rows = table(Store(store))
    assert sorted(row["url"] for row in rows) == sorted(urls)
    assert {row["reason"] for row in rows} == {"saved"}
    left = status(Store(store), read_job(Store(store))).workers
    assert len(left) == 1  # of the one that was killed
    assert left[0].age_s > LEASE_S
    sweep(Store(store), older_s=0)
    named = {e.name for c in Commits(Store(store)).all() for e in (*c.data, c.outcomes)}
    kept = {entry.name for folder in ("data", "outcomes") for entry in Store(store).entries(folder)}
    assert kept == named


@pytest.mark.timeout(300)
def test_a_worker_whose_store_is_away_now_and_then_fetches_no_row_again_but_those_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pixtrawl.cli.main.use_batch_scheduling", lambda: None)
    path = tmp_path / "set"
    with LoggedHosts(wait_s=0.25) as site:
        urls = [site.url("127.0.8.1", n) for n in range(27)]
        manifest = tmp_path / "urls.txt"
        manifest.write_text("\n".join(urls))
        assert main(
            ["cluster", "prepare", str(manifest), "-o", str(path), "--shard-rows", "40", "-q",
             "--lease", str(LEASE_S), "--per-host", "1", "--min-size", "16", "--junk", "keep",
             "--allow-address", "127.0.0.0/8"]
        ) == 0  # fmt: skip
        store = Store(path)
        plain = Beats.write
        silences = 0

        def write(self: Beats, beat: WorkerBeat) -> None:
            """Fail from the 3rd request on until a lease is given back, and from the 15th on.

            It is given back after two seconds, which are eight requests.
            """
            nonlocal silences
            silences = sum(entry.name.endswith(".ended") for entry in store.entries("leases"))
            if len(site.log) >= (3, 15, 1_000)[min(silences, 2)]:
                raise StorageError("away")
            plain(self, beat)

        monkeypatch.setattr(Beats, "write", write)
        assert main(["worker", str(path), "-q"]) == 0
    assert silences == 2
    assert sorted(row["url"] for row in table(store)) == sorted(urls)
    assert {row["reason"] for row in table(store)} == {"saved"}
    assert len(urls) <= len(site.log) <= len(urls) + 2 * silences
    assert not list(tmp_path.rglob("*.spool"))
