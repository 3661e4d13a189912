"""State of one host that refuses (429, 503): its rest, its probe, the URLs on hold. Pure.

A refused URL ("address" here) need not mean a refusing host. The pause that the host states puts
that URL on hold; the host rests briefly, then exactly one other URL is tried as a probe. A good
answer resumes the host; another refusal makes the whole host rest for as long as it asks.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Final, Self

from pixtrawl.net.circuit_breaker import CircuitBreaker, FailureVerdict
from pixtrawl.net.hosts.state import TroubleState

__all__ = ["FIRST_REST_S", "HostTrouble"]

FIRST_REST_S: Final = 10.0  # longest first rest of a host that stated a pause for one URL
_PROVEN: Final = 4  # good probes after which the first rest gets shorter
_PROVEN_REST_S: Final = 1.0
_VAIN: Final = 3  # URLs refused again after their pause: stop waiting for others
_MAX_HELD: Final = 1000  # URLs remembered after their hold has ended


class HostTrouble:
    """State of a host since its first refusal. Times are seconds of a monotonic clock."""

    def __init__(self, patience_s: float) -> None:
        self.circuit = CircuitBreaker(patience_s, has_answered=True)
        self._held: dict[str, float] = {}
        self._last_refused = ""
        self._proven = 0
        self._vain = 0

    def held_s(self, address: str, now: float) -> float:
        """Return for how many more seconds the URL is on hold."""
        return max(0.0, self._held.get(address, 0.0) - now)

    def was_refused(self, address: str) -> bool:
        """Return whether the URL was refused before: another one is a better probe."""
        return address in self._held

    def likeness(self, address: str) -> int:
        """Return the length of the common prefix with the last refused URL."""
        pairs = zip(address, self._last_refused, strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

    @property
    def is_worth_waiting(self) -> bool:
        """Return whether waiting out a stated pause has helped on this host, as far as known."""
        return self._vain < _VAIN

    def refused(
        self, address: str, pause_s: float | None, *, probe: bool, now: float
    ) -> FailureVerdict:
        """Register a refused URL. Any verdict but REST means that the host is out."""
        if pause_s is None:
            return self.circuit.bad(now, started_at=now, probe=probe)
        again = address in self._held
        self._hold(address, now + pause_s, now)
        if probe and not again:
            self._proven = 0
            return self.circuit.bad(now, started_at=now, probe=True, pause_s=pause_s)
        if self.circuit.is_open and not probe:  # in flight when the host began to rest
            return FailureVerdict.REST
        # A second refusal of the same URL is no news about its host.
        first_s = FIRST_REST_S if self._proven < _PROVEN else _PROVEN_REST_S
        pause_s = min(pause_s, first_s)
        return self.circuit.bad(now, started_at=now, probe=probe, pause_s=pause_s)

    def refused_all(self, pause_s: float | None, *, probe: bool, now: float) -> FailureVerdict:
        """Register a refusal of robots.txt, which governs every URL of the host."""
        return self.circuit.bad(now, started_at=now, probe=probe, pause_s=pause_s)

    def good(self, address: str, now: float) -> float | None:
        """Register a good answer; return how many seconds the host rested, None without a rest."""
        if self._held.pop(address, None) is not None:
            self._vain = 0
        lasted_s = self.circuit.good(now)
        if lasted_s is not None:
            self._proven += 1
        return lasted_s

    def state(self, now: float) -> TroubleState:
        """Return the state for the host's next holder."""
        circuit = self.circuit
        return TroubleState(
            is_open=circuit.is_open,
            over=circuit.over,
            since_s=now - circuit.since,
            rest_s=max(0.0, circuit.rest_until - now),
            rounds=circuit.rounds,
            proven=self._proven,
            vain=self._vain,
            held_s={one: end - now for one, end in self._held.items()},
        )

    @classmethod
    def restored(cls, state: TroubleState, patience_s: float, now: float) -> Self:
        """Return the trouble of a host as its last holder left it."""
        self = cls(patience_s)
        self.circuit.restore(
            is_open=state.is_open, over=state.over, since=now - state.since_s,
            until=now + state.rest_s, rounds=state.rounds,
        )  # fmt: skip
        self._proven, self._vain = state.proven, state.vain
        self._held = {one: now + left_s for one, left_s in state.held_s.items()}
        return self

    def _hold(self, address: str, until: float, now: float) -> None:
        self._vain += address in self._held
        self._last_refused = address
        if len(self._held) >= _MAX_HELD:
            self._held = {one: end for one, end in self._held.items() if end > now}
        self._held[address] = until
