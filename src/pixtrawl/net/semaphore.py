"""Semaphore over all transfers with the adaptive limit of `net.concurrency`.

A released permit goes first to a waiting transfer of the same host, whose connection is open and
past slow start; a new one costs three round trips. A waiter older than `_PATIENCE_S` goes first.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from pixtrawl.net.concurrency import AdaptiveLimit

__all__ = ["AdaptiveSemaphore"]

_PATIENCE_S: Final = 5.0  # a transfer that has waited this long is next, whatever its host


class _WaitingTransfer:
    """A transfer that waits for a permit."""

    __slots__ = ("given", "host", "since")

    def __init__(self, host: str, since: float, given: asyncio.Future[None]) -> None:
        self.host = host
        self.since = since
        self.given = given


class AdaptiveSemaphore:
    """Admits at most `limit.limit` transfers at once. Bound to one event loop."""

    def __init__(self, limit: AdaptiveLimit, now: Callable[[], float]) -> None:
        self.limit = limit
        self.active = 0
        self._now = now
        # Both queues hold all waiters, in order of arrival; one that was admitted through the other
        # queue, or was cancelled, is skipped.
        self._waiting: deque[_WaitingTransfer] = deque()
        self._of_host: dict[str, deque[_WaitingTransfer]] = {}
        self._count = 0

    @property
    def waiting(self) -> int:
        return self._count

    @property
    def has_room(self) -> bool:
        return self.active + self._count < self.limit.limit

    def permit(self, host: str) -> _Permit:
        """Return a context manager that holds one permit for a transfer from this host."""
        return _Permit(self, host)

    async def enter(self, host: str) -> None:
        """Wait for a permit."""
        if self._count or self.active >= self.limit.limit:
            await self._wait(host)
        else:
            self.active += 1
        if self.active >= self.limit.limit:
            self.limit.full()

    def leave(self, host: str) -> None:
        """Release a permit."""
        self.active -= 1
        if self._count and self.active < self.limit.limit:
            turn = self._next(self._waiting)
            if turn is not None and self._now() - turn.since < _PATIENCE_S:
                turn = self._next(self._of_host.get(host)) or turn
            if turn is not None:
                self._let_in(turn)
        self._pump()

    async def _wait(self, host: str) -> None:
        turn = _WaitingTransfer(host, self._now(), asyncio.get_running_loop().create_future())
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
    def _next(turns: deque[_WaitingTransfer] | None) -> _WaitingTransfer | None:
        """Return the first waiter still waiting, without removing it."""
        while turns and turns[0].given.done():
            turns.popleft()
        return turns[0] if turns else None

    def _let_in(self, turn: _WaitingTransfer) -> None:
        self.active += 1
        self._count -= 1
        turn.given.set_result(None)
        if self._next(self._of_host[turn.host]) is None:
            del self._of_host[turn.host]

    def answered(self, waited_s: float, received_bytes: int) -> None:
        """Register that an answer began, `waited_s` seconds after its request."""
        self.limit.answered(waited_s, received_bytes, self._now())
        self._pump()

    def ended(self, *, size_bytes: int, elapsed_s: float, timed_out: bool) -> None:
        """Register the end of a transfer, successful or not; `leave` follows."""
        self.limit.ended(
            size_bytes=size_bytes, elapsed_s=elapsed_s, timed_out=timed_out, now=self._now()
        )
        self._pump()


class _Permit:
    """`async with` for one permit, written out for speed as `net.hosts.slots.Slot`."""

    __slots__ = ("_host", "_semaphore")

    def __init__(self, semaphore: AdaptiveSemaphore, host: str) -> None:
        self._semaphore = semaphore
        self._host = host

    async def __aenter__(self) -> None:
        await self._semaphore.enter(self._host)

    async def __aexit__(self, *_exception: object) -> None:
        self._semaphore.leave(self._host)
