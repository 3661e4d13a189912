"""One Chromium for all tests of the page that a process of the suite carries out, and a studio."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.studio.fake_server import fake_studio
from tests.studio.fake_studio import FakeStudio
from tests.studio.tab import chromium


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    """A Chromium; started once, ended before tests that run a loop of their own."""
    with chromium() as started:
        yield started


@pytest.fixture
def studio() -> Iterator[FakeStudio]:
    """A studio of forty images."""
    with fake_studio(40) as started:
        yield started
