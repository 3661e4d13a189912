"""The recorded page of Bing."""

from __future__ import annotations

import pytest
from tests.shared_data import shared_text


@pytest.fixture(scope="module")
def recorded() -> str:
    return shared_text("recorded/bing/bing_images.html")
