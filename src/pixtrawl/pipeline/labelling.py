"""Images put under another label by a person, whole labels renamed, and taking that back."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from msgspec import Struct

from pixtrawl.catalog import relations
from pixtrawl.catalog.database import Catalog
from pixtrawl.errors import UsageError
from pixtrawl.folder import derived, relabel, removals
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.model import Reason
from pixtrawl.pipeline.opened import opened, relative

__all__ = ["Relabelled", "put_under_label", "take_back_labels"]

_Row = tuple[int, str, str]  # id, label, file name


class Relabelled(Struct, frozen=True):
    """An image and where it is now; `new_name` is "" where its label has the same bytes already."""

    old_name: str
    new_name: str


def put_under_label(folder: Folder, names: Sequence[str], label: str) -> list[Relabelled]:
    """Moves images to another label, which may be a new one.

    A label's folder stands for all of its images; under a new label its query goes along.

    Args:
        folder: the data set.
        names: image files or labels' folders, as paths or relative to the data set.
        label: where they belong.

    Raises:
        UsageError: something is no image of the data set, or the label no folder name.
        StorageError: a run is at work on it.
    """
    with opened(folder) as catalog:
        moved = catalog.write_now(lambda db: _decide(db, folder, names, label))
        return _carry_out(catalog, folder, moved)


def take_back_labels(folder: Folder) -> list[Relabelled]:
    """Takes back what was moved last, by a command or by hand. Raises as `put_under_label`."""
    with opened(folder) as catalog:
        moved = catalog.write_now(lambda db: _undo(db, folder))
        return _carry_out(catalog, folder, moved)


def _carry_out(catalog: Catalog, folder: Folder, moved: dict[int, Relabelled]) -> list[Relabelled]:
    """Files follow what is committed; a kill in between is mended by the next start."""
    places = catalog.write_now(lambda db: relabel.finish_moves(db, folder))
    catalog.write_now(lambda db: removals.set_withdrawn_aside(db, folder))
    catalog.write_now(lambda db: derived.write_all(db, folder))
    return [
        Relabelled(one.old_name, places.get(sample_id, one.new_name))
        for sample_id, one in moved.items()
    ]


def _decide(
    db: sqlite3.Connection, folder: Folder, names: Sequence[str], word: str
) -> dict[int, Relabelled]:
    label = relabel.spelling(db, word)
    batch = relabel.next_batch(db)
    moved: dict[int, Relabelled] = {}
    for name in names:
        own = relative(folder, name).rstrip("/")
        rows = _images(db, own)
        if not rows:
            raise UsageError(f"{name}: no image and no label of the data set {folder.shown}")
        whole = rows[0][1] == own
        if whole and own != label and not relabel.is_known(db, label):
            moved |= _rename(db, rows, own, label, batch)
            continue
        for row in rows:
            if row[1] != label and row[0] not in moved:
                moved[row[0]] = _move(db, folder, row, label, batch)
    return moved


def _images(db: sqlite3.Connection, name: str) -> list[_Row]:
    """The image of this file name, or all of this label."""
    return db.execute(
        "SELECT id, label, file_name FROM sample WHERE (file_name = ?1 OR label = ?1) "
        "AND state IN (0, 1) ORDER BY number",
        (name,),
    ).fetchall()


def _rename(
    db: sqlite3.Connection, rows: Sequence[_Row], old: str, new: str, batch: int | None
) -> dict[int, Relabelled]:
    relabel.rename_label(db, old, new, batch=batch)
    moved = {}
    for sample_id, _, name in rows:
        relabel.note_move(db, sample_id, name)
        moved[sample_id] = Relabelled(name, f"{new}/{name.partition('/')[2]}")
    return moved


def _move(
    db: sqlite3.Connection, folder: Folder, row: _Row, label: str, batch: int | None
) -> Relabelled:
    sample_id, _, name = row
    twin = db.execute(
        "SELECT o.id FROM sample s JOIN sample o ON o.sha256 = s.sha256 AND o.label = ? "
        "WHERE s.id = ? AND o.state IN (0, 1) LIMIT 1",
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


def _undo(db: sqlite3.Connection, folder: Folder) -> dict[int, Relabelled]:
    batch = relabel.next_batch(db) - 1
    rows = db.execute(
        "SELECT sample_id, old_label, new_label, old_name FROM relabelled WHERE batch = ? "
        "ORDER BY id DESC",
        (batch,),
    ).fetchall()
    if not rows:
        raise UsageError(f"{folder.shown}: no image was put under another label")
    moved: dict[int, Relabelled] = {}
    for sample_id, old_label, new_label, old_name in rows:
        if sample_id is None:
            moved |= _rename(db, _images(db, new_label), new_label, old_label, None)
        else:
            moved |= _back(db, folder, sample_id, old_label, old_name)
    db.execute("DELETE FROM relabelled WHERE batch = ?", (batch,))
    return moved


def _back(
    db: sqlite3.Connection, folder: Folder, sample_id: int, label: str, name: str
) -> dict[int, Relabelled]:
    row = db.execute(
        "SELECT file_name, label FROM sample WHERE id = ? AND state IN (0, 1)", (sample_id,)
    ).fetchone()
    if row is None or row[1] == label:
        return {}
    db.execute("DELETE FROM sample WHERE label = ? AND file_name = ? AND state = 6", (label, name))
    target = relabel.plan_move(db, folder, name, label)
    relabel.put_under(db, sample_id, label, target, batch=None)
    relabel.note_move(db, sample_id, row[0])
    return {sample_id: Relabelled(row[0], target)}
