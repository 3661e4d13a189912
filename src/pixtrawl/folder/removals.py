"""Files of images that left the data set: withdrawn ones go aside, those taken down are removed.

The rows are committed first; both functions run after that, and again at each start, so that a kill
in between leaves nothing behind. A file of other bytes under such a name is somebody's own.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pixtrawl.catalog import relations, takedown
from pixtrawl.folder import files, quarantine
from pixtrawl.folder.dataset_folder import Folder

__all__ = ["remove_files", "set_withdrawn_aside"]


def set_withdrawn_aside(db: sqlite3.Connection, folder: Folder) -> None:
    """Moves the files of withdrawn images that are still in place to the quarantine."""
    for name, sha256 in relations.withdrawn(db):
        path = folder.root / name
        if path.is_file() and files.sha256_of(path) == sha256:
            quarantine.put(folder, path, sha256)


def remove_files(db: sqlite3.Connection, folder: Folder) -> int:
    """Removes the files of images that were taken down, and their copies that were kept aside.

    Returns how many images had a file.
    """
    count = 0
    for removed in takedown.removed(db):
        count += _remove_file(folder.root / removed.file_name, removed.sha256)
        for sha256 in removed.every_sha256:
            aside = quarantine.find(folder, sha256)
            if aside is not None:
                files.discard(aside)
    return count


def _remove_file(path: Path, sha256: str) -> bool:
    if not path.is_file() or files.sha256_of(path) != sha256:
        return False
    files.discard(path)
    files.remove_empty(path.parent)
    return True
