"""Large matrices of tests: some rows in every run of the suite, all of them in `make test-slow`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from itertools import product
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
    return [row if row in always else slow(*_values(row)) for row in every]


def _values(row: Any) -> tuple[Any, ...]:
    return row if isinstance(row, tuple) else (row,)


def sample(rows: Iterable[Any], every: int, first: int = 0) -> list[Any]:
    """All rows; each `every`th from `first` on is in the suite, the others are slow.

    A row that is a tuple is the values of several parameters. Tests of the same rows begin at
    different ones, so that each row is in the suite somewhere.
    """
    return [
        row if number % every == first else slow(*_values(row)) for number, row in enumerate(rows)
    ]


def crossed(*parameters: Iterable[Any]) -> list[Any]:
    """All combinations. Each value of each parameter is once in the suite; the others are slow.

    A value that is a tuple is the values of several parameters.
    """
    lists: list[Sequence[Any]] = [list(values) for values in parameters]
    places = [range(len(values)) for values in lists]
    kept = {tuple(turn % len(place) for place in places) for turn in range(max(map(len, places)))}
    rows = []
    for at in product(*places):
        row: tuple[Any, ...] = ()
        for values, place in zip(lists, at, strict=True):
            row += _values(values[place])
        rows.append(row if at in kept else slow(*row))
    return rows


def examples(count: int) -> int:
    """How many examples a property test draws: a tenth of `count`, all in `make test-slow`."""
    return count if ALL_EXAMPLES else max(10, count // 10)
