"""Asks sources: each query of each source, on demand, with one outcome at the end.

A source is asked for its next page only while the query is hungry (fewer open candidates than it
still needs), so that downloads begin with the first page and nothing is asked in vain. A source
that refuses is not asked again in this run; the others go on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from pixtrawl.errors import FetchError, SourceStop
from pixtrawl.events import CandidatesFound, Event, SourceFinished, SourceStarted
from pixtrawl.model import Candidate, SourceOutcome
from pixtrawl.net.interface import Http
from pixtrawl.sources.base import Evidence, Page, Position, Source, SourceContext
from pixtrawl.storage import journal
from pixtrawl.storage.catalog import Catalog
from pixtrawl.storage.frontier import QueryRow

# One refusal concerns every query: asking on would be rude and useless.
_BREAKS = frozenset({SourceOutcome.BLOCKED, SourceOutcome.QUOTA, SourceOutcome.BROWSER_MISSING})


class Hunger(Protocol):
    """Tells a source whether more candidates are wanted."""

    async def wait(self) -> bool:
        """Returns when the query is hungry (True) or needs nothing any more (False)."""
        ...

    def wanted(self) -> int | None:
        """About how many candidates would help."""
        ...


@dataclass(slots=True)
class _Ask:
    """One source asked for one query: what it gave so far."""

    found: int = 0
    position: Position | None = None
    related: set[str] = field(default_factory=set)


class Discovery:
    """Every source of a run, asked for one query after another."""

    def __init__(
        self,
        sources: Mapping[str, Source],
        http: Mapping[str, Http],
        catalog: Catalog,
        evidence: Evidence,
        emit: Callable[[Event], None],
    ) -> None:
        self._sources = sources
        self._http = http
        self._catalog = catalog
        self._evidence = evidence
        self._emit = emit
        self._refused: dict[str, SourceStop] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The sources, in the order asked for."""
        return tuple(self._sources)

    async def ask(
        self,
        name: str,
        row: QueryRow,
        run_id: int,
        hunger: Hunger,
        add: Callable[[tuple[Candidate, ...]], Awaitable[int]],
    ) -> SourceOutcome:
        """Asks one source until the query is satisfied or the source ends.

        Args:
            name: the source.
            row: the query.
            run_id: of this run.
            hunger: when to ask on.
            add: takes a page's candidates; gives how many were new.
        """
        known = await self._catalog.write(lambda db: journal.source_state(db, row.id, name))
        if known is not None and known.exhausted:
            assert known.outcome is not None
            return known.outcome
        ask = _Ask(found=known.found if known else 0, position=known.position if known else None)
        outcome, detail, exhausted = SourceOutcome.OK, {}, False
        self._emit(SourceStarted(row.query.text, name))
        try:
            self._check_refused(name)
            exhausted = await self._pages(name, row, ask, hunger, add)
        except SourceStop as stop:
            outcome, detail = stop.outcome, dict(stop.detail)
            exhausted = outcome is SourceOutcome.NO_RESULTS
            if outcome in _BREAKS:
                self._refused.setdefault(name, stop)
        except FetchError as error:
            outcome = SourceOutcome.NETWORK_ERROR
            detail = {"message": str(error), "next_step": "check the connection; run again"}
        if ask.related:
            detail["related"] = sorted(ask.related)[:20]
        await self._catalog.write(
            lambda db: journal.note_source(
                db, row.id, name, run_id, outcome=outcome, found=ask.found, detail=detail,
                position=ask.position, exhausted=exhausted,
            )
        )  # fmt: skip
        self._emit(SourceFinished(row.query.text, name, outcome, ask.found, detail))
        return outcome

    def _check_refused(self, name: str) -> None:
        refused = self._refused.get(name)
        if refused is not None:
            message = f"not asked: {_message(refused)}"
            raise SourceStop(refused.outcome, **{**refused.detail, "message": message})

    async def _pages(
        self,
        name: str,
        row: QueryRow,
        ask: _Ask,
        hunger: Hunger,
        add: Callable[[tuple[Candidate, ...]], Awaitable[int]],
    ) -> bool:
        """Returns whether the source has no more."""
        if not await hunger.wait():
            return False
        context = SourceContext(
            http=self._http[name],
            evidence=self._evidence,
            wanted=hunger.wanted(),
            position=ask.position,
            emit=self._emit,
        )
        async with aclosing(self._sources[name].discover(row.query, context)) as pages:  # type: ignore[type-var]
            async for page in pages:
                await self._take(name, row, ask, page, add)
                if not await hunger.wait():
                    return False
        if ask.found == 0:
            # DESIGN 2.1: nothing parsed without a positive marker is never "no results".
            raise SourceStop(
                SourceOutcome.CHANGED,
                message="the source ended without any result and without saying that it has none",
                next_step="see `pixtrawl doctor`; another source may do",
            )
        return True

    async def _take(
        self,
        name: str,
        row: QueryRow,
        ask: _Ask,
        page: Page,
        add: Callable[[tuple[Candidate, ...]], Awaitable[int]],
    ) -> None:
        new = await add(page.candidates)
        ask.found += len(page.candidates)
        ask.position = page.position
        ask.related.update(page.related)
        self._emit(CandidatesFound(row.query.text, name, len(page.candidates), new))


def _message(stop: SourceStop) -> str:
    return str(stop.detail.get("message") or stop.outcome)
