"""A run from start to end, resume included: the only place that knows all stages."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from pixtrawl.config.groups import Config
from pixtrawl.errors import UsageError
from pixtrawl.events import Event, QueryFinished, RunStarted, ignore
from pixtrawl.model import Candidate, Query
from pixtrawl.net.client import Client
from pixtrawl.net.crawl_http import CrawlHttp
from pixtrawl.net.interface import Http
from pixtrawl.net.source_http import SourceHttp
from pixtrawl.pipeline.conduct import conduct
from pixtrawl.pipeline.discovery import Discovery, Errand
from pixtrawl.pipeline.planner import Plan, plan, read_synonyms
from pixtrawl.pipeline.query_draw import QueryDraw
from pixtrawl.pipeline.report import Report
from pixtrawl.pipeline.session import Session
from pixtrawl.sources import asked_last, expand, load
from pixtrawl.sources.base import Source
from pixtrawl.storage import frontier
from pixtrawl.storage.evidence import EvidenceStore
from pixtrawl.storage.folder import Folder
from pixtrawl.storage.frontier import QueryRow

# Queries under way at once: enough to keep every source and the line busy, few enough that the
# first ones are complete early and that windows and pages stay small in memory.
_QUERIES_AT_ONCE = 32


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
        listener(RunStarted(tuple(r.query for r in rows), {r.query.text: r.saved for r in rows}))
        discovery = Discovery(
            sources,
            paced(sources, current.client, config),
            current.catalog,
            EvidenceStore(folder.evidence),
            listener,
        )
        discovery.plan = expansion
        discovery.last = asked_last(config.job.sources)
        discovery.ignore_robots = config.politeness.ignore_robots
        await current.carry_out(_feed(current, discovery, rows))

    try:
        return await conduct(config, folder, listener, body)
    finally:
        for source in sources.values():
            await source.aclose()


def open_sources(config: Config) -> dict[str, Source]:
    """The sources that were asked for, in order. Raises UsageError."""
    return {name: _open(name, config) for name in expand(config.job.sources, config.sources)}


def _open(name: str, config: Config) -> Source:
    """One source with its settings; one that has a way out of its own takes the general proxy."""
    kind = load(name)
    given = dict(config.source(name))
    if config.fetch.proxy and any(setting.key == "proxy" for setting in kind.info.settings):
        given.setdefault("proxy", config.fetch.proxy)
    return kind(given)


def open_plan(config: Config) -> Plan | None:
    """How queries are asked beyond what the sources list. Raises UsageError."""
    synonyms: Mapping[str, Sequence[str]] = {}
    if "synonyms" in config.job.expand:
        if config.job.synonyms is None:
            raise UsageError("--expand synonyms needs a file of synonyms: --synonyms FILE")
        path = Path(config.job.synonyms)
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"cannot read {path}: {error}") from error
        synonyms = read_synonyms(lines, str(path))
    return plan(config.job.expand, synonyms)


def paced(sources: Mapping[str, Source], client: Client, config: Config) -> dict[str, Http]:
    """Each source's way to the network, at its own pace."""
    paces = {name: delay_s(source, config.source(name)) for name, source in sources.items()}
    return {
        name: CrawlHttp(client, config.politeness, delay_s=paces[name])
        if source.info.crawls
        else SourceHttp(client, delay_s=paces[name])
        for name, source in sources.items()
    }


async def _join(current: Session, queries: Sequence[Query]) -> list[QueryRow]:
    def join(db: sqlite3.Connection) -> list[QueryRow]:
        return [frontier.ensure_query(db, query, current.run_id) for query in queries]

    rows = await current.catalog.write(join)
    current.query_ids.extend(dict.fromkeys(row.id for row in rows))
    return rows


async def _feed(current: Session, discovery: Discovery, rows: Sequence[QueryRow]) -> None:
    slots = asyncio.Semaphore(_QUERIES_AT_ONCE)
    unmet = [row for row in rows if row.query.limit is None or row.saved < row.query.limit]
    for row in rows:
        if row not in unmet:
            current.emit(QueryFinished(row.query, row.saved))

    async def one(row: QueryRow) -> None:
        async with slots:
            await _query(current, discovery, row)

    try:
        async with asyncio.TaskGroup() as group:
            for row in unmet:
                group.create_task(one(row))
    except* asyncio.CancelledError:
        raise asyncio.CancelledError from None
    finally:
        current.draw.closed = True
        current.draw.changed.set()


class _Hunger:
    """What a query's draw says of its appetite."""

    def __init__(self, draw: QueryDraw) -> None:
        self._draw = draw

    async def wait(self) -> bool:
        await self._draw.hungry.wait()
        return not self._draw.finished.is_set()

    def wanted(self) -> int | None:
        return None if self._draw.wanted is None else self._draw.lookahead()


async def _query(current: Session, discovery: Discovery, row: QueryRow) -> None:
    """Asks every source for one query, side by side, until it is met or all have ended."""
    open_count = await current.catalog.write(lambda db: current.join(db, row))
    draw = current.draw.add(row, open_count)
    hunger = _Hunger(draw)

    def add(candidates: tuple[Candidate, ...]) -> Awaitable[int]:
        return current.add(row, candidates)

    await discovery.ask_all(Errand(row, current.run_id, hunger, add))
    current.draw.input_complete(draw)
    await draw.finished.wait()
    current.emit(QueryFinished(row.query, draw.saved))


def delay_s(source: Source, settings: Mapping[str, str]) -> float:
    """A source's pace: its live one applies to its built-in base URL only (DESIGN 3)."""
    if given := settings.get("delay_s"):
        try:
            return float(given)
        except ValueError:
            raise UsageError(f"{source.name}.delay_s: {given!r} is no number of seconds") from None
    return 0.0 if settings.get("base_url") else source.info.delay_s
