"""A run from start to end, resume included: the only place that knows all stages."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence

from pixtrawl.catalog import frontier
from pixtrawl.catalog.frontier import QueryRow
from pixtrawl.config.groups import Config
from pixtrawl.errors import UsageError
from pixtrawl.events import Event, QueryFinished, RunStarted, ignore
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.evidence import EvidenceStore
from pixtrawl.model import Candidate, Query
from pixtrawl.pipeline.discovery.discovery import Discovery, DiscoveryTask
from pixtrawl.pipeline.discovery.opening import begin, open_plan, open_sources, paced
from pixtrawl.pipeline.lifecycle import run_to_report
from pixtrawl.pipeline.report import Report
from pixtrawl.pipeline.scheduler.query_slots import QueryPlace, QuerySlots
from pixtrawl.pipeline.scheduler.window import QueryWindow
from pixtrawl.pipeline.session import Session


async def run(
    queries: Sequence[Query], config: Config, *, listener: Callable[[Event], None] = ignore
) -> Report:
    """Finds, downloads, checks and de-duplicates. Returns the report of these queries.

    Cancelling it ends the run gracefully: the data set can be resumed, and the report comes back
    with `interrupted` set.

    Raises:
        UsageError: an unknown source, a setting that cannot be.
        StorageError: the folder is in use, damaged or full.
        EngineError: decoders cannot be started.
    """
    if not queries:
        raise UsageError("there is no query to run")
    expansion = open_plan(config)
    sources = open_sources(config)
    folder = Folder(config.job.output)

    async def body(current: Session) -> None:
        rows = await _join(current, queries)
        # A query that has images may need no source any more.
        await begin(sources, sum(not row.saved for row in rows))
        listener(RunStarted(tuple(r.query for r in rows), {r.query.text: r.saved for r in rows}))
        discovery = Discovery(
            sources,
            paced(sources, current.client, config),
            current.catalog,
            EvidenceStore(folder),
            listener,
            config.politeness.patience_s,
        )
        discovery.prepare(config, sum(map(_is_unmet, rows)), expansion)
        await current.carry_out(_feed(current, discovery, rows))

    try:
        return await run_to_report(config, folder, listener, body)
    finally:
        for source in sources.values():
            await source.aclose()


async def _join(current: Session, queries: Sequence[Query]) -> list[QueryRow]:
    def join(db: sqlite3.Connection) -> list[QueryRow]:
        return [frontier.ensure_query(db, query, current.run_id) for query in queries]

    rows = await current.catalog.write(join)
    current.expect(row.id for row in rows)
    return rows


async def _feed(current: Session, discovery: Discovery, rows: Sequence[QueryRow]) -> None:
    slots = QuerySlots()
    unmet = [row for row in rows if _is_unmet(row)]
    for row in rows:
        if not _is_unmet(row):
            current.emit(QueryFinished(row.query, row.saved))

    async def one(row: QueryRow) -> None:
        async with slots.place() as place:
            await _query(current, discovery, row, place)

    try:
        async with asyncio.TaskGroup() as group:
            for row in unmet:
                group.create_task(one(row))
    except* asyncio.CancelledError:
        raise asyncio.CancelledError from None
    finally:
        current.scheduler.closed = True
        current.scheduler.changed.set()


def _is_unmet(row: QueryRow) -> bool:
    return row.query.limit is None or row.saved < row.query.limit


class _Demand:
    """Tells sources whether the query's window wants more."""

    def __init__(self, window: QueryWindow) -> None:
        self._window = window

    async def wait(self) -> bool:
        await self._window.wants_more.wait()
        return not self._window.finished.is_set()

    async def over(self) -> None:
        await self._window.finished.wait()

    def wanted(self) -> int | None:
        return None if self._window.wanted is None else self._window.lookahead()


async def _query(current: Session, discovery: Discovery, row: QueryRow, place: QueryPlace) -> None:
    """Asks every source for one query, side by side, until it is met or all have ended."""
    open_count = await current.catalog.write(lambda db: current.join(db, row))
    window = current.scheduler.add(row, open_count)
    demand = _Demand(window)

    def add(candidates: Sequence[Candidate]) -> Awaitable[list[int]]:
        return current.add_each(row, candidates)

    await discovery.ask_all(DiscoveryTask(row, current.run_id, demand, add, place.step_aside))
    current.scheduler.input_complete(window)
    await window.finished.wait()
    current.emit(QueryFinished(row.query, window.saved))
