"""Lines of a list that give no candidate: rows of the catalog all the same, with their outcome.

So that every line of what was given ends in an outcome that can be found by its place.
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
    """A line of the list `name`; its `text` stands where others have their URL."""

    name: str
    number: int  # from 1
    text: str
    problem: str


def note(
    db: sqlite3.Connection, query_id: int, lines: Iterable[BrokenLine], source: str, run_id: int
) -> None:
    """Adds lines to a query, settled as `bad_url`; one that is known already stays as it is."""
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
    """16 bytes of the line and its place: equal lines are different ones, and no URL is like it."""
    place = f"\n{line.name}\n{line.number}\n{line.text}"
    return blake2b(place.encode("utf-8", "replace"), digest_size=16).digest()
