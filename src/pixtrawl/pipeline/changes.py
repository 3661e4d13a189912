"""Rules and filters that changed between the runs of a data set, for the report.

They hold for new candidates: what was kept or refused under the old ones stays. A reader of
the data set has to know that it was not made by one rule.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any, Final

from pixtrawl.catalog import queries, run_log
from pixtrawl.catalog.frontier import saved_count

# What decides whether an image is kept. The other settings change how it is fetched.
_RULES: Final = (
    "images.min_size", "images.max_pixels", "images.max_aspect", "images.check", "images.dedup",
    "images.turned", "images.junk", "images.conflict", "images.allow_thumbnails",
    "filters.license", "filters.aspect", "fetch.max_bytes",
)  # fmt: skip


def changed_rules(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """Rules whose value is not the same in all runs: `setting`, `now`, `before` (oldest first)."""
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
    """The same words and folder with other filters: `filters` and what was `saved` by them."""
    return [
        {"filters": json.loads(other.filters), "saved": saved_count(db, other.id)}
        for other in queries.of_same_words(db, query_id)
    ]


def _value(run: dict[str, Any], rule: str) -> Any:
    group, _, key = rule.partition(".")
    value = run.get(group, {}).get(key)
    return "x".join(map(str, value)) if isinstance(value, list) else value
