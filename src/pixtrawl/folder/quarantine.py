"""Keeps images that were dropped as copies or withdrawn, by SHA-256, so that undo can restore them.

An undo is `pixtrawl dedup --undo`, for example. The names have no image suffix, so no loader takes
them for data; deleting the files only deprives undo of them.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from pixtrawl.folder import files
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.layout import quarantine_name

__all__ = ["copy_all", "empty", "find", "held", "put", "size_bytes"]

_LEAD, _, _TAIL = quarantine_name("*").partition("*")


def put(folder: Folder, path: Path, sha256: str) -> None:
    """Move a file into quarantine; idempotent if it is gone or quarantined already.

    Raise StorageError if it cannot be moved.
    """
    with contextlib.suppress(FileNotFoundError):
        if not files.move_new(path, folder.root / quarantine_name(sha256)):
            files.discard(path)
        if path.parent != folder.root:
            files.remove_empty(path.parent)


def copy_all(sha256s: Iterable[str], source: Folder, target: Folder) -> None:
    """Copy the quarantined files with these hashes to another data set; skip missing ones."""
    for sha256 in sha256s:
        aside, own = find(source, sha256), target.root / quarantine_name(sha256)
        if aside is not None and not own.exists():
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(aside, own)


def held(folder: Folder) -> Iterator[tuple[str, Path]]:
    """Yield SHA-256 (hex) and path of every quarantined file."""
    for path in sorted(folder.root.glob(quarantine_name("*"))):
        yield path.name.removesuffix(_TAIL).removeprefix(_LEAD), path
    for path in sorted((folder.old_control / "quarantine").glob("*")):
        yield path.name.partition(".")[0], path


def find(folder: Folder, sha256: str) -> Path | None:
    """Return the quarantined file with this SHA-256 (hex), or None."""
    aside = folder.root / quarantine_name(sha256)
    if aside.exists():
        return aside
    old = folder.old_control / "quarantine"  # layout of an older version
    return next(iter(sorted(old.glob(f"{sha256}.*"))), None)


def size_bytes(folder: Folder) -> int:
    """Return the size of all quarantined files together."""
    total = 0
    for _, path in held(folder):
        with contextlib.suppress(FileNotFoundError):  # moved back in between
            total += path.stat().st_size
    return total


def empty(folder: Folder) -> int:
    """Delete every quarantined file; return their size in bytes. Undo then fetches them anew."""
    total = 0
    for _, path in held(folder):
        with contextlib.suppress(FileNotFoundError):
            found = path.stat().st_size
            path.unlink()
            total += found
    return total
