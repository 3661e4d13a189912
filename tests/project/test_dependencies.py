"""What the source imports and what pyproject.toml declares are the same set."""

from __future__ import annotations

import ast
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tests.project.parsed import nodes

from pixtrawl.operations import checks

# Declared for the user's sake, and imported by no line of ours.
NEVER_IMPORTED = {
    "webdataset": "reads the shards that the exporter writes with its own code",
    "scikit-image": "its photographs are read as files",
    "scikit-learn": "the same",
}
# Imported where the user has it, with a message where not; never installed by us.
OPTIONAL_GUESTS = {
    "pandas", "datasets", "torch", "pyarrow", "IPython", "open-clip", "open-clip-torch",
}  # fmt: skip


def imported_modules(root: Path) -> set[str]:
    """First names of all modules that src imports, wherever in a file."""
    names: set[str] = set()
    for path in (root / "src").rglob("*.py"):
        for node in nodes(path):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - {"pixtrawl"}


@pytest.fixture(scope="module")
def imported(root: Path) -> set[str]:
    """Names of the distributions that src imports from."""
    owners = packages_distributions()
    return {
        canonicalize_name(owner)
        for module in imported_modules(root)
        for owner in owners.get(module, [module])
    }


@pytest.fixture(scope="module")
def declared(pyproject: dict[str, Any]) -> set[str]:
    project = pyproject["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    names = {str(canonicalize_name(Requirement(row).name)) for rows in lists for row in rows}
    return names - {"pixtrawl"}


@pytest.mark.slow  # reads all sources; `make docs-check` runs it
def test_everything_imported_is_declared(imported: set[str], declared: set[str]) -> None:
    assert imported - declared - OPTIONAL_GUESTS == set()


@pytest.mark.slow  # reads all sources; `make docs-check` runs it
def test_everything_declared_is_imported(imported: set[str], declared: set[str]) -> None:
    elsewhere = {"pyseccomp", "uvloop"} if sys.platform == "win32" else set()
    assert declared - imported - set(NEVER_IMPORTED) - elsewhere == set()


def test_doctor_looks_for_the_packages_that_are_declared(pyproject: dict[str, Any]) -> None:
    """A package that is no longer needed must not be called missing."""
    needed = {Requirement(row).name for row in pyproject["project"]["dependencies"]}
    asked = {distribution for _, distribution, _ in checks._PACKAGES}
    assert asked <= needed
