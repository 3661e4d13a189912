"""kill -9 while a pool is collected, scored and chosen from: the same command ends in the same set."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

import pixtrawl
from tests.scoring.pools import pictures, serving
from tests.scoring.tiny import write_model

KILLS = int(os.environ.get("TEST_KILLS", "5"))
PICTURES = 30


def command(list_file: Path, folder: Path, model: Path) -> list[str]:
    return [
        sys.executable, "-m", "pixtrawl", "download", str(list_file), "-o", str(folder), "-n", "6",
        "--pool", str(PICTURES), "--dedup", "off", "--junk", "keep", "--per-host", "2",
        "--set", "images.decoders=1", "--allow-address", "127.0.0.0/8", "-q", "--relevant",
        "--model", str(model),
    ]  # fmt: skip


def content(folder: Path) -> tuple[Counter[str], dict[str, int]]:
    ds = pixtrawl.open(folder)
    rows = Counter(f"{one.label} {one.info.sha256} {one.scores['relevance']}" for one in ds)
    on_disk = {path.name for path in (folder / "red").iterdir()}
    assert on_disk == {Path(one.file_name).name for one in ds}, "files and rows agree"
    return rows, {name: count for name, count in dict(ds.report.reasons).items() if count}


@pytest.mark.slow
@pytest.mark.timeout(120 + 20 * KILLS)
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_pool_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    model = write_model(tmp_path / "tiny")
    chance = random.Random(3)
    with serving(pictures(PICTURES)) as urls:
        (tmp_path / "red.txt").write_text("\n".join(urls) + "\n")
        whole = command(tmp_path / "red.txt", tmp_path / "undisturbed", model)
        assert subprocess.run(whole, check=False).returncode == 0
        broken = command(tmp_path / "red.txt", tmp_path / "killed", model)
        killed = 0
        for turn in range(KILLS):
            running = subprocess.Popen(broken, stderr=subprocess.PIPE)
            # By what lies in the folder: in the middle of the pool, and around the choice.
            enough = (turn + 1) * PICTURES // (KILLS + 1)
            deadline = time.monotonic() + 60
            while running.poll() is None and time.monotonic() < deadline:
                if len(list((tmp_path / "killed").glob("red/*"))) >= enough:
                    break
                time.sleep(0.005)
            time.sleep(chance.uniform(0, 0.3) * (turn % 2))
            killed += running.poll() is None
            running.kill()
            _, said = running.communicate()
            assert running.returncode in {-signal.SIGKILL, 0}, said
        assert killed >= 1
        assert subprocess.run(broken, check=False).returncode == 0
    assert content(tmp_path / "killed") == content(tmp_path / "undisturbed")
