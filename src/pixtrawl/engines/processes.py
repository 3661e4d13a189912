"""The engine of several processes on one machine: each fetches and decodes for hosts of its own.

One process gains nothing beyond four to six cores. Here each worker has an event loop, a client and
decoders; this process keeps the feed, and so the catalog. Workers stage files in the run's own
folder, so that no bytes cross a pipe. A host is held by one worker at a time (`host_leases`); the
tasks of a lost worker run again (`suspects`).
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Self

from msgspec.structs import replace

from pixtrawl import errors
from pixtrawl.cores import usable_cores
from pixtrawl.engines import wire
from pixtrawl.engines.arrivals import Arrivals
from pixtrawl.engines.base import Feed, WorkerSpec
from pixtrawl.engines.suspects import MOST_LOSSES, Suspects
from pixtrawl.engines.worker_link import WorkerLink
from pixtrawl.engines.workers import Workers
from pixtrawl.errors import EngineError, PixtrawlError
from pixtrawl.events import Event, FetchStarted, Notice
from pixtrawl.folder.layout import staged_name
from pixtrawl.images.decoders import program
from pixtrawl.model import Outcome, Reason, Task
from pixtrawl.net.client import Client
from pixtrawl.net.hosts.accounts import HostAccounts
from pixtrawl.urls import account_of_host

__all__ = ["ProcessesEngine", "worker_count"]

_CORES_OF_A_WORKER: Final = 5  # one for its event loop, four for decoders
_FEWEST: Final = 2
_TASKS_PER_TRANSFER: Final = 2  # as in `task_runner`
_LOOK_AGAIN_S: Final = 0.5  # a query may start further tasks when running ones become slow


def worker_count(cores: int) -> int:
    """Return how many worker processes this many cores keep busy."""
    return max(_FEWEST, round(cores / _CORES_OF_A_WORKER))


class ProcessesEngine:
    """`Engine` with several worker processes."""

    def __init__(
        self,
        spec: WorkerSpec,
        arrivals: Arrivals,
        emit: Callable[[Event], None],
        count: int,
    ) -> None:
        """Use `open`, which also makes the host accounts of this process."""
        self.workers = Workers(_of_one(spec, count), count, self)
        self._arrivals = arrivals
        self._emit = emit
        self._most = spec.fetch.concurrency * _TASKS_PER_TRANSFER
        self._client = Client(spec.fetch)
        self._hosts = HostAccounts(
            self._client, spec.politeness, spec.fetch, emit,
            scratch=spec.staging, holds=self.workers.holds,
        )  # fmt: skip
        self._in_progress = 0  # tasks taken from the feed and not settled
        self._again: deque[Task] = deque()  # cancelled without blame
        self._suspects = Suspects()
        self._noticed: set[str] = set()
        self._feed: Feed | None = None

    @classmethod
    async def open(
        cls, spec: WorkerSpec, arrivals: Arrivals, emit: Callable[[Event], None]
    ) -> Self:
        """As `EngineKind.open`. Workers start at once, beside whatever follows."""
        program.abandon()  # decoders started early: workers start their own
        engine = cls(spec, arrivals, emit, spec.workers or worker_count(usable_cores()))
        engine.workers.fill()
        return engine

    @property
    def hosts(self) -> HostAccounts:
        """The accounts of hosts that this process asks itself; workers give them up for it."""
        return self._hosts

    @property
    def idle(self) -> bool:
        """Whether no task is in progress."""
        return not self._in_progress

    # -- the feed

    async def run(self, feed: Feed) -> None:
        """As `Engine.run`."""
        self._feed = feed
        looking = asyncio.create_task(_look_again(feed))
        try:
            while not feed.over:
                if self.workers.failure is not None:
                    raise self.workers.failure
                feed.changed.clear()
                self._hand_out(feed)
                await feed.changed.wait()
        finally:
            looking.cancel()
            await self._cancel(feed)

    def _hand_out(self, feed: Feed) -> None:
        self.workers.fill()
        while self._again:
            self._give(self._again.popleft())
        while self._in_progress < self._most and (task := feed.next()) is not None:
            self._in_progress += 1
            self._emit(FetchStarted(task.candidate))
            self._give(task)
        while len(self._suspects) and (task := self._suspects.next()) is not None:
            self._give(task, self.workers.start_trial())

    def _give(self, task: Task, link: WorkerLink | None = None) -> None:
        leases, host = self.workers.leases, account_of_host(task.host)
        holder = leases.holder(host) if host else None
        if link is None:
            known = self.workers.links.get(holder) if holder is not None else None
            link = known or min(self.workers.links.values(), key=lambda one: len(one.tasks))
        if host:
            leases.begun(host)
            if holder != link.number:
                leases.wants(link.number, host)
        link.give(task)

    def _take_back(self, link: WorkerLink, task_id: int) -> Task | None:
        task = link.tasks.pop(task_id, None)
        if task is not None and (host := account_of_host(task.host)):
            self.workers.leases.ended(host)
        return task

    def _settle(self, task: Task, outcome: Outcome) -> None:
        assert self._feed is not None
        self._in_progress -= 1
        self._suspects.settled(task)
        self._feed.settled(task, outcome)

    # -- what workers say

    def reported(self, link: WorkerLink, report: wire.Report) -> None:
        """Take a message of a worker."""
        if isinstance(report, wire.Settle):
            self._take(link, report)
        elif isinstance(report, wire.Wants):
            self.workers.leases.wants(link.number, report.host)
        elif isinstance(report, wire.Returned):
            self.workers.leases.returned(link.number, report.state)
        elif isinstance(report, wire.WorkerReady):
            self.workers.started(link)
        elif isinstance(report, wire.Abandoned):
            self._abandoned(link, silence=report.silence)
        elif isinstance(report, wire.ForwardedEvent):
            self._forward(report)
        elif isinstance(report, wire.Failed):
            self._fail(_error(report))

    def _take(self, link: WorkerLink, report: wire.Settle) -> None:
        for task_id, outcome in report.outcomes:
            task = self._take_back(link, task_id)
            if task is None:  # given to another worker meanwhile
                self._arrivals.discard(outcome)
                continue
            try:
                outcome = self._arrivals.take_here(outcome)  # noqa: PLW2901
            except PixtrawlError as error:
                self._fail(error)
                return
            self._settle(task, outcome)
        self._wake()

    def _forward(self, report: wire.ForwardedEvent) -> None:
        """Pass an event on; missing containment, the same in all workers, is reported once."""
        if report.notice is not None:
            if report.notice.message in self._noticed:
                return
            self._noticed.add(report.notice.message)
        if (event := report.event) is not None:
            self._emit(event)

    def _fail(self, error: BaseException) -> None:
        self.workers.failure = self.workers.failure or error
        self._wake()

    def _wake(self) -> None:
        if self._feed is not None:
            self._feed.changed.set()

    # -- losses

    def _abandoned(self, link: WorkerLink, *, silence: bool) -> None:
        """Take back the tasks that a worker cancelled; they run again unless we cancelled them."""
        if not silence:
            if link.cancelled is not None:
                link.cancelled.set()
            return
        self.workers.leases.lost(link.number)
        for task in self._tasks_of(link):
            if link is self.workers.trial:
                self._suspects.again(task)
            else:
                self._again.append(task)
        link.send(wire.Renew())
        self._wake()

    def ended(self, link: WorkerLink) -> None:
        """Give the tasks of a worker that has ended to others; give up tasks that end workers."""
        if link.closing:
            return
        tasks = self._tasks_of(link)
        self.workers.lost(link)
        self._sweep(link, tasks)
        if not link.is_ready:
            self._again.extend(tasks)
            self._wake()
            return
        self._emit(
            Notice(
                f"a worker process ended ({link.end}); the {len(tasks):,} files that it had are "
                "fetched again",
                level="warning",
            )
        )
        for task in self._suspects.lost(tasks):
            detail = f"{MOST_LOSSES} worker processes ended over it, the last: {link.end}"
            self._settle(task, Outcome(reason=Reason.WORKER_LOST, detail=detail))
        self._wake()

    def _tasks_of(self, link: WorkerLink) -> list[Task]:
        tasks = list(link.tasks.values())
        for task in tasks:
            self._take_back(link, task.id)
        return tasks

    def _sweep(self, link: WorkerLink, tasks: Iterable[Task]) -> None:
        """Delete what a lost worker had staged for these tasks."""
        starts = tuple(
            staged_name(f"{link.pid}-{task.id}-").removesuffix(".part") for task in tasks
        )
        if not link.pid or not starts:
            return
        with os.scandir(self._arrivals.staging) as entries:
            for entry in entries:
                if entry.name.startswith(starts):
                    (self._arrivals.staging / entry.name).unlink(missing_ok=True)

    # -- the end

    async def _cancel(self, feed: Feed) -> None:
        await self.workers.cancel()
        left = [*self._again, *self._suspects.clear()]
        self._again.clear()
        for link in (*self.workers.links.values(), self.workers.trial):
            if link is not None:
                left += self._tasks_of(link)
        for task in left:
            self._settle(task, Outcome(reason=Reason.INTERRUPTED))
        feed.changed.set()

    async def aclose(self) -> None:
        """End the workers; close accounts and client of this process."""
        await self.workers.aclose()
        await self._hosts.aclose()
        await self._client.aclose()


def _of_one(spec: WorkerSpec, count: int) -> WorkerSpec:
    """Return the settings of one worker of `count`: its share of transfers and decoders."""
    most = -(-spec.fetch.concurrency // count)
    decoders = spec.rules.images.decoders or usable_cores()
    fetch = dataclasses.replace(spec.fetch, concurrency=most)
    return replace(spec, fetch=fetch, decoders=max(1, decoders // count))


def _error(report: wire.Failed) -> BaseException:
    kind = getattr(errors, report.kind, None) if report.kind else None
    if isinstance(kind, type) and issubclass(kind, PixtrawlError):
        return kind(report.message)
    return EngineError(f"a worker process failed: {report.message}")


async def _look_again(feed: Feed) -> None:
    while True:
        await asyncio.sleep(_LOOK_AGAIN_S)
        feed.changed.set()
