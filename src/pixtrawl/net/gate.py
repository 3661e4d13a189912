"""Lets transfers through, as many at once as `net.concurrency` has found to be good.

A place that a transfer gives back goes to the next file of the same host, where one waits: its
connection is open and warm, a new one costs three round trips and starts slowly. Nobody is passed
over for long by that.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from pixtrawl.net.concurrency import AdaptiveLimit

__all__ = ["Gate"]

_PATIENCE_S: Final = 5.0  # who has waited for so long is next, whatever its host


class _Turn:
    """One who waits."""

    __slots__ = ("given", "host", "since")

    def __init__(self, host: str, since: float, given: asyncio.Future[None]) -> None:
        self.host = host
        self.since = since
        self.given = given


class Gate:
    """Lets at most `limit.limit` through at once. All methods belong to one event loop."""

    def __init__(self, limit: AdaptiveLimit, now: Callable[[], float]) -> None:
        self.limit = limit
        self.active = 0
        self._now = now
        # Both hold everyone who waits, first come first; who was let in out of one of them, or was
        # cancelled, is passed over in the other.
        self._waiting: deque[_Turn] = deque()
        self._of_host: dict[str, deque[_Turn]] = {}
        self._count = 0

    @property
    def waiting(self) -> int:
        return self._count

    @property
    def has_room(self) -> bool:
        return self.active + self._count < self.limit.limit

    def passage(self, host: str) -> _Passage:
        """One place inside the block, for a transfer from this host."""
        return _Passage(self, host)

    async def enter(self, host: str) -> None:
        """Waits for a place."""
        if self._count or self.active >= self.limit.limit:
            await self._wait(host)
        else:
            self.active += 1
        if self.active >= self.limit.limit:
            self.limit.full()

    def leave(self, host: str) -> None:
        """Gives back what `enter` gave."""
        self.active -= 1
        if self._count and self.active < self.limit.limit:
            turn = self._next(self._waiting)
            if turn is not None and self._now() - turn.since < _PATIENCE_S:
                turn = self._next(self._of_host.get(host)) or turn
            if turn is not None:
                self._let_in(turn)
        self._pump()

    async def _wait(self, host: str) -> None:
        turn = _Turn(host, self._now(), asyncio.get_running_loop().create_future())
        self._waiting.append(turn)
        self._of_host.setdefault(host, deque()).append(turn)
        self._count += 1
        self._pump()
        try:
            await turn.given
        except asyncio.CancelledError:
            if turn.given.done() and not turn.given.cancelled():
                self.active -= 1
            else:
                self._count -= 1
                turn.given.cancel()
            self._pump()
            raise

    def _pump(self) -> None:
        while self._count and self.active < self.limit.limit:
            turn = self._next(self._waiting)
            if turn is None:
                return
            self._let_in(turn)

    @staticmethod
    def _next(turns: deque[_Turn] | None) -> _Turn | None:
        """The first of those that still wait; it stays where it is."""
        while turns and turns[0].given.done():
            turns.popleft()
        return turns[0] if turns else None

    def _let_in(self, turn: _Turn) -> None:
        self.active += 1
        self._count -= 1
        turn.given.set_result(None)
        if self._next(self._of_host[turn.host]) is None:
            del self._of_host[turn.host]

    def answered(self, waited_s: float, received_bytes: int) -> None:
        """A transfer's answer begins, so long after the request."""
        self.limit.answered(waited_s, received_bytes, self._now())
        self._pump()

    def ended(self, *, size_bytes: int, elapsed_s: float, timed_out: bool) -> None:
        """A transfer ended, well or not; it is about to leave."""
        self.limit.ended(
            size_bytes=size_bytes, elapsed_s=elapsed_s, timed_out=timed_out, now=self._now()
        )
        self._pump()


class _Passage:
    """`async with` of a gate; see `hosts._Slot`."""

    __slots__ = ("_gate", "_host")

    def __init__(self, gate: Gate, host: str) -> None:
        self._gate = gate
        self._host = host

    async def __aenter__(self) -> None:
        await self._gate.enter(self._host)

    async def __aexit__(self, *_exception: object) -> None:
        self._gate.leave(self._host)
