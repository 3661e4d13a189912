"""Images that were dropped as copies or withdrawn, kept aside by their SHA-256.

A person can take such a decision back (`pixtrawl dedup --undo`). Their names have no picture's
ending, so that no loader takes them for data; deleting them does no harm otherwise.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable
from pathlib import Path

from pixtrawl.folder import files
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.layout import quarantine_name

__all__ = ["copy_all", "find", "put"]


def put(folder: Folder, path: Path, sha256: str) -> None:
    """Moves a file aside; one that is gone already, or is there already, is no error.

    Raises StorageError.
    """
    with contextlib.suppress(FileNotFoundError):
        if not files.move_new(path, folder.root / quarantine_name(sha256)):
            files.discard(path)
        if path.parent != folder.root:
            files.remove_empty(path.parent)


def copy_all(sha256s: Iterable[str], source: Folder, target: Folder) -> None:
    """Copies what one data set keeps aside to another one, as far as it is there."""
    for sha256 in sha256s:
        aside, own = find(source, sha256), target.root / quarantine_name(sha256)
        if aside is not None and not own.exists():
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(aside, own)


def find(folder: Folder, sha256: str) -> Path | None:
    """The file with this SHA-256 (hex), if it is kept aside."""
    aside = folder.root / quarantine_name(sha256)
    if aside.exists():
        return aside
    old = folder.old_control / "quarantine"  # of a data set that has not been written to since
    return next(iter(sorted(old.glob(f"{sha256}.*"))), None)
