"""How much a run would fetch, judged by what the same data set came to so far."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing

from msgspec import Struct

from pixtrawl.catalog import frontier
from pixtrawl.catalog.database import connect
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.model import Query

__all__ = ["Estimate", "estimate"]


class Estimate(Struct, frozen=True, kw_only=True):
    """What is likely, from earlier runs of the data set.

    Each figure is a mean of what was: `images` are still missing, `candidates` have to be tried for
    them, `fetched_bytes` cross the network, `seconds` pass. None where nothing tells.
    """

    images: int
    candidates: int
    fetched_bytes: int
    seconds: float | None
    tried_so_far: int  # candidates that it is based on


def estimate(root: str, queries: Sequence[Query]) -> Estimate | None:
    """None where the data set is new, or a query asks for all there is."""
    folder = Folder(root)
    if not folder.catalog.is_file() or any(query.limit is None for query in queries):
        return None
    with closing(connect(folder.catalog, read_only=True)) as db:
        missing = sum(max(0, (query.limit or 0) - _saved(db, query)) for query in queries)
        tried, saved, fetched = db.execute(
            "SELECT count(*), coalesce(sum(reason = 'saved'), 0), coalesce(sum(size_bytes), 0) "
            "FROM candidate WHERE attempts > 0"
        ).fetchone()
        (elapsed_s,) = db.execute("SELECT coalesce(sum(elapsed_s), 0) FROM run").fetchone()
    if not saved:
        return None
    return Estimate(
        images=missing,
        candidates=round(missing * tried / saved),
        fetched_bytes=round(missing * fetched / saved),
        seconds=round(missing * elapsed_s / saved, 1) if elapsed_s else None,
        tried_so_far=tried,
    )


def _saved(db: sqlite3.Connection, query: Query) -> int:
    row = db.execute(
        "SELECT id FROM query WHERE text = ? AND label = ? AND filters = ?",
        (query.text, frontier.actual_label(db, query.label), frontier.filters_json(query)),
    ).fetchone()
    return 0 if row is None else frontier.saved_count(db, row[0])
