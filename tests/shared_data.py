"""Third-party test data: the folder `shared` beside the checkout, which is no part of the repository.

Each test that reads it has a counterpart with rows of our own, so that a clone without the folder
tests the same rules. Where `SHARED_TEST_DATA` names the folder, as CI does, a file that is
missing fails the test that reads it; elsewhere the test is skipped and says why.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

import pytest

__all__ = ["VARIABLE", "shared", "shared_rows", "shared_text"]

VARIABLE: Final = "SHARED_TEST_DATA"
_BESIDE: Final = Path(__file__).parents[2] / "shared"


def shared(name: str) -> Path:
    """The file or folder of that name, relative to the folder of third-party data."""
    required = os.environ.get(VARIABLE)
    path = (Path(required) if required else _BESIDE) / name
    if path.exists():
        return path
    reason = f"third-party test data: no {path} (CONTRIBUTING.md, Third-party test data)"
    if required:
        pytest.fail(f"{VARIABLE} promises {reason}")
    pytest.skip(reason)


def shared_text(name: str) -> str:
    """A text file of it; bytes that are no UTF-8 become replacement characters."""
    return shared(name).read_text(encoding="utf-8", errors="replace")


def shared_rows(name: str) -> list[dict[str, Any]]:
    """A file of it with one JSON object a line."""
    return [json.loads(line) for line in shared(name).read_text(encoding="utf-8").splitlines()]
