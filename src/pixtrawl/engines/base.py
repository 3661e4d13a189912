"""The Engine interface: pulls tasks from a feed and hands back outcomes, in any order.

An engine (elsewhere called executor) is independent of queries, sources and catalog. Workers are
built from a `WorkerSpec` and return an `Outcome`. Both can be pickled; an outcome names files and
does not contain their bytes.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from pixtrawl.block_lists import BlockLists
from pixtrawl.config.groups import Fetch, Politeness
from pixtrawl.engines.arrivals import Arrivals
from pixtrawl.events import Event
from pixtrawl.images.rules import Rules
from pixtrawl.model import Outcome, Task
from pixtrawl.net.hosts.accounts import HostAccounts
from pixtrawl.transform import Transform
from pixtrawl.worker import TakenDown

__all__ = ["Engine", "EngineKind", "Feed", "WorkerSpec", "shard_of"]


class WorkerSpec(Struct, frozen=True, kw_only=True):
    """The settings from which a process or node builds its client, fetcher, decoders and worker.

    Can be pickled.
    """

    fetch: Fetch
    politeness: Politeness
    rules: Rules  # with the settings of images and filters
    taken_down: TakenDown
    blocked: BlockLists | None = None
    staging: Path  # folder of staged files; a node sets its own (`msgspec.structs.replace`)
    name: str = ""  # of the worker, in the names of its staged files where several share a folder
    decoders: int | None = None  # processes; None: as the settings of images say
    workers: int | None = None  # processes of an engine that has several; None: by its cores
    transform: Transform | None = None  # if given, decoders also make renditions


class Feed(Protocol):
    """The scheduler as an engine sees it: a queue of tasks that takes their outcomes."""

    @property
    def changed(self) -> asyncio.Event:
        """Set when `next` may return a task again; the engine clears it."""
        ...

    def next(self) -> Task | None:
        """Return a task that may start right now, or None."""
        ...

    def settled(self, task: Task, outcome: Outcome) -> None:
        """Take the outcome of a task; the files that it names lie in the run's staging folder."""
        ...

    @property
    def over(self) -> bool:
        """True when there will never be another task."""
        ...


class Engine(Protocol):
    """Carries out tasks.

    An engine with several nodes has to keep three rules:

    - Each host belongs to one node. Rate limits, pauses, robots.txt and exclusions are kept by the
      accounts of one process (`net.hosts.accounts`), so tasks are sharded by
      `shard_of(task.host, nodes)`. Hosts reached only through redirects or alternates are contacted
      by the node of the task, with that node's own rate limit.
    - Each node has a staging folder of its own. `Arrivals.take` moves its files into the run's
      staging folder before `Feed.settled` is called.
    - Tasks of a lost node get the outcome `interrupted`; a later run tries them again.
    """

    @property
    def hosts(self) -> HostAccounts:
        """The host accounts for sources that crawl: those of the engine's downloads, if local."""
        ...

    @property
    def idle(self) -> bool:
        """Whether no task is in progress; True already while the last outcome is settled."""
        ...

    async def run(self, feed: Feed) -> None:
        """Carry out tasks until the feed is over. Cancelling it cancels the tasks in progress.

        Raise EngineError or StorageError where a worker raised it.
        """
        ...

    async def aclose(self) -> None:
        """Cancel the tasks in progress and release all resources."""
        ...


class EngineKind(Protocol):
    """Opens engines: the class of one, or an object that knows more than the settings."""

    async def open(
        self, spec: WorkerSpec, arrivals: Arrivals, emit: Callable[[Event], None]
    ) -> Engine:
        """Open an engine that is ready to run. Raise UsageError, EngineError or StorageError."""
        ...


def shard_of(host: str, nodes: int) -> int:
    """Return the number (from 0) of the node that owns a host, given as by `urls.host_of`.

    Stable across processes and Python versions, unlike `hash`.
    """
    return zlib.crc32(host.encode()) % nodes
