"""How many queries are worked on at once; those that only wait for a resting source do not count.

So that a source's outage holds up no query that the other sources could serve.
"""

from __future__ import annotations

import asyncio
from typing import Final, Self

__all__ = ["QUERIES_AT_ONCE", "QueryPlace", "QuerySlots"]

# Queries under way at once: enough to keep every source and the line busy, few enough that the
# first ones are complete early and that windows and pages stay small in memory.
QUERIES_AT_ONCE: Final = 32
_MOST_ASIDE: Final = 256  # memory is theirs all the same


class QuerySlots:
    """Places for queries, first come first served."""

    def __init__(self, at_once: int = QUERIES_AT_ONCE, most_aside: int = _MOST_ASIDE) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._aside_left = most_aside

    def place(self) -> QueryPlace:
        """A place inside the block, which is waited for."""
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
    """`async with` of one query."""

    def __init__(self, slots: QuerySlots) -> None:
        self._slots = slots
        self._aside = False

    async def __aenter__(self) -> Self:
        await self._slots._enter()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        self._slots._leave(aside=self._aside)

    def step_aside(self) -> None:
        """The query waits for sources that rest: another one may be worked on meanwhile.

        It goes on without a place when they answer again: a few more at once for a while.
        """
        if not self._aside:
            self._aside = self._slots._set_aside()
