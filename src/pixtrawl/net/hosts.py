"""Politeness: per-host slots with concurrency, delay, rests, and hosts that are out.

Decides and has no clock of its own; `host_slots` lets requests wait on these decisions.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field

from pixtrawl.model import Reason
from pixtrawl.net.host_limits import HOST_LIMITS, HostLimit, connections
from pixtrawl.net.host_trouble import HostTrouble

__all__ = ["Host", "HostTable", "Turn"]

_OUT_AFTER: Final = {
    Reason.CONNECT_FAILED: 2,  # rounds of failures with nothing better in between
    Reason.CONNECT_TIMEOUT: 2,
    Reason.DNS_FAILED: 2,
    Reason.FIRST_BYTE_TIMEOUT: 3,
}
# Transfers at once from a host that has yet to answer. Each answer lets in one more, so that the
# first places of a run go to many hosts, and a host's files to connections that are open already.
_FIRST: Final = 2


class Host(Struct):
    """What is known of one host."""

    active: int = 0
    next_at: float = 0.0  # the earliest start of the next request
    paid_until: float = 0.0  # when what came so far is within the host's bandwidth
    failed_rounds: int = 0
    failed_at: float = float("-inf")
    out: Reason | None = None
    requests: int = 0
    answers: int = 0
    waiting: deque[Turn] = field(default_factory=deque)
    timer: asyncio.TimerHandle | None = None
    trouble: HostTrouble | None = None  # since its first refusal


class Turn(Struct, eq=False):
    """A request that waits for a slot; the result tells whether it is a resting host's probe."""

    address: str
    given: asyncio.Future[bool]


class HostTable:
    """What is known of every host of a run. Times are seconds of any one steady clock."""

    def __init__(
        self,
        per_host: int,
        delay_s: float = 0.0,
        limits: Mapping[str, HostLimit] = HOST_LIMITS,
        patience_s: float = 900.0,
    ) -> None:
        """`patience_s`: for how long a host that refuses is waited for."""
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
        """Would a request to this host start at once?"""
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
        """0: start now; seconds to wait for pace or rest; None: wait until a request ends."""
        entry = self[host]
        if entry.active >= self._most(host, entry):
            return None
        pace_s = max(0.0, entry.next_at - now)
        if entry.trouble is None:
            return pace_s
        rest_s = entry.trouble.circuit.wait_s(now)
        return None if rest_s is None else max(pace_s, rest_s)

    def start(self, host: str, now: float) -> bool:
        """A request begins. Returns whether it is the probe of a host that rests."""
        entry = self[host]
        entry.active += 1
        entry.requests += 1
        entry.next_at = max(entry.next_at, now + self._delay_s)
        return entry.trouble is not None and entry.trouble.circuit.begin()

    def begun(self, host: str) -> None:
        """An answer begins to come: one transfer more at once will do no harm."""
        self[host].answers += 1

    def end(self, host: str, *, probe: bool = False) -> None:
        """A request ended; `probe`: without a word on the host's trouble."""
        entry = self[host]
        entry.active -= 1
        if probe and entry.trouble is not None:
            entry.trouble.circuit.dropped()

    def trouble(self, host: str) -> HostTrouble:
        """What is known of its refusals."""
        entry = self[host]
        if entry.trouble is None:
            entry.trouble = HostTrouble(self._patience_s)
        return entry.trouble

    def rests(self, host: str) -> bool:
        """Whether nothing but a probe may be sent to it now."""
        entry = self[host]
        return entry.trouble is not None and entry.trouble.circuit.is_open

    def held_s(self, host: str, address: str, now: float) -> float:
        """Seconds for which the address is not to be asked, whatever the host does."""
        entry = self[host]
        return 0.0 if entry.trouble is None else entry.trouble.held_s(address, now)

    def is_worth_waiting(self, host: str) -> bool:
        """Whether it makes sense to wait for an address of it that states a pause."""
        entry = self[host]
        return entry.trouble is None or entry.trouble.is_worth_waiting

    def put_out(self, host: str, reason: Reason) -> None:
        """It is not asked again in this run."""
        self[host].out = reason

    def transferred(self, host: str, size_bytes: int, started_at: float) -> None:
        """So much came from it: a host with a limit of bandwidth is left alone until it is due."""
        limit = self._limits.get(host)
        if limit is not None:
            entry = self[host]
            entry.paid_until = max(entry.paid_until, started_at) + size_bytes / limit.bytes_s
            entry.next_at = max(entry.next_at, entry.paid_until)

    def answered(self, host: str) -> None:
        """The host is alive: earlier failures are forgotten."""
        self[host].failed_rounds = 0

    def failed(self, host: str, reason: Reason, started_at: float, now: float) -> None:
        """A request failed. Those under way at the same time count as one round."""
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
        """Why the host is out for this run, or None."""
        entry = self._hosts.get(host)
        return entry.out if entry is not None else None

    def statistics(self) -> Mapping[str, Mapping[str, object]]:
        """By host: requests made, running, waiting, and whether it is out."""
        return {
            host: {
                "requests": entry.requests,
                "active": entry.active,
                "waiting": len(entry.waiting),
                "out": str(entry.out) if entry.out else "",
            }
            for host, entry in self._hosts.items()
        }
