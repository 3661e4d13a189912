"""Moves a staged file to its place in the data set, the last file step of saving an image."""

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
    """Rename a staged file into place, under another number if that place is taken.

    Return the file name. If a worse copy holds the number, it is quarantined first; a file that
    pixtrawl did not write stays, and this image gets a new number. Pass `takes_over=False` if the
    number is new, to skip looking for a worse copy.
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
