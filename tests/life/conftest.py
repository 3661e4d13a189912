"""A server of pictures for data sets that are changed."""

from __future__ import annotations

import pytest

from tests.pipeline.pictures import Host, fresh


@pytest.fixture(scope="module")
def host(scenes: Host) -> Host:
    return fresh(scenes)
