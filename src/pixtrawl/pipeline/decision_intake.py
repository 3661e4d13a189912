"""Carries out decisions of people during a run, by polling the journal about twice a second."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Final

from pixtrawl.catalog import frontier, queries, relations, samples
from pixtrawl.catalog.database import Catalog
from pixtrawl.catalog.decisions import wanted_back
from pixtrawl.errors import EngineError
from pixtrawl.events import DecisionTaken, Event, Notice
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.decisions import applying, journal
from pixtrawl.folder.decisions.applying import TakenIn
from pixtrawl.folder.decisions.journal import DecisionRecord
from pixtrawl.pipeline.copy_back import bring_waiting
from pixtrawl.pipeline.decide.judge import Judge
from pixtrawl.pipeline.scheduler.scheduler import Scheduler

__all__ = ["DecisionIntake"]

_EVERY_S: Final = 0.4


class DecisionIntake:
    """Applies new decisions of the journal to catalog and files, then to judge and scheduler."""

    def __init__(
        self,
        catalog: Catalog,
        folder: Folder,
        run_id: int,
        *,
        judge: Judge,
        scheduler: Scheduler,
        emit: Callable[[Event], None],
    ) -> None:
        self._catalog = catalog
        self._folder = folder
        self._run_id = run_id
        self._judge = judge
        self._scheduler = scheduler
        self._emit = emit
        self._wanted: dict[int, int] = {}  # new limits by query, not yet passed to the scheduler
        self._due = TakenIn()  # decisions committed, whose files may not have been moved yet
        self._size_bytes = -1  # size of the journal when it was last read

    async def run(self) -> None:
        """Poll until cancelled. Raise CancelledError, too, when a person stops the run."""
        while True:
            size_bytes = journal.size(self._folder)
            if size_bytes != self._size_bytes:
                await self._catalog.write(self._write)
                await self._catalog.write(self._finish_files)
                done, self._due = self._due, TakenIn()
                self._size_bytes = size_bytes
                self._follow(done)
            await self._refill()
            await asyncio.sleep(_EVERY_S)

    def finish(self) -> None:
        """Apply the last decisions, and those left for the end of the run."""
        self._catalog.write_now(self._finish_files)  # a cancelled run may have committed rows only
        self._due = self._catalog.write_now(lambda db: applying.take_in(db, self._folder))
        self._catalog.write_now(self._finish_files)
        self._notify(self._due)
        try:
            self._notify(bring_waiting(self._catalog, self._folder))
        except EngineError as error:  # the next command tries again
            self._emit(Notice(f"copies that were brought back wait: {error}", level="warning"))

    def _finish_files(self, db: sqlite3.Connection) -> None:
        applying.finish_files(db, self._folder, self._due)

    async def _refill(self) -> None:
        """Resume finished queries of which images were taken out, by a person or a conflict."""
        for window in self._scheduler.short_again():
            query_id = window.row.id
            open_count = await self._catalog.write(partial(_open_again, query_id=query_id))
            self._scheduler.refill(window, open_count)

    def _write(self, db: sqlite3.Connection) -> None:
        done = applying.take_in(db, self._folder, run_id=self._run_id)
        self._due = done  # kept here, so that it survives if the awaiting task is cancelled
        for query_id in done.gained.keys() | done.unfilled.keys():
            self._judge.correct(query_id, done.gained[query_id], done.unfilled[query_id])
        moved = [one for effect in done.effects for one in effect.samples]
        for label, sample_id, info in relations.hashes_of_same_bytes(db, moved):
            self._judge.near.remove(sample_id)  # indexed anew under its current label
            self._judge.near.add(label, sample_id, info)
        if any("wanted_back" in effect.note for effect in done.effects):
            for query_id in set(samples.queries_of(db, moved)):
                self._judge.awaiting.also(query_id, wanted_back.awaited(db, query_id))
        for record in done.steering:
            if record.action == "more" and record.limit is not None:
                for query_id in self._meant(db, record):
                    wanted = queries.want(db, query_id, record.limit)
                    self._judge.expect(query_id, wanted, frontier.saved_count(db, query_id))
                    self._wanted[query_id] = wanted

    def _meant(self, db: sqlite3.Connection, record: DecisionRecord) -> list[int]:
        return [
            one.id
            for one in queries.of_run(db, self._run_id)
            if record.query in {"", one.text} and one.wanted is not None
        ]

    def _follow(self, done: TakenIn) -> None:
        """Apply decisions to the scheduler and emit events, in the event loop's thread."""
        for query_id in done.gained.keys() | done.unfilled.keys():
            self._scheduler.correct(query_id, done.gained[query_id], done.unfilled[query_id])
        self._notify(done)
        if done.effects:
            self._scheduler.order_anew()
        for record in done.steering:
            self._steer(record)

    def _notify(self, done: TakenIn) -> None:
        for line in done.bad:
            self._emit(Notice(f"a decision cannot be carried out: {line}", level="warning"))
        names = {id_: row.query.text for id_, row in self._scheduler.rows()}
        for effect in done.effects:
            record = effect.record
            gained = {names[one]: n for one, n in effect.gained.items() if one in names}
            same = (record.file_name, record.file_name) if record.action == "caption" else ("", "")
            for old, new in effect.names or [same]:
                action = f"undo {record.action}" if effect.undone else record.action
                self._emit(DecisionTaken(action, record.who, old, new, record.reason, gained))
                gained = {}

    def _steer(self, record: DecisionRecord) -> None:
        self._emit(DecisionTaken(record.action, record.who, query=record.query, limit=record.limit))
        match record.action:
            case "pause" | "resume":
                self._scheduler.pause(record.query, paused=record.action == "pause")
            case "more":
                for query_id, wanted in self._wanted.items():
                    self._scheduler.want(query_id, wanted)
                self._wanted.clear()
            case "stop" if record.query:
                self._scheduler.stop(record.query)
            case _:  # the whole run is to stop
                raise asyncio.CancelledError("a person stopped the run")


def _open_again(db: sqlite3.Connection, *, query_id: int) -> int:
    frontier.reopen(db, query_id, "none", thumbnails=False)
    return frontier.open_count(db, query_id)
