"""Rules and filters that changed between the runs of a data set, for the report.

New rules apply to new candidates only; decisions under old rules stay. The report states this,
because such a data set was not made by a single set of rules.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any, Final

from pixtrawl.catalog import queries, run_log
from pixtrawl.catalog.frontier import saved_count

# Settings that decide whether an image is kept. The others change how it is fetched.
_RULES: Final = (
    "images.min_size", "images.max_pixels", "images.max_scans", "images.max_frames",
    "images.max_frame_pixels", "images.max_blocks", "images.max_aspect", "images.check",
    "images.dedup", "images.turned", "images.junk", "images.conflict", "images.allow_thumbnails",
    "images.exclude",
    "filters.license", "filters.aspect", "fetch.max_bytes",
    "politeness.ignore_robots", "politeness.purpose", "politeness.ignore_ai_preferences",
)  # fmt: skip


def changed_rules(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """Return the rules that differ between runs: `setting`, `now`, `before` (oldest first)."""
    runs = [settings for settings in run_log.every_settings(db) if settings]
    changed = []
    for rule in _RULES if len(runs) > 1 else ():
        values = [_value(run, rule) for run in runs]
        before = [value for at, value in enumerate(values) if value not in values[:at]]
        if len(before) > 1:
            others = [value for value in before if value != values[-1]]
            changed.append({"setting": rule, "now": values[-1], "before": others})
    return changed


def asked_otherwise(db: sqlite3.Connection, query_id: int) -> list[dict[str, Any]]:
    """Return the queries with the same words but other filters: `filters`, images `saved`."""
    return [
        {"filters": json.loads(other.filters), "saved": saved_count(db, other.id)}
        for other in queries.of_same_words(db, query_id)
    ]


def _value(run: dict[str, Any], rule: str) -> Any:
    group, _, key = rule.partition(".")
    value = run.get(group, {}).get(key)
    return "x".join(map(str, value)) if isinstance(value, list) else value
