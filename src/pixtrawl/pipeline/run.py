"""A run from start to end, resume included: the only place that knows all stages."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence

from pixtrawl.config.groups import Config
from pixtrawl.errors import UsageError
from pixtrawl.events import Event, QueryFinished, RunStarted, ignore
from pixtrawl.model import Candidate, Query
from pixtrawl.pipeline.conduct import conduct
from pixtrawl.pipeline.discovery import Discovery, Errand
from pixtrawl.pipeline.opening import begin, open_plan, open_sources, paced
from pixtrawl.pipeline.query_draw import QueryDraw
from pixtrawl.pipeline.query_slots import QueryPlace, QuerySlots
from pixtrawl.pipeline.report import Report
from pixtrawl.pipeline.session import Session
from pixtrawl.storage import frontier
from pixtrawl.storage.evidence import EvidenceStore
from pixtrawl.storage.folder import Folder
from pixtrawl.storage.frontier import QueryRow


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
        return await conduct(config, folder, listener, body)
    finally:
        for source in sources.values():
            await source.aclose()


async def _join(current: Session, queries: Sequence[Query]) -> list[QueryRow]:
    def join(db: sqlite3.Connection) -> list[QueryRow]:
        return [frontier.ensure_query(db, query, current.run_id) for query in queries]

    rows = await current.catalog.write(join)
    current.query_ids.extend(dict.fromkeys(row.id for row in rows))
    return rows


async def _feed(current: Session, discovery: Discovery, rows: Sequence[QueryRow]) -> None:
    slots = QuerySlots()
    unmet = [row for row in rows if _is_unmet(row)]
    for row in rows:
        if row not in unmet:
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
        current.draw.closed = True
        current.draw.changed.set()


def _is_unmet(row: QueryRow) -> bool:
    return row.query.limit is None or row.saved < row.query.limit


class _Hunger:
    """What a query's draw says of its appetite."""

    def __init__(self, draw: QueryDraw) -> None:
        self._draw = draw

    async def wait(self) -> bool:
        await self._draw.hungry.wait()
        return not self._draw.finished.is_set()

    async def over(self) -> None:
        await self._draw.finished.wait()

    def wanted(self) -> int | None:
        return None if self._draw.wanted is None else self._draw.lookahead()


async def _query(current: Session, discovery: Discovery, row: QueryRow, place: QueryPlace) -> None:
    """Asks every source for one query, side by side, until it is met or all have ended."""
    open_count = await current.catalog.write(lambda db: current.join(db, row))
    draw = current.draw.add(row, open_count)
    hunger = _Hunger(draw)

    def add(candidates: Sequence[Candidate]) -> Awaitable[list[int]]:
        return current.add_each(row, candidates)

    await discovery.ask_all(Errand(row, current.run_id, hunger, add, place.step_aside))
    current.draw.input_complete(draw)
    await draw.finished.wait()
    current.emit(QueryFinished(row.query, draw.saved))
