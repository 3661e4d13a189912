"""Rows for the lines of a list that give no candidate, so that every line has an outcome.

The outcome names the list and the number of the line.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

from msgspec import Struct

from pixtrawl.catalog.run_log import now
from pixtrawl.model import Kind, Reason

__all__ = ["BrokenLine", "note"]

_INSERT: Final = (
    "INSERT INTO candidate (query_id, key, url, host, kind, source, rank, state, reason, detail, "
    "run_id, settled_at) VALUES (?, ?, ?, '', ?, ?, ?, 2, ?, ?, ?, ?) "
    "ON CONFLICT (query_id, key) DO NOTHING"
)


class BrokenLine(Struct, frozen=True):
    """A line of the list `name`; its `text` is stored in the column for the URL."""

    name: str
    number: int  # from 1
    text: str
    problem: str


def note(
    db: sqlite3.Connection, query_id: int, lines: Iterable[BrokenLine], source: str, run_id: int
) -> None:
    """Add lines to a query, settled as `bad_url`; leave those that are there already unchanged."""
    at = now()
    for line in lines:
        detail = f"{line.name}:{line.number}: {line.problem}"
        db.execute(
            _INSERT,
            (
                query_id, _key(line), line.text, Kind.ORIGINAL.value, source, line.number,
                Reason.BAD_URL.value, detail, run_id, at,
            ),
        )  # fmt: skip


def _key(line: BrokenLine) -> bytes:
    """Return 16 bytes that are unique per list, line number and text, and equal no URL's key."""
    place = f"\n{line.name}\n{line.number}\n{line.text}"
    return blake2b(place.encode("utf-8", "replace"), digest_size=16).digest()
