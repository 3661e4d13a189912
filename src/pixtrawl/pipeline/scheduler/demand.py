"""Back-pressure: whether a query wants more candidates, as its sources see it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

__all__ = ["LAST_WORD_S", "Demand", "end_when_over"]

# A source that was asked has this long to answer when the query is met: what it says (a captcha, no
# network) belongs into the report, while one that waits for its turn holds up nobody for longer.
LAST_WORD_S: Final = 2.0


class Demand:
    """What one query still wants. It wants more until it is told otherwise."""

    def __init__(self, about: int | None = None) -> None:
        """`about` how many candidates would help; None: as many as there are."""
        self._about = about
        self._wants = asyncio.Event()
        self._wants.set()
        self._over = asyncio.Event()

    def update(self, *, more: bool, about: int | None) -> None:
        """Sets whether candidates are wanted now, and about how many."""
        self._about = about
        if more or self._over.is_set():
            self._wants.set()
        else:
            self._wants.clear()

    def end(self) -> None:
        """Nothing is wanted any more."""
        self._over.set()
        self._wants.set()

    @property
    def is_over(self) -> bool:
        """Whether nothing is wanted any more."""
        return self._over.is_set()

    async def wait(self) -> bool:
        """Returns when more is wanted (True) or nothing is any more (False)."""
        await self._wants.wait()
        return not self._over.is_set()

    async def over(self) -> None:
        """Returns when nothing is wanted any more."""
        await self._over.wait()

    def wanted(self) -> int | None:
        """About how many candidates would help; None: as many as there are."""
        return self._about


async def end_when_over(demand: Demand, limit: asyncio.Timeout, busy: Callable[[], bool]) -> None:
    """Lets `limit` expire when the query is met, unless its owner is `busy` with a page then."""
    await demand.over()
    await asyncio.sleep(LAST_WORD_S)
    if not busy():  # else `wait` is asked right after
        limit.reschedule(asyncio.get_running_loop().time())
