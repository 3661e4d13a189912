"""The work behind the functions: connects settings and inputs with the pipeline."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pixtrawl.api.arguments import Lists, Queries, configured
from pixtrawl.config.groups import Config
from pixtrawl.dataset import Dataset
from pixtrawl.dataset.listing import BriefList
from pixtrawl.display.watch import Watch
from pixtrawl.errors import EXIT_OK, PixtrawlError, ShortWarning, innermost
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.model import Candidate, Query
from pixtrawl.report import Report

__all__ = ["discover_queries", "download_lists", "run_queries", "warn"]


async def run_queries(queries: Queries, watch: Watch, settings: Mapping[str, Any]) -> Dataset:
    """Carry out `run`. Raises CancelledError if the run was interrupted."""
    from pixtrawl.pipeline.feeders.run import run as pipeline_run

    config = configured(settings)
    with watch.over(config) as listener, _plainly():
        report = await pipeline_run(_queries(queries, config), config, listener=listener)
    return _result(config, report)


def _result(config: Config, report: Report) -> Dataset:
    if report.interrupted:
        raise asyncio.CancelledError
    return Dataset(config.job.output, report, query_ids=[one.id for one in report.queries])


async def discover_queries(
    queries: Queries,
    out: Path | str | None,
    watch: Watch,
    settings: Mapping[str, Any],
) -> tuple[list[Candidate], Report]:
    """Carry out `discover`; return the candidates and the report.

    Raises:
        CancelledError: the run was interrupted.
    """
    from pixtrawl.pipeline.feeders.discover import discover as pipeline_discover

    config = configured(settings)
    found: BriefList[Candidate] = BriefList()
    with watch.over(config) as listener, _plainly():
        report = await pipeline_discover(
            _queries(queries, config),
            config,
            out=Path(out) if out is not None else None,
            listener=listener,
            take=found.append,
        )
    if report.interrupted:
        raise asyncio.CancelledError
    return found, report


async def download_lists(
    manifests: Lists,
    watch: Watch,
    settings: Mapping[str, Any],
) -> Dataset:
    """Carry out `download`. Raises CancelledError if the run was interrupted."""
    from pixtrawl.cluster.place import into_shards
    from pixtrawl.inputs import lists_of
    from pixtrawl.pipeline.feeders.download import download as pipeline_download

    config = configured(settings)
    if into_shards(config):
        from pixtrawl.api.into_store import download_into_store

        return await download_into_store(manifests, config, watch, settings)
    lists = lists_of(manifests)
    with watch.over(config) as listener, _plainly():
        report = await pipeline_download(
            lists, config, listener=listener, limit_given=settings.get("limit") is not None
        )
    return _result(config, report)


def warn(report: Report, things: str = "images") -> None:
    """Issue a ShortWarning at the line of the user's call if its exit code would not be 0."""
    from pixtrawl.pipeline.report import exit_code

    if exit_code(report) != EXIT_OK:
        from pixtrawl.display.verdict import shortfall

        more = "" if things == "URLs" else " (ds.verdict has all)"
        warnings.warn(f"{shortfall(report, things)}{more}", ShortWarning, stacklevel=4)


@contextmanager
def _plainly() -> Iterator[None]:
    """Unwrap a PixtrawlError from the exception group of a task group."""
    try:
        yield
    except BaseExceptionGroup as group:
        inner = innermost(group)
        if isinstance(inner, PixtrawlError):
            raise inner from None
        raise


def _queries(queries: Queries, config: Config) -> list[Query]:
    from pixtrawl.folder.known_queries import known_queries
    from pixtrawl.inputs import queries_of
    from pixtrawl.queries import QueryDefaults, read_queries

    given = queries_of(queries)
    job = config.job
    defaults = QueryDefaults(
        limit=job.limit, label=job.label, prefix=job.prefix, suffix=job.suffix,
        filters=config.filters,
    )  # fmt: skip
    ready = [query for query in given if isinstance(query, Query)]
    words = [query for query in given if not isinstance(query, Query)]
    if not words:
        return ready
    taken = known_queries(Folder(job.output)) + [(query.label, query.text) for query in ready]
    return ready + read_queries(words, defaults, taken=taken)
