"""Holds the first page of each source until all have answered, then adds them interleaved.

Candidates are fetched in the order in which they joined the frontier. Without this, the source that
answers first would fill a small query alone. A slow source delays the others by at most `GRACE_S`
after the first answer; its pages are added when they arrive.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import chain, zip_longest
from typing import Final

from pixtrawl.model import Candidate

__all__ = ["GRACE_S", "Add", "FirstPages"]

GRACE_S: Final = 1.0  # longest wait for further sources after the first page

Add = Callable[[Sequence[Candidate]], Awaitable[list[int]]]
"""Adds candidates in one transaction. Returns 1 for each that is new and open, else 0."""


class FirstPages:
    """Interleaves the first pages of one query's sources. Bound to one event loop."""

    def __init__(self, names: Iterable[str], add: Add, grace_s: float = GRACE_S) -> None:
        """`names` are the sources whose first pages are awaited, in the order of interleaving."""
        self._order = tuple(names)
        self._awaited = set(self._order)
        self._add = add
        self._grace_s = grace_s
        self._held: dict[str, Sequence[Candidate]] = {}
        self._new: dict[str, int] = {}
        self._complete = asyncio.Event()  # no further source is awaited
        self._mixed = asyncio.Event()  # the held pages were added, or adding them failed
        self._over = False

    async def add(self, name: str, candidates: Sequence[Candidate]) -> int:
        """Add a page of a source. Return how many of its candidates are new and open."""
        if self._over or name not in self._awaited or not candidates:
            return sum(await self._add(candidates))
        first = not self._held
        self._held[name] = candidates
        self.ended(name)
        if first:
            await self._wait_and_mix()
        else:
            await self._mixed.wait()
        if name in self._new:
            return self._new[name]
        return sum(await self._add(candidates))  # the task that was to add this page was cancelled

    def ended(self, name: str) -> None:
        """Stop waiting for a source, whose page is here or which has none."""
        self._awaited.discard(name)
        if not self._awaited:
            self._complete.set()

    async def _wait_and_mix(self) -> None:
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._grace_s):
                    await self._complete.wait()
            self._over = True
            await self._mix()
        finally:
            self._over = True
            self._mixed.set()

    async def _mix(self) -> None:
        """Add the held pages: the first candidate of each source, then the second, and so on."""
        names = [name for name in self._order if name in self._held]
        ranks = zip_longest(*([(name, one) for one in self._held[name]] for name in names))
        mixed = [pair for pair in chain.from_iterable(ranks) if pair is not None]
        new = await self._add([one for _, one in mixed])
        self._new = dict.fromkeys(names, 0)
        for (name, _), is_new in zip(mixed, new, strict=True):
            self._new[name] += is_new
