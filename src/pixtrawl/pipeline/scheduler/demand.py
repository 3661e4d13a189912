"""Back-pressure: signals to the sources of a query whether it still needs candidates."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

__all__ = ["LAST_WORD_S", "Demand", "end_when_over"]

# Grace period for sources that have been asked when the query is complete: their answer (a captcha,
# no network) belongs in the report, but a source that waits for its rate limit must not delay it.
LAST_WORD_S: Final = 2.0


class Demand:
    """The demand of one query for candidates: open at first, then paused, resumed or ended."""

    def __init__(self, about: int | None = None) -> None:
        """`about` is the approximate number of candidates needed; None means all there are."""
        self._about = about
        self._wants = asyncio.Event()
        self._wants.set()
        self._over = asyncio.Event()

    def update(self, *, more: bool, about: int | None) -> None:
        """Set whether candidates are wanted now, and about how many (None: all there are)."""
        self._about = about
        if more or self._over.is_set():
            self._wants.set()
        else:
            self._wants.clear()

    def end(self) -> None:
        """End the demand for good and release everything that waits for it."""
        self._over.set()
        self._wants.set()

    @property
    def is_over(self) -> bool:
        """Whether the demand has ended for good."""
        return self._over.is_set()

    async def wait(self) -> bool:
        """Wait until more is wanted (return True) or the demand has ended (return False)."""
        await self._wants.wait()
        return not self._over.is_set()

    async def over(self) -> None:
        """Wait until the demand has ended."""
        await self._over.wait()

    def wanted(self) -> int | None:
        """Return about how many candidates are needed; None means all there are."""
        return self._about


async def end_when_over(demand: Demand, limit: asyncio.Timeout, busy: Callable[[], bool]) -> None:
    """Expire `limit` `LAST_WORD_S` after the demand has ended, unless `busy` returns True then."""
    await demand.over()
    await asyncio.sleep(LAST_WORD_S)
    if not busy():  # otherwise the caller checks `wait` right after its page
        limit.reschedule(asyncio.get_running_loop().time())
