"""Images that were dropped as copies or withdrawn, kept aside by their SHA-256.

A person can take such a decision back (`pixtrawl dedup --undo`); deleting the folder
`.pixtrawl/quarantine` does no harm otherwise.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from pixtrawl.storage import files
from pixtrawl.storage.folder import Folder

__all__ = ["find", "put"]


def put(folder: Folder, path: Path, sha256: str, extension: str | None = None) -> None:
    """Moves a file aside; one that is gone already, or is there already, is no error.

    `extension` (without a dot) is that of the content, where the file's name has none. Raises
    StorageError.
    """
    extension = extension or path.suffix[1:]
    aside = folder.quarantine / f"{sha256}.{extension}"
    with contextlib.suppress(FileNotFoundError):
        if not files.move_new(path, aside):
            files.discard(path)


def find(folder: Folder, sha256: str) -> Path | None:
    """The file with this SHA-256 (hex), if it is kept aside."""
    return next(iter(sorted(folder.quarantine.glob(f"{sha256}.*"))), None)
