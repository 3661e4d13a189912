"""Finds URLs and writes them to a manifest without downloading anything.

Uses the same discovery as a run, over a catalog in a temporary folder, so that a million URLs need
little memory. The manifest is written from it at the end, also when the run is interrupted.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from msgspec import structs

from pixtrawl.catalog import frontier, run_log
from pixtrawl.catalog.database import Catalog
from pixtrawl.catalog.frontier import QueryRow
from pixtrawl.config.groups import Config
from pixtrawl.errors import UsageError
from pixtrawl.events import Event, Notice, QueryFinished, RunFinished, RunStarted, ignore
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.evidence import EvidenceStore
from pixtrawl.manifests.writer import ManifestWriter
from pixtrawl.model import Candidate, Kind, Query
from pixtrawl.net.client import Client
from pixtrawl.net.hosts.accounts import HostAccounts
from pixtrawl.pipeline.discovery.opening import begin, open_discovery, open_plan, open_sources
from pixtrawl.pipeline.feeders.asking import ask_sources
from pixtrawl.pipeline.parquet_manifest import open_rows
from pixtrawl.pipeline.report import build
from pixtrawl.pipeline.run_settings import known_secrets, warn_of_override
from pixtrawl.pipeline.scheduler.demand import Demand
from pixtrawl.pipeline.scheduler.window import WINDOW
from pixtrawl.report import PreferencesReport, Report


async def discover(
    queries: Sequence[Query],
    config: Config,
    *,
    out: Path | None,
    listener: Callable[[Event], None] = ignore,
    take: Callable[[Candidate], None] | None = None,
) -> Report:
    """Find URLs, write them to `out` (.jsonl, .csv, .txt or .parquet) and pass each to `take`.

    In the report `saved` counts the URLs written for a query, without thumbnails. Pages kept as
    evidence go to a folder beside `out`.

    Raise UsageError; StorageError where `out` cannot be written.
    """
    if not queries:
        raise UsageError("there is no query to ask for")
    expansion = open_plan(config)
    sources = open_sources(config)
    started = time.monotonic()
    warn_of_override(config, listener)
    writer = None
    if out is not None:  # opened first, so that a bad name fails before any request
        writer = ManifestWriter(out, write_parquet=open_rows)
    with tempfile.TemporaryDirectory(prefix="pixtrawl-") as temporary:
        folder = Folder(temporary)
        folder.create()
        catalog = Catalog(folder.catalog)
        client = Client(config.fetch)
        hosts = HostAccounts(client, config.politeness, config.fetch, listener)
        evidence = EvidenceStore(
            out.with_name(f"{out.name}.evidence") if out is not None else folder,
            secrets=known_secrets(config), pictures=not config.images.block_hashes,
        )  # fmt: skip
        try:
            await begin(sources, len(queries))
            discovery = open_discovery(
                sources, config, hosts, catalog, evidence, listener, queries=len(queries),
                plan=expansion,
            )  # fmt: skip
            run_id = catalog.write_now(lambda db: run_log.begin_run(db, "", {}))
            rows = catalog.write_now(
                lambda db: [frontier.ensure_query(db, query, run_id) for query in queries]
            )
            listener(RunStarted(tuple(queries), {}))
            asking = ask_sources(discovery, _UrlInput(catalog, run_id, listener), rows)
            end_reason = await _in_time(asking, config.job.max_time_s)
            catalog.write_now(
                lambda db: run_log.end_run(
                    db, run_id, reason=end_reason, elapsed_s=0.0, fetched_bytes=0
                )
            )
            counts = catalog.write_now(lambda db: _write(db, rows, writer, take))
            report = catalog.write_now(lambda db: build(db, folder, [row.id for row in rows]))
        finally:
            await hosts.aclose()
            await client.aclose()
            for source in sources.values():
                await source.aclose()
            catalog.close()
            if writer is not None:
                writer.close()
    _warn_of_secrets(writer, listener)
    report = structs.replace(
        report,
        queries=[
            # every URL that was found is in the manifest, so none is left to try
            structs.replace(query, saved=counts[query.id], untried=0)
            for query in report.queries
        ],
        output=str(out) if out is not None else "",
        elapsed_s=round(time.monotonic() - started, 3),
        interrupted=end_reason == "interrupted",
        end_reason=end_reason,
        ai_preferences=PreferencesReport(
            purpose=config.politeness.purpose, ignored=config.politeness.ignore_ai_preferences
        ),
    )
    listener(RunFinished(report))
    return report


def _warn_of_secrets(writer: ManifestWriter | None, listener: Callable[[Event], None]) -> None:
    if writer is None or not writer.with_secrets:
        return
    text = (
        f"{writer.with_secrets} of the addresses in {writer.path} carry a key, a signature or a"
        " password, which downloads need: do not pass the file on"
    )
    listener(Notice(text, "warning"))


class _UrlInput:
    """`RunInput` without downloads: candidates are only added to the catalog."""

    halted = False

    def __init__(self, catalog: Catalog, run_id: int, listener: Callable[[Event], None]) -> None:
        self.run_id = run_id
        self.catalog = catalog
        self.listener = listener

    async def add_query(self, query: Query | QueryRow) -> _UrlQuery:
        if isinstance(query, QueryRow):
            return _UrlQuery(self, query)
        ensure = partial(frontier.ensure_query, query=query, run_id=self.run_id)
        return _UrlQuery(self, await self.catalog.write(ensure))

    def close(self) -> None:
        """Do nothing: there is no scheduler to close."""


class _UrlQuery:
    """`QueryInput` of a query that ends at its limit of distinct full-size URLs."""

    def __init__(self, run: _UrlInput, row: QueryRow) -> None:
        self.row = row
        self.demand = Demand(row.query.limit)
        self._run = run
        self._found = 0

    async def add(self, candidates: Sequence[Candidate]) -> int:
        return sum(await self.add_each(candidates))

    async def add_each(self, candidates: Sequence[Candidate]) -> list[int]:
        def write(db: sqlite3.Connection) -> tuple[list[int], int]:
            new = [frontier.add(db, self.row.id, (one,), thumbnails=True) for one in candidates]
            return new, frontier.full_size_count(db, self.row.id)

        new, self._found = await self._run.catalog.write(write)
        limit = self.row.query.limit
        if limit is not None:
            self.demand.update(more=True, about=max(0, limit - self._found))
            if self._found >= limit:
                self.demand.end()
        return new

    async def finish(self) -> None:
        self._run.listener(QueryFinished(self.row.query, self._found))


async def _in_time(asking: Coroutine[None, None, None], limit_s: float | None) -> str:
    """Await `asking` for at most `limit_s`. Return how it ended: done, interrupted or budget."""
    try:
        async with asyncio.timeout(limit_s):
            await asking
    except TimeoutError:
        return "budget"
    except asyncio.CancelledError:
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()
        return "interrupted"
    return "done"


def _write(
    db: sqlite3.Connection,
    rows: Sequence[QueryRow],
    writer: ManifestWriter | None,
    take: Callable[[Candidate], None] | None,
) -> dict[int, int]:
    counts = {}
    for row in rows:
        counts[row.id] = 0
        if writer is not None:
            writer.add_query(row.query.text)  # a query without URLs is listed, too
        found = _by_rank(frontier.everything(db, row))
        for candidate in _wanted(found, row.query.limit):
            counts[row.id] += candidate.kind is not Kind.THUMBNAIL
            if writer is not None:
                writer.add(candidate)
            if take is not None:
                take(candidate)
    return counts


def _by_rank(candidates: Iterator[Candidate]) -> Iterator[Candidate]:
    """Yield candidates sorted by rank within each window, the order in which a run fetches them."""
    while some := list(islice(candidates, WINDOW)):
        yield from sorted(some, key=lambda candidate: candidate.rank)


def _wanted(candidates: Iterator[Candidate], limit: int | None) -> Iterator[Candidate]:
    """Yield the first `limit` full-size candidates and all thumbnails."""
    left = limit
    for candidate in candidates:
        if left is not None and candidate.kind is not Kind.THUMBNAIL:
            if left == 0:
                continue
            left -= 1
        yield candidate
