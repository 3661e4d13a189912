"""One run on one data set folder: its concurrent tasks and their orderly end.

Independent of where candidates come from (sources or manifests) and of where files are fetched.
`pipeline.opening` creates a session.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from pixtrawl.catalog import queries, run_log
from pixtrawl.catalog.files import derived_mark
from pixtrawl.engines.base import Engine
from pixtrawl.events import CandidateSettled, Event, Notice
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.derived import writing
from pixtrawl.model import REASONS
from pixtrawl.pipeline.decide.decision import Decision
from pixtrawl.pipeline.decide.orphans import Orphans
from pixtrawl.pipeline.decide.settler import Settler
from pixtrawl.pipeline.decision_intake import DecisionIntake
from pixtrawl.pipeline.finished import mending
from pixtrawl.pipeline.run_input import DownloadInput
from pixtrawl.pipeline.url_list import UrlListWriter

if TYPE_CHECKING:
    from pixtrawl.pipeline.steering import Steering
    from pixtrawl.pipeline.topic_pool import TopicPool

__all__ = ["Session"]

_FILES_S: Final = 5.0  # of an interrupted run: 100,000 images on an idle core


class _OutOfTimeError(Exception):
    """Writing the derived files takes longer than a stopped run may take to end."""


class Session:
    """Scheduler, engine, settler and URL list writer of one run."""

    def __init__(  # noqa: PLR0913 - the parts, made by `pipeline.opening`
        self,
        folder: Folder,
        emit: Callable[[Event], None],
        *,
        run_input: DownloadInput,
        engine: Engine,
        settler: Settler,
        url_list: UrlListWriter,
        intake: DecisionIntake,
        orphans: Orphans,
        max_time_s: float | None,
        pool: TopicPool | None = None,
    ) -> None:
        self.emit = emit
        self.input = run_input
        self.catalog = run_input.catalog
        self.hosts = engine.hosts
        self._max_time_s = max_time_s
        self._folder = folder
        self._engine = engine
        self._scheduler = run_input.scheduler
        self._settler = settler
        self._url_list = url_list
        self._intake = intake
        self._orphans = orphans
        self._pool = pool
        self._started = time.monotonic()

    @property
    def steering(self) -> Steering | None:
        """The order of candidates by a person's likes; None where that is off."""
        return self._scheduler.steering

    async def carry_out(self, feeding: Awaitable[None]) -> None:
        """Download while `feeding` adds candidates, until both end; raise the first error."""
        settling = asyncio.create_task(self._settler.run(self._decided, lambda: self._engine.idle))
        url_list_task = asyncio.create_task(self._url_list.run())
        deciding = asyncio.create_task(self._intake.run())
        beside = [deciding]
        if self._pool is not None:
            beside.append(asyncio.create_task(self._pool.run()))
        working = [
            asyncio.create_task(self._feed(feeding)),
            asyncio.create_task(self._engine.run(self._scheduler)),
        ]
        budget = self._budget_timer()
        try:
            await _all_or_first_error([*working, settling, *beside], until=working)
        finally:
            if budget is not None:
                budget.cancel()
            url_list_task.cancel()
            await _end(beside)
            await _end(working)
            await self._scheduler.aclose()
            self._settler.close()
            # A cancelled run still commits its pending outcomes before it ends.
            await _end([url_list_task], cancel=False)
            await asyncio.wait([settling])
        settling.result()

    async def _feed(self, feeding: Awaitable[None]) -> None:
        try:
            await feeding
        finally:
            self.input.close()
        await self.input.finished()

    def _budget_timer(self) -> asyncio.TimerHandle | None:
        if self._max_time_s is None:
            return None
        return asyncio.get_running_loop().call_later(self._max_time_s, self._scheduler.halt)

    def _decided(self, decision: Decision) -> None:
        """Pass a committed decision on to the scheduler, and emit its events."""
        for one in decision.withdrawn:
            self._scheduler.lost(one.query_id)
            self.emit(Notice(f"{one.file_name} is taken out: {REASONS[one.reason].sentence}"))
        self._scheduler.decided(decision.task, gained=decision.gained)
        self.emit(CandidateSettled(decision.task.candidate, decision.outcome, decision.file_name))

    def finish(self, end_reason: str) -> None:
        """Record how the run ended, and write the files derived from the catalog.

        `end_reason` is done, interrupted or failed; done is recorded as budget if one is spent.
        """
        if end_reason == "done" and self._scheduler.halted:
            end_reason = "budget"
        elapsed_s = time.monotonic() - self._started
        fetched_bytes = self._scheduler.fetched_bytes
        self._intake.finish()
        steering = self._scheduler.steering
        summary = None if steering is None else steering.summary()
        if summary is not None:
            self.catalog.write_now(
                lambda db: run_log.note_steering(db, self.input.run_id, summary.to_dict())
            )
        if end_reason == "done":
            self._set_left_aside()
        self.catalog.write_now(
            lambda db: run_log.end_run(
                db, self.input.run_id, reason=end_reason, elapsed_s=elapsed_s,
                fetched_bytes=fetched_bytes,
            )
        )  # fmt: skip
        self._write_files(end_reason == "interrupted")

    def _write_files(self, is_interrupted: bool) -> None:
        """Write the files derived from the catalog; not for long where the user wants to leave."""
        until = time.monotonic() + _FILES_S

        def go_on() -> None:
            if is_interrupted and time.monotonic() > until:
                raise _OutOfTimeError

        try:
            self.catalog.write_now(lambda db: writing.write_all(db, self._folder, go_on))
        except _OutOfTimeError:
            self.catalog.write_now(derived_mark.set_stale)
            self.emit(
                Notice(
                    "metadata.jsonl and its like are not up to date; the next command writes them"
                )
            )

    def _set_left_aside(self) -> None:
        """Set aside the files without a row that this run could have brought again and did not."""
        run_id = self.input.run_id
        rows = self.catalog.write_now(lambda db: queries.of_run(db, run_id))
        labels = {row.label for row in rows}
        left = mending.set_left_aside(self.catalog, self._folder, self._orphans, labels)
        if left:
            self.emit(
                Notice(
                    f"{len(left):,} numbered files that no row knows and no URL brought again are "
                    f"set aside: {', '.join(left[:3])}",
                    level="warning",
                )
            )


async def _all_or_first_error(
    tasks: Sequence[asyncio.Future[None]], until: Sequence[asyncio.Future[None]]
) -> None:
    waiting = set(tasks)
    while any(task in waiting for task in until):
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


async def _end(tasks: Iterable[asyncio.Future[None]], *, cancel: bool = True) -> None:
    """Cancel tasks (if `cancel`) and wait for them, ignoring cancellation meanwhile."""
    open_tasks = {task for task in tasks if not task.done()}
    if cancel:
        for task in open_tasks:
            task.cancel()
    while open_tasks:
        with contextlib.suppress(asyncio.CancelledError):
            _, open_tasks = await asyncio.wait(open_tasks)
