"""The scheduler: picks the next candidate to fetch, round-robin over queries, limited per host.

A query takes only as many candidates as it still needs, so that N good images are found without
fetching many more. Candidates of busy hosts are skipped, so a host that never answers blocks only
its own few tasks.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from pixtrawl.catalog.database import Catalog
from pixtrawl.catalog.frontier import QueryRow
from pixtrawl.model import Outcome, Task
from pixtrawl.net.hosts.limits import connections
from pixtrawl.pipeline.scheduler.window import SLOW_S, QueryWindow, window_size

if TYPE_CHECKING:
    from pixtrawl.pipeline.steering import Steering
    from pixtrawl.pipeline.topic_pool import TopicPool

# Back-pressure: outcomes that may wait for the catalog, at 6 KB. It takes 500 at a time.
_MAX_UNDECIDED: Final = 1024


class Scheduler:
    """The `Feed` of the engine: takes candidates from all queries in turn."""

    def __init__(
        self,
        catalog: Catalog,
        per_host: int,
        hand_on: Callable[[Task, Outcome], None],
        *,
        max_total_bytes: int | None = None,
    ) -> None:
        """Needs a running event loop.

        Args:
            catalog: the catalog that holds the candidates.
            per_host: maximum number of simultaneous tasks of one host.
            hand_on: takes every outcome; `decided` has to be called once for each.
            max_total_bytes: budget of fetched bytes, after which no task is started.
        """
        self.changed = asyncio.Event()
        self.queries: dict[int, QueryWindow] = {}
        self.halted = False  # a budget is spent: no further task is started
        self.fetched_bytes = 0
        self.pool: TopicPool | None = None  # chooses among the images of a query before it ends
        self.steering: Steering | None = None  # orders candidates by a person's likes
        self._hand_on = hand_on
        self._max_total_bytes = max_total_bytes
        self._closed = False  # no further query will be added
        self._undecided = 0
        self._catalog = catalog
        self._per_host = per_host
        self._paused = False  # by a person
        self._busy: dict[str, int] = {}
        self._parked: dict[str, set[QueryWindow]] = {}
        self._active: set[QueryWindow] = set()
        self._ready: deque[QueryWindow] = deque()
        self._loads: set[asyncio.Task[None]] = set()
        self._looked_at = 0.0
        self._failure: BaseException | None = None

    def add(self, row: QueryRow, open_count: int) -> QueryWindow:
        """Add a query that has `open_count` candidates so far; more may follow."""
        window = QueryWindow(row, open_count)
        window.paused = self._paused
        self.queries[row.id] = window
        self._active.add(window)
        self._wake(window)
        return window

    def found(self, window: QueryWindow, new: int) -> None:
        """Note that `new` candidates of a query were added to the catalog."""
        window.open += new
        self._wake(window)

    def _wake(self, window: QueryWindow) -> None:
        window.update_demand()
        if not window.ready and not window.demand.is_over:
            window.ready = True
            self._ready.append(window)
        self.changed.set()

    def next(self) -> Task | None:
        if self._failure is not None:
            raise self._failure
        if self.halted or self._undecided > _MAX_UNDECIDED:
            return None
        self._look_again()
        while self._ready:
            window = self._ready[0]
            task = self._next_of(window)
            if task is not None:
                self._ready.rotate(-1)
                return task
            self._ready.popleft()
            window.ready = False
        return None

    def _next_of(self, window: QueryWindow) -> Task | None:
        if not self._is_steered(window):  # or it chooses among as many as there may be
            window.size = window_size(len(self._active))
        if window.wants_load():
            self._load(window)
        if not window.may_start():
            return None
        task = window.take(
            self._has_room, lambda host: self._parked.setdefault(host, set()).add(window)
        )
        if task is None:
            return None
        window.under_way[task.id] = time.monotonic()
        self._busy[task.host] = self._busy.get(task.host, 0) + 1
        window.update_demand()
        return task

    def _is_steered(self, window: QueryWindow) -> bool:
        return self.steering is not None and window.wanted is not None

    def _look_again(self) -> None:
        """Wake queries whose tasks in progress have become slow, so that they may start others."""
        now = time.monotonic()
        if now - self._looked_at < SLOW_S / 4:
            return
        self._looked_at = now
        for window in self._active:
            if window.under_way and window.wanted is not None and not window.ready:
                self._wake(window)

    def settled(self, task: Task, outcome: Outcome) -> None:
        """Free the host of a finished task and hand its outcome on; `decided` completes it."""
        left = self._busy[task.host] - 1
        if left:
            self._busy[task.host] = left
        else:
            del self._busy[task.host]
        for window in self._parked.pop(task.host, ()):
            window.host_freed(task.host)
            self._wake(window)
        self._undecided += 1
        self.spent(outcome.size_bytes)
        self._hand_on(task, outcome)

    def spent(self, size_bytes: int) -> None:
        """Count fetched bytes, and start no further task once the budget of them is spent."""
        self.fetched_bytes += size_bytes
        limit = self._max_total_bytes
        if limit is not None and self.fetched_bytes >= limit and not self.halted:
            self.halt()

    def decided(self, task: Task, *, gained: int) -> None:
        """Complete a task whose decision is committed; `gained` is the number of images added."""
        self._undecided -= 1
        window = self.queries[task.query_id]
        window.under_way.pop(task.id, None)
        window.saved += gained
        self.check_finished(window)
        self._wake(window)

    def lost(self, query_id: int) -> None:
        """Note that an image of a query was withdrawn; a query that has ended is resumed."""
        window = self.queries.get(query_id)
        if window is not None:
            window.saved -= 1
            window.may_refill = True
            self._wake(window)

    # -- decisions of a person during the run

    def rows(self) -> list[tuple[int, QueryRow]]:
        """Return id and row of every query added so far."""
        return [(query_id, window.row) for query_id, window in self.queries.items()]

    def correct(self, query_id: int, gained: int, unfilled: int) -> None:
        """Correct a query by `gained` images (may be negative) and `unfilled` places left empty."""
        window = self.queries.get(query_id)
        if window is not None:
            window.saved += gained
            window.may_refill = True
            if window.wanted is not None:
                window.wanted -= unfilled
            self.check_finished(window)
            self._wake(window)

    def short_again(self) -> list[QueryWindow]:
        """Return the finished queries that lack images again and have no task in progress."""
        return [one for one in self.queries.values() if self._lacks(one) and not one.under_way]

    def _lacks(self, window: QueryWindow) -> bool:
        """Return whether a query that had ended is to be resumed, if it has candidates."""
        if not (window.may_refill and window.demand.is_over) or window.wanted is None:
            return False
        return not (window.met or window.stopped or self.halted)

    def refill(self, window: QueryWindow, open_count: int) -> None:
        """Resume a finished query with its `open_count` open candidates; no source is asked."""
        window.may_refill = False
        if not open_count:
            self.changed.set()  # the run may be over now
            return
        query = replace(window.row.query, limit=window.wanted)
        again = self.add(QueryRow(window.row.id, query, window.saved), open_count)
        self.input_complete(again)

    def _named(self, text: str) -> list[QueryWindow]:
        return [one for one in self.queries.values() if text in {"", one.row.query.text}]

    def pause(self, text: str, *, paused: bool) -> None:
        """Pause or resume the queries with this text; "" stands for all queries."""
        if not text:
            self._paused = paused
        for window in self._named(text):
            window.paused = paused
            self._wake(window)

    def stop(self, text: str) -> None:
        """Stop the queries with this text ("" for all); tasks in progress may end."""
        for window in self._named(text):
            window.stopped = True
            self.check_finished(window)
            self._wake(window)

    def want(self, query_id: int, wanted: int) -> None:
        """Set the number of images wanted of a query."""
        window = self.queries.get(query_id)
        if window is not None:
            window.wanted = wanted
            window.may_refill = True
            self._wake(window)

    def check_finished(self, window: QueryWindow) -> None:
        """End a query that has its N images or no candidate left that could become one."""
        if window.demand.is_over or window.choosing:
            return
        ended = window.complete_input and window.open <= 0 and not window.loading
        ended = ended or window.stopped
        if window.met or (not window.under_way and (ended or self.halted)):
            if self.pool is not None and self.pool.is_due(window.row.id, window.saved):
                if not window.under_way:
                    self._choose(window)
                return
            window.end()
            if self.steering is not None:
                self.steering.forget(window.row.id)
            self._active.discard(window)
            self.changed.set()

    def _choose(self, window: QueryWindow) -> None:
        window.choosing = True
        task = asyncio.create_task(self._choose_now(window))
        self._loads.add(task)
        task.add_done_callback(self._loads.discard)

    async def _choose_now(self, window: QueryWindow) -> None:
        assert self.pool is not None
        try:
            choice = await self.pool.choose(window.row.id)
            window.saved, window.wanted = choice.saved, choice.collect
        except BaseException as error:  # noqa: BLE001 - handed to the engine's loop by `next`
            self._failure = error
        finally:
            window.choosing = False
            self.check_finished(window)
            self._wake(window)

    def input_complete(self, window: QueryWindow) -> None:
        """Note that no further candidates will be added to the query."""
        window.complete_input = True
        self.check_finished(window)
        self._wake(window)

    def halt(self) -> None:
        """Start no further task; those in progress may end."""
        self.halted = True
        for window in list(self._active):
            self.check_finished(window)
        self.changed.set()

    def close(self) -> None:
        """Note that no further query will be added."""
        self._closed = True
        self.changed.set()

    @property
    def over(self) -> bool:
        """Whether no task will follow: all queries have ended, and none is to be resumed."""
        if not self._closed or self._active:
            return False
        return not any(self._lacks(window) for window in self.queries.values())

    def _has_room(self, host: str) -> bool:
        # A data: URI has no host; only the engine's number of tasks limits it.
        return not host or self._busy.get(host, 0) < connections(host, self._per_host)

    def _load(self, window: QueryWindow) -> None:
        window.loading = True
        task = asyncio.create_task(self._load_now(window))
        self._loads.add(task)
        task.add_done_callback(self._loads.discard)

    async def _load_now(self, window: QueryWindow) -> None:
        try:
            if self.steering is None or not self._is_steered(window) or self.halted:
                await window.load(self._catalog)
            else:
                await window.gather()
                await window.load(self._catalog, self.steering.rank)
        except BaseException as error:  # noqa: BLE001 - handed to the engine's loop by `next`
            self._failure = error
        finally:
            window.loading = False
            self.check_finished(window)
            self._wake(window)

    def order_anew(self) -> None:
        """Order the candidates in memory again, after decisions of a person."""
        if self.steering is None:
            return
        self.steering.decided()
        for window in self._active:
            if window.wanted is not None:
                task = asyncio.create_task(self._order_anew(window, self.steering))
                self._loads.add(task)
                task.add_done_callback(self._loads.discard)

    async def _order_anew(self, window: QueryWindow, steering: Steering) -> None:
        try:
            window.reorder(await steering.rank(window.row, window.waiting()))
        except BaseException as error:  # noqa: BLE001 - handed to the engine's loop by `next`
            self._failure = error

    async def aclose(self) -> None:
        """Wait for the loads from the catalog in progress."""
        if self._loads:
            await asyncio.gather(*self._loads, return_exceptions=True)
