"""Move a staged file to its place in the data set, the last file step of saving an image."""

from __future__ import annotations

import os
import sqlite3
from pathlib import PurePosixPath

from msgspec import Struct

from pixtrawl.catalog import copies, samples
from pixtrawl.folder import files, quarantine
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.layout import file_name

__all__ = ["AcceptedFile", "place", "set_worse_aside"]


class AcceptedFile(Struct, frozen=True):
    """A staged file whose row is committed, and the place that the row gives it."""

    sample_id: int
    label: str
    number: int
    name: str  # relative to the data set
    staged: files.AnyPath


def place(
    db: sqlite3.Connection, folder: Folder, file: AcceptedFile, *, takes_over: bool = True
) -> str:
    """Rename a staged file into place, under another number if that place is taken.

    Return the file name. If a worse copy holds the number, it is quarantined first; a file that
    pixtrawl did not write stays, and this image gets a new number. Pass `takes_over=False` if the
    number is new, to skip looking for a worse copy.
    """
    number, name = file.number, file.name
    if takes_over:
        set_worse_aside(db, folder, file.label, file.number)
    root = os.fspath(folder.root)
    while not files.move_new(file.staged, f"{root}/{name}"):
        number = max(number, samples.next_number(db) - 1) + 1
        name = file_name(file.label, number, PurePosixPath(name).suffix[1:])
        samples.rename(db, file.sample_id, number, name)
    return name


def set_worse_aside(db: sqlite3.Connection, folder: Folder, label: str, number: int) -> None:
    """Quarantine the copy that is in the place of a better one, by the hash of its bytes.

    Which of several replaced copies was ever put in place, only the file itself shows.
    """
    replaced = copies.replaced_files(db, label, number)
    for name in sorted(set(replaced.values())):
        path = folder.root / name
        if path.is_file() and (sha256 := files.sha256_of(path)) in replaced:
            quarantine.put(folder, path, sha256)
