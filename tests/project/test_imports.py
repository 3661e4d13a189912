"""The import contracts of pyproject.toml hold, and starting is quick."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

HEAVY = ("numpy", "PIL", "playwright", "pyarrow", "webdataset", "fsspec", "pycurl", "rich")


def test_the_import_contracts_hold(root: Path) -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program, "--no-logo", "--no-cache"], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_the_contracts_name_modules_that_are_there(root: Path, pyproject: dict[str, Any]) -> None:
    contracts = pyproject["tool"]["importlinter"]["contracts"]
    named = {
        name
        for contract in contracts
        for line in (
            *contract.get("ignore_imports", ()), *contract.get("source_modules", ()),
            *contract.get("forbidden_modules", ()),
        )
        for name in line.split(" -> ")
        if name.startswith("pixtrawl")
    }  # fmt: skip
    layers = {
        word.strip()
        for one in contracts
        for line in one.get("layers", ())
        for word in line.split("|")
    }
    named |= {f"pixtrawl.{word}" for word in layers}
    places = {name: root / "src" / name.replace(".", "/") for name in named}
    missing = [
        n for n, p in places.items() if not p.is_dir() and not p.with_suffix(".py").is_file()
    ]
    assert missing == []


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = f"import sys, pixtrawl; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_asking_for_the_version_imports_nothing_heavy() -> None:
    code = (
        "import sys; from pixtrawl.cli.main import main; main(['--version']);"
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
