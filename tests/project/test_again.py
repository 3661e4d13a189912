"""CI runs failed tests once more, alone: a fault fails again, an unsteady test is named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.matrices import slow

SCRIPT = Path(__file__).parents[2] / "scripts" / "again.py"
TESTS = """
from pathlib import Path

def test_fails_once():
    mark = Path("been_here")
    mark.touch()

def test_has_a_fault():
    assert False
"""


def again(folder: Path, names: list[str]) -> subprocess.CompletedProcess[str]:
    (folder / "test_these.py").write_text(TESTS, "utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    slow: takes long\n", "utf-8")
    record = folder / ".pytest_cache/v/cache/lastfailed"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps(dict.fromkeys(names, True)), "utf-8")
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return subprocess.run(
        [sys.executable, str(SCRIPT)], cwd=folder, env=own, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.slow  # starts runs of tests in runs of tests
def test_a_test_that_passes_alone_is_named_as_unsteady(tmp_path: Path) -> None:
    done = again(tmp_path, ["test_these.py::test_fails_once"])
    assert done.returncode == 0, done.stdout
    assert "UNSTEADY" in done.stderr
    assert "test_these.py::test_fails_once" in done.stderr
    assert (tmp_path / "been_here").exists()


@pytest.mark.slow  # starts runs of tests in runs of tests
def test_a_fault_fails_again(tmp_path: Path) -> None:
    done = again(tmp_path, ["test_these.py::test_fails_once", "test_these.py::test_has_a_fault"])
    assert done.returncode == 1
    assert "UNSTEADY" not in done.stderr


@pytest.mark.parametrize("count", [0, slow(6)])
def test_no_failure_on_record_and_many_failures_are_no_success(tmp_path: Path, count: int) -> None:
    done = again(tmp_path, [f"test_these.py::test_{n}" for n in range(count)])
    assert done.returncode == 1
    assert not (tmp_path / "been_here").exists()
