"""`make audit`: a known weakness is a failure, an advisory service out of reach is not."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture
def audit(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", root / "scripts/audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


WELL: dict[str, Any] = {"name": "a", "version": "1", "vulns": []}
WEAK = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}
UNKNOWN = {"name": "c", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("packages", "code", "said"),
    [
        ([WELL, WEAK], 1, "b 2: PYSEC-1, mended in 3"),
        ([WELL], 0, "1 packages, 0 known weaknesses"),
        ([WELL, UNKNOWN], 0, "1 packages are not known"),
        ([UNKNOWN], 0, "nothing was found out"),
    ],
)
def test_the_verdict_is_about_what_was_found_out(
    audit: ModuleType,
    capsys: pytest.CaptureFixture[str],
    packages: list[dict[str, Any]],
    code: int,
    said: str,
) -> None:
    assert audit.verdict({"dependencies": packages}) == code
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("stderr", "code"), [("requests.exceptions.ConnectionError: x", 0), ("error: no such file", 1)]
)
def test_a_network_without_the_service_is_one_line_and_no_failure(
    audit: ModuleType,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    stderr: str,
    code: int,
) -> None:
    def run(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 1, "", stderr)

    monkeypatch.setattr(subprocess, "run", run)
    assert audit.main() == code
    assert (capsys.readouterr().out.count("\n") == 1) == (code == 0)
