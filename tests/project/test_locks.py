"""requirements/*.txt hold what pyproject.toml asks for, every file by its hash."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

EXTRAS = {"ray", "browser", "publish", "formats", "clip", "lance", "studio", "mcp", "demo", "all"}


@dataclass(frozen=True)
class Locked:
    version: str
    marker: str
    hashes: int


def read_lock(path: Path) -> dict[str, Locked]:
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    locked: dict[str, Locked] = {}
    for line in text.splitlines():
        requirement, *hashes = line.split("--hash=")
        parsed = Requirement(requirement)
        (specifier,) = parsed.specifier
        assert specifier.operator == "=="
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}\s*", item) for item in hashes)
        locked[canonicalize_name(parsed.name)] = Locked(
            specifier.version, str(parsed.marker or ""), len(hashes)
        )
    return locked


@pytest.fixture(scope="module")
def run(root: Path) -> dict[str, Locked]:
    return read_lock(root / "requirements" / "run.txt")


@pytest.fixture(scope="module")
def dev(root: Path) -> dict[str, Locked]:
    return read_lock(root / "requirements" / "dev.txt")


def asked_for(lines: list[Any]) -> list[Requirement]:
    """Named packages of a dependency list; references to ourselves and to groups left out."""
    named = [Requirement(line) for line in lines if isinstance(line, str)]
    return [requirement for requirement in named if requirement.name != "pixtrawl"]


def unmet(requirements: list[Requirement], locked: dict[str, Locked]) -> list[str]:
    return [
        str(requirement)
        for requirement in requirements
        if (found := locked.get(canonicalize_name(requirement.name))) is None
        or found.version not in requirement.specifier
    ]


def test_the_product_s_dependencies_and_extras_are_locked(
    pyproject: dict[str, Any], run: dict[str, Locked]
) -> None:
    project = pyproject["project"]
    extras = {k: v for k, v in project["optional-dependencies"].items() if k not in {"demo", "ray"}}
    lists = [project["dependencies"], *extras.values()]
    assert [unmet(asked_for(lines), run) for lines in lists] == [[] for _ in lists]


def test_the_demo_needs_a_part_of_the_locks(
    root: Path, pyproject: dict[str, Any], dev: dict[str, Locked]
) -> None:
    demo = read_lock(root / "requirements" / "demo.txt")
    # The same files; of fewer packages that need one, its marker may be narrower.
    held = {name: (dev[name].version, dev[name].hashes) for name in demo if name in dev}
    assert held == {name: (one.version, one.hashes) for name, one in demo.items()}
    project = pyproject["project"]
    assert unmet(asked_for(project["dependencies"]), demo) == []
    for extra in ("browser", "studio"):
        assert unmet(asked_for(project["optional-dependencies"][extra]), demo) == []
    assert unmet(asked_for(project["optional-dependencies"]["demo"]), dev) == []
    assert "scikit-image" in demo
    assert "scipy" not in demo, "of scikit-image only the pictures are read"


def test_the_tools_and_tests_are_locked(pyproject: dict[str, Any], dev: dict[str, Locked]) -> None:
    # installed by `make fuzz` and `make test-cluster` alone: too large for every environment
    named = pyproject["dependency-groups"].items()
    groups = [lines for name, lines in named if name not in {"fuzz", "cluster"}]
    assert [unmet(asked_for(lines), dev) for lines in groups] == [[] for _ in groups]


def test_both_locks_agree_on_every_version(run: dict[str, Locked], dev: dict[str, Locked]) -> None:
    for name, row in run.items():
        assert (dev[name].version, dev[name].hashes) == (row.version, row.hashes)
        # what an extra needs on some systems only, tests may need on all
        assert dev[name].marker in {row.marker, ""}, name


def test_every_locked_package_has_hashes(run: dict[str, Locked], dev: dict[str, Locked]) -> None:
    assert [name for name, row in {**run, **dev}.items() if row.hashes == 0] == []


def test_locks_carry_no_address(root: Path) -> None:
    for path in (root / "requirements").iterdir():
        assert "://" not in path.read_text(encoding="utf-8"), path.name


def test_every_extra_brings_something_and_all_is_what_a_usual_user_needs(
    pyproject: dict[str, Any], run: dict[str, Locked]
) -> None:
    extras = pyproject["project"]["optional-dependencies"]
    assert set(extras) == EXTRAS
    assert [name for name, lines in extras.items() if not lines] == []
    (own,) = [Requirement(line) for line in extras["all"]]
    assert (own.name, own.extras) == ("pixtrawl", {"browser", "formats", "studio"})
    assert "torch" not in run
