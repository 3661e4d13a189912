"""Removed images that a person wants back, while a run fetches them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Final

from pixtrawl.catalog import samples, wanted_back
from pixtrawl.catalog.states import SampleState
from pixtrawl.catalog.wanted_back import Awaited
from pixtrawl.model import REASONS, Task
from pixtrawl.pipeline.decide.decision import Decision

__all__ = ["Awaiting"]

_KEPT: Final = frozenset({SampleState.ACCEPTED, SampleState.PLACED})


class Awaiting:
    """What the queries of a run wait for, by candidate."""

    def __init__(self) -> None:
        self._images: dict[int, Awaited] = {}
        self._excess: dict[int, int] = {}  # by query

    def expect(self, query_id: int, images: Iterable[Awaited], excess: int) -> None:
        """These are wanted back under their numbers.

        `excess` images of the query are in place and were not counted, to leave room for them.
        """
        self._images.update((one.candidate_id, one) for one in images)
        self._excess[query_id] = excess

    def also(self, query_id: int, images: Iterable[Awaited]) -> None:
        """These are wanted back since the run began."""
        self._images.update((one.candidate_id, one) for one in images)
        self._excess.setdefault(query_id, 0)

    def number(self, db: sqlite3.Connection, task: Task, sha256: str) -> int | None:
        """The number under which the image of this task comes back, whatever it looks like.

        None where it was not waited for, or its label has these bytes already.
        """
        awaited = self._images.get(task.id)
        if awaited is None:
            return None
        known = samples.same_bytes(db, task.candidate.label, sha256)
        if known is not None and known.state in _KEPT:
            return None
        del self._images[task.id]
        wanted_back.arrived(db, awaited.sample_id)
        return awaited.number

    def gives_up(self, db: sqlite3.Connection, decision: Decision) -> bool:
        """One that cannot be had any more is waited for no longer.

        Returns whether an image that is in place fills its room.
        """
        awaited = self._images.get(decision.task.id)
        if awaited is None or REASONS[decision.outcome.reason].transient:
            return False
        del self._images[decision.task.id]
        wanted_back.give_up(db, awaited.sample_id)
        query_id = decision.task.query_id
        if self._excess[query_id] <= 0:
            return False
        self._excess[query_id] -= 1
        return True
