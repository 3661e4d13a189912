"""Keeps tasks of a feed going on one event loop, whatever carries them out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from pixtrawl.engines.base import Feed
from pixtrawl.model import Outcome, Reason, Task

__all__ = ["TaskRunner"]

# Tasks that wait for a retry, a host's pace or a decoder hold no connection; so more tasks than
# transfers are kept going. Each costs a few kB.
_TASKS_PER_TRANSFER: Final = 2
# The feed depends on time in one way only: a query may ask for more when others take long.
_LOOK_AGAIN_S: Final = 0.5


class TaskRunner:
    """Runs `work` for every task of a feed, up to `concurrency` transfers at once."""

    def __init__(self, work: Callable[[Task], Awaitable[Outcome]], concurrency: int) -> None:
        self._work = work
        self._max_tasks = concurrency * _TASKS_PER_TRANSFER
        self._running: set[asyncio.Task[None]] = set()

    @property
    def idle(self) -> bool:
        """Nothing is under way."""
        return not self._running

    async def run(self, feed: Feed) -> None:
        """Works until the feed is over.

        Raises whatever the work raised that is no outcome (EngineError, StorageError).
        """
        failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def ended(runner: asyncio.Task[None]) -> None:
            self._running.discard(runner)
            feed.changed.set()
            if not runner.cancelled() and (error := runner.exception()) and not failure.done():
                failure.set_exception(error)

        looking = asyncio.create_task(_look_again(feed))
        try:
            # Tasks that still run when the feed is over belong to queries that are met: cancelled.
            while not feed.over:
                if failure.done():
                    await failure
                feed.changed.clear()
                while len(self._running) < self._max_tasks and (task := feed.next()) is not None:
                    runner = asyncio.create_task(self._go_on(task, feed))
                    self._running.add(runner)
                    runner.add_done_callback(ended)
                await feed.changed.wait()
        finally:
            looking.cancel()
            if failure.done():
                failure.exception()  # looked at, so that the loop does not complain of it
            await self._cancel()

    async def _go_on(self, first: Task, feed: Feed) -> None:
        """One task after another: an asyncio task for each would be made and ended anew."""
        task: Task | None = first
        while task is not None:
            try:
                outcome = await self._work(task)
            except asyncio.CancelledError:
                feed.settled(task, Outcome(reason=Reason.INTERRUPTED))
                raise
            feed.settled(task, outcome)
            task = None if feed.over else feed.next()

    async def _cancel(self) -> None:
        for runner in self._running:
            runner.cancel()
        if self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    async def aclose(self) -> None:
        """Cancels what is still under way."""
        await self._cancel()


async def _look_again(feed: Feed) -> None:
    """One task for the run: a time-out around each wait would be a task and a timer an image."""
    while True:
        await asyncio.sleep(_LOOK_AGAIN_S)
        feed.changed.set()
