"""Builds the report from the catalog: counts by outcome and reason, per query and source."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from pixtrawl.catalog import frontier, kept, outcomes, queries, run_log, samples
from pixtrawl.catalog.database import connect
from pixtrawl.catalog.frontier import saved_count
from pixtrawl.errors import (
    EXIT_ENVIRONMENT,
    EXIT_INTERRUPTED,
    EXIT_NOTHING,
    EXIT_OK,
    EXIT_SHORT,
)
from pixtrawl.folder import evidence
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.disk_trouble import explained_disk_errors
from pixtrawl.folder.recovery.by_hand import ByHand
from pixtrawl.folder.recovery.catch_up import catch_up
from pixtrawl.model import REASONS, Reason, SourceOutcome, Status
from pixtrawl.pipeline.changes import asked_otherwise, changed_rules
from pixtrawl.report import QueryReport, Report
from pixtrawl.secrets import masked_text

_CAUSES: Final = 5  # number of most frequent causes of one reason
_MOST: Final = 100  # maximum number of pictures under several labels in a report
_END_REASON: Final = {
    "interrupted": Reason.INTERRUPTED,
    "budget": Reason.BUDGET,
}


def report(root: Path | str, *, notify: Callable[[ByHand], None] = lambda _: None) -> Report:
    """Return the report on all queries of a data set; pass changes by hand to `notify`.

    Raise UsageError where there is none.
    """
    folder = Folder(root)
    missing = catch_up(folder, contents=False, notify=notify).missing
    with explained_disk_errors(folder), closing(connect(folder.catalog, read_only=True)) as db:
        ids = [query.id for query in queries.every(db)]
        return build(db, folder, ids, missing=missing)


def build(
    db: sqlite3.Connection,
    folder: Folder,
    query_ids: Sequence[int],
    *,
    missing: Collection[int] = (),
) -> Report:
    """Return the report on some queries, cumulative over all runs.

    `missing` are the ids of images whose files are gone from a folder that cannot be written.
    """
    run = run_log.last_run(db)
    end_reason = run.end_reason if run else None
    rows = [_query(db, folder, query_id) for query_id in query_ids]
    reasons = _reasons(db, rows, end_reason)
    gone = Counter(samples.queries_of(db, missing))
    for query_id, query in zip(query_ids, rows, strict=True):
        query["saved"] -= gone[query_id]
    bare = folder.is_bare()  # a copy without its hidden files: no run is recorded
    found = {
        "output": folder.shown,
        "queries": rows,
        "totals": _totals(reasons),
        "reasons": {reason.value: count for reason, count in reasons.items()},
        "causes": _causes(db, reasons),
        "bytes": run.fetched_bytes if run else 0,
        "elapsed_s": round(run.elapsed_s, 3) if run else 0.0,
        "interrupted": end_reason == "interrupted",
        "end_reason": end_reason or ("unknown" if bare else "killed"),
        "read_only": bare,
        "cut_short": end_reason == "budget"
        and reasons.get(Reason.BUDGET, 0) > 0
        and any(query["wanted"] is None for query in rows),
        "not_asked": sum(map(_not_asked, rows)),
        "junk_kept": _junk_kept(db, query_ids),
        "across_labels": _across_labels(db),
        "changed_rules": changed_rules(db),
        "durability": run_log.last_settings(db).get("job", {}).get("durability", "unknown"),
        "ai_preferences": _preferences(db, reasons),
        "steering": run_log.last_settings(db).get("steering"),
    }
    return Report.of(found)


def _preferences(db: sqlite3.Connection, reasons: Mapping[Reason, int]) -> dict[str, Any]:
    """Return how the last run took owners' statements; a bare copy has no run."""
    found = {"refused": reasons.get(Reason.OPTED_OUT, 0)}
    runs = run_log.every_settings(db)
    settings = runs[-1].get("politeness", {}) if runs else {}
    if "purpose" in settings:
        found |= {"purpose": settings["purpose"], "ignored": settings["ignore_ai_preferences"]}
    return found


def _not_asked(query: Mapping[str, Any]) -> int:
    """Return how many URLs of an incomplete query were not requested as their host was out."""
    if query["wanted"] is not None and query["saved"] >= query["wanted"]:
        return 0
    return int(query["reasons"].get(Reason.HOST_OUT, 0))


def _reasons(
    db: sqlite3.Connection, rows: Iterable[Mapping[str, Any]], end_reason: str | None
) -> dict[Reason, int]:
    """Count outcomes by reason; open candidates count under the reason the run ended for."""
    counts: Counter[Reason] = Counter()
    for row in rows:
        counts.update({Reason(name): count for name, count in row["reasons"].items()})
        counts[_still_open(end_reason)] += frontier.open_count(db, row["id"])
    counts = +counts
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _causes(db: sqlite3.Connection, reasons: Collection[Reason]) -> dict[str, dict[str, int]]:
    """Count the causes of failed TLS connections, which are the details up to the first colon."""
    if Reason.TLS_FAILED not in reasons:
        return {}
    counts: Counter[str] = Counter()
    for detail, count in outcomes.details_of(db, Reason.TLS_FAILED).items():
        # A host whose robots.txt cannot be had is not asked for the file: the cause is the same.
        counts[(detail or "unknown").removeprefix("robots.txt: ").partition(":")[0]] += count
    return {Reason.TLS_FAILED.value: dict(counts.most_common(_CAUSES))}


def open_reason(db: sqlite3.Connection) -> Reason:
    """Return the reason for candidates without an outcome, from how the last run ended."""
    run = run_log.last_run(db)
    return _still_open(run.end_reason if run else None)


def _still_open(end_reason: str | None) -> Reason:
    return _END_REASON.get(end_reason or "interrupted", Reason.NOT_NEEDED)


def _detail(folder: Folder, text: str) -> dict[str, Any]:
    """Return the detail of a source's outcome, with the current paths of its evidence."""
    detail: dict[str, Any] = json.loads(masked_text(text))
    if isinstance(saved := detail.get("evidence"), list):
        detail["evidence"] = [evidence.where(folder, str(path)) for path in saved]
    return detail


def _junk_kept(db: sqlite3.Connection, query_ids: Iterable[int]) -> dict[str, int]:
    """Count images of the user's lists that look like junk, the most frequent kind first."""
    counts: Counter[str] = Counter()
    for query_id in query_ids:
        counts.update(outcomes.junk_kept(db, query_id))
    return dict(counts.most_common())


def _totals(reasons: Mapping[Reason, int]) -> dict[str, int]:
    totals = {"candidates": 0} | {status.value: 0 for status in Status}
    for reason, count in reasons.items():
        totals["candidates"] += count
        totals[REASONS[reason].status.value] += count
    return totals


def _query(db: sqlite3.Connection, folder: Folder, query_id: int) -> dict[str, Any]:
    query = queries.one(db, query_id)
    saved = saved_count(db, query_id)
    wanted = query.wanted
    if wanted is not None:
        wanted = max(0, wanted - frontier.unfilled_count(db, query_id))
    # A killed run left no outcome: if the query is complete, the source counts as OK.
    unknown = SourceOutcome.OK if wanted is not None and saved >= wanted else None
    answers = run_log.answers(db, query_id)
    sources = {
        answer.source: {
            "outcome": answer.outcome or unknown,
            "found": answer.found,
            "detail": _detail(folder, answer.detail),
            "exhausted": answer.exhausted,
        }
        for answer in answers
        if not answer.slice
    }
    slices = [
        {
            "source": answer.source, "slice": answer.slice, "outcome": answer.outcome,
            "found": answer.found, "new": answer.new,
        }
        for answer in answers
        if answer.slice
    ]  # fmt: skip
    reasons = outcomes.settled_counts(db, query_id)
    untried = frontier.open_count(db, query_id) + reasons.get(Reason.NOT_NEEDED.value, 0)
    row: dict[str, Any] = {
        "id": query_id,
        "query": query.text,
        "label": query.label,
        "wanted": wanted,
        "saved": saved,
        "sources": sources,
        "reasons": reasons,
        "untried": untried,
    }
    if moved := frontier.moved_count(db, query_id):
        row["under_other_labels"] = moved
    if slices:
        row["slices"] = slices
    if query.filters != "{}":
        row["filters"] = json.loads(query.filters)
    if before := asked_otherwise(db, query_id):
        row["asked_otherwise"] = before
    return row


def _across_labels(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """Return up to `_MOST` pictures under several labels: same bytes first, then near duplicates.

    `distance` is in bits of the perceptual hash; 0 for the same bytes.
    """
    same = [
        {"sha256": one.sha256, "files": list(one.file_names), "distance": 0}
        for one in kept.under_several_labels(db, _MOST)
    ]
    return same + [
        {"sha256": pair.sha256, "files": [pair.first, pair.later], "distance": pair.distance}
        for pair in kept.conflicts(db, _MOST - len(same))
    ]


def exit_code(result: Report, *, strict: bool = False) -> int:
    """Return the exit code; `strict` counts failed, rejected and skipped URLs as short."""
    if result.interrupted:
        return EXIT_INTERRUPTED
    queries, totals = result.queries, result.totals
    short = any(query.wanted is not None and query.is_short for query in queries)
    if not any(query.saved for query in queries) and (
        short or all(query.wanted is None for query in queries)
    ):
        return EXIT_ENVIRONMENT if _no_browser(queries) else EXIT_NOTHING
    if (
        short
        or result.cut_short
        or (strict and totals.failed + totals.rejected + totals.skipped > 0)
    ):
        return EXIT_SHORT
    return EXIT_OK


def _no_browser(queries: Sequence[QueryReport]) -> bool:
    """Whether every source failed for lack of a browser."""
    outcomes = [source.outcome for query in queries for source in query.sources.values()]
    return bool(outcomes) and all(one is SourceOutcome.BROWSER_MISSING for one in outcomes)
