"""A server for stand-ins; no keys from the environment of whoever runs the tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.net.conftest import Server

from pixtrawl.net import source_http
from pixtrawl.sources import keys


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in keys.VARIABLES.values():
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken line is tried again at once."""
    monkeypatch.setattr(source_http, "_AGAIN_AFTER_S", 0.01)
