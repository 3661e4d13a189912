"""A small data set, and a studio that serves it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.life.sets import pets
from tests.pipeline.pictures import Host, fresh
from tests.studio.client import Client, studio_on


@pytest.fixture(scope="module")
def host(scenes: Host) -> Host:
    return fresh(scenes)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, host: Host) -> Path:
    return pets(tmp_path_factory.mktemp("original"), host)


@pytest.fixture
def root(tmp_path: Path, original: Path) -> Path:
    """Ten cats and ten dogs, for one test to change."""
    return Path(shutil.copytree(original, tmp_path / "set"))


@pytest.fixture
def client(root: Path) -> Iterator[Client]:
    with studio_on(root) as found:
        yield found
