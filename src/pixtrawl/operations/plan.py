"""The plan of a run or download for `--dry-run`, made without network access."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from pixtrawl import sources
from pixtrawl.config.groups import Config
from pixtrawl.model import Query
from pixtrawl.operations.estimate import Estimate, estimate
from pixtrawl.secrets import masked_text
from pixtrawl.sources.filters import CHECKED_LATER

__all__ = [
    "ListPlan",
    "PlannedList",
    "PlannedQuery",
    "PlannedSource",
    "RunPlan",
    "plan",
    "plan_lists",
]


class PlannedQuery(Struct, frozen=True):
    """A query, its label, and the number of images wanted; None: no limit."""

    query: str
    label: str
    wanted: int | None


class PlannedSource(Struct, frozen=True):
    """A source that would be asked; `missing` lists what it lacks, with the next step."""

    name: str
    base_url: str
    cannot_filter: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def checked_later(self) -> tuple[str, ...]:
        """Filters that the source lacks and that are applied to the downloaded images instead."""
        return tuple(name for name in self.cannot_filter if name in CHECKED_LATER)

    @property
    def not_filtered(self) -> tuple[str, ...]:
        """Filters that have no effect on the results of this source."""
        return tuple(name for name in self.cannot_filter if name not in CHECKED_LATER)


class RunPlan(Struct, frozen=True):
    """The result of `run --dry-run`; sources are in the order in which they are asked."""

    queries: tuple[PlannedQuery, ...]
    sources: tuple[PlannedSource, ...]
    filters: Mapping[str, str]
    output: str
    estimate: Estimate | None
    dry_run: bool = True


class PlannedList(Struct, frozen=True):
    """The number of URLs that the lists hold for one query."""

    query: str
    label: str
    urls: int
    wanted: int | None


class ListPlan(Struct, frozen=True):
    """The result of `download --dry-run`; `bad` are unusable lines, each with the problem."""

    queries: tuple[PlannedList, ...]
    bad: tuple[str, ...]
    output: str


def plan(queries: Sequence[Query], config: Config) -> RunPlan:
    """Return what a run of these queries would do. Raises UsageError for an unknown source."""
    filters = config.filters.given()
    names = sources.expand(config.job.sources, config.sources)
    return RunPlan(
        queries=tuple(PlannedQuery(query.text, query.label, query.limit) for query in queries),
        sources=tuple(_source(name, config, filters) for name in names),
        filters=filters,
        output=config.job.output,
        estimate=estimate(config.job.output, queries),
    )


def plan_lists(manifests: Sequence[str], config: Config, *, wanted: int | None) -> ListPlan:
    """Return what a download of these lists would fetch; `wanted` is the limit of each query.

    Raises:
        UsageError: a list cannot be read at all.
    """
    from pixtrawl.pipeline.feeders.download import count_manifests

    counts, bad = count_manifests(manifests, config)
    rows = (PlannedList(text, label, urls, wanted) for (text, label), urls in counts.items())
    return ListPlan(tuple(rows), tuple(bad), config.job.output)


def _source(name: str, config: Config, filters: Mapping[str, str]) -> PlannedSource:
    info, given = sources.load(name).info, config.source(name)
    return PlannedSource(
        name=name,
        base_url=masked_text(given.get("base_url") or given.get("url") or info.base_url),
        cannot_filter=tuple(sorted(filters.keys() - info.filters)),
        missing=tuple(sources.missing(name, config.sources)),
    )
