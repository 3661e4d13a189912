"""The engine of one machine: one event loop for the network, separate processes for decoding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from pixtrawl.engines.arrivals import Arrivals
from pixtrawl.engines.base import Feed, WorkerSpec
from pixtrawl.engines.node import WorkerNode
from pixtrawl.engines.task_runner import TaskRunner
from pixtrawl.events import Event
from pixtrawl.net.hosts.accounts import HostAccounts

__all__ = ["LocalEngine"]


class LocalEngine:
    """`Engine` with one node in this process, which stages files in the run's own folder."""

    def __init__(self, node: WorkerNode, concurrency: int) -> None:
        """`concurrency` is the number of simultaneous transfers."""
        self._node = node
        self._runner = TaskRunner(node.work, concurrency)

    @classmethod
    async def open(
        cls, spec: WorkerSpec, arrivals: Arrivals, emit: Callable[[Event], None]
    ) -> Self:
        """As `EngineKind.open`."""
        node = await WorkerNode.open(spec, emit=emit, keep=arrivals.keep)
        return cls(node, spec.fetch.concurrency)

    @property
    def hosts(self) -> HostAccounts:
        """The host accounts of its downloads."""
        return self._node.hosts

    @property
    def idle(self) -> bool:
        """Whether no task is in progress."""
        return self._runner.idle

    async def run(self, feed: Feed) -> None:
        """As `Engine.run`."""
        await self._runner.run(feed)

    async def aclose(self) -> None:
        """Cancel the tasks in progress, then close decoders and client."""
        await self._runner.aclose()
        await self._node.aclose()
