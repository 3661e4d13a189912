"""Every way by which an image was found: of its candidates, and of what joined one of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Final

import msgspec

_PROVENANCE: Final = (
    "SELECT c.source, c.rank, c.url, c.page_url, c.title, c.license, c.license_url, c.creator, "
    "q.text, c.distance, c.extra "
    "FROM candidate c JOIN query q ON q.id = c.query_id WHERE c.sample_id = ?1 "
    "UNION ALL "
    "SELECT a.source, a.rank, coalesce(a.url, c.url), a.page_url, a.title, a.license, "
    "a.license_url, a.creator, "
    "q.text, NULL, a.extra FROM also_found a JOIN candidate c ON c.id = a.candidate_id "
    "JOIN query q ON q.id = c.query_id WHERE c.sample_id = ?1"
)
_PROVENANCE_KEYS: Final = (
    "source", "rank", "url", "page_url", "title", "license", "license_url", "creator", "query",
    "distance", "own",
)  # fmt: skip


def provenance_of(db: sqlite3.Connection, sample_id: int) -> tuple[Mapping[str, object], ...]:
    """What is known of each way; `own` are the columns that the user's list has there."""
    return tuple(
        {
            name: msgspec.json.decode(value) if name == "own" else value
            for name, value in zip(_PROVENANCE_KEYS, found, strict=True)
            if value is not None
        }
        for found in db.execute(_PROVENANCE, (sample_id,))
    )
