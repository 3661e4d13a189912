"""Everything one run holds open, brought up in order and let go of in the opposite one.

lock, catalog, recovery, HTTP client, decoders, engine, judge. Nothing here knows whether candidates
come from sources or from a manifest.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import msgspec

from pixtrawl import __version__
from pixtrawl.catalog import frontier, run_log, takedown, wanted_back
from pixtrawl.catalog.database import Catalog
from pixtrawl.catalog.frontier import QueryRow
from pixtrawl.config.groups import Config
from pixtrawl.dedup import Level
from pixtrawl.engines.local import LocalEngine
from pixtrawl.errors import UsageError
from pixtrawl.events import CandidateSettled, Event, FetchStarted, Listener, Notice
from pixtrawl.folder import by_hand, derived, recovery
from pixtrawl.folder.dataset_folder import Folder, Lock
from pixtrawl.folder.renditions import RenditionWriter
from pixtrawl.images.pool import DecoderPool
from pixtrawl.images.rules import Rules
from pixtrawl.model import REASONS, Candidate, Outcome, Task
from pixtrawl.net.client import Client
from pixtrawl.net.fetcher import Fetcher
from pixtrawl.pipeline.decide.decision import Decision
from pixtrawl.pipeline.decide.judge import Judge
from pixtrawl.pipeline.decide.settler import Settler
from pixtrawl.pipeline.exporting import transform_of
from pixtrawl.pipeline.scheduler.scheduler import Scheduler
from pixtrawl.secrets import hide_settings
from pixtrawl.worker import KeepRendition, Worker

_FIRST_WRITE_S: Final = 0.2  # keyword_urls.txt is there from the first URL on,
_WRITE_GROWTH: Final = 2.0  # then written anew ever more rarely: it grows with the set


class Session:
    """One run on one data set folder."""

    def __init__(self, config: Config, folder: Folder, emit: Listener) -> None:
        self.config = config
        self.folder = folder
        self.emit = emit
        self.run_id = 0
        self.end_reason = "done"
        self.fetched_bytes = 0
        self._started = time.monotonic()
        self.catalog: Catalog
        self.client: Client
        self.fetcher: Fetcher
        self.scheduler: Scheduler
        self.judge: Judge
        self._engine: LocalEngine
        self._decoders: DecoderPool | None = None
        self._settler: Settler
        self._dirty = False  # candidates came since keyword_urls.txt was written
        self._query_ids: dict[int, None] = {}

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._started

    @property
    def query_ids(self) -> list[int]:
        """Rows of the queries of this run, in the order given."""
        return list(self._query_ids)

    def expect(self, query_ids: Iterable[int]) -> None:
        """These queries belong to the run, though they join it later or have nothing to do."""
        self._query_ids.update(dict.fromkeys(query_ids))

    def join(self, db: sqlite3.Connection, row: QueryRow) -> int:
        """A query joins the run, inside a transaction. Returns how many candidates are open."""
        self.expect([row.id])
        frontier.reopen(
            db, row.id, self.config.job.retry, thumbnails=self.config.images.allow_thumbnails
        )
        self.judge.expect(row.id, row.query.limit, row.saved)
        if row.awaited:
            self.judge.awaiting.expect(row.id, wanted_back.awaited(db, row.id), row.excess)
        self.judge.load(db, row.query.label)
        return frontier.open_count(db, row.id)

    async def add(self, row: QueryRow, candidates: Iterable[Candidate]) -> int:
        """Candidates join the frontier. Returns how many are new and open."""
        batch = tuple(candidates)
        allowed = self.config.images.allow_thumbnails
        new = await self.catalog.write(
            lambda db: frontier.add(db, row.id, batch, thumbnails=allowed)
        )
        self._dirty = True
        if (window := self.scheduler.queries.get(row.id)) is not None:
            self.scheduler.found(window, new)
        return new

    async def add_each(self, row: QueryRow, candidates: Sequence[Candidate]) -> list[int]:
        """As `add`, in one transaction too. Returns for each candidate whether it is new (1, 0)."""
        allowed = self.config.images.allow_thumbnails
        new = await self.catalog.write(
            lambda db: [frontier.add(db, row.id, (c,), thumbnails=allowed) for c in candidates]
        )
        self._dirty = True
        if (window := self.scheduler.queries.get(row.id)) is not None:
            self.scheduler.found(window, sum(new))
        return new

    # -- what runs beside each other

    async def carry_out(self, feeding: Awaitable[None]) -> None:
        """Downloads while `feeding` brings candidates; both end, or the first error ends both."""
        settling = asyncio.create_task(self._settler.run())
        writing = asyncio.create_task(self._keep_urls_written())
        working = [
            asyncio.ensure_future(feeding),
            asyncio.create_task(self._engine.run(self.scheduler)),
        ]
        budget = self._budget_timer()
        try:
            await self._all_or_first_error([*working, settling], until=working)
        finally:
            if budget is not None:
                budget.cancel()
            writing.cancel()
            await _end(working)
            await self.scheduler.aclose()
            self._settler.close()
            # A cancelled run still writes down what it knows: shielded by waiting, not by luck.
            await _end([writing], cancel=False)
            await asyncio.wait([settling])
        settling.result()

    async def _all_or_first_error(
        self, tasks: Sequence[asyncio.Future[None]], until: Sequence[asyncio.Future[None]]
    ) -> None:
        waiting = set(tasks)
        while any(task in waiting for task in until):
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()

    def _budget_timer(self) -> asyncio.TimerHandle | None:
        limit_s = self.config.job.max_time_s
        if limit_s is None:
            return None
        return asyncio.get_running_loop().call_later(limit_s, self._halt)

    def _halt(self) -> None:
        self.end_reason = "budget"
        self.scheduler.halt()

    async def work(self, task: Task, worker: Worker) -> Outcome:
        """What the engine carries out for each task."""
        self.emit(FetchStarted(task.candidate))
        if self._decoders is not None:
            self._decoders.begin()  # an interpreter with numpy takes 0.2 s: beside the first fetch
        return await worker.work(task)

    def settled(self, task: Task, outcome: Outcome) -> None:
        """An outcome comes back from the engine."""
        self.fetched_bytes += outcome.size_bytes
        limit = self.config.job.max_total_bytes
        if limit is not None and self.fetched_bytes >= limit and not self.scheduler.halted:
            self._halt()
        self._settler.offer(task, outcome)

    def decided(self, decision: Decision) -> None:
        """The catalog has the final word."""
        for one in decision.withdrawn:
            self.scheduler.lost(one.query_id)
            self.emit(Notice(f"{one.file_name} is taken out: {REASONS[one.reason].sentence}"))
        self.scheduler.decided(decision.task, gained=decision.gained)
        self.emit(CandidateSettled(decision.task.candidate, decision.outcome, decision.file_name))

    async def _keep_urls_written(self) -> None:
        pause_s = _FIRST_WRITE_S
        while True:
            await asyncio.sleep(pause_s)
            if self._dirty:
                self._dirty = False
                await self.catalog.write(lambda db: derived.write_keyword_urls(db, self.folder))
                pause_s *= _WRITE_GROWTH

    # -- beginning and end

    async def open(self, stack: AsyncExitStack) -> None:
        """Brings everything up. Raises StorageError, UsageError, EngineError."""
        config = self.config
        if config.job.engine != "local":
            raise UsageError(f"the engine {config.job.engine!r} is not in this version; use local")
        stack.enter_context(Lock(self.folder))
        self.catalog = Catalog(self.folder.catalog)
        stack.callback(self.catalog.close)
        found = self.catalog.write_now(lambda db: recovery.recover(db, self.folder))
        self._tell(found)
        self.run_id = self.catalog.write_now(
            lambda db: run_log.begin_run(db, __version__, plain_settings(config))
        )
        self.client = Client(config.fetch, staging=self.folder.staging)
        stack.push_async_callback(self.client.aclose)
        self.fetcher = Fetcher(self.client, config.politeness, config.fetch, self.emit)
        stack.push_async_callback(self.fetcher.aclose)
        keep: KeepRendition | None = None
        if config.images.check == "full":
            transform = transform_of(config.export)
            if transform is not None:
                renditions = RenditionWriter(self.folder.root, transform)
                stack.callback(renditions.close)
                keep = renditions.put
            self._decoders = DecoderPool(
                config.images, self.folder.staging, transform=transform, emit=self.emit
            )
            stack.push_async_callback(self._decoders.aclose)
        rules = Rules(config.images, config.filters, _asked_for_size(config))
        down = self.catalog.write_now(takedown.load)
        worker = Worker(
            self.fetcher, self._decoders, rules, self.folder.staging, taken_down=down.why_url,
            keep=keep,
        )  # fmt: skip
        self.scheduler = Scheduler(self.catalog, config.politeness.per_host)
        self.scheduler.on_settled = self.settled
        self.judge = Judge(Level(config.images.dedup), self.run_id, rules)
        self._engine = LocalEngine(lambda task: self.work(task, worker), config.fetch.concurrency)
        stack.push_async_callback(self._engine.aclose)
        self._settler = Settler(self.catalog, self.folder, self.judge, self.decided)
        self._settler.idle = lambda: self._engine.idle

    def _tell(self, found: recovery.Recovered) -> None:
        if found.placed or found.lost:
            self.emit(
                Notice(f"went on where a killed run stopped: {found.placed} files put in place")
            )
        for sentence in by_hand.sentences(found.by_hand):
            self.emit(Notice(sentence))
        if found.unknown:
            shown = ", ".join(found.unknown[:3])
            self.emit(
                Notice(
                    f"{len(found.unknown)} files in the data set are not pixtrawl's and are left "
                    f"alone: {shown}",
                    level="warning",
                )
            )

    def finish(self) -> None:
        """Writes what is derived from the catalog, and how the run ended."""
        self.catalog.write_now(
            lambda db: run_log.end_run(
                db, self.run_id, reason=self.end_reason, elapsed_s=self.elapsed_s,
                fetched_bytes=self.fetched_bytes,
            )
        )  # fmt: skip
        self.catalog.write_now(lambda db: derived.write_all(db, self.folder))


def _asked_for_size(config: Config) -> frozenset[str]:
    """Sources that are themselves asked for the wished size."""
    size = config.filters.size
    if size is None:
        return frozenset()
    from pixtrawl import sources  # a download imports them only to ask this

    asked = sources.expand(config.job.sources, config.sources)
    return frozenset(one for one in asked if sources.can_filter(one, "size", size))


async def _end(tasks: Iterable[asyncio.Future[None]], *, cancel: bool = True) -> None:
    """Cancels and waits, even when the one who waits is cancelled meanwhile."""
    open_tasks = {task for task in tasks if not task.done()}
    if cancel:
        for task in open_tasks:
            task.cancel()
    while open_tasks:
        with contextlib.suppress(asyncio.CancelledError):
            _, open_tasks = await asyncio.wait(open_tasks)


@asynccontextmanager
async def session(
    config: Config, folder: Folder, emit: Callable[[Event], None]
) -> AsyncIterator[Session]:
    """A run from the lock to the last row; on every way out the data set can be resumed."""
    async with AsyncExitStack() as stack:
        current = Session(config, folder, emit)
        await current.open(stack)
        try:
            yield current
        except (asyncio.CancelledError, KeyboardInterrupt):
            current.end_reason = "interrupted"
            raise
        except BaseException:
            current.end_reason = "failed"
            raise
        finally:
            current.finish()


def plain_settings(config: Config) -> dict[str, object]:
    """The settings as plain values, without secrets: they are kept in the catalog."""
    values: dict[str, object] = msgspec.to_builtins(config, enc_hook=str)
    given: dict[str, dict[str, object]] = values.pop("sources", {})  # type: ignore[assignment]
    hide_settings(values)
    if given:
        from pixtrawl import sources  # a download of a list has no settings of sources

        for name, settings in given.items():
            secret = [key for key in settings if sources.is_secret(name, key)]
            hide_settings(settings, secret)
    return {**values, "sources": given}
