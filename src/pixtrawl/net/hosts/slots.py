"""Per-host slots that requests wait for: first come, first served.

A slow or resting host delays only its own requests. While a host rests no request is sent to it;
then one goes through as a probe, if possible for another URL than the refused one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from pixtrawl.errors import FetchError
from pixtrawl.events import Event, HostRests, HostResumes, ignore
from pixtrawl.model import Reason
from pixtrawl.net.circuit_breaker import FailureVerdict
from pixtrawl.net.hosts.holds import HostHolds, HostMovedError
from pixtrawl.net.hosts.politeness import Host, HostTable, Waiter

__all__ = ["HostSlots", "Slot"]


class HostSlots:
    """Slots of all hosts. Bound to one event loop."""

    def __init__(
        self,
        table: HostTable,
        now: Callable[[], float],
        emit: Callable[[Event], None] = ignore,
        *,
        holds: HostHolds | None = None,
        is_silent: Callable[[], bool] | None = None,
    ) -> None:
        """`emit` receives an event when a host rests or resumes.

        `holds` are the hosts that this process has, where several share them. `is_silent` returns
        whether nothing was heard of the coordinator for so long that others may have the hosts.
        """
        self.table = table
        self._holds = holds
        self._is_silent = is_silent
        self._now = now
        self._emit = emit

    def has_room(self, host: str) -> bool:
        return self.table.has_room(host, self._now())

    def slot(self, host: str, address: str = "") -> Slot:
        """Return a context manager that holds a slot of the host.

        Entering raises FetchError: `HOST_OUT`; `RATE_LIMITED` where the URL itself is on hold.
        """
        return Slot(self, host, address)

    def release(self, slot: Slot) -> None:
        """Release a slot."""
        self.table.end(slot.host, probe=slot.probe)
        self._pump(slot.host)
        if self._holds is not None:
            self._holds.released(slot.host)

    async def acquire(self, host: str, address: str = "") -> bool:
        """Wait for a slot of the host. Return True where the request is a resting host's probe.

        Raises FetchError as `slot`.
        """
        if self._holds is None:
            return await self._acquire(host, address)
        while True:
            await self._holds.hold(host)
            with suppress(HostMovedError):
                return await self._acquire(host, address)

    async def _acquire(self, host: str, address: str) -> bool:
        self.check_out(host)
        entry, now = self.table[host], self._now()
        self._check_held(host, address, now)
        if not entry.waiting and self.table.wait_s(host, now) == 0:
            return self.table.start(host, now)
        turn = Waiter(address, asyncio.get_running_loop().create_future())
        entry.waiting.append(turn)
        self._pump(host)
        try:
            return await turn.given
        except asyncio.CancelledError:
            if turn in entry.waiting:
                entry.waiting.remove(turn)
            elif turn.given.done() and not turn.given.cancelled() and not turn.given.exception():
                self.table.end(host, probe=turn.given.result())  # granted just before the cancel
            self._pump(host)
            raise

    def may_send(self, slot: Slot) -> bool:
        """Return whether the request may still be sent: the host may have begun to rest.

        Raises FetchError as `slot`: it may be out, or the URL on hold, since the slot was given;
        `INTERRUPTED` where the host may have been given to another process.
        """
        if self._is_silent is not None and self._is_silent():
            raise FetchError(Reason.INTERRUPTED, "its host may be with another process by now")
        self.check_out(slot.host)
        self._check_held(slot.host, slot.address, self._now())
        return slot.probe or not self.table.rests(slot.host)

    def still_may_send(self, slot: Slot) -> bool:
        """Return `may_send` when the connection stands, with no error raised."""
        if self.table.out(slot.host) is not None:
            return False
        if self._is_silent is not None and self._is_silent():
            return False
        if slot.probe:
            return True
        held_s = self.table.held_s(slot.host, slot.address, self._now())
        return not held_s and not self.table.rests(slot.host)

    def begun(self, host: str) -> None:
        """Register that an answer of the host began."""
        self.table.begun(host)
        self._pump(host)

    def check_out(self, host: str) -> None:
        """Raise FetchError `HOST_OUT` where the host is out."""
        reason = self.table.out(host)
        if reason is not None:
            raise FetchError(Reason.HOST_OUT, f"{host}: {reason}")

    def _check_held(self, host: str, address: str, now: float) -> None:
        left_s = self.table.held_s(host, address, now)
        if left_s > 0:
            raise _held(left_s)

    # -- what is learned from answers

    def good(self, slot: Slot) -> None:
        """Register an answer that is no refusal."""
        self.table.answered(slot.host)
        if self.table[slot.host].trouble is None:
            return
        if not slot.probe and self.table.rests(slot.host):
            return  # sent before the host began to rest
        lasted_s = self.table.trouble(slot.host).good(slot.address, self._now())
        slot.probe = False
        if lasted_s is not None:
            self._emit(HostResumes(slot.host, lasted_s))

    def refused(self, slot: Slot, pause_s: float | None, *, everything: bool = False) -> None:
        """Register a refusal of the URL, or of `everything`; `pause_s` as the host states it."""
        self.table.answered(slot.host)
        trouble, now = self.table.trouble(slot.host), self._now()
        rested = trouble.circuit.is_open and not slot.probe
        if everything:
            verdict = trouble.refused_all(pause_s, probe=slot.probe, now=now)
        else:
            verdict = trouble.refused(slot.address, pause_s, probe=slot.probe, now=now)
        why = "it asks for the pause" if pause_s is not None else "it refuses"
        self._after(slot, verdict, Reason.RATE_LIMITED, why, announced=not rested)

    def failed(self, slot: Slot, reason: Reason, started_at: float) -> None:
        """Register a failure; where it puts the host out, fail all requests that wait for it."""
        now = self._now()
        self.table.failed(slot.host, reason, started_at, now)
        if slot.probe:
            verdict = self.table.trouble(slot.host).circuit.bad(
                now, started_at=started_at, probe=True
            )
            self._after(slot, verdict, reason, str(reason).replace("_", " "), announced=True)
        self._dismiss(slot.host)

    def _after(
        self, slot: Slot, verdict: FailureVerdict, reason: Reason, why: str, *, announced: bool
    ) -> None:
        slot.probe = False
        if verdict is not FailureVerdict.REST:
            self.table.put_out(slot.host, reason)
            self._dismiss(slot.host)
        elif announced:
            rest_s = self.table.trouble(slot.host).circuit.rest_until - self._now()
            waiting = len(self.table[slot.host].waiting)
            self._emit(HostRests(slot.host, max(0.0, rest_s), waiting, why))

    # -- those who wait

    def _pump(self, host: str) -> None:
        """Grant free slots to waiting requests; set the timer where delay or rest forbids it."""
        entry = self.table[host]
        while entry.waiting:
            if entry.waiting[0].given.done():
                entry.waiting.popleft()
                continue
            now = self._now()
            wait_s = self.table.wait_s(host, now)
            if wait_s is None:
                return
            if wait_s > 0:
                self._pump_later(host, entry, wait_s)
                return
            turn = self._next(host, entry)
            left_s = self.table.held_s(host, turn.address, now)
            if left_s > 0:
                turn.given.set_exception(_held(left_s))
            else:
                turn.given.set_result(self.table.start(host, now))

    def _next(self, host: str, entry: Host) -> Waiter:
        """Remove and return the first waiter; for a probe, the URL least like the refused one."""
        if self.table.rests(host):
            trouble = self.table.trouble(host)
            others = [
                turn
                for turn in entry.waiting
                if not turn.given.done() and not trouble.was_refused(turn.address)
            ]
            if others:
                best = min(others, key=lambda turn: trouble.likeness(turn.address))
                entry.waiting.remove(best)
                return best
        return entry.waiting.popleft()

    def _pump_later(self, host: str, entry: Host, wait_s: float) -> None:
        if entry.timer is not None:
            entry.timer.cancel()
        entry.timer = asyncio.get_running_loop().call_later(wait_s, self._pump, host)

    def _dismiss(self, host: str) -> None:
        """Fail all requests that wait for a host that is out."""
        reason = self.table.out(host)
        if reason is None:
            return
        entry = self.table[host]
        while entry.waiting:
            turn = entry.waiting.popleft()
            if not turn.given.done():
                turn.given.set_exception(FetchError(Reason.HOST_OUT, f"{host}: {reason}"))

    def moved(self, host: str) -> None:
        """End all waiting requests of a host with HostMovedError: the host is recalled.

        Where no host is recalled they wait on: redirects of other leases, whose pace goes on here.
        """
        if self._holds is None:
            return
        entry = self.table[host]
        if entry.timer is not None:
            entry.timer.cancel()
            entry.timer = None
        while entry.waiting:
            turn = entry.waiting.popleft()
            if not turn.given.done():
                turn.given.set_exception(HostMovedError())

    def close(self) -> None:
        """Stop the timers."""
        for host in list(self.table.statistics()):
            timer = self.table[host].timer
            if timer is not None:
                timer.cancel()


def _held(left_s: float) -> FetchError:
    detail = f"its host asked for a pause; {left_s:,.0f} s of it are left"
    return FetchError(Reason.RATE_LIMITED, detail, http_status=429, retry_after_s=left_s)


class Slot:
    """`async with` for one slot; `contextlib` would cost five times as much (6 us per fetch).

    `probe`: the request tests whether a resting host has recovered.
    """

    __slots__ = ("_slots", "address", "host", "probe")

    def __init__(self, slots: HostSlots, host: str, address: str) -> None:
        self._slots = slots
        self.host = host
        self.address = address
        self.probe = False

    async def __aenter__(self) -> Slot:
        self.probe = await self._slots.acquire(self.host, self.address)
        return self

    async def __aexit__(self, *_exception: object) -> None:
        self._slots.release(self)
