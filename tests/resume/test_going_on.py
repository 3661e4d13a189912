"""Stopped, full, in use, asked for more or less: the same command goes on where the last one ended."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import warm_command
from tests.matrices import slow

from pixtrawl.playground import Playground

pytestmark = pytest.mark.timeout(120)

QUERY = "tabby cat"
FULL_BYTES = 300_000  # of room on the disk that is full


@pytest.fixture(scope="module")
def site() -> Iterator[Playground]:
    with Playground(supply=24, latency_s=0.05) as running:
        for entry in running.expected(QUERY):
            assert entry.file  # drawn beforehand
        yield running
        assert running.errors == []


def command(site: Playground, output: Path, *more: str) -> list[str]:
    return [
        *(sys.executable, "-m", "pixtrawl", "run", QUERY, "-s", "bing"),
        *("--set", f"bing.base_url={site.url}", "--allow-address", "127.0.0.0/24"),
        *("--set", "images.decoders=1", "-o", str(output), "--json", "-q", *more),
    ]


def run(site: Playground, output: Path, *more: str) -> tuple[int, dict[str, Any], str]:
    done = warm_command.run(
        command(site, output, *more), capture_output=True, text=True, timeout=50
    )
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


def files(output: Path) -> dict[str, str]:
    """sha256 by file name."""
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in (output / QUERY).glob("*")
    }


def wait_for_files(process: subprocess.Popen[str], output: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if sum(1 for _ in (output / QUERY).glob("0*")) >= count:
            return
        time.sleep(0.005)
    raise AssertionError(f"ended with {process.poll()} before there were {count} files")


@pytest.mark.skipif(sys.platform == "win32", reason="signals between processes are POSIX's")
@pytest.mark.parametrize("number", [signal.SIGINT, slow(signal.SIGTERM)])
def test_a_stopped_run_ends_with_130_and_goes_on(
    site: Playground, tmp_path: Path, number: signal.Signals
) -> None:
    output = tmp_path / "images"
    process = warm_command.Popen(
        command(site, output, "-n", "20", "--per-host", "1", "--delay", "0.3"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_for_files(process, output, 2)
    process.send_signal(number)
    out, err = process.communicate(timeout=50)
    assert process.returncode == 130, err
    report = json.loads(out)
    assert report["interrupted"] is True
    totals = report["totals"]
    assert sum(totals.values()) == 2 * totals["candidates"]
    before = files(output)
    assert len(before) == totals["saved"] < 20
    lines = (output / "metadata.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == len(before)
    assert list(output.glob(".pixtrawl-staging-*")) == []

    code, report, _ = run(site, output, "-n", "20")
    assert (code, report["queries"][0]["saved"]) == (0, 20)
    assert before.items() <= files(output).items()


def test_changed_rules_hold_for_new_images_and_the_report_says_so(
    site: Playground, tmp_path: Path
) -> None:
    output = tmp_path / "images"
    assert run(site, output, "-n", "3")[1]["changed_rules"] == []
    first = files(output)
    _, report, _ = run(site, output, "-n", "6", "--min-size", "90x90")
    assert report["changed_rules"] == [
        {"setting": "images.min_size", "now": "90x90", "before": [None]}
    ]
    assert first.items() <= files(output).items()
    _, report, _ = run(site, output, "-n", "2", "--size", "large")
    assert report["queries"][0]["asked_otherwise"] == [{"filters": {}, "saved": 6}]


def test_more_go_on_and_fewer_delete_nothing(site: Playground, tmp_path: Path) -> None:
    output = tmp_path / "images"
    assert run(site, output, "-n", "6")[0] == 0
    first = files(output)
    assert len(first) == 6

    before = len(site.requests)
    code, report, _ = run(site, output, "-n", "3")
    assert (code, report["queries"][0]["wanted"], report["queries"][0]["saved"]) == (0, 3, 6)
    assert files(output) == first
    assert len(site.requests) == before

    assert run(site, output, "-n", "9")[0] == 0
    more = files(output)
    assert len(more) == 9
    assert first.items() <= more.items()
    asked = [r.path for r in site.requests[before:] if "/photo/" in r.path]
    assert len(asked) == len(set(asked))

    # A file deleted by hand stays deleted, and its number is never used again.
    gone = min(more)
    (output / QUERY / gone).unlink()
    code, report, _ = run(site, output, "-n", "9")
    assert (code, report["queries"][0]["saved"]) == (0, 9)
    final = files(output)
    assert gone.partition(".")[0] not in {name.partition(".")[0] for name in final}
    assert more[gone] not in final.values()
    assert len(final) == 9

    # A file that is not ours is told and left alone.
    (output / QUERY / "mine.jpg").write_bytes(b"mine")
    code, _, _ = run(site, output, "-n", "9")
    assert code == 0
    assert (output / QUERY / "mine.jpg").read_bytes() == b"mine"


def test_a_second_run_on_the_same_folder_ends_with_5(site: Playground, tmp_path: Path) -> None:
    output = tmp_path / "images"
    first = warm_command.Popen(
        command(site, output, "-n", "20", "--delay", "2"), stdout=subprocess.PIPE, text=True
    )
    wait_for_files(first, output, 1)
    code, report, said = run(site, output, "-n", "20")
    assert (code, report) == (5, {})
    assert f"in use (process {first.pid})" in said
    assert said.count("\n") == 1
    assert first.poll() is None, "the first run is not disturbed"
    first.send_signal(signal.SIGINT)
    out, _ = first.communicate(timeout=60)
    assert first.returncode == 130
    assert json.loads(out)["totals"]["saved"] == len(files(output)) > 0


def test_refusals_are_repeated_only_when_asked(tmp_path: Path) -> None:
    names = ("not-found", "forbidden", "down", "dropped")
    with Playground(patience=0.01) as faulty:
        urls = tmp_path / "urls.txt"
        urls.write_text("".join(f"{faulty.fault(name).url}\n" for name in names))

        def asked(retry: str) -> set[str]:
            before = len(faulty.requests)
            done = warm_command.run(
                [
                    *(sys.executable, "-m", "pixtrawl", "download", str(urls), "--retries", "0"),
                    *("-o", str(tmp_path / "images"), "--allow-address", "127.0.0.0/24", "-q"),
                    *("--retry", retry, "--json"),
                ],
                capture_output=True,
                text=True,
                timeout=50,
            )
            assert done.returncode == 4, done.stderr
            assert json.loads(done.stdout)["totals"]["failed"] == len(names)
            return {r.path.split("/")[2] for r in faulty.requests[before:] if "/fault/" in r.path}

        assert asked("transient") == set(names)
        assert asked("none") == set()
        assert asked("transient") == {"down", "dropped"}
        assert asked("failed") == set(names)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk with little room; needs the right to mount."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1300k", "pixtrawl-test", str(folder)]
    try:
        mounted = warm_command.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        warm_command.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_ends_with_5_and_the_run_goes_on_when_there_is_room(
    site: Playground, small_disk: Path
) -> None:
    output = small_disk / "images"
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(FULL_BYTES))
    code, _, said = run(site, output, "-n", "20")
    assert code == 5, said
    assert os.strerror(errno.ENOSPC) in said or "disk is full" in said or "full" in said, said
    assert said.count("\n") == 1
    kept = files(output)
    ballast.unlink()
    warm_command.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    code, report, said = run(site, output, "-n", "20")
    assert (code, report["queries"][0]["saved"]) == (0, 20), said
    assert kept.items() <= files(output).items()
    with sqlite3.connect(output / ".pixtrawl-catalog.sqlite3") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
