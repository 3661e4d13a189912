"""Whether a query wants more candidates, as its sources see it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

# A source that was asked has this long to answer when the query is met: what it says (a captcha, no
# network) belongs into the report, while one that waits for its turn holds up nobody for longer.
LAST_WORD_S: Final = 2.0


class Demand(Protocol):
    """Tells a source whether more candidates are wanted."""

    async def wait(self) -> bool:
        """Returns when the query wants more (True) or needs nothing any more (False)."""
        ...

    async def over(self) -> None:
        """Returns when the query needs nothing any more."""
        ...

    def wanted(self) -> int | None:
        """About how many candidates would help."""
        ...


async def end_when_over(demand: Demand, limit: asyncio.Timeout, busy: Callable[[], bool]) -> None:
    """Lets `limit` expire when the query is met, unless its owner is `busy` with a page then."""
    await demand.over()
    await asyncio.sleep(LAST_WORD_S)
    if not busy():  # else `wait` is asked right after
        limit.reschedule(asyncio.get_running_loop().time())
