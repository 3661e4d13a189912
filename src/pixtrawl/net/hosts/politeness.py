"""Politeness decisions: per-host concurrency, delay, rests, and hosts that are out.

Has no clock of its own; requests wait for these decisions in `hosts.slots`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field

from pixtrawl.model import Reason
from pixtrawl.net.hosts.limits import HOST_LIMITS, HostLimit, connections
from pixtrawl.net.hosts.state import HostState
from pixtrawl.net.hosts.trouble import HostTrouble

__all__ = ["Host", "HostTable", "Waiter"]

_OUT_AFTER: Final = {
    Reason.CONNECT_FAILED: 2,  # rounds of failures with no success in between
    Reason.CONNECT_TIMEOUT: 2,
    Reason.DNS_FAILED: 2,
    Reason.FIRST_BYTE_TIMEOUT: 3,
}
# Concurrent transfers from a host before its first answer. Each answer admits one more, so that a
# run starts with many hosts, and a host's files reuse open connections.
_FIRST: Final = 2


class Host(Struct):
    """State of one host."""

    active: int = 0
    delay_s: float = 0.0  # between the starts of two requests, as its robots.txt asks
    next_at: float = 0.0  # the earliest start of the next request
    paid_until: float = 0.0  # when the bytes received so far are within the host's bandwidth limit
    failed_rounds: int = 0
    failed_at: float = float("-inf")
    out: Reason | None = None
    requests: int = 0
    answers: int = 0
    waiting: deque[Waiter] = field(default_factory=deque)
    timer: asyncio.TimerHandle | None = None
    trouble: HostTrouble | None = None  # since its first refusal


class Waiter(Struct, eq=False):
    """A request that waits for a slot; the result is True for a resting host's probe."""

    address: str
    given: asyncio.Future[bool]


class HostTable:
    """State of every host of a run. Times are seconds of a monotonic clock."""

    def __init__(
        self,
        per_host: int,
        delay_s: float = 0.0,
        limits: Mapping[str, HostLimit] = HOST_LIMITS,
        patience_s: float = 900.0,
    ) -> None:
        """`patience_s` is the longest wait for a host that refuses."""
        self._per_host = per_host
        self._delay_s = delay_s
        self._patience_s = patience_s
        self._limits = limits
        self._hosts: dict[str, Host] = {}

    def __getitem__(self, host: str) -> Host:
        entry = self._hosts.get(host)
        if entry is None:
            entry = self._hosts[host] = Host()
        return entry

    def has_room(self, host: str, now: float) -> bool:
        """Return whether a request to this host would start at once."""
        entry = self._hosts.get(host)
        if entry is None:
            return True
        if entry.trouble is not None and entry.trouble.circuit.is_open:
            return False
        most = self._most(host, entry)
        return entry.active + len(entry.waiting) < most and now >= entry.next_at

    def _most(self, host: str, entry: Host) -> int:
        return min(connections(host, self._per_host, self._limits), _FIRST + entry.answers)

    def wait_s(self, host: str, now: float) -> float | None:
        """Return 0 (start now), seconds to wait, or None (wait until a request ends)."""
        entry = self[host]
        if entry.active >= self._most(host, entry):
            return None
        pace_s = max(0.0, entry.next_at - now)
        if entry.trouble is None:
            return pace_s
        rest_s = entry.trouble.circuit.wait_s(now)
        return None if rest_s is None else max(pace_s, rest_s)

    def start(self, host: str, now: float) -> bool:
        """Register the start of a request. Return whether it is the probe of a resting host."""
        entry = self[host]
        entry.active += 1
        entry.requests += 1
        entry.next_at = max(entry.next_at, now + max(self._delay_s, entry.delay_s))
        return entry.trouble is not None and entry.trouble.circuit.begin()

    def begun(self, host: str) -> None:
        """Register that an answer began: admits one more concurrent transfer."""
        self[host].answers += 1

    def end(self, host: str, *, probe: bool = False) -> None:
        """Register the end of a request; `probe`: a probe that ended without a result."""
        entry = self[host]
        entry.active -= 1
        if probe and entry.trouble is not None:
            entry.trouble.circuit.dropped()

    def trouble(self, host: str) -> HostTrouble:
        """Return the host's refusal state, created at the first call."""
        entry = self[host]
        if entry.trouble is None:
            entry.trouble = HostTrouble(self._patience_s)
        return entry.trouble

    def rests(self, host: str) -> bool:
        """Return whether only a probe may be sent to the host now."""
        entry = self[host]
        return entry.trouble is not None and entry.trouble.circuit.is_open

    def held_s(self, host: str, address: str, now: float) -> float:
        """Return for how many more seconds the URL is on hold."""
        entry = self[host]
        return 0.0 if entry.trouble is None else entry.trouble.held_s(address, now)

    def is_worth_waiting(self, host: str) -> bool:
        """Return whether to wait for a URL of this host for which it stated a pause."""
        entry = self[host]
        return entry.trouble is None or entry.trouble.is_worth_waiting

    def set_delay(self, host: str, delay_s: float, now: float) -> None:
        """Keep `delay_s` between the starts of two requests, and from now to the next."""
        entry = self[host]
        entry.delay_s = max(entry.delay_s, delay_s)
        entry.next_at = max(entry.next_at, now + entry.delay_s)

    def put_out(self, host: str, reason: Reason) -> None:
        """Send no more requests to the host in this run."""
        self[host].out = reason

    def transferred(self, host: str, size_bytes: int, started_at: float) -> None:
        """Register received bytes; a host over its bandwidth limit gets no request for a while."""
        limit = self._limits.get(host)
        if limit is not None:
            entry = self[host]
            entry.paid_until = max(entry.paid_until, started_at) + size_bytes / limit.bytes_s
            entry.next_at = max(entry.next_at, entry.paid_until)

    def answered(self, host: str) -> None:
        """Forget earlier failures: the host has answered."""
        self[host].failed_rounds = 0

    def failed(self, host: str, reason: Reason, started_at: float, now: float) -> None:
        """Register a failure. Requests in flight at the same time count as one round."""
        rounds = _OUT_AFTER.get(reason)
        if rounds is None:
            return
        entry = self[host]
        if entry.failed_rounds == 0 or started_at >= entry.failed_at:
            entry.failed_rounds += 1
            entry.failed_at = now
        if entry.failed_rounds >= rounds:
            entry.out = reason

    def out(self, host: str) -> Reason | None:
        """Return why the host is out for this run, or None."""
        entry = self._hosts.get(host)
        return entry.out if entry is not None else None

    def state(self, host: str, now: float) -> HostState:
        """Return the state of a host for its next holder, without robots.txt."""
        entry = self._hosts.get(host)
        if entry is None:
            return HostState(host=host)
        return HostState(
            host=host,
            out=entry.out,
            wait_s=max(0.0, entry.next_at - now),
            delay_s=entry.delay_s,
            failed_rounds=entry.failed_rounds,
            requests=entry.requests,
            answers=entry.answers,
            trouble=None if entry.trouble is None else entry.trouble.state(now),
        )

    def restore(self, state: HostState, now: float) -> None:
        """Take over a host as its last holder left it."""
        entry = self[state.host]
        entry.out, entry.delay_s = state.out, state.delay_s
        entry.next_at = max(entry.next_at, now + state.wait_s)
        entry.failed_rounds, entry.requests = state.failed_rounds, state.requests
        entry.failed_at, entry.answers = now, state.answers
        if state.trouble is not None:
            entry.trouble = HostTrouble.restored(state.trouble, self._patience_s, now)

    def postpone(self, host: str, until: float) -> None:
        """Let no request to a host start before."""
        entry = self[host]
        entry.next_at = max(entry.next_at, until)

    def forget(self, host: str) -> None:
        """Drop a host that no request is sent to or waits for."""
        entry = self._hosts.get(host)
        if entry is not None and not (entry.active or entry.waiting):
            del self._hosts[host]

    def statistics(self) -> Mapping[str, Mapping[str, object]]:
        """Return by host: requests made, active, waiting, and whether it is out."""
        return {
            host: {
                "requests": entry.requests,
                "active": entry.active,
                "waiting": len(entry.waiting),
                "out": str(entry.out) if entry.out else "",
            }
            for host, entry in self._hosts.items()
        }
