"""Limits how many queries are in progress; those that only wait for a paused source do not count.

So the outage of one source does not delay queries that other sources can serve.
"""

from __future__ import annotations

import asyncio
from typing import Final, Self

__all__ = ["QUERIES_AT_ONCE", "QueryPlace", "QuerySlots"]

# Queries in progress at once: enough to keep every source and the line busy, few enough that the
# first ones are complete early and that windows and pages take little memory.
QUERIES_AT_ONCE: Final = 32
_MOST_ASIDE: Final = 256  # queries that wait without a slot still take memory


class QuerySlots:
    """A semaphore for queries, first come first served."""

    def __init__(self, at_once: int = QUERIES_AT_ONCE, most_aside: int = _MOST_ASIDE) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._aside_left = most_aside

    def place(self) -> QueryPlace:
        """Return a context manager that waits for a slot and holds it."""
        return QueryPlace(self)

    def _set_aside(self) -> bool:
        if not self._aside_left:
            return False
        self._aside_left -= 1
        self._free.release()
        return True

    def _leave(self, *, aside: bool) -> None:
        if aside:
            self._aside_left += 1
        else:
            self._free.release()

    async def _enter(self) -> None:
        await self._free.acquire()


class QueryPlace:
    """The slot of one query, as an async context manager."""

    def __init__(self, slots: QuerySlots) -> None:
        self._slots = slots
        self._aside = False

    async def __aenter__(self) -> Self:
        await self._slots._enter()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        self._slots._leave(aside=self._aside)

    def step_aside(self) -> None:
        """Give up the slot while all sources of the query are paused, so that another may start.

        The query later goes on without a slot, so slightly more than the limit may run for a while.
        """
        if not self._aside:
            self._aside = self._slots._set_aside()
