"""How many transfers at once: found out while running, between a start of 32 and the cap.

Like TCP's own way: while every window brings more than the one before, more are let in with each
that ends; when more transfers no longer bring more, it stays there. Time-outs shrink it, and so do
transfers that take a large part of the time they are allowed: a slow line shared by too many
would let all of them time out.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

__all__ = ["AdaptiveLimit", "Gate"]

_START: Final = 32
_LEAST: Final = 4
_WINDOW_S: Final = (0.1, 1.0)  # shortest, longest
_BETTER: Final = 1.1
_PROBE_EVERY: Final = 8  # windows in a row without growth
_TIMEOUT_SHARE: Final = 0.1


class AdaptiveLimit:
    """The decision. The clock is handed in; one window is judged after the other."""

    def __init__(self, cap: int, timeout_s: float, now: float) -> None:
        """`cap` is the most ever; `timeout_s` what one file is allowed."""
        self._cap = cap
        self._timeout_s = timeout_s
        self.limit = min(_START, cap)
        self._growing = True
        self._best = (0.0, 0.0)  # files/s and bytes/s of the best window so far
        self._settled_at = self.limit
        self._windows_idle = 0
        self._open_window(now)

    def _open_window(self, now: float) -> None:
        self._since = now
        self._ceiling = 2 * self.limit
        self._files = self._bytes = self._timeouts = 0
        self._busy_s = 0.0
        self._full = False

    def ended(self, *, size_bytes: int, elapsed_s: float, timed_out: bool, now: float) -> None:
        """A transfer ended, well or not."""
        self._files += 1
        self._bytes += size_bytes
        self._busy_s += elapsed_s
        self._timeouts += timed_out
        if self._growing and self._full and not timed_out:
            self.limit = min(self._cap, self._ceiling, self.limit + 2)
        span_s = now - self._since
        shortest_s, longest_s = _WINDOW_S
        if span_s >= longest_s or (span_s >= shortest_s and self._files >= self.limit // 2):
            self._judge(span_s)
            self._open_window(now)

    def full(self) -> None:
        """The limit is reached: it may be what holds things up."""
        self._full = True

    def _judge(self, span_s: float) -> None:
        rates = (self._files / span_s, self._bytes / span_s)
        if self._timeouts >= 3 and self._timeouts > self._files * _TIMEOUT_SHARE:
            self._shrink(0.7)
        elif self._full and self._busy_s / self._files > self._timeout_s / 4:
            self._shrink(0.8)
        elif self._full:
            better = any(
                now > before * _BETTER for now, before in zip(rates, self._best, strict=True)
            )
            self._grow_or_settle(better)
        self._best = (max(rates[0], self._best[0] * 0.95), max(rates[1], self._best[1] * 0.95))

    def _grow_or_settle(self, better: bool) -> None:
        if better:
            self._settled_at = self.limit
            self._windows_idle = 0
            return
        self._windows_idle += 1
        if self._growing and self._windows_idle >= 2:
            self._growing = False
            self.limit = max(self._settled_at, min(_START, self._cap))
        elif self._windows_idle >= _PROBE_EVERY:
            self._growing = True
            self._windows_idle = 0

    def _shrink(self, factor: float) -> None:
        self._growing = False
        self._windows_idle = 0
        self.limit = max(min(_LEAST, self._cap), int(self.limit * factor))
        self._settled_at = self.limit


class Gate:
    """Lets at most `limit.limit` through at once, first come first served."""

    def __init__(self, limit: AdaptiveLimit, now: Callable[[], float]) -> None:
        self.limit = limit
        self.active = 0
        self._now = now
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def has_room(self) -> bool:
        return self.active + len(self._waiting) < self.limit.limit

    def passage(self) -> _Passage:
        """One place inside the block."""
        return _Passage(self)

    async def enter(self) -> None:
        """Waits for a place."""
        if self._waiting or self.active >= self.limit.limit:
            await self._wait()
        else:
            self.active += 1
        if self.active >= self.limit.limit:
            self.limit.full()

    def leave(self) -> None:
        """Gives back what `enter` gave."""
        self.active -= 1
        self._pump()

    async def _wait(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._pump()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.active -= 1
            elif turn in self._waiting:
                self._waiting.remove(turn)
            self._pump()
            raise

    def _pump(self) -> None:
        while self._waiting and self.active < self.limit.limit:
            turn = self._waiting.popleft()
            if not turn.done():
                self.active += 1
                turn.set_result(None)

    def ended(self, *, size_bytes: int, elapsed_s: float, timed_out: bool) -> None:
        self.limit.ended(
            size_bytes=size_bytes, elapsed_s=elapsed_s, timed_out=timed_out, now=self._now()
        )
        self._pump()


class _Passage:
    """`async with` of a gate; see `hosts._Slot`."""

    __slots__ = ("_gate",)

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def __aenter__(self) -> None:
        await self._gate.enter()

    async def __aexit__(self, *_exception: object) -> None:
        self._gate.leave()
