"""Client, host accounts, fetcher, decoders and worker of one process, built from a `WorkerSpec`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Self

from pixtrawl.engines.base import WorkerSpec
from pixtrawl.events import Event, FetchStarted, ignore
from pixtrawl.images.decoders.pool import DecoderPool
from pixtrawl.model import Outcome, Task
from pixtrawl.net.client import Client
from pixtrawl.net.fetcher import Fetcher
from pixtrawl.net.hosts.accounts import HostAccounts
from pixtrawl.net.hosts.holds import HostHolds
from pixtrawl.worker import KeepRendition, Worker

__all__ = ["WorkerNode"]


class WorkerNode:
    """Turns tasks into outcomes, many at once. Bound to the event loop that opened it."""

    def __init__(
        self,
        worker: Worker,
        hosts: HostAccounts,
        decoders: DecoderPool | None,
        emit: Callable[[Event], None],
        closing: AsyncExitStack,
    ) -> None:
        """Use `open`, which builds the parts; `closing` closes them."""
        self.hosts = hosts
        self._worker = worker
        self._decoders = decoders
        self._emit = emit
        self._closing = closing

    @classmethod
    async def open(
        cls,
        spec: WorkerSpec,
        *,
        emit: Callable[[Event], None] = ignore,
        keep: KeepRendition | None = None,
        holds: HostHolds | None = None,
        is_silent: Callable[[], bool] | None = None,
    ) -> Self:
        """Build all parts; decoder processes start with the first task.

        `keep` stores renditions; without it they are staged and named in the outcomes. `holds` and
        `is_silent` are as in `HostAccounts`, for processes that share hosts.

        Raise UsageError (cookies, certificates, settings of hosts) or StorageError.
        """
        async with AsyncExitStack() as stack:
            client = Client(spec.fetch, staging=spec.staging)
            stack.push_async_callback(client.aclose)
            hosts = HostAccounts(
                client, spec.politeness, spec.fetch, emit,
                scratch=spec.staging, holds=holds, is_silent=is_silent,
            )  # fmt: skip
            stack.push_async_callback(hosts.aclose)
            fetcher = Fetcher(client, spec.politeness, spec.fetch, hosts=hosts)
            decoders: DecoderPool | None = None
            images = replace(
                spec.rules.images, decoders=spec.decoders or spec.rules.images.decoders
            )
            if images.check == "full":
                decoders = DecoderPool(images, spec.staging, transform=spec.transform, emit=emit)
                stack.push_async_callback(decoders.aclose)
            worker = Worker(
                fetcher, decoders, spec.rules, spec.staging, taken_down=spec.taken_down,
                blocked=spec.blocked, keep=keep, name=spec.name,
            )  # fmt: skip
            return cls(worker, hosts, decoders, emit, stack.pop_all())

    async def work(self, task: Task) -> Outcome:
        """Carry out one task. Raise EngineError or StorageError, nothing else."""
        self._emit(FetchStarted(task.candidate))
        if self._decoders is not None:
            self._decoders.begin()  # start-up takes 0.2 s (numpy): overlaps with the first fetch
        return await self._worker.work(task)

    async def aclose(self) -> None:
        """Close decoders, accounts and client, in this order."""
        await self._closing.aclose()
