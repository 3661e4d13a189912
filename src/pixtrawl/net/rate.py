"""`--limit-rate`: bytes a second over all transfers together, by a bucket that fills with time.

A transfer that finds the bucket empty is paused (the network's own flow control then slows the
sender) and goes on in turn when there is something in it again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

__all__ = ["RateLimit"]

_BURST_S: Final = 0.1  # what an idle line may save up


class RateLimit:
    """Decisions only; the clock and the timer are handed in."""

    def __init__(
        self,
        bytes_s: int,
        *,
        now: Callable[[], float],
        call_later: Callable[[float, Callable[[], None]], object],
    ) -> None:
        self._bytes_s = bytes_s
        self._now = now
        self._call_later = call_later
        self._level = bytes_s * _BURST_S
        self._at = now()
        self._waiting: deque[Callable[[], None]] = deque()
        self._timer_runs = False

    def take(self, size_bytes: int) -> bool:
        """May so many bytes pass now? What passes may overdraw; the next one then waits."""
        now = self._now()
        self._level = min(self._level + (now - self._at) * self._bytes_s, self._bytes_s * _BURST_S)
        self._at = now
        if self._level <= 0:
            return False
        self._level -= size_bytes
        return True

    def wait(self, resume: Callable[[], None]) -> None:
        """Calls `resume` when bytes may pass again, first come first served."""
        self._waiting.append(resume)
        self._schedule()

    def _schedule(self) -> None:
        if self._waiting and not self._timer_runs:
            self._timer_runs = True
            self._call_later(max(0.001, (1 - self._level) / self._bytes_s), self._resume)

    def _resume(self) -> None:
        self._timer_runs = False
        self.take(0)
        for _ in range(len(self._waiting)):
            if self._level <= 0:
                break
            self._waiting.popleft()()
        self._schedule()
