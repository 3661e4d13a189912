"""Whether a server in trouble may be asked: a circuit breaker with growing rests. Pure.

Closed, everybody may ask. A failure opens it: nobody asks for a rest, then one request is let
through as a probe while the others wait for its end. A good answer closes it, another failure
makes the next rest longer, up to a cap. A pause that the server itself states is kept as stated.
Without a good answer for the whole patience it gives up: nobody waits any more, and one request in
each further rest finds out whether the server is back.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from enum import Enum
from typing import Final

__all__ = ["BASE_S", "CAP_S", "UNKNOWN_PATIENCE_S", "Circuit", "Verdict"]

BASE_S: Final = 1.0  # the first rest
CAP_S: Final = 60.0  # the longest one that the server did not ask for
UNKNOWN_PATIENCE_S: Final = 30.0  # for a server that has never answered: a wrong address, no line
_SPREAD: Final = 0.25  # of a rest, added at random: what failed together comes back apart
_MAX_DOUBLINGS: Final = 20


class Verdict(Enum):
    """What follows a failure."""

    REST = "rest"  # wait and try again
    TOO_LONG = "too long"  # the server asks for more than there is patience for
    OVER = "over"  # no good answer for the whole patience


class Circuit:
    """State for one server. Times are seconds of any one steady clock."""

    def __init__(
        self,
        patience_s: float,
        *,
        has_answered: bool = False,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`has_answered`: the server is known to be there, so that the whole patience is due."""
        self.is_open = False
        self.over = False
        self.since = 0.0  # start of the first request that failed since the last good answer
        self.rest_until = 0.0
        self.answers = 0  # good ones
        self.has_answered = has_answered
        self._patience_s = patience_s
        self._jitter = jitter
        self._rounds = 0
        self._probing = False
        self._good_at = float("-inf")

    def wait_s(self, now: float) -> float | None:
        """0: ask now; seconds until the rest is over; None: wait until the probe has ended."""
        if not self.is_open:
            return 0.0
        return None if self._probing else max(0.0, self.rest_until - now)

    def begin(self) -> bool:
        """A request begins where `wait_s` is 0. True: it is the probe.

        A probe has to end with `good`, `bad` or `dropped`.
        """
        self._probing = self.is_open
        return self.is_open

    def dropped(self) -> None:
        """The probe ended without a word on the server: the next request is one."""
        self._probing = False

    def good(self, now: float) -> float | None:
        """An answer that is no trouble: seconds that the trouble lasted; None where was none."""
        lasted_s = now - self.since if self.is_open else None
        self.is_open = self.over = self._probing = False
        self.has_answered = True
        self._rounds = 0
        self.answers += 1
        self._good_at = now
        return lasted_s

    def bad(
        self, now: float, *, started_at: float, probe: bool = False, told_s: float | None = None
    ) -> Verdict:
        """A request that began at `started_at` failed; `told_s`: the pause that the server states.

        Requests that were under way when the circuit opened are of the same round and lengthen no
        rest; one that is older than the last good answer says nothing of the server's state.
        """
        if told_s is not None:
            self.has_answered = True
        if self.is_open and not probe:
            if told_s is not None:
                if now + told_s > self._deadline():
                    return Verdict.TOO_LONG
                self.rest_until = max(self.rest_until, now + told_s)
            return Verdict.OVER if self.over else Verdict.REST
        if not self.is_open:
            if started_at < self._good_at and told_s is None:
                return Verdict.REST
            self.since = started_at
        self.is_open, self._probing = True, False
        self._rounds += 1
        return self._rest(now, told_s)

    def _rest(self, now: float, told_s: float | None) -> Verdict:
        deadline = self._deadline()
        if told_s is not None and now + told_s > deadline:
            self.rest_until = now + told_s
            return Verdict.TOO_LONG
        if told_s is None and now >= deadline:
            self.over = True
            self.rest_until = now + CAP_S
            return Verdict.OVER
        self.rest_until = now + (
            min(self._growing_s(), deadline - now) if told_s is None else told_s
        )
        return Verdict.OVER if self.over else Verdict.REST

    def _growing_s(self) -> float:
        doubled_s = BASE_S * 2.0 ** min(self._rounds - 1, _MAX_DOUBLINGS)
        return min(CAP_S, doubled_s * (1 + _SPREAD * self._jitter()))

    def _deadline(self) -> float:
        patience_s = self._patience_s
        if not self.has_answered:
            patience_s = min(patience_s, UNKNOWN_PATIENCE_S)
        return self.since + patience_s
