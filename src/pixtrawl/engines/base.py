"""The Engine interface: tasks are pulled from a feed, outcomes handed back, in any order.

An engine (elsewhere called executor) knows no query, no source and no catalog. All that its workers
are made from is a `WorkerSpec`, which pickles; all that they give back is an `Outcome`, which
pickles too and names files, never holds them.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, Self

from msgspec import Struct

from pixtrawl.config.groups import Fetch, Politeness
from pixtrawl.engines.arrivals import Arrivals
from pixtrawl.events import Event
from pixtrawl.images.rules import Rules
from pixtrawl.model import Outcome, Task
from pixtrawl.net.host_accounts import HostAccounts
from pixtrawl.transform import Transform
from pixtrawl.worker import TakenDown

__all__ = ["Engine", "Feed", "WorkerSpec", "shard_of"]


class WorkerSpec(Struct, frozen=True, kw_only=True):
    """From what a process or node builds client, fetcher, decoders and worker. Pickles."""

    fetch: Fetch
    politeness: Politeness
    rules: Rules  # with the settings of images and filters
    taken_down: TakenDown
    staging: Path  # folder of staged files; a node sets its own (`msgspec.structs.replace`)
    transform: Transform | None = None  # makes renditions beside the checks, where given


class Feed(Protocol):
    """Where an engine gets its tasks; lives in the pipeline, knows queries and hosts."""

    @property
    def changed(self) -> asyncio.Event:
        """Set when `next` may answer differently than before; the engine clears it."""
        ...

    def next(self) -> Task | None:
        """A task that may start right now, or None."""
        ...

    def settled(self, task: Task, outcome: Outcome) -> None:
        """A task that `next` gave is over; files that the outcome names are in the staging."""
        ...

    @property
    def over(self) -> bool:
        """True when there will never be another task."""
        ...


class Engine(Protocol):
    """Carries out tasks.

    Of an engine with several nodes three things are expected:

    - A host has one owner. Pace, rests, robots.txt and exclusions are kept by the accounts of one
      process (`net.host_accounts`), so tasks are shared out by `shard_of(task.host, nodes)` and no
      two nodes ask one host. Hosts that only redirects or alternates lead to are met by the node
      of the task, at a pace of its own.
    - A node works in a staging folder of its own. What its outcomes name there is moved into the
      run's by `Arrivals.take` before the feed hears of the outcome.
    - A node that is lost gives its tasks the outcome `interrupted`; a later run tries them again.
    """

    @classmethod
    async def open(
        cls, spec: WorkerSpec, arrivals: Arrivals, emit: Callable[[Event], None]
    ) -> Self:
        """Makes everything ready. Raises UsageError, EngineError, StorageError."""
        ...

    @property
    def hosts(self) -> HostAccounts:
        """The accounts by which sources of this process crawl: those of its files, if it has."""
        ...

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        ...

    async def run(self, feed: Feed) -> None:
        """Works until the feed is over. Cancelling it cancels what is under way.

        Raises what a worker raised that is no outcome (EngineError, StorageError).
        """
        ...

    async def aclose(self) -> None:
        """Ends what is still under way and lets go of everything."""
        ...


def shard_of(host: str, nodes: int) -> int:
    """The number of the node, from 0, that owns a host (as of `urls.host_of`).

    The same in every process and version of Python, unlike `hash`.
    """
    return zlib.crc32(host.encode()) % nodes
