"""The circuit breakers of a run's sources, and which queries wait for which of them.

While a source rests it is told how many queries wait; others are let in meanwhile.
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

_LONG_REST_S: Final = 4.0  # a source that rests so long holds up no query that others could serve


class Breakers:
    """One for each source but those that crawl; the queries under way, each with its sources.

    What one site refuses to a crawl says nothing of the next query's site.
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
            sources: by name.
            emit: hears of rests.
            patience_s: how long a source in trouble is waited for.
            queries: so many will ask each of the sources; more are asked as need be.
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
        """The breaker of a source; None for one that crawls."""
        return self._breakers.get(name)

    @contextmanager
    def query(self, sources: Collection[str], step_aside: Callable[[], None]) -> Iterator[int]:
        """A query asks these sources inside the block; its key.

        `step_aside` is called when it has nothing to do but to wait for sources that rest.
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
        """A source has ended for the query."""
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
