"""Large matrices of tests: some rows in every run of the suite, all of them in `make test-slow`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Final

import pytest

ALL_EXAMPLES: Final = os.environ.get("TEST_EXAMPLES") == "all"


def slow(*values: object) -> Any:
    """A row of a matrix that is left to `make test-slow`."""
    return pytest.param(*values, marks=pytest.mark.slow)


def matrix(rows: Iterable[Any], *always: object) -> list[Any]:
    """All rows; those that are not named in `always` are slow."""
    every = list(rows)
    assert set(always) <= set(every), "a row that there is not"
    return [row if row in always else slow(row) for row in every]


def examples(count: int) -> int:
    """How many examples a property test draws: a quarter of `count`, all in `make test-slow`."""
    return count if ALL_EXAMPLES else max(10, count // 4)
