"""What is decided when images, or a whole label, are put under another label: rows only.

Files follow after the commit (`relabel.finish_moves`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from msgspec import Struct

from pixtrawl.catalog import relations
from pixtrawl.catalog.states import KEPT, SampleState
from pixtrawl.folder import relabel
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.model import Reason

__all__ = ["Relabelled", "images", "move", "move_back", "rename", "undo_batch"]

Row = tuple[int, str, str]  # id, label, file name


class Relabelled(Struct, frozen=True):
    """An image and where it is now; `new_name` is "" where its label has the same bytes already."""

    old_name: str
    new_name: str


def images(db: sqlite3.Connection, name: str) -> list[Row]:
    """The image of this file name, or all of this label."""
    return db.execute(
        "SELECT id, label, file_name FROM sample WHERE (file_name = ?1 OR label = ?1) "  # noqa: S608
        f"AND state IN {KEPT} ORDER BY number",
        (name,),
    ).fetchall()


def rename(
    db: sqlite3.Connection, rows: Sequence[Row], old: str, new: str, batch: int | None
) -> dict[int, Relabelled]:
    """A whole label is called otherwise, and its query goes along."""
    relabel.rename_label(db, old, new, batch=batch)
    moved = {}
    for sample_id, _, name in rows:
        relabel.note_move(db, sample_id, name)
        moved[sample_id] = Relabelled(name, f"{new}/{name.partition('/')[2]}")
    return moved


def move(
    db: sqlite3.Connection, folder: Folder, row: Row, label: str, batch: int | None
) -> Relabelled:
    """One image goes to another label."""
    sample_id, _, name = row
    twin = db.execute(
        "SELECT o.id FROM sample s JOIN sample o ON o.sha256 = s.sha256 AND o.label = ? "  # noqa: S608
        f"WHERE s.id = ? AND o.state IN {KEPT} LIMIT 1",
        (label, sample_id),
    ).fetchone()
    if twin is not None:
        _join(db, sample_id, twin[0])
        return Relabelled(name, "")
    target = relabel.plan_move(db, folder, name, label)
    relabel.put_under(db, sample_id, label, target, batch=batch)
    relabel.note_move(db, sample_id, name)
    return Relabelled(name, target)


def _join(db: sqlite3.Connection, sample_id: int, twin: int) -> None:
    """The label has these bytes already: one file is enough, the other is kept aside."""
    relations.withdraw(db, sample_id, Reason.SAME_BYTES)
    db.execute("UPDATE candidate SET sample_id = ? WHERE sample_id = ?", (twin, sample_id))


def undo_batch(db: sqlite3.Connection, folder: Folder, batch: int) -> dict[int, Relabelled]:
    """Takes back what was moved as one; {} where there is nothing of it."""
    rows = db.execute(
        "SELECT sample_id, old_label, new_label, old_name FROM relabelled WHERE batch = ? "
        "ORDER BY id DESC",
        (batch,),
    ).fetchall()
    moved: dict[int, Relabelled] = {}
    for sample_id, old_label, new_label, old_name in rows:
        if sample_id is None:
            moved |= rename(db, images(db, new_label), new_label, old_label, None)
        else:
            moved |= move_back(db, folder, sample_id, old_label, old_name)
    db.execute("DELETE FROM relabelled WHERE batch = ?", (batch,))
    return moved


def move_back(
    db: sqlite3.Connection, folder: Folder, sample_id: int, label: str, name: str
) -> dict[int, Relabelled]:
    """One image goes back to its label, under its old name where that is free."""
    row = db.execute(
        f"SELECT file_name, label FROM sample WHERE id = ? AND state IN {KEPT}",  # noqa: S608
        (sample_id,),
    ).fetchone()
    if row is None or row[1] == label:
        return {}
    db.execute(
        "DELETE FROM sample WHERE label = ? AND file_name = ? "  # noqa: S608
        f"AND state = {SampleState.RELABELLED}",
        (label, name),
    )
    target = relabel.plan_move(db, folder, name, label)
    relabel.put_under(db, sample_id, label, target, batch=None)
    relabel.note_move(db, sample_id, row[0])
    return {sample_id: Relabelled(row[0], target)}
