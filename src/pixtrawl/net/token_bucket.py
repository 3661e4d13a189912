"""`--limit-rate`: a token bucket over all transfers, in bytes per second.

A transfer that finds the bucket empty is paused (TCP flow control then slows the sender) and
resumes, first come, first served, when the bucket has filled again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

__all__ = ["TokenBucket"]

_BURST_S: Final = 0.1  # capacity of the bucket, in seconds of the rate


class TokenBucket:
    """The bucket; callers pass in the clock and the timer."""

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

    def set_rate(self, bytes_s: int) -> None:
        """Fill the bucket at another rate from now on."""
        self.take(0)
        self._bytes_s = bytes_s

    def take(self, size_bytes: int) -> bool:
        """Take tokens; return False where the bucket is empty. One take may overdraw it."""
        now = self._now()
        self._level = min(self._level + (now - self._at) * self._bytes_s, self._bytes_s * _BURST_S)
        self._at = now
        if self._level <= 0:
            return False
        self._level -= size_bytes
        return True

    def wait(self, resume: Callable[[], None]) -> None:
        """Call `resume` when the bucket has filled again, in order of the calls."""
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
