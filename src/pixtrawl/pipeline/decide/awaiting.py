"""Tracks removed images that a person wants back, while a run fetches them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Final

from pixtrawl.catalog import samples
from pixtrawl.catalog.decisions import wanted_back
from pixtrawl.catalog.decisions.wanted_back import Awaited
from pixtrawl.catalog.schema.states import SampleState
from pixtrawl.model import REASONS, Task
from pixtrawl.pipeline.decide.decision import Decision

__all__ = ["Awaiting"]

_KEPT: Final = frozenset({SampleState.ACCEPTED, SampleState.PLACED})


class Awaiting:
    """The removed images that the queries of a run wait for, by candidate."""

    def __init__(self) -> None:
        self._images: dict[int, Awaited] = {}
        self._excess: dict[int, int] = {}  # by query

    def expect(self, query_id: int, images: Iterable[Awaited], excess: int) -> None:
        """Wait for these images of a query, each under its former number.

        `excess` is the number of images in place that were not counted, to leave room for these.
        """
        self._images.update((one.candidate_id, one) for one in images)
        self._excess[query_id] = excess

    def also(self, query_id: int, images: Iterable[Awaited]) -> None:
        """Add images that a person wanted back after the run began."""
        self._images.update((one.candidate_id, one) for one in images)
        self._excess.setdefault(query_id, 0)

    def number(self, db: sqlite3.Connection, task: Task, sha256: str) -> int | None:
        """Return the number under which the image of this task comes back, whatever it shows.

        Return None if it was not waited for, or an image with these bytes is under its label.
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
        """Stop waiting for an image whose fetch failed permanently.

        Return whether an image in place that was not counted takes its room.
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
