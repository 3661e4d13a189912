"""Which candidate goes next: every query until it has its N, no host more than its share.

A query draws only as many candidates as it still needs, so that N good images are found without
fetching many more. A candidate whose host is busy is passed over, not waited for: a host that never
answers holds its own few tasks and nobody else's. Of each query only a window of candidates is in
memory; those of crowded hosts are set aside in the catalog and come back when the host has room.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from pixtrawl.model import Outcome, Task
from pixtrawl.storage import frontier
from pixtrawl.storage.catalog import Catalog
from pixtrawl.storage.frontier import QueryRow

WINDOW: Final = 512  # candidates of one query in memory
_HOST_SHARE: Final = 256  # of them, candidates of one host
_LOW: Final = 128  # load more below this
_SLOW_S: Final = 3.0  # a task this old no longer counts as a promise
_MAX_UNDECIDED: Final = 4096  # outcomes that wait for the catalog: back-pressure


class QueryDraw:
    """What one query has, needs, and has under way."""

    def __init__(self, row: QueryRow) -> None:
        self.row = row
        self.wanted = row.query.limit
        self.saved = row.saved
        self.open = 0  # candidates known to be open and not yet drawn
        self.complete_input = False  # nobody will add candidates any more
        self.under_way: dict[int, float] = {}  # task id -> when it was drawn
        self.finished = asyncio.Event()
        self.hungry = asyncio.Event()
        self._by_host: dict[str, deque[Task]] = {}
        self._turn: deque[str] = deque()  # hosts that may have room
        self._in_memory = 0
        self._cursor = 0
        self._thumbnail_cursor = 0
        self._set_aside: dict[str, int] = {}  # by host
        self._aside = 0  # all of them
        self._drained: set[str] = set()  # hosts that have room for what was set aside
        self.loading = False
        self.ready = False  # in the feed's list of queries that may have a task
        self.hungry.set()

    @property
    def met(self) -> bool:
        return self.wanted is not None and self.saved >= self.wanted

    def promised(self) -> int:
        """Tasks under way that may still become images soon."""
        horizon = time.monotonic() - _SLOW_S
        return sum(1 for started in self.under_way.values() if started > horizon)

    def may_draw(self) -> bool:
        if self.wanted is None:
            return True
        missing = self.wanted - self.saved
        if missing <= 0:
            return False
        return len(self.under_way) < missing or self.promised() < missing

    def lookahead(self) -> int:
        """How many open candidates are enough for now; sources are asked on below it."""
        if self.wanted is None:
            return 2 * WINDOW
        return max(0, self.wanted - self.saved - len(self.under_way)) + 20

    def note_hunger(self) -> None:
        if self.met or self.open < self.lookahead():
            self.hungry.set()
        else:
            self.hungry.clear()

    # -- the window

    def take(self, has_room: Callable[[str], bool], park: Callable[[str], None]) -> Task | None:
        """The next candidate whose host has room; a host without is parked until it is freed."""
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
            if len(tasks) <= _HOST_SHARE // 8 and host in self._set_aside:
                self._drained.add(host)
            return tasks.popleft()
        return None

    def host_freed(self, host: str) -> None:
        if self._by_host.get(host) and host not in self._turn:
            self._turn.append(host)

    def put(self, tasks: list[Task]) -> list[Task]:
        """Adds claimed candidates to the window; returns those to be set aside."""
        aside = []
        for task in tasks:
            waiting = self._by_host.get(task.host)
            if waiting is None:
                waiting = self._by_host[task.host] = deque()
                self._turn.append(task.host)
            elif not waiting and task.host not in self._turn:
                self._turn.append(task.host)
            if len(waiting) >= _HOST_SHARE:
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
        if self._drained:
            return True
        # Where every host in the window is busy, others may wait further down the list.
        scarce = self._in_memory < _LOW or not self._turn
        return scarce and self.open - self._in_memory > self._aside

    async def load(self, catalog: Catalog) -> None:
        """Claims the next candidates from the catalog."""
        if self._drained:
            await self._load_set_aside(catalog, self._drained.pop())
            return
        tasks = await self._claim_next(catalog)
        if not tasks:
            # `open` was counted too high (a candidate settled elsewhere): settle the account.
            self.open = self._in_memory + self._aside
        elif aside := self.put(tasks):
            await catalog.write(lambda db: frontier.set_aside(db, aside))

    async def _load_set_aside(self, catalog: Catalog, host: str) -> None:
        tasks = await catalog.write(
            lambda db: frontier.claim_set_aside(db, self.row, host, _HOST_SHARE // 2)
        )
        left = self._set_aside.pop(host) - len(tasks)
        self._aside -= len(tasks)
        if left > 0 and tasks:
            self._set_aside[host] = left
        else:
            self._aside -= left
        self.put(tasks)

    async def _claim_next(self, catalog: Catalog) -> list[Task]:
        """Originals in the order found; thumbnails when there will be no more originals."""
        after = self._cursor
        tasks = await catalog.write(
            lambda db: frontier.claim(db, self.row, after=after, count=WINDOW)
        )
        if tasks:
            self._cursor = tasks[-1].id
            # Several sources fill the frontier page by page; the best of each come first.
            tasks.sort(key=lambda task: task.candidate.rank)
        elif self.complete_input:
            after = self._thumbnail_cursor
            tasks = await catalog.write(
                lambda db: frontier.claim(db, self.row, after=after, count=WINDOW, thumbnails=True)
            )
            if tasks:
                self._thumbnail_cursor = tasks[-1].id
        return tasks


class Draw:
    """The feed of the engine: draws over all queries in turn."""

    def __init__(self, catalog: Catalog, per_host: int) -> None:
        self.changed = asyncio.Event()
        self.queries: dict[int, QueryDraw] = {}
        self.closed = False  # no further query will be added
        self.halted = False  # stop drawing: a budget is spent
        self.on_settled: Callable[[Task, Outcome], None] = _nobody
        self.undecided = 0
        self._catalog = catalog
        self._per_host = per_host
        self._busy: dict[str, int] = {}
        self._parked: dict[str, set[QueryDraw]] = {}
        self._active: set[QueryDraw] = set()
        self._ready: deque[QueryDraw] = deque()
        self._loads: set[asyncio.Task[None]] = set()
        self._looked_at = 0.0
        self.failure: BaseException | None = None

    def add(self, row: QueryRow, open_count: int) -> QueryDraw:
        """A query joins; its candidates may come later."""
        draw = QueryDraw(row)
        draw.open = open_count
        self.queries[row.id] = draw
        self._active.add(draw)
        self._wake(draw)
        return draw

    def found(self, draw: QueryDraw, new: int) -> None:
        """Candidates were added to the catalog for a query."""
        draw.open += new
        self._wake(draw)

    def _wake(self, draw: QueryDraw) -> None:
        draw.note_hunger()
        if not draw.ready and not draw.finished.is_set():
            draw.ready = True
            self._ready.append(draw)
        self.changed.set()

    def next(self) -> Task | None:
        if self.failure is not None:
            raise self.failure
        if self.halted or self.undecided > _MAX_UNDECIDED:
            return None
        self._look_again()
        while self._ready:
            draw = self._ready[0]
            task = self._draw_from(draw)
            if task is not None:
                self._ready.rotate(-1)
                return task
            self._ready.popleft()
            draw.ready = False
        return None

    def _draw_from(self, draw: QueryDraw) -> Task | None:
        if draw.wants_load():
            self._load(draw)
        if not draw.may_draw():
            return None
        task = draw.take(
            self._has_room, lambda host: self._parked.setdefault(host, set()).add(draw)
        )
        if task is None:
            return None
        draw.under_way[task.id] = time.monotonic()
        self._busy[task.host] = self._busy.get(task.host, 0) + 1
        draw.note_hunger()
        return task

    def _look_again(self) -> None:
        """Wakes queries that wait for tasks which have become slow meanwhile."""
        now = time.monotonic()
        if now - self._looked_at < _SLOW_S / 4:
            return
        self._looked_at = now
        for draw in self._active:
            if draw.under_way and draw.wanted is not None and not draw.ready:
                self._wake(draw)

    def settled(self, task: Task, outcome: Outcome) -> None:
        """The engine is done with a task; it stays under way until it is decided."""
        left = self._busy[task.host] - 1
        if left:
            self._busy[task.host] = left
        else:
            del self._busy[task.host]
        for draw in self._parked.pop(task.host, ()):
            draw.host_freed(task.host)
            self._wake(draw)
        self.undecided += 1
        self.on_settled(task, outcome)

    def decided(self, task: Task, *, gained: int) -> None:
        """The catalog has the final word on a task; `gained` is 1 when it is one image more."""
        self.undecided -= 1
        draw = self.queries[task.query_id]
        draw.under_way.pop(task.id, None)
        draw.saved += gained
        self.check_finished(draw)
        self._wake(draw)

    def lost(self, query_id: int) -> None:
        """An image of a query was withdrawn: it goes on drawing, unless it has ended already."""
        draw = self.queries.get(query_id)
        if draw is not None:
            draw.saved -= 1
            self._wake(draw)

    def check_finished(self, draw: QueryDraw) -> None:
        """A query is over when it has its N, or nothing is left that could become an image."""
        if draw.finished.is_set():
            return
        ended = draw.complete_input and draw.open <= 0 and not draw.loading
        if draw.met or (not draw.under_way and (ended or self.halted)):
            draw.finished.set()
            draw.hungry.set()
            self._active.discard(draw)
            self.changed.set()

    def input_complete(self, draw: QueryDraw) -> None:
        """Every source of the query has ended."""
        draw.complete_input = True
        self.check_finished(draw)
        self._wake(draw)

    def halt(self) -> None:
        """Draws nothing more; what is under way may end."""
        self.halted = True
        for draw in list(self._active):
            draw.hungry.set()
            self.check_finished(draw)
        self.changed.set()

    @property
    def over(self) -> bool:
        return self.closed and not self._active

    def forget(self, draw: QueryDraw) -> None:
        """Lets go of a finished query's memory."""
        self.queries.pop(draw.row.id, None)

    def _has_room(self, host: str) -> bool:
        # A data: URI needs no host; it is bounded by the engine's own number of tasks.
        return not host or self._busy.get(host, 0) < self._per_host

    def _load(self, draw: QueryDraw) -> None:
        draw.loading = True
        task = asyncio.create_task(self._load_now(draw))
        self._loads.add(task)
        task.add_done_callback(self._loads.discard)

    async def _load_now(self, draw: QueryDraw) -> None:
        try:
            await draw.load(self._catalog)
        except BaseException as error:  # noqa: BLE001 - handed to the engine's loop by `next`
            self.failure = error
        finally:
            draw.loading = False
            self.check_finished(draw)
            self._wake(draw)

    async def aclose(self) -> None:
        """Waits for claims under way."""
        if self._loads:
            await asyncio.gather(*self._loads, return_exceptions=True)


def _nobody(task: Task, outcome: Outcome) -> None:
    """Before a settler is connected."""
