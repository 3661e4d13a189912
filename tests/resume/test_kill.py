"""kill -9 at any moment, the same command again: the same data set as if nothing had happened.

`make test-kills` kills sixty runs instead of three.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests import warm_command

from pixtrawl.playground import Playground

QUERIES = ("tabby cat", "red fox")
KILLS = int(os.environ.get("TEST_KILLS", "2"))
MIX = {"exact_duplicate": 0.1, "fault": 0.05}


@pytest.fixture(scope="module")
def site() -> Iterator[Playground]:
    # One image host, so that `--per-host 1` makes ten images a second of it: a kill falls into work.
    supply = max(16, 5 * KILLS)
    options = {"hosts": 1, "latency_s": 0.1, "patience": 0.02, "cap": supply}
    with Playground(supply=supply, mix=MIX, faults="some", **options) as running:
        for query in QUERIES:  # drawn beforehand: what is killed here are runs, not the drawing
            for entry in running.expected(query):
                assert entry.file or entry.role.startswith("fault:")
        yield running
        assert running.errors == []


def command(site: Playground, output: Path, limit: int, *, per_host: int) -> list[str]:
    return [
        sys.executable, "-m", "pixtrawl", "run", *QUERIES, "-s", "bing",
        "--set", f"bing.base_url={site.url}", "--allow-address", "127.0.0.0/8",
        "--set", "images.decoders=1",
        "-n", str(limit), "--per-host", str(per_host), "-o", str(output), "--json", "-q",
    ]  # fmt: skip


def finish(site: Playground, output: Path, limit: int) -> dict[str, object]:
    done = warm_command.run(
        command(site, output, limit, per_host=8), capture_output=True, text=True, timeout=100
    )
    assert done.returncode in {0, 3}, done.stderr
    report: dict[str, object] = json.loads(done.stdout)
    return report


def moment(
    site: Playground, output: Path, chance: random.Random, turn: int
) -> Callable[[], object]:
    """When to kill: at the start-up, between two requests, or between two saved images."""
    kind = ("start", "request", "file")[turn % 3]
    holder = _holder(output)
    if kind == "start":
        return lambda: _holder(output) not in {"", holder}
    if kind == "request":
        requests = len(site.requests) + chance.randint(1, 8)
        return lambda: len(site.requests) >= requests
    enough = sum(1 for _ in output.glob("*/0*")) + chance.randint(1, 4)
    return lambda: sum(1 for _ in output.glob("*/0*")) >= enough


def _holder(output: Path) -> str:
    lock = output / ".pixtrawl-lock"
    return lock.read_text() if lock.exists() else ""


def kill_again_and_again(site: Playground, output: Path, limit: int, seed: int) -> int:
    """Kills `KILLS` runs in a row; returns how many of them were still going on."""
    chance = random.Random(seed)
    killed = 0
    for turn in range(KILLS):
        reached = moment(site, output, chance, seed + turn)  # the tests have all kinds together
        running = warm_command.Popen(
            command(site, output, limit, per_host=1),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while running.poll() is None and time.monotonic() < deadline and not reached():
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.03))  # anywhere between two steps of a save
        killed += running.poll() is None
        running.kill()
        _, said = running.communicate()
        assert running.returncode in {-signal.SIGKILL, 0, 3}, said  # it goes on after every kill
    return killed


def content(output: Path) -> Counter[tuple[str, str]]:
    """(label, sha256) of every image file."""
    return Counter(
        (file.parent.name, hashlib.sha256(file.read_bytes()).hexdigest())
        for file in output.glob("*/*.*")
        if not file.parent.name.startswith(".")
    )


def assert_in_order(output: Path) -> None:
    """Files and rows agree, nothing is torn, none is there twice, nothing is left in staging."""
    rows = [json.loads(line) for line in (output / "metadata.jsonl").read_text().splitlines()]
    for row in rows:
        assert hashlib.sha256((output / row["file_name"]).read_bytes()).hexdigest() == row["sha256"]
    found = content(output)
    assert sum(found.values()) == len(rows)
    assert max(found.values()) == 1
    assert list(output.glob(".pixtrawl-staging-*")) == []


@pytest.mark.timeout(120 + 10 * KILLS)
def test_kills_with_all_that_there_is_end_in_the_same_set(site: Playground, tmp_path: Path) -> None:
    finish(site, tmp_path / "undisturbed", 1000)
    assert kill_again_and_again(site, tmp_path / "killed", 1000, seed=7) >= KILLS * 0.8 - 1
    finish(site, tmp_path / "killed", 1000)
    assert_in_order(tmp_path / "killed")
    assert content(tmp_path / "killed") == content(tmp_path / "undisturbed")


@pytest.mark.timeout(120 + 10 * KILLS)
def test_kills_below_the_supply_end_in_exactly_n(site: Playground, tmp_path: Path) -> None:
    limit = max(10, 3 * KILLS)
    assert kill_again_and_again(site, tmp_path / "images", limit, seed=11) >= KILLS * 0.8 - 1
    report = finish(site, tmp_path / "images", limit)
    before = len(site.requests)
    again = finish(site, tmp_path / "images", limit)
    assert len(site.requests) == before, "a complete data set sends no request"
    assert_in_order(tmp_path / "images")
    assert Counter(label for label, _ in content(tmp_path / "images")) == dict.fromkeys(
        QUERIES, limit
    )
    assert report["queries"][0]["saved"] == limit  # type: ignore[index]
    assert again["totals"]["saved"] == 2 * limit  # type: ignore[index]
