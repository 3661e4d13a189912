"""Builds the sources from the settings, each with its HTTP client and circuit breaker.

Separate from `run`, so that finding URLs does not import what downloading needs (90 ms).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pixtrawl.catalog.database import Catalog
from pixtrawl.config.groups import Config
from pixtrawl.errors import UsageError
from pixtrawl.events import Event, Notice
from pixtrawl.net.crawl_http import CrawlHttp
from pixtrawl.net.hosts.accounts import HostAccounts
from pixtrawl.net.interface import Http
from pixtrawl.net.source_http import SourceHttp
from pixtrawl.pipeline.discovery.breaker import Breaker
from pixtrawl.pipeline.discovery.breakers import Breakers
from pixtrawl.pipeline.discovery.discovery import Discovery
from pixtrawl.pipeline.discovery.slices import SlicePlan, plan, read_synonyms
from pixtrawl.pipeline.run_settings import known_secrets
from pixtrawl.sources import expand, opened
from pixtrawl.sources.base import Evidence, Source, StartsEarly
from pixtrawl.sources.contact import contact_wanted


def open_sources(config: Config) -> dict[str, Source]:
    """Return the sources of the settings by name, in order. Raise UsageError."""
    return {name: _open(name, config) for name in expand(config.job.sources, config.sources)}


def _open(name: str, config: Config) -> Source:
    """Return one source with its settings."""
    given = dict(config.source(name))
    if name == "urls":
        columns = {
            column: getattr(config.lists, column) for column in ("url_column", "label_column")
        }
        given |= {column: word for column, word in columns.items() if word and column not in given}
    return opened(name, given, config.fetch)


async def begin(sources: Mapping[str, Source], queries: int) -> None:
    """Start the sources that are slow to start, before they are asked."""
    for source in sources.values():
        if queries and isinstance(source, StartsEarly):
            source.begin(queries)
    await asyncio.sleep(0)  # yields to the event loop, so that they start before the rest is set up


def open_plan(config: Config) -> SlicePlan | None:
    """Return how to slice queries of exhausted sources; None for not at all. Raise UsageError."""
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


def open_discovery(  # noqa: PLR0913 - everything that a run has of it
    sources: Mapping[str, Source],
    config: Config,
    hosts: HostAccounts,
    catalog: Catalog,
    evidence: Evidence,
    emit: Callable[[Event], None],
    *,
    queries: int,
    plan: SlicePlan | None,
) -> Discovery:
    """Return the discovery for `queries` queries, with a rate limit per source.

    `plan` slices the query when a source has ended. Raise UsageError for an invalid delay.
    """
    if queries and (wanted := contact_wanted(sources, config)):
        emit(Notice(wanted))
    breakers = Breakers(sources, emit, patience_s=config.politeness.patience_s, queries=queries)
    http = {
        name: _way(source, delay_s(source, config.source(name)), hosts, breakers.get(name))
        for name, source in sources.items()
    }
    return Discovery(
        sources, http, catalog, evidence, emit, breakers, plan=plan,
        ignore_robots=config.politeness.ignore_robots, secrets=known_secrets(config),
        preferences=config.politeness.preferences,
    )  # fmt: skip


def _way(source: Source, pace_s: float, hosts: HostAccounts, breaker: Breaker | None) -> Http:
    """Return the HTTP client of a source, which waits `pace_s` between requests."""
    if source.info.crawls:
        return CrawlHttp(hosts, delay_s=pace_s)
    return SourceHttp(hosts.client, delay_s=pace_s, guard=breaker)


def delay_s(source: Source, settings: Mapping[str, str]) -> float:
    """Return the delay in seconds between requests to a source.

    The default of the source applies to its built-in base URL only. Raise UsageError.
    """
    if given := settings.get("delay_s"):
        try:
            return float(given)
        except ValueError:
            raise UsageError(f"{source.name}.delay_s: {given!r} is no number of seconds") from None
    return 0.0 if settings.get("base_url") else source.info.delay_s
