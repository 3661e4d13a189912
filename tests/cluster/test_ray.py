"""Actors on a real Ray carry out a job, one that is killed included; another Ray is left alone."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pixtrawl.cli.main import main
from pixtrawl.cluster.job.description import read_job
from pixtrawl.cluster.store import Store
from pixtrawl.cluster.upkeep import status
from pixtrawl.config.groups import Config
from pixtrawl.config.load import load
from tests.cluster.servers import LoggedHosts
from tests.cluster.test_job import table

try:
    import ray
except ImportError:
    ray = None

ROWS = int(os.environ.get("PIXTRAWL_RAY_ROWS", "0"))  # 300 by `make test-ray`
pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(ray is None, reason="ray is not installed (`make test-ray` installs it)"),
    pytest.mark.filterwarnings("ignore"),  # of Ray's own
]
OPTIONS = ("--allow-address", "127.0.0.0/8", "--min-size", "16", "--junk", "keep")


@pytest.fixture(scope="module")
def site() -> Iterator[LoggedHosts]:
    with LoggedHosts(wait_s=0.05) as running:
        yield running


def manifest(site: LoggedHosts, folder: Path, rows: int) -> tuple[Path, list[str]]:
    urls = [site.url(f"127.0.9.{1 + n % 6}", n) for n in range(rows)]
    path = folder / "urls.jsonl"
    path.write_text("\n".join(json.dumps({"url": url}) for url in urls))
    return path, urls


def download(path: Path, store: Path) -> list[str]:
    return ["download", str(path), "-o", str(store), "--engine", "ray", "--no-progress", *OPTIONS]


def test_a_ray_that_is_started_here_carries_a_job_out_and_ends(
    site: LoggedHosts, tmp_path: Path
) -> None:
    path, urls = manifest(site, tmp_path, ROWS or 6)
    command = [sys.executable, "-m", "pixtrawl", *download(path, tmp_path / "set"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["complete"], told["saved"]) == (True, len(urls))
    assert sorted(row["url"] for row in table(Store(tmp_path / "set"))) == sorted(urls)


@pytest.mark.skipif(not ROWS, reason="part of `make test-ray`")
def test_a_program_s_own_ray_is_used_and_left_and_a_killed_actor_loses_nothing(
    site: LoggedHosts, tmp_path: Path
) -> None:
    from pixtrawl.cluster.workers.ray_workers import run_on_ray

    path, urls = manifest(site, tmp_path, ROWS)
    prepare = ["cluster", "prepare", str(path), "-o", str(tmp_path / "set"), "--lease", "6",
               "--shard-rows", "20", "--per-host", "1", *OPTIONS]  # fmt: skip
    assert main(prepare) == 0
    store = Store(tmp_path / "set")
    job = read_job(store)
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        site.log.clear()

        async def run() -> bool:
            working = asyncio.create_task(run_on_ray(store, job, config(), lambda event: None))
            while not site.log and not working.done():
                await asyncio.sleep(0.05)
            beat = json.loads(store.read(store.entries("beats")[0].name) or b"")
            os.kill(beat["pid"], signal.SIGKILL)
            return await working

        assert asyncio.run(run())
        assert ray.is_initialized()
    finally:
        ray.shutdown()
    assert sorted(row["url"] for row in table(store)) == sorted(urls)
    assert status(store, job).is_complete


def config() -> Config:
    settings = {"allow_address": "127.0.0.0/8", "min_size": 16, "junk": "keep", "to": "webdataset"}
    return load({**settings, "per_host": 1}, environ={}).config
