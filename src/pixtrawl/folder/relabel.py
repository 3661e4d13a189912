"""The files of images that are put under another label follow their rows (`catalog.labels`).

A command commits the new place first (`labels.note_move`) and renames the file then; a kill between
the two is mended by the next start.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

from pixtrawl.catalog import labels, samples
from pixtrawl.folder import files
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.layout import file_name, parse_file_name

__all__ = ["finish_moves", "plan_move", "put_under"]

_LARGEST: Final = 10**6  # a number that a person's file name is taken for, at most


def put_under(
    db: sqlite3.Connection, sample_id: int, label: str, name: str, *, batch: int | None
) -> None:
    """The image belongs to `label` from now on, and its file is called `name`. Rows only.

    It gets the number that the name has, where that is free (`labels.put_under`).
    """
    parsed = parse_file_name(name)
    number = parsed[1] if parsed is not None and parsed[1] <= _LARGEST else None
    labels.put_under(db, sample_id, labels.NewPlace(label, name, number), batch=batch)


def plan_move(db: sqlite3.Connection, folder: Folder, name: str, label: str) -> str:
    """A file name under another label that no file and no row has: the same leaf if possible."""
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
    """Renames the files whose new place is decided; runs after the commit, and at each start.

    Returns where each of them is now. No file is replaced: where somebody's lies in the way, the
    image gets another number.
    """
    done: dict[int, str] = {}
    for one in labels.moving(db):
        path, place = folder.root / one.source, one.file_name
        if path.is_file() and files.sha256_of(path) == one.sha256:
            while not files.move_new(path, folder.root / place):
                number = samples.next_number(db)
                place = file_name(
                    one.label, number, PurePosixPath(one.file_name).suffix[1:].lower()
                )
                samples.rename(db, one.sample_id, number, place)
            _drop_empty(folder, one.source)
        done[one.sample_id] = place
    labels.forget_moving(db)
    return done


def _drop_empty(folder: Folder, source: str) -> None:
    """A label without images is no class; loaders stop at an empty folder."""
    try:
        (folder.root / source).parent.rmdir()
    except OSError:
        return  # something is left in it
