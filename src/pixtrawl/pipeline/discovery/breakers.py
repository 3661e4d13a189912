"""The circuit breakers of a run's sources, and the queries that wait for them.

While a source is paused, events report how many queries wait, and other queries may start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Final

from pixtrawl.events import Event, SourceRests, SourceResumes
from pixtrawl.pipeline.discovery.breaker import Breaker
from pixtrawl.sources.base import Source
from pixtrawl.sources.walls import told_pause_s

__all__ = ["Breakers"]

_LONG_REST_S: Final = 4.0  # pauses from this length on let queries of other sources start


class Breakers:
    """A breaker per source, and the queries in progress with the sources that each still asks.

    Sources that crawl have no breaker: a refusal by one site says nothing about the next.
    """

    def __init__(
        self,
        sources: Mapping[str, Source],
        emit: Callable[[Event], None],
        *,
        patience_s: float = 0.0,
        queries: int = 0,
    ) -> None:
        """Needs a running event loop.

        Args:
            sources: the sources by name.
            emit: takes the events of pauses.
            patience_s: how long to wait for a source in trouble.
            queries: expected number of queries, for the events; not a limit.
        """
        self._emit = emit
        self._asking: dict[int, tuple[Callable[[], None], set[str]]] = {}
        self._count = 0
        self._left = dict.fromkeys(sources, queries)
        clock = asyncio.get_running_loop().time
        self._breakers = {
            name: Breaker(
                clock,
                patience_s=patience_s,
                stated_pause_s=told_pause_s,
                on_rest=partial(self._rests, name),
                on_resume=partial(self._resumes, name),
            )
            for name, source in sources.items()
            if not source.info.crawls
        }

    def get(self, name: str) -> Breaker | None:
        """Return the breaker of a source; None for one that crawls."""
        return self._breakers.get(name)

    @contextmanager
    def query(self, sources: Collection[str], step_aside: Callable[[], None]) -> Iterator[int]:
        """Register a query that asks these sources inside the block; yield its key.

        `step_aside` is called when all of its remaining sources are paused.
        """
        self._count += 1
        key = self._count
        self._asking[key] = step_aside, set(sources)
        self._let_others_in(key)
        try:
            yield key
        finally:
            del self._asking[key]

    def ended(self, key: int, source: str) -> None:
        """Note that a source has ended for the query."""
        if source in self._left:
            self._left[source] -= 1
        self._asking[key][1].discard(source)
        self._let_others_in(key)

    def _rests(self, name: str, seconds: float, why: str) -> None:
        asking = sum(name in sources for _, sources in self._asking.values())
        self._emit(SourceRests(name, seconds, max(asking, self._left.get(name, 0)), why))
        if seconds >= _LONG_REST_S:
            for key in list(self._asking):
                self._let_others_in(key)

    def _resumes(self, name: str, lasted_s: float) -> None:
        self._emit(SourceResumes(name, lasted_s))

    def _let_others_in(self, key: int) -> None:
        step_aside, sources = self._asking[key]
        if sources and all(s in self._breakers and self._breakers[s].rests for s in sources):
            step_aside()
