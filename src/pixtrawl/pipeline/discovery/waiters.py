"""Which queries wait for which sources: told while one rests, and others let in meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Final

from pixtrawl.events import Event, SourceRests, SourceResumes
from pixtrawl.pipeline.discovery.breaker import Breaker

__all__ = ["Waiters"]

_LONG_REST_S: Final = 4.0  # a source that rests so long holds up no query that others could serve


class Waiters:
    """The queries under way, each with the sources that have not ended for it."""

    def __init__(self, breakers: Mapping[str, Breaker], emit: Callable[[Event], None]) -> None:
        self._breakers = breakers
        self._emit = emit
        self._asking: dict[int, tuple[Callable[[], None], set[str]]] = {}
        self._count = 0
        self._left: dict[str, int] = {}
        for name, breaker in breakers.items():
            breaker.on_rest = partial(self._rests, name)
            breaker.on_resume = partial(self._resumes, name)

    def expect(self, queries: int, sources: Collection[str]) -> None:
        """So many queries will ask each of these sources; others are asked as need be."""
        self._left = dict.fromkeys(sources, queries)

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
