"""Refuses label folders that lead out of the data set: symbolic links, and other file systems.

Through a link images would be written outside of the data set; onto another file system a staged
file cannot be renamed. Both are found before anything is downloaded.
"""

from __future__ import annotations

import os

from pixtrawl.errors import StorageError
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.layout import is_own

__all__ = ["require_own_folders"]


def require_own_folders(folder: Folder) -> None:
    """Raise StorageError, which names the next step, for a folder that is none of the set's."""
    device = folder.root.stat().st_dev
    with os.scandir(folder.root) as entries:
        for entry in entries:
            if is_own(entry.name) or entry.name.startswith("."):
                continue
            path = f"{folder.shown}/{entry.name}"
            if entry.is_symlink():
                if entry.is_dir():
                    raise StorageError(
                        f"{path} is a symbolic link to {os.path.realpath(entry.path)}: nothing is "
                        "written through it. Move that folder itself there, or link the whole data "
                        "set instead"
                    )
            elif entry.is_dir() and entry.stat().st_dev != device:
                raise StorageError(
                    f"{path} is on another file system than {folder.shown}: files cannot be put "
                    "there in one step. Move that folder's files here, or mount the whole data set"
                )
