"""Estimate of what a run will fetch, from earlier runs on the same data set."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing

from msgspec import Struct

from pixtrawl.catalog import frontier, outcomes, queries, run_log
from pixtrawl.catalog.database import connect
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.model import Query

__all__ = ["Estimate", "estimate"]


class Estimate(Struct, frozen=True, kw_only=True):
    """The work that is left: `images` missing, and what fetching them will take.

    `candidates` (to try), `fetched_bytes` and `seconds` are extrapolated from the averages per
    saved image so far. `seconds` is None if no times are recorded.
    """

    images: int
    candidates: int
    fetched_bytes: int
    seconds: float | None
    tried_so_far: int  # candidates that the estimate is based on


def estimate(root: str, queries: Sequence[Query]) -> Estimate | None:
    """Return an estimate; None if the data set has no images yet or a query has no limit."""
    folder = Folder(root)
    if not folder.catalog.is_file() or any(query.limit is None for query in queries):
        return None
    with closing(connect(folder.catalog, read_only=True)) as db:
        missing = sum(max(0, (query.limit or 0) - _saved(db, query)) for query in queries)
        so_far = outcomes.efforts(db)
        elapsed_s = run_log.elapsed_in_all_s(db)
    if not so_far.saved:
        return None
    return Estimate(
        images=missing,
        candidates=round(missing * so_far.tried / so_far.saved),
        fetched_bytes=round(missing * so_far.fetched_bytes / so_far.saved),
        seconds=round(missing * elapsed_s / so_far.saved, 1) if elapsed_s else None,
        tried_so_far=so_far.tried,
    )


def _saved(db: sqlite3.Connection, query: Query) -> int:
    query_id = queries.id_of(db, query)
    return 0 if query_id is None else frontier.saved_count(db, query_id)
