"""Which candidate goes next: every query until it has its N, no host more than its share.

A query draws only as many candidates as it still needs, so that N good images are found without
fetching many more. A candidate whose host is busy is passed over, not waited for: a host that never
answers holds its own few tasks and nobody else's.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from pixtrawl.model import Outcome, Task
from pixtrawl.net.host_limits import connections
from pixtrawl.pipeline.query_draw import SLOW_S, QueryDraw
from pixtrawl.storage.catalog import Catalog
from pixtrawl.storage.frontier import QueryRow

_MAX_UNDECIDED: Final = 4096  # outcomes that wait for the catalog: back-pressure


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
        if now - self._looked_at < SLOW_S / 4:
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
        return not host or self._busy.get(host, 0) < connections(host, self._per_host)

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
