"""A run from start to end, resume included: connects sources, scheduler and engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from pixtrawl.catalog.frontier import QueryRow
from pixtrawl.config.groups import Config
from pixtrawl.errors import UsageError
from pixtrawl.events import Event, QueryFinished, RunStarted, ignore
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.evidence import EvidenceStore
from pixtrawl.model import Query
from pixtrawl.pipeline.discovery.opening import begin, open_discovery, open_plan, open_sources
from pixtrawl.pipeline.feeders.asking import ask_sources
from pixtrawl.pipeline.lifecycle import run_to_report
from pixtrawl.pipeline.run_settings import known_secrets
from pixtrawl.pipeline.session import Session
from pixtrawl.report import Report

_ALL_THERE_ARE: Final = 500  # about as many images as sources have of one query


async def run(
    queries: Sequence[Query], config: Config, *, listener: Callable[[Event], None] = ignore
) -> Report:
    """Find, download, check and de-duplicate images. Return the report of these queries.

    Cancelling it ends the run gracefully: the data set can be resumed, and the report is returned
    with `interrupted` set.

    Raises:
        UsageError: an unknown source or an invalid setting.
        StorageError: the folder is in use, damaged or full.
        EngineError: decoders cannot be started.
    """
    if not queries:
        raise UsageError("there is no query to run")
    expansion = open_plan(config)
    sources = open_sources(config)
    folder = Folder(config.job.output, durable=config.job.durability == "batch")

    evidence = EvidenceStore(
        folder, secrets=known_secrets(config), pictures=not config.images.block_hashes
    )

    async def body(current: Session) -> None:
        rows = await current.input.ensure_rows(queries)
        # Queries that already have images may need no source, so they are not counted.
        await begin(sources, sum(not row.saved for row in rows))
        listener(RunStarted(tuple(r.query for r in rows), {r.query.text: r.saved for r in rows}))
        unmet = [row for row in rows if _is_unmet(row)]
        discovery = open_discovery(
            sources, config, current.hosts, current.catalog, evidence, listener,
            queries=len(unmet), plan=expansion,
        )  # fmt: skip
        for row in rows:
            if not _is_unmet(row):
                listener(QueryFinished(row.query, row.saved))
        await current.carry_out(ask_sources(discovery, current.input, unmet))

    try:
        expected = sum(query.limit or _ALL_THERE_ARE for query in queries)
        return await run_to_report(config, folder, listener, body, expected=expected)
    finally:
        for source in sources.values():
            await source.aclose()


def _is_unmet(row: QueryRow) -> bool:
    return row.query.limit is None or row.saved < row.query.limit
