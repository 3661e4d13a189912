"""Politeness: per-host slots with concurrency, delay, holds, and hosts that are out.

`HostTable` decides and has no clock of its own; `HostSlots` lets tasks wait on those decisions,
each host's own first come first served, so that a slow host is waited for by nobody else.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct, field

from pixtrawl.errors import FetchError
from pixtrawl.model import Reason
from pixtrawl.net.host_limits import HOST_LIMITS, HostLimit, connections

__all__ = ["HostSlots", "HostTable"]

_OUT_AFTER: Final = {
    Reason.CONNECT_FAILED: 2,  # rounds of failures with nothing better in between
    Reason.CONNECT_TIMEOUT: 2,
    Reason.DNS_FAILED: 2,
    Reason.FIRST_BYTE_TIMEOUT: 3,
}
# Transfers at once from a host that has yet to answer. Each answer lets in one more, so that the
# first places of a run go to many hosts, and a host's files to connections that are open already.
_FIRST: Final = 2
MAX_HOLD_S: Final = 120.0  # a run does not sit out a `Retry-After` of hours: the host is out


class _Host(Struct):
    """What is known of one host."""

    active: int = 0
    next_at: float = 0.0  # the earliest start of the next request
    paid_until: float = 0.0  # when what came so far is within the host's bandwidth
    failed_rounds: int = 0
    failed_at: float = float("-inf")
    out: Reason | None = None
    requests: int = 0
    answers: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)
    timer: asyncio.TimerHandle | None = None


class HostTable:
    """What is known of every host of a run. Times are seconds of any one steady clock."""

    def __init__(
        self,
        per_host: int,
        delay_s: float = 0.0,
        limits: Mapping[str, HostLimit] = HOST_LIMITS,
    ) -> None:
        self._per_host = per_host
        self._delay_s = delay_s
        self._limits = limits
        self._hosts: dict[str, _Host] = {}

    def __getitem__(self, host: str) -> _Host:
        entry = self._hosts.get(host)
        if entry is None:
            entry = self._hosts[host] = _Host()
        return entry

    def has_room(self, host: str, now: float) -> bool:
        """Would a request to this host start at once?"""
        entry = self._hosts.get(host)
        if entry is None:
            return True
        most = self._most(host, entry)
        return entry.active + len(entry.waiting) < most and now >= entry.next_at

    def _most(self, host: str, entry: _Host) -> int:
        return min(connections(host, self._per_host, self._limits), _FIRST + entry.answers)

    def wait_s(self, host: str, now: float) -> float | None:
        """0: start now; seconds to wait for the pace; None: wait until a request ends."""
        entry = self[host]
        if entry.active >= self._most(host, entry):
            return None
        return max(0.0, entry.next_at - now)

    def start(self, host: str, now: float) -> None:
        entry = self[host]
        entry.active += 1
        entry.requests += 1
        entry.next_at = max(entry.next_at, now + self._delay_s)

    def begun(self, host: str) -> None:
        """An answer begins to come: one transfer more at once will do no harm."""
        self[host].answers += 1

    def end(self, host: str) -> None:
        self[host].active -= 1

    def hold(self, host: str, seconds: float, now: float) -> None:
        """No request to this host for so long (`Retry-After`); if it is long, none in this run."""
        entry = self[host]
        if seconds > MAX_HOLD_S:
            entry.out = Reason.RATE_LIMITED
            return
        entry.next_at = max(entry.next_at, now + seconds)

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


class HostSlots:
    """Slots to wait for. All methods belong to one event loop."""

    def __init__(self, table: HostTable, now: Callable[[], float]) -> None:
        self.table = table
        self._now = now

    def has_room(self, host: str) -> bool:
        return self.table.has_room(host, self._now())

    def slot(self, host: str) -> _Slot:
        """A slot of the host, held inside the block. Raises FetchError `HOST_OUT`."""
        return _Slot(self, host)

    def release(self, host: str) -> None:
        """Gives back what `acquire` gave."""
        self.table.end(host)
        self._pump(host)

    async def acquire(self, host: str) -> None:
        """Waits for a slot of the host. Raises FetchError `HOST_OUT`."""
        self.check_out(host)
        entry, now = self.table[host], self._now()
        if not entry.waiting and self.table.wait_s(host, now) == 0:
            self.table.start(host, now)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry.waiting.append(turn)
        self._pump(host)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.table.end(host)  # was given a slot in the same moment
            elif turn in entry.waiting:
                entry.waiting.remove(turn)
            self._pump(host)
            raise

    def begun(self, host: str) -> None:
        """An answer of the host begins to come."""
        self.table.begun(host)
        self._pump(host)

    def check_out(self, host: str) -> None:
        """Raises FetchError `HOST_OUT`."""
        reason = self.table.out(host)
        if reason is not None:
            raise FetchError(Reason.HOST_OUT, f"{host}: {reason}")

    def _pump(self, host: str) -> None:
        """Gives free slots to those who wait; sets the timer where only the pace is in the way."""
        entry = self.table[host]
        while entry.waiting:
            if entry.waiting[0].done():
                entry.waiting.popleft()
                continue
            now = self._now()
            wait_s = self.table.wait_s(host, now)
            if wait_s is None:
                return
            if wait_s > 0:
                self._pump_later(host, entry, wait_s)
                return
            self.table.start(host, now)
            entry.waiting.popleft().set_result(None)

    def _pump_later(self, host: str, entry: _Host, wait_s: float) -> None:
        if entry.timer is not None:
            entry.timer.cancel()
        entry.timer = asyncio.get_running_loop().call_later(wait_s, self._pump, host)

    def hold(self, host: str, seconds: float) -> None:
        """Nobody asks the host for so long."""
        self.table.hold(host, seconds, self._now())
        self._dismiss(host)

    def failed(self, host: str, reason: Reason, started_at: float) -> None:
        """Notes a failure; when the host is out by it, all who wait for it are told."""
        self.table.failed(host, reason, started_at, self._now())
        self._dismiss(host)

    def _dismiss(self, host: str) -> None:
        """Tells all who wait for a host that it is out."""
        reason = self.table.out(host)
        if reason is None:
            return
        entry = self.table[host]
        while entry.waiting:
            turn = entry.waiting.popleft()
            if not turn.done():
                turn.set_exception(FetchError(Reason.HOST_OUT, f"{host}: {reason}"))

    def close(self) -> None:
        """Stops the timers."""
        for host in list(self.table.statistics()):
            timer = self.table[host].timer
            if timer is not None:
                timer.cancel()


class _Slot:
    """`async with`: written out, as a generator's would cost five times as much (6 us a fetch)."""

    __slots__ = ("_host", "_slots")

    def __init__(self, slots: HostSlots, host: str) -> None:
        self._slots = slots
        self._host = host

    async def __aenter__(self) -> None:
        await self._slots.acquire(self._host)

    async def __aexit__(self, *_exception: object) -> None:
        self._slots.release(self._host)
