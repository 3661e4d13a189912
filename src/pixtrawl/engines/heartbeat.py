"""Decides whether a worker may go on: only while beats of its coordinator keep arriving.

A late beat does not count. A process that was suspended finds the beats of that time in its pipe,
but its hosts went to other workers meanwhile; so it stays silent until `renew`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from pixtrawl.engines.lease import SILENCE_S

__all__ = ["Heartbeat", "clock_s"]


def clock_s() -> float:
    """Return seconds of a clock that runs while the process is stopped or the machine sleeps."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Heartbeat:
    """Tracks the beats of the coordinator. Pure; `now` returns seconds, as `clock_s`."""

    def __init__(self, now: Callable[[], float], silence_s: float = SILENCE_S) -> None:
        self._now = now
        self._silence_s = silence_s
        self._last_beat_at = now()
        self._silent = False

    def register_beat(self, at: float | None = None) -> None:
        """Register a beat, or any other message; `at` is when it was sent, by this clock."""
        if not self.is_silent():
            self._last_beat_at = self._now() if at is None else max(self._last_beat_at, at)

    def is_silent(self) -> bool:
        """Return whether beats were missing for `silence_s`, now or at any time since `renew`."""
        if not self._silent and self._now() - self._last_beat_at > self._silence_s:
            self._silent = True
        return self._silent

    def renew(self) -> None:
        """End the silence, once all work from before it has been cancelled."""
        self._silent = False
        self._last_beat_at = self._now()
