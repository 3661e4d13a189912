"""How long a decoder may take: CPU time for each file, and a watchdog for one that stands still.

Only CPU time is a verdict on a file. A decoder that makes no progress was stopped, starved or put
to sleep with the machine: its file is asked again, by another decoder.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from pixtrawl.images.decoders.cpu_clock import CpuClock
from pixtrawl.model import Reason

__all__ = ["TimeLimit"]

Over = Callable[[Reason, str], None]

_PROGRESS: Final = 0.001  # share of a core that counts as progress: a niced process at load 100
_MOST_STALLS: Final = 20  # watchdog intervals a file may take in all, however busy the machine is
_LATE_S: Final = 1.0  # a timer this late: the parent itself did not run, so nothing is known
_LEAST_S: Final = 0.01


class TimeLimit:
    """Limits of one decoder, by one timer that serves many files; it calls `over` once at most.

    The timer is set to the earliest moment at which a limit can be reached, as a decoder with one
    thread uses at most one second of CPU time per second.
    """

    def __init__(self, over: Over, stall_s: float) -> None:
        self._over = over
        self._stall_s = stall_s
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._due_at = 0.0  # time of the loop; 0: nothing is limited
        self._check: Callable[[float], None] = self._check_start
        self._clock: CpuClock | None = None
        self._allowed_s = 0.0
        self._cpu_before_s = 0.0  # used by the files before
        self._window_at = 0.0  # start of the watchdog's interval, with the CPU time used by then
        self._window_cpu_s = 0.0
        self._windows = 0

    def await_start(self, seconds: float) -> None:
        """Limit the start of the process, in wall-clock seconds."""
        self._allowed_s = seconds
        self._check = self._check_start
        self._set(self._loop.time() + seconds)

    def started(self, clock: CpuClock | None) -> None:
        """Lift the limit of the start; `clock` is that of the process."""
        self._clock = clock
        self._check = self._check_file
        self._due_at = 0.0

    def begin(self, allowed_s: float) -> None:
        """Limit the file that the decoder is at now, in CPU seconds."""
        now = self._loop.time()
        self._allowed_s = allowed_s
        self._cpu_before_s = self._window_cpu_s = self._used() or 0.0
        self._window_at, self._windows = now, 0
        self._set(now + min(allowed_s, self._stall_s))

    def end(self) -> None:
        """Lift the limit: the decoder has nothing to do."""
        self._due_at = 0.0

    def close(self) -> None:
        """Lift the limit and drop the timer."""
        self._due_at = 0.0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _used(self) -> float | None:
        return self._clock() if self._clock is not None else None

    def _set(self, due_at: float) -> None:
        self._due_at = due_at
        if self._timer is not None:
            if self._timer.when() <= due_at:
                return  # it looks then, and is set anew
            self._timer.cancel()
        self._timer = self._loop.call_at(due_at, self._look)

    def _look(self) -> None:
        self._timer = None
        if not self._due_at:
            return
        now = self._loop.time()
        if now < self._due_at:
            self._set(self._due_at)
        else:
            self._check(now)

    def _check_start(self, now: float) -> None:
        if now - self._due_at > _LATE_S:
            self._set(now + self._allowed_s)
            return
        self._due_at = 0.0
        self._over(Reason.DECODER_LOST, f"not started in {self._allowed_s:.0f} s")

    def _check_file(self, now: float) -> None:
        cpu_s = self._used()
        used_s = 0.0 if cpu_s is None else cpu_s - self._cpu_before_s
        if cpu_s is not None and used_s >= self._allowed_s:
            self._stop(Reason.DECODER_TIMEOUT, f"not done in {self._allowed_s:.1f} s of CPU time")
            return
        if now - self._due_at > _LATE_S:
            self._window_at, self._window_cpu_s = now, cpu_s or 0.0
        elif now - self._window_at >= self._stall_s:
            if self._stalled(cpu_s):
                return
            self._window_at, self._window_cpu_s = now, cpu_s or 0.0
        left_s = max(self._allowed_s - used_s, _LEAST_S)
        self._set(min(now + left_s, self._window_at + self._stall_s))

    def _stalled(self, cpu_s: float | None) -> bool:
        """End an interval of the watchdog; return whether the decoder was given up."""
        self._windows += 1
        if cpu_s is not None and cpu_s - self._window_cpu_s < _PROGRESS * self._stall_s:
            text = f"got no CPU time in {self._stall_s:.1f} s: stopped, or a machine too busy"
            self._stop(Reason.DECODER_LOST, text)
            return True
        if self._windows >= _MOST_STALLS:
            self._stop(Reason.DECODER_LOST, f"not done in {_MOST_STALLS * self._stall_s:.0f} s")
            return True
        return False

    def _stop(self, reason: Reason, detail: str) -> None:
        self._due_at = 0.0
        self._over(reason, detail)
