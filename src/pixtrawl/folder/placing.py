"""Renames a staged file into its place in the data set: the last step of every saved image."""

from __future__ import annotations

import os
import sqlite3
from pathlib import PurePosixPath

from pixtrawl.catalog import samples
from pixtrawl.folder import files, quarantine
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.layout import file_name

__all__ = ["place"]


def place(  # noqa: PLR0913 - one rename and the row behind it
    db: sqlite3.Connection,
    folder: Folder,
    sample_id: int,
    label: str,
    number: int,
    name: str,
    staged: files.AnyPath,
    *,
    takes_over: bool = True,
) -> str:
    """Renames a staged file into place, under another number where that place is taken.

    `takes_over` is False for an image under a number that none has had before.

    Returns the file name. A file in the way is either the copy that this one is better than, which
    gives up its number, or one that pixtrawl did not write, which stays.
    """
    worse = samples.replaced_file(db, label, number) if takes_over else None
    if worse is not None:
        worse_name, sha256 = worse
        quarantine.put(folder, folder.root / worse_name, sha256)
    root = os.fspath(folder.root)
    while not files.move_new(staged, f"{root}/{name}"):
        number = max(number, samples.next_number(db) - 1) + 1
        name = file_name(label, number, PurePosixPath(name).suffix[1:])
        samples.rename(db, sample_id, number, name)
    return name
