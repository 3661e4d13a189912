"""`--durability`: what is saved survives a power cut, and a run that leaves that out says so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfz8AAAQgC"
    "AYE0XfQAAAAASUVORK5CYII="
)


def download(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    (folder.parent / "list.txt").write_text(PICTURE + "\n")
    return subprocess.run(
        [sys.executable, "-m", "pixtrawl", "download", str(folder.parent / "list.txt"),
         "-o", str(folder), "--check", "none", "--json", *options],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("word", ["batch", "none"])
def test_a_run_says_whether_it_waits_for_the_disk(tmp_path: Path, word: str) -> None:
    done = download(tmp_path / "set", "--durability", word)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["durability"], report["totals"]["saved"]) == (word, 1)
    loud = word == "none"
    assert ("--durability none" in done.stderr) == loud
    assert ("`--durability none`" in (tmp_path / "set/README.md").read_text()) == loud


def test_another_word_is_refused(tmp_path: Path) -> None:
    done = download(tmp_path / "set", "--durability", "some")
    assert done.returncode == 2
    assert "batch, none" in done.stderr
    assert not (tmp_path / "set").exists()
