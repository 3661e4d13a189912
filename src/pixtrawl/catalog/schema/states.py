"""States of images and candidates, for Python and for SQL.

States are written into the text of a statement instead of being bound: SQLite uses a partial index
(`WHERE state = ...`) only where the statement repeats its condition with a constant. A member in an
f-string is formatted as its number.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

__all__ = [
    "COMPARED",
    "KEPT",
    "KEPT_OR_WITHDRAWN",
    "KEPT_STATES",
    "REMOVED",
    "REMOVED_OR_WANTED",
    "CandidateState",
    "SampleState",
    "any_of",
]


class SampleState(IntEnum):
    """The state of an image: the values of `sample.state`."""

    ACCEPTED = 0  # decided and committed; its file may not be in place yet
    PLACED = 1
    DELETED_BY_HAND = 2
    REPLACED = 3  # by a better copy, which has its number
    TAKEN_DOWN = 4
    WITHDRAWN = 5  # turned out to be a placeholder, or in conflict with another label
    RELABELLED = 6  # a person put it under another label, where a row of its own keeps it
    WANTED_BACK = 7  # was removed, and a person wants it again; its number stays taken


class CandidateState(IntEnum):
    """The values of `candidate.state`. Candidates below SETTLED may still be tried."""

    OPEN = 0
    CROWDED = 1  # open, and passed over while its host has enough in the query's window
    SETTLED = 2  # it has its outcome


def any_of(*states: IntEnum) -> str:
    """Return a list for SQL's `IN`, such as `(0, 1)`."""
    return f"({', '.join(str(int(one)) for one in states)})"


KEPT_STATES: Final = frozenset({SampleState.ACCEPTED, SampleState.PLACED})
# For `state IN {KEPT}`: images that are in the data set.
KEPT: Final = any_of(*sorted(KEPT_STATES))
KEPT_OR_WITHDRAWN: Final = any_of(*sorted(KEPT_STATES), SampleState.WITHDRAWN)
# New images are compared with these, so that a relabelled one is not accepted again either.
COMPARED: Final = any_of(*sorted(KEPT_STATES), SampleState.WITHDRAWN, SampleState.RELABELLED)
REMOVED: Final = any_of(SampleState.DELETED_BY_HAND, SampleState.TAKEN_DOWN)
REMOVED_OR_WANTED: Final = any_of(
    SampleState.DELETED_BY_HAND, SampleState.TAKEN_DOWN, SampleState.WANTED_BACK
)
