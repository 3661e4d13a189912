"""Groups of images that look the same: a kept one, and what was dropped in its favour."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from pixtrawl.catalog.schema.states import KEPT, CandidateState
from pixtrawl.model import Reason

__all__ = ["GroupMember", "members", "with_conflicts", "with_copies"]

_COPIES: Final = (
    f"c.state = {CandidateState.SETTLED} AND c.reason IN "
    f"('{Reason.SAME_PICTURE.value}', '{Reason.BETTER_COPY_KEPT.value}')"
)


class GroupMember(Struct, frozen=True):
    """A member of the group of a kept image: a dropped candidate, or an image of another label."""

    of: int  # the kept image
    candidate_id: int | None
    sample_id: int | None
    reason: str
    distance: int | None  # bits of the perceptual hash
    url: str


def with_copies(db: sqlite3.Connection) -> frozenset[int]:
    """Return the kept images that have a dropped copy, or a like image under another label."""
    rows = db.execute(
        f"SELECT c.sample_id FROM candidate c WHERE c.sample_id IS NOT NULL AND {_COPIES} "
        "UNION SELECT sample_id FROM conflict"
    )
    return frozenset(row[0] for row in rows)


def with_conflicts(db: sqlite3.Connection) -> frozenset[int]:
    """Return the kept images that have a like image, kept as well, under another label."""
    rows = db.execute(
        f"SELECT f.sample_id FROM conflict f JOIN sample o ON o.id = f.other_id "
        f"WHERE o.state IN {KEPT}"
    )
    return frozenset(row[0] for row in rows)


def members(db: sqlite3.Connection, ids: Sequence[int]) -> list[GroupMember]:
    """Return the members of the groups of these images, the closest first."""
    given = json.dumps(list(ids))
    rows = db.execute(
        "SELECT c.sample_id, c.id, NULL, c.reason, c.distance, coalesce(c.fetched_url, c.url) "
        "FROM candidate c WHERE c.sample_id IN (SELECT value FROM json_each(?1)) "
        f"AND {_COPIES} UNION ALL "
        f"SELECT f.sample_id, NULL, o.id, '{Reason.LABEL_CONFLICT.value}', f.distance, o.file_name "
        "FROM conflict f JOIN sample o ON o.id = f.other_id "
        f"WHERE f.sample_id IN (SELECT value FROM json_each(?1)) AND o.state IN {KEPT} "
        "ORDER BY 1, 5, 2",
        (given,),
    )
    return [GroupMember(*row) for row in rows]
