"""A server of pictures for data sets that people decide on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pipeline.pictures import Host, saved, scene, serving


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with serving(saved(scene, 30)) as running:
        yield running
