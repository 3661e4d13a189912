"""Decides what becomes of each outcome, writes it down, puts the file in place.

Decisions run in batches on the catalog's thread, one transaction each, in this order: what was
decided is committed, then files are renamed, then the rows are marked as placed. A kill between two
of these steps is mended by the next start (storage/recovery.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from pixtrawl.dedup import Level, NearDuplicates
from pixtrawl.errors import StorageError
from pixtrawl.images.sniff import EXTENSIONS
from pixtrawl.model import ImageInfo, Outcome, Reason, Task
from pixtrawl.storage import files, frontier, recovery, samples
from pixtrawl.storage.catalog import Catalog
from pixtrawl.storage.folder import Folder
from pixtrawl.storage.layout import file_name
from pixtrawl.storage.samples import State

_BATCH: Final = 500  # rows
_KEPT: Final = frozenset({State.ACCEPTED, State.PLACED})
_EVERY_S: Final = 0.25  # DESIGN: a transaction about every half second; half of it for short jobs


@dataclass(slots=True)
class Decision:
    """The final word on one task, and what has to happen to its staged file."""

    task: Task
    outcome: Outcome
    sample_id: int | None = None
    file_name: str | None = None
    gained: bool = False  # one image more; False for a better copy, which replaces one


class Judge:
    """Decides one batch inside a transaction; knows samples, duplicates and how many are wanted."""

    def __init__(self, level: Level, run_id: int) -> None:
        self.near = NearDuplicates(level, self._thumb)
        self._db: sqlite3.Connection
        self._exact = level is not Level.OFF
        self._run_id = run_id
        self._numbers: dict[str, int] = {}
        self._saved: dict[int, int] = {}
        self._wanted: dict[int, int | None] = {}

    def expect(self, query_id: int, wanted: int | None, saved: int) -> None:
        """A query joins with what it wants and has."""
        self._wanted[query_id] = wanted
        self._saved[query_id] = saved

    def load(self, db: sqlite3.Connection, label: str) -> None:
        """Fills the near-duplicate index with the images that a label has already."""
        for sample_id, info in samples.hashes(db, label):
            self.near.add(label, sample_id, info)

    def _thumb(self, sample_id: int) -> bytes:
        return samples.thumb(self._db, sample_id)

    def decide(self, db: sqlite3.Connection, batch: list[tuple[Task, Outcome]]) -> list[Decision]:
        """The final word on each, in order; rows are written, files are not touched."""
        self._db = db
        return [self._decide(db, task, outcome) for task, outcome in batch]

    def _decide(self, db: sqlite3.Connection, task: Task, outcome: Outcome) -> Decision:
        info = outcome.info
        if outcome.reason is Reason.INTERRUPTED:
            return Decision(task, outcome)  # its row stays open
        if outcome.reason is not Reason.SAVED or info is None:
            frontier.settle(db, task.id, outcome, self._run_id)
            return Decision(task, outcome)
        decision = (
            self._same_bytes(db, task, outcome, info)
            or self._same_picture(db, task, outcome, info)
            or self._accept(db, task, outcome, info)
        )
        frontier.settle(
            db,
            task.id,
            decision.outcome,
            self._run_id,
            sample_id=decision.sample_id,
            distance=_distance(decision.outcome),
        )
        return decision

    def _same_bytes(
        self, db: sqlite3.Connection, task: Task, outcome: Outcome, info: ImageInfo
    ) -> Decision | None:
        known = samples.same_bytes(db, task.candidate.label, info.sha256)
        if known is None or (not self._exact and known.state in _KEPT):
            return None
        reason = {
            State.DELETED_BY_HAND: Reason.REMOVED_BY_USER,
            State.TAKEN_DOWN: Reason.TAKEN_DOWN,
        }.get(known.state, Reason.SAME_BYTES)
        return Decision(task, replace(outcome, reason=reason), known.id)

    def _same_picture(
        self, db: sqlite3.Connection, task: Task, outcome: Outcome, info: ImageInfo
    ) -> Decision | None:
        match = self.near.find(task.candidate.label, info)
        if match is None or match.label != task.candidate.label:
            return None
        detail = f"distance {match.distance} ({match.stage})"
        kept = samples.quality(db, match.id)
        if kept is not None and _better(outcome, info, *kept):
            return self._replace(db, task, outcome, info, match.id)
        verdict = replace(outcome, reason=Reason.SAME_PICTURE, detail=detail)
        return Decision(task, verdict, match.id)

    def _replace(
        self, db: sqlite3.Connection, task: Task, outcome: Outcome, info: ImageInfo, old_id: int
    ) -> Decision:
        """A better copy takes the place and the number of a kept one."""
        number, query_id = samples.number_and_query(db, old_id)
        samples.mark(db, old_id, State.REPLACED)
        name = file_name(task.candidate.label, number, EXTENSIONS[info.format])
        # The number belongs to the query that first filled it, whoever found the better copy.
        sample_id = samples.accept(db, replace(task, query_id=query_id), outcome, number, name)
        samples.inherit(db, old_id, sample_id)
        self.near.remove(old_id)
        self.near.add(task.candidate.label, sample_id, info)
        return Decision(task, outcome, sample_id, name)

    def _accept(
        self, db: sqlite3.Connection, task: Task, outcome: Outcome, info: ImageInfo
    ) -> Decision:
        wanted = self._wanted[task.query_id]
        if wanted is not None and self._saved[task.query_id] >= wanted:
            return Decision(task, replace(outcome, reason=Reason.NOT_NEEDED))
        label = task.candidate.label
        number = self._numbers.get(label) or samples.next_number(db, label)
        self._numbers[label] = number + 1
        name = file_name(label, number, EXTENSIONS[info.format])
        sample_id = samples.accept(db, task, outcome, number, name)
        self._saved[task.query_id] += 1
        self.near.add(label, sample_id, info)
        return Decision(task, outcome, sample_id, name, gained=True)


def _note_superseded(decisions: list[Decision]) -> None:
    """An image that a better copy replaced within its own batch is never put in place."""
    newest: dict[str, Decision] = {}
    for decision in decisions:
        if decision.outcome.reason is Reason.SAVED and decision.file_name is not None:
            place = decision.file_name.rpartition(".")[0]
            if (older := newest.get(place)) is not None:
                older.outcome = replace(older.outcome, reason=Reason.BETTER_COPY_KEPT)
                decision.gained, older.gained = decision.gained or older.gained, False
            newest[place] = decision


def _distance(outcome: Outcome) -> int | None:
    if outcome.reason is not Reason.SAME_PICTURE:
        return None
    return int(outcome.detail.split()[1])


def _better(new: Outcome, info: ImageInfo, kept_kind: int, kept: ImageInfo) -> bool:
    """Original before thumbnail, then more pixels (by a clear margin), then less compressed."""
    if new.kind.preference != kept_kind:
        return new.kind.preference < kept_kind
    pixels, kept_pixels = info.width * info.height, kept.width * kept.height
    if pixels != kept_pixels:
        return pixels > kept_pixels
    if info.size_bytes != kept.size_bytes:
        return info.size_bytes > kept.size_bytes
    return info.sha256 < kept.sha256  # so that the order of arrival does not matter


class Settler:
    """Collects outcomes and hands them to the judge in batches."""

    def __init__(
        self,
        catalog: Catalog,
        folder: Folder,
        judge: Judge,
        decided: Callable[[Decision], None],
    ) -> None:
        self._catalog = catalog
        self._folder = folder
        self._judge = judge
        self._decided = decided
        self._pending: list[tuple[Task, Outcome]] = []
        self._wake = asyncio.Event()
        self._closing = False
        self.idle: Callable[[], bool] = lambda: False  # nothing else is under way: do not wait

    def offer(self, task: Task, outcome: Outcome) -> None:
        """Takes an outcome; the decision follows within about a quarter of a second."""
        self._pending.append((task, outcome))
        self._wake.set()

    async def run(self) -> None:
        """Decides until `close`. Raises StorageError, after which nothing more is decided."""
        while not (self._closing and not self._pending):
            await self._wake.wait()
            await self._gather()
            batch, self._pending = self._pending[:_BATCH], self._pending[_BATCH:]
            if not self._pending and not self._closing:
                self._wake.clear()
            if batch:
                for decision in await self._catalog.call(partial(self._settle, batch)):
                    self._decided(decision)

    async def _gather(self) -> None:
        """Lets a batch grow for a moment, unless everything waits for it."""
        deadline = time.monotonic() + _EVERY_S
        while len(self._pending) < _BATCH and not self._closing and not self.idle():
            left = deadline - time.monotonic()
            if left <= 0:
                return
            await asyncio.sleep(min(left, 0.02))

    def close(self) -> None:
        """No more outcomes will come; `run` ends when all are decided."""
        self._closing = True
        self._wake.set()

    def _settle(self, batch: list[tuple[Task, Outcome]]) -> list[Decision]:
        """On the catalog's thread: commit, rename, mark."""
        decisions = self._catalog.write_now(lambda db: self._judge.decide(db, batch))
        _note_superseded(decisions)
        kept = [d for d in decisions if d.outcome.reason is Reason.SAVED]
        for decision in decisions:
            if decision.outcome.reason is not Reason.SAVED:
                self._drop(decision)
        if kept:
            self._catalog.write_now(lambda db: self._place(db, kept))
        return decisions

    def _place(self, db: sqlite3.Connection, kept: list[Decision]) -> None:
        for d in kept:
            assert d.file_name is not None
            assert d.sample_id is not None
            assert d.outcome.staged_name is not None
            label, _, leaf = d.file_name.rpartition("/")
            staged = self._folder.staging / d.outcome.staged_name
            d.file_name = recovery.place(
                db, self._folder, d.sample_id, label, int(leaf.partition(".")[0]), d.file_name,
                staged,
            )  # fmt: skip
        samples.mark_placed(db, [d.sample_id for d in kept if d.sample_id is not None])

    def _drop(self, decision: Decision) -> None:
        outcome = decision.outcome
        if outcome.staged_name is None:
            return
        staged = self._folder.staging / outcome.staged_name
        if outcome.reason is Reason.SAME_PICTURE and outcome.info is not None:
            # Kept aside, so that a person can take the decision back.
            extension = EXTENSIONS[outcome.info.format]
            aside = self._folder.quarantine / f"{outcome.info.sha256}.{extension}"
            with contextlib.suppress(FileNotFoundError, StorageError):
                files.move_new(staged, aside)
        files.discard(staged)
