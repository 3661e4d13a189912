"""Renames the files of images whose rows moved to another label (`catalog.labels`).

A command first commits the new place (`labels.note_move`), then renames the file; after a kill in
between, the next start does the rename.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

from pixtrawl import durable
from pixtrawl.catalog import labels, samples
from pixtrawl.folder import files
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.layout import file_name, parse_file_name
from pixtrawl.folder.placing import set_worse_aside

__all__ = ["finish_moves", "plan_move", "put_under"]

_LARGEST: Final = 10**6  # larger numbers in a person's file name are ignored


def put_under(
    db: sqlite3.Connection, sample_id: int, label: str, name: str, *, batch: int | None
) -> None:
    """Assign an image to `label` with the file name `name`; rows only.

    It gets the number in the name if that is free (`labels.put_under`).
    """
    parsed = parse_file_name(name)
    number = parsed[1] if parsed is not None and parsed[1] <= _LARGEST else None
    labels.put_under(db, sample_id, labels.NewPlace(label, name, number), batch=batch)


def plan_move(db: sqlite3.Connection, folder: Folder, name: str, label: str) -> str:
    """Return a free file name under another label, with the same leaf if possible."""
    leaf = name.partition("/")[2]
    wanted = f"{label}/{leaf}"
    taken = labels.is_taken(db, label, wanted, but_for=name)
    if not taken and not os.path.lexists(folder.root / wanted):
        return wanted
    number = samples.next_number(db)
    extension = PurePosixPath(leaf).suffix[1:].lower() or "jpg"
    while os.path.lexists(folder.root / file_name(label, number, extension)):
        number += 1
    return file_name(label, number, extension)


def finish_moves(db: sqlite3.Connection, folder: Folder) -> Mapping[int, str]:
    """Rename the files of committed moves; call after the commit, and at each start.

    Return the file name of each image by row. No file is replaced: if the name is taken, the image
    gets a new number. Raise StorageError if a rename fails.
    """
    done: dict[int, str] = {}
    for one in labels.moving(db):
        path, place = folder.root / one.source, one.file_name
        if path.is_file() and files.sha256_of(path) == one.sha256:
            if os.path.lexists(folder.root / place):  # perhaps by the copy that this one replaces
                number, _ = samples.number_and_query(db, one.sample_id)
                set_worse_aside(db, folder, one.label, number)
            while not files.move_new(path, folder.root / place):
                number = samples.next_number(db)
                place = file_name(
                    one.label, number, PurePosixPath(one.file_name).suffix[1:].lower()
                )
                samples.rename(db, one.sample_id, number, place)
            _drop_empty(folder, one.source)
        done[one.sample_id] = place
    if done:  # before the commit that forgets the moves
        places = {(folder.root / place).parent for place in done.values()}
        durable.sync_directories([*places, folder.root])
    labels.forget_moving(db)
    return done


def _drop_empty(folder: Folder, source: str) -> None:
    """Remove the folder of `source` if it is empty: loaders fail on an empty class folder."""
    try:
        (folder.root / source).parent.rmdir()
    except OSError:
        return  # not empty
