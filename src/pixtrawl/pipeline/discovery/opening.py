"""Sources ready to be asked: made from the settings, each with its way to the network.

Apart from `run`, so that finding URLs does not import what downloading needs: 90 ms.
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
from pixtrawl.net.host_accounts import HostAccounts
from pixtrawl.net.interface import Http
from pixtrawl.net.source_http import SourceHttp
from pixtrawl.pipeline.discovery.breaker import Breaker
from pixtrawl.pipeline.discovery.breakers import Breakers
from pixtrawl.pipeline.discovery.discovery import Discovery
from pixtrawl.pipeline.discovery.slices import SlicePlan, plan, read_synonyms
from pixtrawl.sources import expand, load
from pixtrawl.sources.base import Evidence, Source, StartsEarly
from pixtrawl.sources.contact import contact_wanted


def open_sources(config: Config) -> dict[str, Source]:
    """The sources that were asked for, in order. Raises UsageError."""
    return {name: _open(name, config) for name in expand(config.job.sources, config.sources)}


def _open(name: str, config: Config) -> Source:
    """One source with its settings; one that has a way out of its own takes the general proxy."""
    kind = load(name)
    given = dict(config.source(name))
    if config.fetch.proxy and any(setting.key == "proxy" for setting in kind.info.settings):
        given.setdefault("proxy", config.fetch.proxy)
    if name == "urls":
        columns = {
            column: getattr(config.lists, column) for column in ("url_column", "label_column")
        }
        given |= {column: word for column, word in columns.items() if word and column not in given}
    return kind(given)


async def begin(sources: Mapping[str, Source], queries: int) -> None:
    """Lets those that start slowly do so now."""
    for source in sources.values():
        if queries and isinstance(source, StartsEarly):
            source.begin(queries)
    await asyncio.sleep(0)  # now, and not when everything else has been made ready


def open_plan(config: Config) -> SlicePlan | None:
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
    """Everything by which so many queries ask the sources, each at its own pace.

    `plan` is how a source that has no more is asked on. Raises UsageError for a bad pace.
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
        ignore_robots=config.politeness.ignore_robots,
    )  # fmt: skip


def _way(source: Source, pace_s: float, hosts: HostAccounts, breaker: Breaker | None) -> Http:
    """A source's way to the network."""
    if source.info.crawls:
        return CrawlHttp(hosts, delay_s=pace_s)
    return SourceHttp(hosts.client, delay_s=pace_s, guard=breaker)


def delay_s(source: Source, settings: Mapping[str, str]) -> float:
    """A source's pace: its live one applies to its built-in base URL only."""
    if given := settings.get("delay_s"):
        try:
            return float(given)
        except ValueError:
            raise UsageError(f"{source.name}.delay_s: {given!r} is no number of seconds") from None
    return 0.0 if settings.get("base_url") else source.info.delay_s
