"""Pairs of a kept image and a dropped copy of it, and which of them was found to be better."""

from __future__ import annotations

import sqlite3
from typing import Final

from msgspec import Struct

from pixtrawl.catalog.schema.states import KEPT, CandidateState
from pixtrawl.model import Reason

__all__ = ["CopyToCompare", "note", "to_compare"]

# Copies of which the files are kept aside; a placeholder or a conflict is no better copy.
_COPIES: Final = (Reason.SAME_PICTURE.value, Reason.BETTER_COPY_KEPT.value)


class CopyToCompare(Struct, frozen=True):
    """A dropped copy of a kept image, of whose copies at least one was not yet compared with it."""

    sample_id: int
    label: str
    file_name: str
    kept_sha256: str
    candidate_id: int
    sha256: str
    distance: int  # bits of the perceptual hash


def to_compare(db: sqlite3.Connection, after: int, limit: int) -> list[CopyToCompare]:
    """Return the copies of the next `limit` kept images with ids above `after`, by image.

    Of each image with a new copy all of them, for the choice takes the others into account.
    Images that a person restored (`dedup --undo`) or that a list gave a name stay as they are.
    """
    rows = db.execute(
        "WITH some AS (SELECT DISTINCT s.id FROM candidate c JOIN sample s ON s.id = c.sample_id "
        f"WHERE s.id > ? AND s.state IN {KEPT} AND c.state = {CandidateState.SETTLED} "
        "AND c.reason IN (?, ?) AND c.sha256 IS NOT NULL AND c.sha256 <> s.sha256 "
        "AND NOT EXISTS (SELECT 1 FROM compared WHERE kept = s.sha256 AND other = c.sha256) "
        "AND NOT EXISTS (SELECT 1 FROM pardon p WHERE p.label = s.label AND p.sha256 = s.sha256) "
        "ORDER BY s.id LIMIT ?) "
        "SELECT s.id, s.label, s.file_name, lower(hex(s.sha256)), min(c.id), "
        "lower(hex(c.sha256)), coalesce(c.distance, 0) FROM some JOIN sample s USING (id) "
        "JOIN candidate c ON c.sample_id = s.id WHERE c.reason IN (?, ?) "
        f"AND c.state = {CandidateState.SETTLED} AND c.sha256 IS NOT NULL "
        "AND c.sha256 <> s.sha256 "
        "GROUP BY s.id, c.sha256 ORDER BY s.id, min(c.id)",
        (after, *_COPIES, limit, *_COPIES),
    )
    return [CopyToCompare(*row) for row in rows]


def note(db: sqlite3.Connection, kept: str, other: str, why: str) -> None:
    """Record that `kept` is preferred to `other` (both SHA-256 in hex), and why."""
    db.execute(
        "INSERT OR REPLACE INTO compared (kept, other, why) VALUES (?, ?, ?)",
        (bytes.fromhex(kept), bytes.fromhex(other), why),
    )
