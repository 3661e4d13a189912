"""Print the plan of `--dry-run`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import to_builtins

from pixtrawl.amounts import plural, size, span
from pixtrawl.config.groups import Config
from pixtrawl.display.screen import clean, columns, note, out, out_json
from pixtrawl.model import Query
from pixtrawl.operations.estimate import Estimate
from pixtrawl.operations.plan import PlannedSource, plan, plan_lists

MAX_QUERIES: Final = 20  # listed; `--json` lists all


def show_plan(queries: Sequence[Query], config: Config, *, as_json: bool) -> int:
    """Print the plan. Return the exit code. Raises UsageError for an unknown source."""
    planned = plan(queries, config)
    if as_json:
        out_json(to_builtins(planned))
        return 0
    rows = [
        (clean(row.query), "all" if row.wanted is None else str(row.wanted), row.label)
        for row in planned.queries[:MAX_QUERIES]
    ]
    out(columns([("query", "wanted", "folder"), *rows], right={1}))
    if more := len(queries) - len(rows):
        out(f"… and {plural(more, 'query', 'queries')} more")
    out("\nwould be asked, in this order:")
    out(columns([_source_row(source) for source in planned.sources]))
    if planned.filters:
        out(f"filters: {', '.join(f'{k}={v}' for k, v in planned.filters.items())}")
    if planned.estimate is not None:
        out(_estimate(planned.estimate))
    out(f"into: {clean(planned.output)}   nothing was sent (--dry-run)")
    return 0


def show_manifests(
    manifests: Sequence[str], config: Config, *, limit_given: bool, as_json: bool
) -> int:
    """Print the contents of the manifests and each unusable line. Return the exit code.

    Raises:
        UsageError: a manifest that cannot be read at all.
    """
    planned = plan_lists(manifests, config, wanted=config.job.limit if limit_given else None)
    if as_json:
        rows = to_builtins(planned.queries)
        bad_lines = len(planned.bad)
        out_json(
            {"dry_run": True, "queries": rows, "bad_lines": bad_lines, "output": planned.output}
        )
        return 0
    for line in planned.bad:
        note(f"warning: {line}")
    listed = [(clean(row.query), str(row.urls), row.label) for row in planned.queries]
    out(columns([("query", "URLs", "folder"), *listed[:MAX_QUERIES]], right={1}))
    if (more := len(listed) - MAX_QUERIES) > 0:
        out(f"… and {plural(more, 'query', 'queries')} more")
    out(f"into: {clean(planned.output)}   nothing was sent (--dry-run)")
    return 0


def _source_row(source: PlannedSource) -> tuple[str, str, str]:
    remarks = [*source.missing]
    if source.checked_later:
        remarks.append(f"{', '.join(source.checked_later)}: checked after the download")
    if source.not_filtered:
        remarks.append(f"cannot filter by {', '.join(source.not_filtered)}")
    return f"  {source.name}", source.base_url, clean("; ".join(remarks))


def _estimate(one: Estimate) -> str:
    """Return one line that estimates a job from the figures of earlier runs."""
    if not one.images:
        return "all of it is there already"
    facts = [plural(one.candidates, "candidate"), size(float(one.fetched_bytes))]
    facts += [span(one.seconds)] if one.seconds is not None else []
    missing = plural(one.images, "missing image")
    return f"estimate for {missing}, as earlier runs went: {', '.join(facts)}"
