"""What a run would ask of which source: the answer to `--dry-run`, without a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pixtrawl import sources
from pixtrawl.config.groups import Config
from pixtrawl.display.screen import clean, columns, note, out, out_json, plural
from pixtrawl.model import Query
from pixtrawl.secrets import masked_text

MAX_QUERIES: Final = 20  # listed; `--json` lists all


def show_plan(queries: Sequence[Query], config: Config, *, as_json: bool) -> int:
    """Prints the plan. Returns the exit code. Raises UsageError for an unknown source."""
    plan = make_plan(queries, config)
    if as_json:
        out_json(plan)
        return 0
    rows = [
        (clean(row["query"]), "all" if row["wanted"] is None else str(row["wanted"]), row["label"])
        for row in plan["queries"][:MAX_QUERIES]
    ]
    out(columns([("query", "wanted", "folder"), *rows], right={1}))
    if more := len(queries) - len(rows):
        out(f"… and {plural(more, 'query', 'queries')} more")
    out("\nwould be asked, in this order:")
    out(columns([_source_row(source) for source in plan["sources"]]))
    if plan["filters"]:
        out(f"filters: {', '.join(f'{k}={v}' for k, v in plan['filters'].items())}")
    out(f"into: {clean(plan['output'])}   nothing was sent (--dry-run)")
    return 0


def show_manifests(
    manifests: Sequence[str], config: Config, *, limit_given: bool, as_json: bool
) -> int:
    """Prints what is in the manifests, and each line that cannot be used. Returns the exit code.

    Raises:
        UsageError: a manifest that cannot be read at all.
    """
    from pixtrawl.pipeline.feeders.download import count_manifests

    counts, bad = count_manifests(manifests, config)
    wanted = config.job.limit if limit_given else None
    if as_json:
        rows = [
            {"query": text, "label": label, "urls": urls, "wanted": wanted}
            for (text, label), urls in counts.items()
        ]
        plan = {"dry_run": True, "queries": rows, "bad_lines": len(bad)}
        out_json({**plan, "output": config.job.output})
        return 0
    for line in bad:
        note(f"warning: {line}")
    listed = [(clean(text), str(urls), label) for (text, label), urls in counts.items()]
    out(columns([("query", "URLs", "folder"), *listed[:MAX_QUERIES]], right={1}))
    if (more := len(listed) - MAX_QUERIES) > 0:
        out(f"… and {plural(more, 'query', 'queries')} more")
    out(f"into: {clean(config.job.output)}   nothing was sent (--dry-run)")
    return 0


def make_plan(queries: Sequence[Query], config: Config) -> dict[str, Any]:
    """The plan as plain values."""
    filters = config.filters.given()
    names = sources.expand(config.job.sources, config.sources)
    return {
        "dry_run": True,
        "queries": [
            {"query": query.text, "label": query.label, "wanted": query.limit} for query in queries
        ],
        "sources": [_source(name, config, filters) for name in names],
        "filters": filters,
        "output": config.job.output,
    }


def _source(name: str, config: Config, filters: dict[str, str]) -> dict[str, Any]:
    info, given = sources.load(name).info, config.source(name)
    return {
        "name": name,
        "base_url": masked_text(given.get("base_url") or given.get("url") or info.base_url),
        "cannot_filter": sorted(filters.keys() - info.filters),
        "missing": sources.missing(name, config.sources),
    }


def _source_row(source: dict[str, Any]) -> tuple[str, str, str]:
    from pixtrawl.sources.filters import CHECKED_LATER

    remarks = [*source["missing"]]
    later = [name for name in source["cannot_filter"] if name in CHECKED_LATER]
    if later:
        remarks.append(f"{', '.join(later)}: checked after the download")
    if never := [name for name in source["cannot_filter"] if name not in CHECKED_LATER]:
        remarks.append(f"cannot filter by {', '.join(never)}")
    return f"  {source['name']}", source["base_url"], clean("; ".join(remarks))
