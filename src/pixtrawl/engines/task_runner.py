"""Runs the tasks of a feed concurrently on one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from pixtrawl.engines.base import Feed
from pixtrawl.model import Outcome, Reason, Task

__all__ = ["TaskRunner"]

# Tasks that wait for a retry, a rate limit or a decoder hold no connection, so more tasks run than
# transfers. Each costs a few kB.
_TASKS_PER_TRANSFER: Final = 2
# Polling interval of the feed: a query may start further tasks when running ones become slow.
_LOOK_AGAIN_S: Final = 0.5


class TaskRunner:
    """Runs `work` for every task of a feed; `concurrency` is the number of transfers at once."""

    def __init__(self, work: Callable[[Task], Awaitable[Outcome]], concurrency: int) -> None:
        self._work = work
        self._max_tasks = concurrency * _TASKS_PER_TRANSFER
        self._running: set[asyncio.Task[None]] = set()
        self._in_progress = 0  # tasks taken from the feed and not settled

    @property
    def idle(self) -> bool:
        """Whether no task is in progress."""
        return not self._in_progress

    async def run(self, feed: Feed) -> None:
        """Carry out tasks until the feed is over, then cancel those in progress.

        Raise the first exception of `work` (EngineError, StorageError).
        """
        failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def ended(runner: asyncio.Task[None]) -> None:
            self._running.discard(runner)
            feed.changed.set()
            if not runner.cancelled() and (error := runner.exception()) and not failure.done():
                failure.set_exception(error)

        looking = asyncio.create_task(_look_again(feed))
        try:
            # Tasks still running when the feed is over belong to complete queries: cancelled below.
            while not feed.over:
                if failure.done():
                    await failure
                feed.changed.clear()
                while len(self._running) < self._max_tasks and (task := feed.next()) is not None:
                    self._in_progress += 1
                    runner = asyncio.create_task(self._go_on(task, feed))
                    self._running.add(runner)
                    runner.add_done_callback(ended)
                await feed.changed.wait()
        finally:
            looking.cancel()
            if failure.done():
                failure.exception()  # retrieved, so that asyncio does not log it as unhandled
            await self._cancel()

    async def _go_on(self, first: Task, feed: Feed) -> None:
        """Run one task after another, which saves the cost of an asyncio task for each."""
        task: Task | None = first
        while task is not None:
            try:
                outcome = await self._work(task)
            except asyncio.CancelledError:
                self._in_progress -= 1
                feed.settled(task, Outcome(reason=Reason.INTERRUPTED))
                raise
            except BaseException:
                self._in_progress -= 1
                raise
            self._in_progress -= 1  # first: who takes the last outcome looks whether all is idle
            feed.settled(task, outcome)
            task = None if feed.over else feed.next()
            self._in_progress += task is not None

    async def _cancel(self) -> None:
        for runner in self._running:
            runner.cancel()
        if self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    async def aclose(self) -> None:
        """Cancel the tasks in progress."""
        await self._cancel()


async def _look_again(feed: Feed) -> None:
    """Wake the runner every `_LOOK_AGAIN_S`; cheaper than a timer for each wait of each image."""
    while True:
        await asyncio.sleep(_LOOK_AGAIN_S)
        feed.changed.set()
