"""Moves images, or a whole label, to another label: rows only.

`relabel.finish_moves` renames the files after the commit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from msgspec import Struct

from pixtrawl.catalog import kept, labels
from pixtrawl.catalog.kept import KeptFile
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.decisions import relabel

__all__ = ["Relabelled", "move", "move_back", "rename", "undo_batch"]


class Relabelled(Struct, frozen=True):
    """Old and new file name of an image; new is "" if the new label has the same bytes."""

    old_name: str
    new_name: str


def rename(
    db: sqlite3.Connection, images: Sequence[KeptFile], old: str, new: str, batch: int | None
) -> dict[int, Relabelled]:
    """Rename a label with its query. Return the moved images by row."""
    labels.rename_label(db, old, new, batch=batch)
    moved = {}
    for image in images:
        labels.note_move(db, image.sample_id, image.file_name)
        name = f"{new}/{image.file_name.partition('/')[2]}"
        moved[image.sample_id] = Relabelled(image.file_name, name)
    return moved


def move(
    db: sqlite3.Connection, folder: Folder, image: KeptFile, label: str, batch: int | None
) -> Relabelled:
    """Move one image to another label, or merge it with a twin of the same bytes there."""
    sample_id, name = image.sample_id, image.file_name
    twin = labels.twin_of(db, sample_id, label)
    if twin is not None:
        labels.join(db, sample_id, twin)
        return Relabelled(name, "")
    target = relabel.plan_move(db, folder, name, label)
    relabel.put_under(db, sample_id, label, target, batch=batch)
    labels.note_move(db, sample_id, name)
    return Relabelled(name, target)


def undo_batch(db: sqlite3.Connection, folder: Folder, batch: int) -> dict[int, Relabelled]:
    """Undo a batch of moves. Return the moved images by row, {} if there is nothing to undo."""
    moved: dict[int, Relabelled] = {}
    for one in labels.batch_of(db, batch):
        if one.sample_id is None:
            images = kept.named_or_of_label(db, one.new_label)
            moved |= rename(db, images, one.new_label, one.old_label, None)
        else:
            moved |= move_back(db, folder, one.sample_id, one.old_label, one.old_name)
    labels.forget_batch(db, batch)
    return moved


def move_back(
    db: sqlite3.Connection, folder: Folder, sample_id: int, label: str, name: str
) -> dict[int, Relabelled]:
    """Move one image back to `label`, under its old name if that is free."""
    image = kept.by_id(db, sample_id)
    if image is None or image.label == label:
        return {}
    labels.forget_trace(db, label, name)
    target = relabel.plan_move(db, folder, name, label)
    relabel.put_under(db, sample_id, label, target, batch=None)
    labels.note_move(db, sample_id, image.file_name)
    return {sample_id: Relabelled(image.file_name, target)}
