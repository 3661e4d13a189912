"""The kept images with what a class check needs of each: label, host, file, a person's mark."""

from __future__ import annotations

import sqlite3

from msgspec import Struct

from pixtrawl.catalog.look_table import marked_ids
from pixtrawl.catalog.states import KEPT, SampleState
from pixtrawl.model import Reason

__all__ = ["CheckedImage", "Marked", "images", "marked", "numbered"]


class CheckedImage(Struct, frozen=True):
    """One kept image."""

    id: int
    label: str
    file_name: str
    host: str


class Marked(Struct, frozen=True):
    """An image that a person kept or refused, with the label under which it is or was."""

    id: int
    label: str
    wanted: bool


def images(db: sqlite3.Connection, label: str | None = None) -> list[CheckedImage]:
    """Return the kept images (of one label, if given) by label and number."""
    rows = db.execute(
        "SELECT s.id, s.label, s.file_name, c.host FROM sample s "
        f"JOIN candidate c ON c.id = s.candidate_id WHERE s.state IN {KEPT} "
        "AND (?1 IS NULL OR s.label = ?1) ORDER BY s.label, s.number",
        (label,),
    )
    known: dict[str, str] = {}  # one of each: 100,000 rows would hold 13 MB of equal words
    same = known.setdefault
    return [CheckedImage(id_, same(own, own), file_name, same(host, host))
            for id_, own, file_name, host in rows]  # fmt: skip


def numbered(db: sqlite3.Connection) -> dict[int, tuple[str, int]]:
    """Return label and number of the kept images, by id."""
    rows = db.execute(
        f"SELECT id, label, number FROM sample WHERE state IN {KEPT} ORDER BY number, id"
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def marked(db: sqlite3.Connection) -> list[Marked]:
    """Return the images that a person kept or refused, by id."""
    wanted = marked_ids(db)
    rows = db.execute(
        "SELECT s.id, s.label, s.state FROM sample s JOIN refused r ON r.sample_id = s.id "
        f"WHERE s.state = {SampleState.WITHDRAWN} AND s.withdrawn_for = ? UNION "
        f"SELECT s.id, s.label, s.state FROM sample s WHERE s.state IN {KEPT} AND s.id IN "
        "(SELECT value FROM json_each(?))",
        (Reason.REFUSED_BY_PERSON.value, str(sorted(wanted))),
    )
    return [Marked(id_, label, state != SampleState.WITHDRAWN) for id_, label, state in rows]
