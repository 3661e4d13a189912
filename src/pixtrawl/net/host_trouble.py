"""One host that refuses (429, 503): its rest, its probe, the addresses that it holds. Pure.

An address that is refused is not its host. A pause that the host states holds that address; the
host rests for a moment, then exactly one other address is asked. A good answer, and the host goes
on; another refusal, and the whole host is left alone for as long as it asks.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Final

from pixtrawl.net.circuit import Circuit, Verdict

__all__ = ["FIRST_REST_S", "HostTrouble"]

FIRST_REST_S: Final = 10.0  # of a host whose address states a pause, at most
_PROVEN: Final = 4  # so often its other addresses were good: it is asked on sooner
_PROVEN_REST_S: Final = 1.0
_VAIN: Final = 3  # addresses refused again after their pause: no further one is waited for
_MAX_HELD: Final = 1000  # addresses remembered beyond their time


class HostTrouble:
    """What is known of a host since its first refusal. Times are seconds of any steady clock."""

    def __init__(self, patience_s: float) -> None:
        self.circuit = Circuit(patience_s, has_answered=True)
        self._held: dict[str, float] = {}
        self._last_refused = ""
        self._proven = 0
        self._vain = 0

    def held_s(self, address: str, now: float) -> float:
        """Seconds for which the address is not to be asked."""
        return max(0.0, self._held.get(address, 0.0) - now)

    def was_refused(self, address: str) -> bool:
        """Whether the address stated a pause before: another one is the better probe."""
        return address in self._held

    def likeness(self, address: str) -> int:
        """Characters that it begins with as the last refused one does: thumbnails lie together."""
        pairs = zip(address, self._last_refused, strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

    @property
    def is_worth_waiting(self) -> bool:
        """Whether addresses of this host have been given after their pause, as far as is known."""
        return self._vain < _VAIN

    def refused(self, address: str, told_s: float | None, *, probe: bool, now: float) -> Verdict:
        """An address was refused; anything but REST: the host is out."""
        if told_s is None:
            return self.circuit.bad(now, started_at=now, probe=probe)
        again = address in self._held
        self._hold(address, now + told_s, now)
        if probe and not again:
            self._proven = 0
            return self.circuit.bad(now, started_at=now, probe=True, told_s=told_s)
        if self.circuit.is_open and not probe:  # it was under way when the host began to rest
            return Verdict.REST
        # What an address is told twice says nothing new of its host.
        first_s = FIRST_REST_S if self._proven < _PROVEN else _PROVEN_REST_S
        told_s = min(told_s, first_s)
        return self.circuit.bad(now, started_at=now, probe=probe, told_s=told_s)

    def refused_all(self, told_s: float | None, *, probe: bool, now: float) -> Verdict:
        """What governs every address of the host was refused: its robots.txt."""
        return self.circuit.bad(now, started_at=now, probe=probe, told_s=told_s)

    def good(self, address: str, now: float) -> float | None:
        """A good answer: seconds that the host's rest took; None where it had none."""
        if self._held.pop(address, None) is not None:
            self._vain = 0
        lasted_s = self.circuit.good(now)
        if lasted_s is not None:
            self._proven += 1
        return lasted_s

    def _hold(self, address: str, until: float, now: float) -> None:
        self._vain += address in self._held
        self._last_refused = address
        if len(self._held) >= _MAX_HELD:
            self._held = {one: end for one, end in self._held.items() if end > now}
        self._held[address] = until
