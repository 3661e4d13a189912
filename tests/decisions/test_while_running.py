"""Decisions made by one process while another one's run is at work."""

from __future__ import annotations

import hashlib
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import pixtrawl
from pixtrawl.cli.main import main
from pixtrawl.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE
from pixtrawl.folder.dataset_folder import Folder, in_use
from pixtrawl.playground import Playground
from tests import warm_command
from tests.matrices import slow

pytestmark = pytest.mark.timeout(240)
SOON_S = 60.0  # half a second by itself; a loaded machine takes longer
STILL_S = 1.5  # several times what passes between two images of the slow line


@pytest.fixture(scope="module")
def site() -> Iterator[Playground]:
    # One image host and `--per-host 1`: about ten images a second, so that decisions fall into work.
    with Playground(supply=50, hosts=1, latency_s=0.1, patience=0.02) as running:
        for query, count in (("tabby cat", 32), ("red fox", 8)):  # drawn beforehand
            assert all(entry.file for entry in running.expected(query)[:count])
        yield running


def command(
    site: Playground, root: Path, limit: int, *queries: str, slow: bool = True
) -> list[str]:
    return [
        sys.executable, "-m", "pixtrawl", "run", *(queries or ("tabby cat",)), "-s", "bing",
        "--set", f"bing.base_url={site.url}", "--allow-address", "127.0.0.0/8",
        "--set", "images.decoders=1", "-n", str(limit), "--per-host", "1" if slow else "8",
        "-o", str(root), "--json", "-q", "--log", f"{root}.log",
    ]  # fmt: skip


@contextmanager
def at_work(
    site: Playground, root: Path, limit: int, *queries: str
) -> Iterator[subprocess.Popen[str]]:
    running = warm_command.Popen(
        command(site, root, limit, *queries),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        until(lambda: len(files(root)) >= 5, SOON_S)
        yield running
    finally:
        running.kill()
        running.communicate()


def until(holds: Callable[[], bool], limit_s: float) -> None:
    """Waits for it; fails where it does not come true in time."""
    deadline = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {limit_s} s")
        time.sleep(0.02)


def files(root: Path) -> list[str]:
    return sorted(f"{path.parent.name}/{path.name}" for path in root.glob("*/0*"))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def content(root: Path) -> set[str]:
    return {sha256(root / name) for name in files(root)}


def finished(running: subprocess.Popen[str]) -> dict[str, object]:
    out, error = running.communicate(timeout=120)
    assert out, error
    found: dict[str, object] = json.loads(out)
    return found


def test_what_is_refused_leaves_at_once_and_its_place_is_filled(
    site: Playground, tmp_path: Path
) -> None:
    root = tmp_path / "set"
    with at_work(site, root, 25) as running:
        chosen = files(root)[:3]
        refused = {sha256(root / name) for name in chosen}
        assert main(["reject", str(root), *chosen, "--reason", "dull"]) == EXIT_OK
        until(lambda: not set(chosen) & set(files(root)), SOON_S)
        assert running.poll() is None, "it goes on"
        report = finished(running)
        assert running.returncode == EXIT_OK
    assert report["queries"][0]["saved"] == 25  # type: ignore[index]
    assert report["reasons"]["refused_by_person"] >= 3  # type: ignore[index]
    totals: dict[str, int] = report["totals"]  # type: ignore[assignment]
    assert sum(n for key, n in totals.items() if key != "candidates") == totals["candidates"]
    assert len(files(root)) == 25
    assert not refused & content(root)
    assert "reject" in Path(f"{root}.log").read_text()


def test_images_move_to_another_label_and_back(site: Playground, tmp_path: Path) -> None:
    root = tmp_path / "set"
    with at_work(site, root, 25) as running:
        first, second = files(root)[:2]
        moved = first.replace("tabby cat/", "lynx/")
        assert main(["label", str(root), first, second, "--to", "lynx"]) == EXIT_OK
        until(lambda: moved in files(root), SOON_S)
        assert first not in files(root)
        assert main(["undo", str(root)]) == EXIT_OK
        until(lambda: first in files(root), SOON_S)
        assert main(["takedown", str(root), second]) == EXIT_OK
        until(lambda: second not in files(root), SOON_S)
        finished(running)
    assert len([one for one in pixtrawl.open(root) if one.label == "tabby cat"]) >= 25


def test_a_run_is_paused_told_to_find_more_and_stopped(site: Playground, tmp_path: Path) -> None:
    root = tmp_path / "set"
    with at_work(site, root, 25) as running:
        assert main(["steer", str(root), "pause"]) == EXIT_OK
        there: list[str] = []

        def at_rest() -> bool:
            before = list(there)
            there[:] = files(root)
            time.sleep(STILL_S)
            return before == there == files(root)

        until(at_rest, SOON_S)
        assert len(there) < 25
        assert main(["steer", str(root), "more", "-n", "25"]) == EXIT_USAGE, "no more than now"
        assert main(["steer", str(root), "more", "-n", "50"]) == EXIT_OK
        assert main(["steer", str(root), "resume"]) == EXIT_OK
        until(lambda: len(files(root)) > 26, SOON_S)
        assert main(["steer", str(root), "stop"]) == EXIT_OK
        report = finished(running)
        assert running.returncode == EXIT_INTERRUPTED
    assert report["interrupted"]
    assert report["queries"][0]["wanted"] == 50  # type: ignore[index]
    assert 26 < len(files(root)) < 50
    assert not in_use(Folder(root))


def test_one_query_is_stopped_and_the_other_goes_on(site: Playground, tmp_path: Path) -> None:
    root = tmp_path / "set"
    with at_work(site, root, 20, "tabby cat", "red fox") as running:
        assert main(["steer", str(root), "stop", "--query", "red fox"]) == EXIT_OK
        assert main(["steer", str(root), "pause", "--query", "blue whale"]) == EXIT_USAGE
        finished(running)
    cats = [name for name in files(root) if name.startswith("tabby cat")]
    assert len(cats) == 20
    assert len(files(root)) < 40


@pytest.mark.parametrize("turns", [slow(3), slow(8)])
def test_no_kill_loses_a_recorded_decision(site: Playground, tmp_path: Path, turns: int) -> None:
    root, chance = tmp_path / "set", random.Random(7)
    refused: set[str] = set()
    for turn in range(turns):
        running = warm_command.Popen(
            command(site, root, 25), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        until(lambda: in_use(Folder(root)) and len(files(root)) > 1, SOON_S)
        time.sleep(chance.uniform(0, 0.3))
        name = chance.choice(files(root))
        digest = sha256(root / name)
        if main(["reject", str(root), name]) == EXIT_OK:
            refused.add(digest)
        time.sleep(chance.uniform(0, 0.9))  # before, while and after it is taken in
        running.send_signal(signal.SIGKILL)
        running.communicate()
        assert running.returncode in {-signal.SIGKILL, 0}, turn
        if turn % 3 == 0:
            pixtrawl.open(root)
            assert not refused & content(root), turn
    assert len(refused) >= turns * 3 // 4
    assert main(["report", str(root)]) == EXIT_OK
    assert not refused & content(root)
    done = warm_command.run(
        command(site, root, 25, slow=False), capture_output=True, text=True, timeout=120
    )
    assert json.loads(done.stdout)["queries"][0]["saved"] == 25, done.stderr
    assert not refused & content(root)
    assert len(content(root)) == 25
