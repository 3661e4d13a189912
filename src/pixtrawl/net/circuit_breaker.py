"""Circuit breaker for a server that fails or refuses, with exponential back-off. Pure.

Closed: every request may start. A failure opens it: no request starts for a rest period, then
(half-open) one goes through as a probe while the others wait for its result. A good answer closes
the breaker, another failure doubles the next rest, up to a cap. A pause that the server states is
kept exactly. After `patience_s` without a good answer requests fail at once, except one probe per
rest.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from enum import Enum
from typing import Final

__all__ = ["BASE_S", "CAP_S", "UNKNOWN_PATIENCE_S", "CircuitBreaker", "FailureVerdict", "growing_s"]

BASE_S: Final = 1.0  # the first rest
CAP_S: Final = 60.0  # the longest one that the server did not ask for
UNKNOWN_PATIENCE_S: Final = 30.0  # for a server that has never answered: wrong address, no network
_SPREAD: Final = 0.25  # jitter, as a share of the rest, so that retries do not come all at once
_MAX_DOUBLINGS: Final = 20


def growing_s(rounds: int, jitter: float) -> float:
    """Return the rest after so many refusals in a row, doubled each time; `jitter` from 0 to 1."""
    doubled_s = BASE_S * 2.0 ** min(rounds - 1, _MAX_DOUBLINGS)
    return min(CAP_S, doubled_s * (1 + _SPREAD * jitter))


class FailureVerdict(Enum):
    """The consequence of a failure."""

    REST = "rest"  # wait and try again
    TOO_LONG = "too long"  # the server asks for a longer pause than the patience
    OVER = "over"  # no good answer for the whole patience


class CircuitBreaker:
    """State of one server. Times are seconds of a monotonic clock."""

    def __init__(
        self,
        patience_s: float,
        *,
        has_answered: bool = False,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`has_answered`: the server is known to work, so that the full patience applies."""
        self.is_open = False
        self.over = False
        self.since = 0.0  # start of the first request that failed since the last good answer
        self.rest_until = 0.0
        self.answers = 0  # number of good ones
        self.has_answered = has_answered
        self._patience_s = patience_s
        self._jitter = jitter
        self._rounds = 0
        self._probing = False
        self._good_at = float("-inf")

    def wait_s(self, now: float) -> float | None:
        """Return 0 (start now), seconds until the rest ends, or None (wait for the probe)."""
        if not self.is_open:
            return 0.0
        return None if self._probing else max(0.0, self.rest_until - now)

    def begin(self) -> bool:
        """Register the start of a request, allowed where `wait_s` is 0. Return True for the probe.

        A probe has to end with `good`, `bad` or `dropped`.
        """
        self._probing = self.is_open
        return self.is_open

    def dropped(self) -> None:
        """End the probe without a result (cancelled): the next request becomes the probe."""
        self._probing = False

    def good(self, now: float) -> float | None:
        """Register a good answer; return how many seconds the trouble lasted, None without one."""
        lasted_s = now - self.since if self.is_open else None
        self.is_open = self.over = self._probing = False
        self.has_answered = True
        self._rounds = 0
        self.answers += 1
        self._good_at = now
        return lasted_s

    def bad(
        self, now: float, *, started_at: float, probe: bool = False, pause_s: float | None = None
    ) -> FailureVerdict:
        """Register the failure of a request begun at `started_at`; `pause_s` as the server states.

        Requests in flight when the breaker opened count as the same failure and do not lengthen
        the rest; one that started before the last good answer is ignored.
        """
        if pause_s is not None:
            self.has_answered = True
        if self.is_open and not probe:
            if pause_s is not None:
                if now + pause_s > self._deadline():
                    return FailureVerdict.TOO_LONG
                self.rest_until = max(self.rest_until, now + pause_s)
            return FailureVerdict.OVER if self.over else FailureVerdict.REST
        if not self.is_open:
            if started_at < self._good_at and pause_s is None:
                return FailureVerdict.REST
            self.since = started_at
        self.is_open, self._probing = True, False
        self._rounds += 1
        return self._rest(now, pause_s)

    def _rest(self, now: float, pause_s: float | None) -> FailureVerdict:
        deadline = self._deadline()
        if pause_s is not None and now + pause_s > deadline:
            self.rest_until = now + pause_s
            return FailureVerdict.TOO_LONG
        if pause_s is None and now >= deadline:
            self.over = True
            self.rest_until = now + CAP_S
            return FailureVerdict.OVER
        self.rest_until = now + (
            min(growing_s(self._rounds, self._jitter()), deadline - now)
            if pause_s is None
            else pause_s
        )
        return FailureVerdict.OVER if self.over else FailureVerdict.REST

    @property
    def rounds(self) -> int:
        """The number of refusals in a row."""
        return self._rounds

    def restore(
        self, *, is_open: bool, over: bool, since: float, until: float, rounds: int
    ) -> None:
        """Restore the state of a breaker of another process, with times of this process's clock."""
        self.is_open, self.over = is_open, over
        self.since, self.rest_until, self._rounds = since, until, rounds

    def _deadline(self) -> float:
        patience_s = self._patience_s
        if not self.has_answered:
            patience_s = min(patience_s, UNKNOWN_PATIENCE_S)
        return self.since + patience_s
