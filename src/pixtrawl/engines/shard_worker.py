"""The shard worker: carries out leases in one process, with a client and decoders of its own.

The same unit serves on one machine and in a cluster. It takes a lease, yields an outcome for each
row and returns the state of its hosts. It cancels its own work when the beats of the issuer stop,
so that no host is ever contacted by two workers.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final, Self

from pixtrawl.engines.base import WorkerSpec
from pixtrawl.engines.heartbeat import Heartbeat, clock_s
from pixtrawl.engines.lease import SILENCE_S, Lease, LeaseLostError, Settled
from pixtrawl.engines.node import WorkerNode
from pixtrawl.errors import innermost
from pixtrawl.events import Event, ignore
from pixtrawl.model import Reason, Task
from pixtrawl.net.hosts.limits import connections
from pixtrawl.net.hosts.state import HostState
from pixtrawl.urls import account_of
from pixtrawl.worker import KeepRendition

__all__ = ["ShardWorker"]

_LOOK_S: Final = 0.5  # between two looks for silence
_TASKS_PER_TRANSFER: Final = 2  # tasks that wait for a pace or a decoder hold no connection


class ShardWorker:
    """Carries out many leases at once. Bound to the event loop that opened it."""

    def __init__(self, node: WorkerNode, heartbeat: Heartbeat, spec: WorkerSpec) -> None:
        """Use `open`."""
        self._node = node
        self._heartbeat = heartbeat
        self._per_host = spec.politeness.per_host
        self._delay_s = spec.politeness.delay_s
        self._places = asyncio.Semaphore(spec.fetch.concurrency * _TASKS_PER_TRANSFER)
        self._leases: dict[asyncio.Task[None], Lease] = {}
        self._lost: set[str] = set()  # ids of leases that silence has cancelled
        self._watching = asyncio.create_task(self._watch())

    @classmethod
    async def open(
        cls,
        spec: WorkerSpec,
        *,
        emit: Callable[[Event], None] = ignore,
        keep: KeepRendition | None = None,
        silence_s: float = SILENCE_S,
    ) -> Self:
        """Build the worker; `spec` names a staging folder of its own.

        Call `register_beat` at least every second, or let `silence_s` be infinite if no other
        worker can hold the hosts. Raise UsageError or StorageError.
        """
        heartbeat = Heartbeat(clock_s, silence_s)
        node = await WorkerNode.open(spec, emit=emit, keep=keep, is_silent=heartbeat.is_silent)
        return cls(node, heartbeat, spec)

    def register_beat(self, at: float | None = None) -> None:
        """Register a beat of the issuer of leases; `at` is when it was sent, by `clock_s`.

        After silence it counts only once every lease of the time before has ended.
        """
        if self._heartbeat.is_silent() and not self._leases:
            self._heartbeat.renew()
        self._heartbeat.register_beat(at)

    def is_silent(self) -> bool:
        """Return whether another worker may hold its leases by now."""
        return self._heartbeat.is_silent()

    @property
    def has_room(self) -> bool:
        """Whether it could carry out more tasks at once than its leases give it."""
        return not self._places.locked()

    @property
    def leases(self) -> int:
        """The number of leases in progress."""
        return len(self._leases)

    async def carry_out(self, lease: Lease, settled: Settled) -> tuple[HostState, ...]:
        """Carry out the rows of a lease; call `settled` with each outcome, in any order.

        Return the state of the lease's hosts, which this worker has forgotten.

        Raise LeaseLostError after silence: rows without an outcome are then to be done by another
        worker. Raise EngineError or StorageError where decoders or disk fail; cancelling cancels
        the rows in progress.
        """
        if self._heartbeat.is_silent():
            raise LeaseLostError(lease.id)
        for state in lease.hosts:
            self._node.hosts.restore(state)
        if lease.epoch > 1:  # whoever had these rows before has asked their hosts until just now
            for account in _accounts(lease):
                self._node.hosts.postpone(account, self._delay_s)
        run = asyncio.create_task(self._run(lease, settled))
        self._leases[run] = lease
        try:
            await run
        except asyncio.CancelledError:
            run.cancel()
            with suppress(asyncio.CancelledError):
                await run
            if lease.id in self._lost:
                raise LeaseLostError(lease.id) from None
            raise
        except ExceptionGroup as group:
            raise innermost(group) from group
        finally:
            self._leases.pop(run, None)
            self._lost.discard(lease.id)
            states = self._hand_over(lease)
        return states

    def _hand_over(self, lease: Lease) -> tuple[HostState, ...]:
        found = (self._node.hosts.hand_over(account) for account in sorted(_accounts(lease)))
        return tuple(state for state in found if state is not None)

    async def _run(self, lease: Lease, settled: Settled) -> None:
        by_host: dict[str, deque[Task]] = {}
        for task in lease.tasks:
            by_host.setdefault(task.host, deque()).append(task)
        async with asyncio.TaskGroup() as group:
            for host, tasks in by_host.items():
                # No more places than the host has connections: a slow host must not hold the rest.
                most = connections(host, self._per_host) if host else self._per_host
                for _ in range(min(most, len(tasks))):
                    group.create_task(self._work_off(lease, tasks, settled))

    async def _work_off(self, lease: Lease, tasks: deque[Task], settled: Settled) -> None:
        while tasks:
            async with self._places:
                if not tasks:
                    return
                task = tasks.popleft()
                outcome = await self._node.work(task)
                if outcome.reason is Reason.INTERRUPTED and self._heartbeat.is_silent():
                    raise LeaseLostError(lease.id)  # before `_watch` has seen it
                settled(task, outcome)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            if self._heartbeat.is_silent():
                for run, lease in self._leases.items():
                    self._lost.add(lease.id)
                    run.cancel()

    async def aclose(self) -> None:
        """Cancel the leases in progress; close decoders and client."""
        self._watching.cancel()
        await _cancelled(self._leases)
        await self._node.aclose()


def _accounts(lease: Lease) -> set[str]:
    accounts = {account_of(task.candidate.url) for task in lease.tasks if task.host}
    return accounts | {state.host for state in lease.hosts}


async def _cancelled(tasks: Iterable[asyncio.Task[None]]) -> None:
    found = list(tasks)
    for task in found:
        task.cancel()
    await asyncio.gather(*found, return_exceptions=True)
