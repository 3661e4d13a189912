"""One playground for the tests that only read from it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pixtrawl.playground import Playground


@pytest.fixture(scope="session")
def site() -> Iterator[Playground]:
    """No faults in listings; those served wait a hundredth of their time."""
    with Playground(patience=0.01) as running:
        yield running
        assert running.errors == []
