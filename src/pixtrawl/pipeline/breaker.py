"""A source that has just refused is not asked again, by no query of the run.

Queries run side by side, so that a check before asking is not enough: twenty of them would pass it
before the first is refused. Until a source has answered well, one query tries it and the others
wait; and what waits for its turn at the source's pace looks once more before it is sent.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from pixtrawl.errors import SourceStop
from pixtrawl.model import SourceOutcome

__all__ = ["BREAKS", "Breaker"]

# One refusal concerns every query: asking on would be rude and useless.
BREAKS: Final = frozenset({
    SourceOutcome.BLOCKED, SourceOutcome.CONSENT, SourceOutcome.QUOTA,
    SourceOutcome.BROWSER_MISSING,
})  # fmt: skip
# These may be one query's bad luck; so many in a row are not.
_FAILURES: Final = frozenset({SourceOutcome.CHANGED, SourceOutcome.NETWORK_ERROR})
MAX_FAILURES: Final = 5
REST_S: Final = 60.0  # after them; then one query tries again
_PATIENCE_S: Final = 3.0  # of those who wait for the one who tries: a silent host holds up nobody


class Breaker:
    """Guards one source for all queries of a run."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._stop: SourceStop | None = None
        self._until = 0.0
        self._failures = 0
        self._answers = False
        self._trial: asyncio.Event | None = None

    def check(self) -> None:
        """Raises SourceStop where the source is not to be asked now, with what it last said."""
        if self._stop is None:
            return
        if self._now() < self._until:
            said = self._stop.detail.get("message") or self._stop.outcome
            raise SourceStop(
                self._stop.outcome, **{**self._stop.detail, "message": f"not asked: {said}"}
            )
        self._stop = None
        self._failures = MAX_FAILURES - 1  # the next one is enough
        self._answers = False

    async def enter(self) -> bool:
        """Returns when the source may be asked: True for the query that tries it.

        That one has to `leave`. Raises SourceStop.
        """
        end = self._now() + _PATIENCE_S
        self.check()
        while self._trial is not None and not self._answers:
            try:
                async with asyncio.timeout(max(0.0, end - self._now())):
                    await self._trial.wait()
            except TimeoutError:
                break
            self.check()
        if self._answers or self._trial is not None:
            return False
        self._trial = asyncio.Event()
        return True

    def leave(self) -> None:
        """The query that tried has its end: the next one may try."""
        if self._trial is not None:
            self._trial.set()
            self._trial = None

    def answers(self) -> None:
        """The source gave a page, or said that it has none: nobody needs to wait for another."""
        self._answers = True
        self._failures = 0
        if self._trial is not None:
            self._trial.set()

    def note(self, stop: SourceStop, *, found: int) -> None:
        """How asking ended, where it did not end well."""
        if stop.outcome in BREAKS:
            self._open(stop, float("inf"))
        elif stop.outcome in _FAILURES and not found:
            self._failures += 1
            if self._failures >= MAX_FAILURES:
                self._open(stop, self._now() + REST_S)
        elif stop.outcome is SourceOutcome.NO_RESULTS:
            self.answers()

    def _open(self, stop: SourceStop, until: float) -> None:
        if self._stop is None:
            self._stop, self._until = stop, until
