"""The worker processes of one run: started, watched, replaced when lost, closed.

`Workers` manages processes and hosts; the engine assigns the tasks.
"""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Final

from msgspec.structs import replace

from pixtrawl.engines import wire
from pixtrawl.engines.base import WorkerSpec
from pixtrawl.engines.heartbeat import clock_s
from pixtrawl.engines.host_leases import HostLeases
from pixtrawl.engines.lease import BEAT_S, REST_AFTER_LOSS_S
from pixtrawl.engines.worker_link import LinkOwner, WorkerLink
from pixtrawl.errors import EngineError
from pixtrawl.net.hosts.holds import HostHolds
from pixtrawl.net.hosts.state import HostState

__all__ = ["Workers"]

_TICK_S: Final = 0.25
_STALL_S: Final = 1.0  # a tick later than this: this process itself stood still
_HUNG_S: Final = 15.0  # without a word of a worker, which beats every second, before it is killed
_START_FAILURES: Final = 3  # in a row
_HERE: Final = -1  # the holder of hosts that this process asks itself, as crawls do


class Workers:
    """The processes, and who holds which host. Bound to one event loop."""

    def __init__(self, spec: WorkerSpec, count: int, owner: LinkOwner) -> None:
        """Prepare; `fill` starts processes of this `spec`, and `owner` receives their messages.

        The rate in the settings is for all workers together.
        """
        # The pace of a lost worker is not known: its last request may have been just before.
        rest_s = REST_AFTER_LOSS_S + spec.politeness.delay_s
        self.leases = HostLeases(clock_s, self._grant, self._recall, rest_s)
        self.holds = HostHolds(
            lambda host: self.leases.wants(_HERE, host),
            lambda state: self.leases.returned(_HERE, state),
        )
        self.links: dict[int, WorkerLink] = {}  # those that take any task
        self.trial: WorkerLink | None = None  # the one for tasks that may have ended another
        self.failure: BaseException | None = None
        self._spec = spec
        self._count = count
        self._owner = owner
        self._next_number = 0
        self._failed_starts = 0
        self._opening: set[asyncio.Task[None]] = set()
        self._all: dict[int, WorkerLink] = {}
        self._ticking = asyncio.create_task(self._tick())

    # -- starting and losing

    def fill(self) -> None:
        """Start as many workers as are missing."""
        while len(self.links) < self._count and self.failure is None:
            link = self._start()
            self.links[link.number] = link

    def start_trial(self) -> WorkerLink:
        """Return the worker for suspects, started where there is none."""
        if self.trial is None:
            self.trial = self._start()
        return self.trial

    def _start(self) -> WorkerLink:
        link = WorkerLink(self._next_number, self._owner)
        self._next_number += 1
        self._all[link.number] = link
        spec = self._spec
        if spec.fetch.limit_rate_bytes_s is not None:
            link.rate_bytes_s = max(1, spec.fetch.limit_rate_bytes_s // self._count)
            fetch = dataclasses.replace(spec.fetch, limit_rate_bytes_s=link.rate_bytes_s)
            spec = replace(spec, fetch=fetch)
        opening = asyncio.create_task(self._open(link, spec))
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)
        return link

    async def _open(self, link: WorkerLink, spec: WorkerSpec) -> None:
        try:
            await link.open(spec)
        except EngineError as error:
            self.failure = self.failure or error
            self._owner.ended(link)

    def started(self, link: WorkerLink) -> None:
        """Register that a worker is ready."""
        link.is_ready = True
        self._failed_starts = 0

    def lost(self, link: WorkerLink) -> None:
        """Register that a worker has ended: its hosts rest. `fill` replaces it."""
        self.leases.lost(link.number)
        self._all.pop(link.number, None)
        self.links.pop(link.number, None)
        if self.trial is link:
            self.trial = None
        if not link.is_ready:
            self._failed_starts += 1
            if self._failed_starts >= _START_FAILURES and self.failure is None:
                self.failure = EngineError(
                    f"worker processes end before they start ({link.end}); `--engine local` "
                    "works without them"
                )

    # -- hosts

    def _grant(self, number: int, state: HostState) -> None:
        if number == _HERE:
            asyncio.get_running_loop().call_soon(self.holds.granted, state)
        else:
            self._all[number].send(wire.Grant(state))

    def _recall(self, number: int, host: str) -> None:
        if number == _HERE:
            asyncio.get_running_loop().call_soon(self.holds.recall, host)
        else:
            self._all[number].send(wire.Recall(host))

    # -- watching

    async def _tick(self) -> None:
        looked_at = beaten_at = clock_s()
        while True:
            await asyncio.sleep(_TICK_S)
            now = clock_s()
            if now - looked_at > _TICK_S + _STALL_S:  # stopped, or the machine slept
                for link in self._all.values():
                    link.last_message_at = now
            looked_at = now
            self.leases.look()
            if now - beaten_at < BEAT_S:
                continue
            beaten_at = now
            for link in self._all.values():
                if now - link.last_message_at > _HUNG_S and link.is_ready:
                    link.kill()
                link.send(wire.Beat())
            self._share_rate()

    def _share_rate(self) -> None:
        """Divide `--limit-rate` among the workers by their tasks; idle ones get a little."""
        total_bytes_s = self._spec.fetch.limit_rate_bytes_s
        if total_bytes_s is None or not self._all:
            return
        tasks = sum(len(link.tasks) for link in self._all.values())
        for link in self._all.values():
            share = (len(link.tasks) + 1) / (tasks + len(self._all))
            rate = max(1, int(total_bytes_s * share))
            if link.rate_bytes_s is None or abs(rate - link.rate_bytes_s) > total_bytes_s / 50:
                link.rate_bytes_s = rate
                link.send(wire.SetRate(rate))

    async def cancel(self, patience_s: float = 5.0) -> None:
        """Cancel all tasks in progress; kill workers that do not answer within `patience_s`."""
        busy = [link for link in self._all.values() if link.tasks and not link.gone.is_set()]
        answers = [asyncio.create_task(link.cancel().wait()) for link in busy]
        if not answers:
            return
        _, late = await asyncio.wait(answers, timeout=patience_s)
        for answer in late:
            answer.cancel()
        for link in busy:
            if link.cancelled is not None and not link.cancelled.is_set():
                link.kill()
                await link.gone.wait()

    async def aclose(self) -> None:
        """End all workers."""
        self._ticking.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)
        for link in self._all.values():
            link.closing = True
        await asyncio.gather(*(link.aclose() for link in list(self._all.values())))
