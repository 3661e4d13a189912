"""kill -9 at any moment, the same command again: the same data set as if nothing had happened."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from pixtrawl.playground import Playground

QUERIES = ("tabby cat", "red fox")


def command(site: Playground, output: Path, limit: int) -> list[str]:
    return [
        sys.executable, "-m", "pixtrawl", "run", *QUERIES, "-s", "bing",
        "--set", f"bing.base_url={site.url}", "--allow-address", "127.0.0.0/8",
        "-n", str(limit), "--per-host", "1", "-o", str(output), "--json", "-q",
    ]  # fmt: skip


def finish(site: Playground, output: Path, limit: int) -> dict[str, object]:
    done = subprocess.run(command(site, output, limit), capture_output=True, text=True, timeout=50)
    assert done.returncode in {0, 3}, done.stderr
    report: dict[str, object] = json.loads(done.stdout)
    return report


def kill_ten_times(site: Playground, output: Path, limit: int, seed: int) -> int:
    """Kills ten runs, most of them between two images; returns how many were still going on."""
    chance = random.Random(seed)
    killed = 0
    for _ in range(10):
        enough = sum(content(output).values()) + chance.randint(0, 5)
        running = subprocess.Popen(
            command(site, output, limit), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 5
        while running.poll() is None and time.monotonic() < deadline:
            if sum(1 for _ in output.glob("*/0*")) >= enough:
                time.sleep(chance.uniform(0, 0.05))  # anywhere between two steps of a save
                break
            time.sleep(0.005)
        killed += running.poll() is None
        running.kill()
        running.wait()
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
    assert list((output / ".pixtrawl" / "staging").iterdir()) == []


@pytest.mark.slow
def test_ten_kills_with_all_that_there_is_end_in_the_same_set(tmp_path: Path) -> None:
    mix = {"exact_duplicate": 0.1, "fault": 0.05}
    with Playground(supply=60, mix=mix, faults="some", patience=0.02, latency_s=0.15) as site:
        finish(site, tmp_path / "undisturbed", 1000)
        assert kill_ten_times(site, tmp_path / "killed", 1000, seed=7) >= 7
        finish(site, tmp_path / "killed", 1000)
    assert_in_order(tmp_path / "killed")
    assert content(tmp_path / "killed") == content(tmp_path / "undisturbed")


@pytest.mark.slow
def test_ten_kills_below_the_supply_end_in_exactly_n(tmp_path: Path) -> None:
    with Playground(supply=60, latency_s=0.15) as site:
        assert kill_ten_times(site, tmp_path / "images", 12, seed=11) >= 3
        report = finish(site, tmp_path / "images", 12)
        before = len(site.requests)
        again = finish(site, tmp_path / "images", 12)
        assert len(site.requests) == before, "a complete data set sends no request"
    assert_in_order(tmp_path / "images")
    assert Counter(label for label, _ in content(tmp_path / "images")) == dict.fromkeys(QUERIES, 12)
    assert report["queries"][0]["saved"] == 12  # type: ignore[index]
    assert again["totals"]["saved"] == 24  # type: ignore[index]
