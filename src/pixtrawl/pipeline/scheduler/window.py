"""The window of a query: its counts, its tasks in progress and the candidates held in memory.

Only a window of a query's candidates is in memory. Surplus candidates of crowded hosts are set
aside in the catalog and loaded again when the host's queue runs low.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from pixtrawl.catalog import frontier
from pixtrawl.catalog.database import Catalog
from pixtrawl.catalog.frontier import QueryRow
from pixtrawl.model import Task
from pixtrawl.pipeline.scheduler.demand import Demand

WINDOW: Final = 512  # candidates of one query in memory, at the most
_LEAST_WINDOW: Final = 16  # of many queries
_ALL_WINDOWS: Final = 16_384  # of all queries together: 6 MB
SLOW_S: Final = 3.0  # a task older than this no longer counts as an image to come
_CHOICES: Final = 3  # candidates for each image wanted, where the best are to come first
_GATHER_S: Final = 3.0  # longest wait for so many, before the first is fetched
_UNKNOWN_MERIT: Final = 0.5  # between those like the kept images and those like the refused ones


def window_size(queries: int) -> int:
    """Return how many candidates each of so many queries may have in memory."""
    return max(_LEAST_WINDOW, min(WINDOW, _ALL_WINDOWS // max(1, queries)))


Rank = Callable[[QueryRow, Sequence[Task]], Awaitable[Mapping[int, float]]]
"""Returns the merit (0 to 1) of those tasks of which it is known, by id."""


class QueryWindow:
    """The counts and the candidates in memory of one query."""

    def __init__(self, row: QueryRow, open_count: int = 0) -> None:
        """`open_count` is the number of its open candidates in the catalog."""
        self.row = row
        self.wanted = row.query.limit
        self.paused = False  # by a person, for now
        self.stopped = False  # by a person, for good
        self.choosing = False  # the best of its pool are being chosen: no task starts
        self.may_refill = False  # an image was taken out, perhaps after the query had ended
        self.saved = row.saved
        self.open = open_count  # open candidates that no task was made of yet
        self.complete_input = False  # no further candidates will be added
        self.under_way: dict[int, float] = {}  # task id -> time of its start (time.monotonic)
        self.merits: dict[int, float] = {}  # of tasks, by id; empty: in the sources' order
        self._choices = 1
        self.demand = Demand(None if self.wanted is None else self.lookahead())
        self._by_host: dict[str, deque[Task]] = {}
        self._turn: deque[str] = deque()  # hosts that may have room
        self._in_memory = 0
        self._cursor = 0
        self._awaited: frozenset[int] | None = None  # ids of tasks that come before all others
        self._thumbnail_cursor = 0
        self._set_aside: dict[str, int] = {}  # candidates set aside in the catalog, by host
        self._aside = 0  # their total
        self._drained: set[str] = set()  # hosts whose queue has room for candidates set aside
        self.size = WINDOW  # candidates that are loaded together
        self.loading = False
        self.ready = False  # in the scheduler's queue of queries that may have a task

    @property
    def met(self) -> bool:
        return self.wanted is not None and self.saved >= self.wanted

    def promised(self) -> int:
        """Return how many tasks in progress are younger than `SLOW_S`."""
        horizon = time.monotonic() - SLOW_S
        return sum(1 for started in self.under_way.values() if started > horizon)

    def may_start(self) -> bool:
        if self.paused or self.stopped or self.choosing:
            return False
        if self.wanted is None:
            return True
        missing = self.wanted - self.saved
        if missing <= 0:
            return False
        return len(self.under_way) < missing or self.promised() < missing

    def lookahead(self) -> int:
        """Return how many open candidates are enough; below that, sources are asked for more."""
        if self.wanted is None:
            return 2 * WINDOW
        missing = self._choices * max(0, self.wanted - self.saved)
        return max(0, missing - len(self.under_way)) + 20

    def choose_among_more(self) -> None:
        """Ask sources for some candidates to choose from, as the best are to come first."""
        self._choices = _CHOICES
        self.update_demand()

    async def gather(self) -> None:
        """Wait a little for candidates to choose from, before the first is claimed."""
        if self._choices == 1 or self._cursor:
            return
        latest = time.monotonic() + _GATHER_S
        while self.open < self.lookahead() and not self.complete_input:
            if time.monotonic() > latest or self.demand.is_over:
                return
            await asyncio.sleep(0.05)

    def update_demand(self) -> None:
        """Update the back-pressure signal to the sources of the query."""
        enough = self.lookahead()
        more = self.met or (self.open < enough and not self.paused)
        self.demand.update(more=more, about=None if self.wanted is None else enough)

    def end(self) -> None:
        """End the demand of the query and drop its candidates from memory."""
        self.demand.end()
        self._by_host.clear()
        self._turn.clear()

    # -- the window

    @property
    def _host_share(self) -> int:
        """How many candidates of one host may be in the window."""
        return self.size // 2

    @property
    def _host_low(self) -> int:
        """How many candidates of a host are so few that those set aside are loaded."""
        return self.size // 16

    def take(self, has_room: Callable[[str], bool], park: Callable[[str], None]) -> Task | None:
        """Return the next candidate whose host has room, or None; `park` each host without room."""
        if self.merits:
            by_merit = {host: self._best(tasks) for host, tasks in self._by_host.items() if tasks}
            self._turn = deque(sorted(self._turn, key=lambda host: -by_merit.get(host, 2.0)))
        for _ in range(len(self._turn)):
            host = self._turn[0]
            tasks = self._by_host.get(host)
            if not tasks:
                self._turn.popleft()
                self._by_host.pop(host, None)
                continue
            if not has_room(host):
                self._turn.popleft()
                park(host)
                continue
            self._turn.rotate(-1)
            self._in_memory -= 1
            self.open -= 1
            if len(tasks) <= self._host_low and host in self._set_aside:
                self._drained.add(host)
            return tasks.popleft()
        return None

    def _merit(self, task: Task) -> float:
        return self.merits.get(task.id, _UNKNOWN_MERIT)

    def _best(self, tasks: deque[Task]) -> float:
        return self._merit(tasks[0])  # they are in order

    def waiting(self) -> list[Task]:
        """Return the candidates in memory."""
        return [task for tasks in self._by_host.values() for task in tasks]

    def reorder(self, merits: Mapping[int, float]) -> None:
        """Put the candidates in memory, and those that follow, in the order of their merit."""
        self.merits.update(merits)
        for host, tasks in self._by_host.items():
            in_order = sorted(tasks, key=lambda one: (-self._merit(one), one.candidate.rank))
            self._by_host[host] = deque(in_order)

    def host_freed(self, host: str) -> None:
        if self._by_host.get(host) and host not in self._turn:
            self._turn.append(host)

    def put(self, tasks: list[Task]) -> list[Task]:
        """Add claimed candidates to the window; return those to be set aside."""
        aside = []
        for task in tasks:
            waiting = self._by_host.get(task.host)
            if waiting is None:
                waiting = self._by_host[task.host] = deque()
                self._turn.append(task.host)
            elif not waiting and task.host not in self._turn:
                self._turn.append(task.host)
            if len(waiting) >= self._host_share:
                aside.append(task)
                self._set_aside[task.host] = self._set_aside.get(task.host, 0) + 1
                self._aside += 1
            else:
                waiting.append(task)
                self._in_memory += 1
        return aside

    def wants_load(self) -> bool:
        if self.loading or self.met or self.open <= self._in_memory:
            return False
        if self.row.awaited and self._in_memory and not self._cursor:
            return False  # images that a person wants back come first
        if self._drained:
            return True
        # If every host in the window is busy, candidates of other hosts may follow in the catalog.
        scarce = self._in_memory < self.size // 4 or not self._turn
        return scarce and self.open - self._in_memory > self._aside

    async def load(self, catalog: Catalog, rank: Rank | None = None) -> None:
        """Claim the next candidates from the catalog into the window, the best by `rank` first."""
        while self._drained:
            host = self._drained.pop()
            # Skip a host that was loaded or filled meanwhile: it is noted when it drains again.
            low = len(self._by_host.get(host, ())) <= self._host_low
            if low and host in self._set_aside:
                await self._load_set_aside(catalog, host)
                if self.merits:
                    self.reorder({})
                return
        tasks = await self._claim_next(catalog)
        if not tasks:
            # `open` was too high (a candidate was settled elsewhere): correct it.
            self.open = self._in_memory + self._aside
            return
        merits = await rank(self.row, tasks) if rank is not None else {}
        tasks.sort(key=lambda task: -merits.get(task.id, _UNKNOWN_MERIT))  # stable
        if aside := self.put(tasks):
            await catalog.write(lambda db: frontier.set_aside(db, aside))
        if merits:
            self.reorder(merits)

    async def _load_set_aside(self, catalog: Catalog, host: str) -> None:
        tasks = await catalog.write(
            lambda db: frontier.claim_set_aside(db, self.row, host, self._host_share // 2)
        )
        left = self._set_aside.pop(host) - len(tasks)
        self._aside -= len(tasks)
        if left > 0 and tasks:
            self._set_aside[host] = left
        else:
            self._aside -= left
        self.put(tasks)

    async def _claim_next(self, catalog: Catalog) -> list[Task]:
        """Claim awaited images, then originals as found, then thumbnails if input is complete."""
        if self.row.awaited and self._awaited is None:
            tasks = await catalog.write(lambda db: frontier.claim_awaited(db, self.row))
            self._awaited = frozenset(task.id for task in tasks)
            if tasks:
                return tasks
        after = self._cursor
        tasks = await catalog.write(
            lambda db: frontier.claim(db, self.row, after=after, count=self.size)
        )
        if self._awaited and tasks:
            self._cursor = tasks[-1].id
            tasks = [task for task in tasks if task.id not in self._awaited]
            if not tasks:
                return await self._claim_next(catalog)
        if tasks:
            self._cursor = tasks[-1].id
            # Sources fill the frontier page by page: sort so that the best of each come first.
            tasks.sort(key=lambda task: task.candidate.rank)
        elif self.complete_input:
            after = self._thumbnail_cursor
            tasks = await catalog.write(
                lambda db: frontier.claim(
                    db, self.row, after=after, count=self.size, thumbnails=True
                )
            )
            if tasks:
                self._thumbnail_cursor = tasks[-1].id
        return tasks
