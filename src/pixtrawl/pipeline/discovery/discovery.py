"""Asks every source for every query, page by page on demand; each ends with one outcome.

A source is asked for its next page only while the query has fewer open candidates than it needs
(back-pressure), so that downloads start with the first page and no request is wasted. Circuit
breakers stop asking sources that refuse and pause those in trouble, while the other sources go on.
The first pages of several sources are interleaved by rank (`first_pages`). A source that has not
answered when the query is complete is not waited for.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Mapping
from contextlib import aclosing

from msgspec import Struct, field
from msgspec.structs import replace

from pixtrawl.catalog import run_log
from pixtrawl.catalog.database import Catalog
from pixtrawl.catalog.frontier import QueryRow
from pixtrawl.catalog.run_log import SourceState
from pixtrawl.errors import FetchError, SourceStop
from pixtrawl.events import CandidatesFound, Event, Notice, SourceFinished, SourceStarted, ignore
from pixtrawl.model import Query, SourceOutcome
from pixtrawl.net.interface import Http
from pixtrawl.pipeline.discovery.breaker import BREAKS
from pixtrawl.pipeline.discovery.breakers import Breakers
from pixtrawl.pipeline.discovery.first_pages import Add, FirstPages
from pixtrawl.pipeline.discovery.slices import SlicePlan, SliceYield
from pixtrawl.pipeline.scheduler.demand import Demand, end_when_over
from pixtrawl.preferences import PreferencePolicy
from pixtrawl.secrets import NO_SECRETS, KnownSecrets
from pixtrawl.sources.base import Evidence, Page, Position, Source, SourceContext
from pixtrawl.sources.filters import unfiltered

_MAX_NOTICES = 10_000  # notices that are remembered, so that each is emitted once


class DiscoveryTask(Struct, frozen=True):
    """One query to ask of every source."""

    row: QueryRow
    run_id: int
    demand: Demand
    add: Add
    step_aside: Callable[[], None] = lambda: None  # called when all remaining sources are paused


class _Ask(Struct):
    """The state of asking one source for one query or slice."""

    source: str
    query: Query  # as asked; differs from the row's for a slice
    slice: str = ""
    found: int = 0
    new: int = 0
    position: Position | None = None
    resumed: bool = False  # asked before; some sources start from the first page again
    related: set[str] = field(default_factory=set)
    detail: dict[str, object] = field(default_factory=dict)
    taking: bool = False  # a page is being written to the catalog: do not interrupt


class Discovery:
    """Asks the sources of a run for its queries."""

    def __init__(  # noqa: PLR0913 - what it is made of; `opening.open_discovery` makes it
        self,
        sources: Mapping[str, Source],
        http: Mapping[str, Http],
        catalog: Catalog,
        evidence: Evidence,
        emit: Callable[[Event], None],
        breakers: Breakers,
        *,
        plan: SlicePlan | None = None,
        ignore_robots: bool = False,
        secrets: KnownSecrets = NO_SECRETS,
        preferences: PreferencePolicy | None = None,
    ) -> None:
        """`http` is the client of each source; `plan` slices the query when a source has ended."""
        self._sources = sources
        self._http = http
        self._catalog = catalog
        self._evidence = evidence
        self._emit = emit
        self._breakers = breakers
        self._plan = plan
        self._ignore_robots = ignore_robots
        self._secrets = secrets  # masked in what sources say
        self._preferences = preferences or PreferencePolicy()
        self._notices_emitted: set[str] = set()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the sources, in the order of the settings."""
        return tuple(self._sources)

    async def ask_all(self, task: DiscoveryTask) -> None:
        """Ask all sources concurrently."""
        pages = FirstPages(self._sources, task.add)
        with self._breakers.query(self._sources, task.step_aside) as key:
            async with asyncio.TaskGroup() as group:
                for name in self._sources:
                    group.create_task(self._ask_beside(name, task, pages, key))

    async def _ask_beside(
        self, name: str, task: DiscoveryTask, pages: FirstPages, key: int
    ) -> None:
        await self.ask(name, task, pages)
        self._breakers.ended(key, name)

    async def ask(self, name: str, task: DiscoveryTask, pages: FirstPages) -> SourceOutcome:
        """Ask one source, slices included, until the query is complete or the source has ended."""
        self._notify_ignored_filters(name, task.row.query)
        try:
            state = await self._ask_once(_Ask(name, task.row.query), task, pages)
        finally:
            pages.ended(name)
        assert state.outcome is not None
        if self._plan is not None and _ran_dry(state):
            related = state.detail.get("related")
            await self._ask_slices(name, task, pages, related if isinstance(related, list) else [])
        return state.outcome

    async def _ask_slices(
        self, name: str, task: DiscoveryTask, pages: FirstPages, related: list[str]
    ) -> None:
        """Ask for slices of the query, one after another; leave a way that brings nothing new."""
        assert self._plan is not None
        supported = self._sources[name].info.filters
        for way in self._plan(task.row.query, supported, related):
            worth = SliceYield()
            for slice_ in way:
                if worth.over:
                    break
                if not await task.demand.wait():
                    return
                state = await self._ask_once(_Ask(name, slice_.query, slice_.name), task, pages)
                worth.note(state.found, state.new)
                if state.outcome in BREAKS:
                    return

    def _notify_ignored_filters(self, name: str, query: Query) -> None:
        for given, value in query.filters.given().items():
            if given not in self._sources[name].info.filters:
                self._notify(unfiltered(name, given, value))

    def _notify(self, event: Event) -> None:
        """Emit an event of a source; the same notice only once in a run."""
        if isinstance(event, Notice):
            if event.message in self._notices_emitted:
                return
            if len(self._notices_emitted) < _MAX_NOTICES:
                self._notices_emitted.add(event.message)
        self._emit(event)

    async def _ask_once(self, ask: _Ask, task: DiscoveryTask, pages: FirstPages) -> SourceState:
        row_id = task.row.id
        known = await self._catalog.write(
            lambda db: run_log.source_state(db, row_id, ask.source, ask.slice)
        )
        if known is not None:
            if known.exhausted:
                return known
            ask.found, ask.new, ask.position = known.found, known.new, known.position
            ask.resumed = True
        self._emit(SourceStarted(task.row.query.text, ask.source))
        outcome, detail, exhausted = await self._end_of(ask, task, pages)
        detail = {
            key: self._secrets.masked_values(v) for key, v in {**ask.detail, **detail}.items()
        }
        if ask.related:
            detail["related"] = sorted(ask.related)[:20]
        ignored = task.row.query.filters.given().keys() - self._sources[ask.source].info.filters
        if ignored:
            detail["filters_ignored"] = sorted(ignored)
        state = SourceState(outcome, ask.found, ask.new, detail, ask.position, exhausted)
        await self._note(ask, task, state)
        self._emit(SourceFinished(task.row.query.text, ask.source, outcome, ask.found, detail))
        return state

    async def _end_of(
        self, ask: _Ask, task: DiscoveryTask, pages: FirstPages
    ) -> tuple[SourceOutcome, dict[str, object], bool]:
        """Ask, and return outcome, detail and whether the source is exhausted."""
        breaker = self._breakers.get(ask.source)
        try:
            return SourceOutcome.OK, {}, await self._pages(ask, task, pages)
        except SourceStop as stop:
            if breaker is not None:
                breaker.note(stop, found=ask.found)
            none = stop.outcome is SourceOutcome.NO_RESULTS
            return stop.outcome, dict(stop.detail), none
        except FetchError as error:
            detail = {"message": str(error), "next_step": "check the connection; run again"}
            if breaker is not None:
                detail = breaker.explain(error)
                breaker.note(SourceStop(SourceOutcome.NETWORK_ERROR, **detail), found=ask.found)
            return SourceOutcome.NETWORK_ERROR, dict(detail), False
        except Exception as error:  # noqa: BLE001 - a bug in one source must not end the run
            path = self._evidence.save(f"{ask.source}-error.txt", traceback.format_exc())
            message = f"the source itself failed: {type(error).__name__}: {error}"
            return SourceOutcome.CHANGED, {"message": message, "evidence": [path]}, False
        finally:
            if breaker is not None:
                breaker.ended()

    async def _pages(self, ask: _Ask, task: DiscoveryTask, pages: FirstPages) -> bool:
        """Take pages. Return whether the source is exhausted; raise SourceStop or FetchError."""
        if not await task.demand.wait():
            return False
        breaker = self._breakers.get(ask.source)
        tries = await breaker.enter() if breaker is not None else False
        try:
            if not await self._until_met(ask, task, pages):
                return False
        finally:
            if tries and breaker is not None:
                breaker.leave()
        if ask.found == 0 and not ask.slice:
            # "No results" needs a positive marker; a page without results may just not be parsed.
            raise SourceStop(
                SourceOutcome.CHANGED,
                message="the source ended without any result and without saying that it has none",
                next_step="see `pixtrawl doctor`; another source may do",
            )
        return True

    async def _until_met(self, ask: _Ask, task: DiscoveryTask, pages: FirstPages) -> bool:
        """As `_until_sated`, but give up a page that is late when the query is complete."""
        limit = asyncio.timeout(None)
        try:
            async with limit:
                watch = asyncio.create_task(end_when_over(task.demand, limit, lambda: ask.taking))
                try:
                    return await self._through_rests(ask, task, pages)
                finally:
                    watch.cancel()
        except TimeoutError:
            if not limit.expired():
                raise
        breaker = self._breakers.get(ask.source)
        if not ask.found and breaker is not None and breaker.trouble is not None:
            raise breaker.trouble
        if not ask.found:
            ask.detail["message"] = "the query was met before an answer came"
        return False

    async def _through_rests(self, ask: _Ask, task: DiscoveryTask, pages: FirstPages) -> bool:
        """As `_until_sated`; a source with a browser is started again as a whole after a pause."""
        breaker = self._breakers.get(ask.source)
        if breaker is None or "browser" not in self._sources[ask.source].info.needs:
            return await self._until_sated(ask, task, pages)

        async def once(look_again: Callable[[], None]) -> bool:
            look_again()
            try:
                return await self._until_sated(ask, task, pages)
            finally:
                ask.resumed = True

        return await breaker.send(once)

    async def _until_sated(self, ask: _Ask, task: DiscoveryTask, pages: FirstPages) -> bool:
        """Take pages while the query wants more. Return whether the last page was taken."""
        breaker = self._breakers.get(ask.source)
        context = SourceContext(
            http=self._http[ask.source],
            evidence=self._evidence,
            wanted=task.demand.wanted(),
            position=ask.position,
            # Slices are not a user's request: notices about filters they ignore would confuse.
            emit=ignore if ask.slice else self._notify,
            ignore_robots=self._ignore_robots,
            preferences=self._preferences,
        )
        async with aclosing(self._sources[ask.source].discover(ask.query, context)) as given:  # type: ignore[type-var]
            async for page in given:
                if breaker is not None:
                    breaker.answers()
                ask.taking = True
                await self._take(ask, task, page, pages)
                ask.taking = False
                if not await task.demand.wait():
                    return False
        return True

    async def _take(self, ask: _Ask, task: DiscoveryTask, page: Page, pages: FirstPages) -> None:
        query = task.row.query
        candidates = page.candidates
        if ask.slice:  # found by other words or filters, but filed under the query itself
            candidates = tuple(replace(c, query=query.text, label=query.label) for c in candidates)
        new = await pages.add(ask.source, candidates)
        ask.found += new if ask.resumed else len(candidates)
        ask.new += new
        ask.position = page.position
        ask.related.update(page.related)
        ask.detail.update(page.detail)
        # Saved after each page, so that a killed run resumes from here.
        state = SourceState(None, ask.found, ask.new, dict(ask.detail), ask.position, False)
        await self._note(ask, task, state)
        self._emit(CandidatesFound(query.text, ask.source, len(candidates), new))

    async def _note(self, ask: _Ask, task: DiscoveryTask, state: SourceState) -> None:
        row_id, run_id = task.row.id, task.run_id
        await self._catalog.write(
            lambda db: run_log.note_source(db, row_id, ask.source, ask.slice, run_id, state)
        )


def _ran_dry(state: SourceState) -> bool:
    """Whether a source gave results up to its last page, or up to one that cannot be parsed."""
    if state.outcome is SourceOutcome.CHANGED:
        return state.found > 0
    return state.outcome is SourceOutcome.OK and state.exhausted
