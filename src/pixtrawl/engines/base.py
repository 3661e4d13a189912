"""The Engine interface: tasks are drawn from a feed, outcomes handed back, in any order."""

from __future__ import annotations

import asyncio
from typing import Protocol

from pixtrawl.model import Outcome, Task


class Feed(Protocol):
    """Where an engine draws its tasks; lives in the pipeline, knows queries and hosts."""

    changed: asyncio.Event  # set when `next` may answer differently than before

    def next(self) -> Task | None:
        """A task that may start right now, or None."""
        ...

    def settled(self, task: Task, outcome: Outcome) -> None:
        """A task that `next` gave is over."""
        ...

    @property
    def over(self) -> bool:
        """True when there will never be another task."""
        ...


class Engine(Protocol):
    """Carries out tasks. The exact word of the field is executor."""

    async def run(self, feed: Feed) -> None:
        """Works until the feed is over. Cancelling it cancels what is under way."""
        ...

    async def aclose(self) -> None: ...
