"""A site, and data sets that were collected from it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pixtrawl.playground import Playground
from tests.life.sets import pets
from tests.pipeline.pictures import Host, fresh


@pytest.fixture(scope="module")
def site() -> Iterator[Playground]:
    with Playground() as running:
        yield running


@pytest.fixture(scope="session")
def collected(tmp_path_factory: pytest.TempPathFactory, scenes: Host) -> Path:
    return pets(tmp_path_factory.mktemp("collected"), fresh(scenes))


@pytest.fixture
def cats(tmp_path: Path, collected: Path) -> Path:
    """Ten cats and ten dogs, in a folder beside others."""
    return Path(shutil.copytree(collected, tmp_path / "own/pets"))
