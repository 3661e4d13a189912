"""The content of `keyword_urls.txt`: each query's URLs, kept images first, then untried ones."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from pixtrawl.catalog.schema.states import KEPT, CandidateState, SampleState

__all__ = ["Place", "moved", "texts", "urls"]

Place = tuple[int, int, int, str]  # 0 kept or 1 untried, number or rank, row, URL


def texts(db: sqlite3.Connection) -> list[str]:
    """Return the texts of all queries, each once, in the order in which they were first asked."""
    rows = db.execute("SELECT text, min(id) AS first FROM query GROUP BY text ORDER BY first")
    return [row[0] for row in rows]


def moved(db: sqlite3.Connection) -> dict[str, list[Place]]:
    """Return the images that a person relabelled, by the first query of the new label.

    The label itself is the key where it has no query.
    """
    left_behind = f"SELECT 1 FROM sample WHERE state = {SampleState.RELABELLED} LIMIT 1"
    if db.execute(left_behind).fetchone() is None:
        return {}
    rows = db.execute(
        "SELECT coalesce((SELECT o.text FROM query o WHERE o.label = s.label ORDER BY o.id LIMIT 1)"
        ", s.label), s.number, s.id, coalesce(c.fetched_url, c.url) FROM sample s "
        "JOIN candidate c ON c.id = s.candidate_id JOIN query q ON q.id = s.query_id "
        f"WHERE s.state IN {KEPT} AND s.label <> q.label ORDER BY 2, 3"
    )
    found: dict[str, list[Place]] = {}
    for text, number, row_id, url in rows:
        found.setdefault(text, []).append((0, number, row_id, url))
    return found


def urls(db: sqlite3.Connection, text: str) -> Iterator[Place]:
    """Yield the places of all queries with this text, in their order."""
    yield from db.execute(
        # the URL that gave the image: the one found first may have been dead
        "SELECT 0 AS part, s.number AS place, s.id AS id, coalesce(c.fetched_url, c.url) "
        "FROM sample s "
        "JOIN candidate c ON c.id = s.candidate_id JOIN query q ON q.id = s.query_id "
        f"WHERE q.text = ?1 AND s.label = q.label AND s.state IN {KEPT} "
        "UNION ALL "
        "SELECT 1, CASE WHEN c.rank > 0 THEN c.rank ELSE c.id END, c.id, c.url "
        "FROM candidate c JOIN query q ON q.id = c.query_id "
        f"WHERE q.text = ?1 AND c.state < {CandidateState.SETTLED} "
        "AND c.kind <> 'thumbnail' ORDER BY part, place, id",
        (text,),
    )
