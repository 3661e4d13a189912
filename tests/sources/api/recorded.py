"""Recorded answers of sites, from the third-party data."""

from __future__ import annotations

import json
from typing import Any

from tests.shared_data import shared_text


def load(name: str) -> Any:
    return json.loads(shared_text(f"recorded/{name}"))
