"""Migrates the older layout, a hidden folder in the data set, to the present one.

Each file is moved by one rename, the catalog last: after a kill every file is at its old or its new
place, and the next writer continues. Files of unknown use are kept. The lock of the older version
is taken first: if one of its runs is active, StorageError is raised.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pixtrawl.catalog.database import write_log_in
from pixtrawl.errors import StorageError
from pixtrawl.folder import files, layout
from pixtrawl.folder.locks import file_lock

__all__ = ["take_over"]

_CATALOG: Final = "catalog.sqlite3"
_LOCK: Final = "lock"
_SHA256: Final = re.compile(r"([0-9a-f]{64})\.\w+")


def take_over(root: Path) -> None:
    """Move everything out of the old control folder, then remove it; call with the lock held.

    Raise StorageError if an older version is using the data set, or a file cannot be moved.
    """
    old = root / layout.OLD_CONTROL
    held = file_lock.acquire(old / _LOCK, root)
    try:
        for name in _contents(old):
            _move_one(root, old, name)
        _move_catalog(root, old)
    except OSError as error:
        raise StorageError(f"cannot bring {root} to the present layout: {error}") from error
    finally:
        file_lock.release(held)
    _remove(old)


def _contents(old: Path) -> Iterator[str]:
    """Yield the files of the old folder, as relative names, but for the catalog and the lock."""
    for folder, _, names in os.walk(old):
        for name in names:
            relative = (Path(folder) / name).relative_to(old).as_posix()
            if relative != _LOCK and not relative.startswith(_CATALOG):
                yield relative


def _move_one(root: Path, old: Path, name: str) -> None:
    if name.endswith(".tmp") and "/" not in name:
        files.discard(old / name)  # half-written; its target is written again
        return
    wanted = _new_name(name)
    at = 1
    while not _move(old / name, root / wanted):
        wanted, at = layout.held_name(f"{name}.{at}"), at + 1


def _new_name(name: str) -> str:
    part, _, leaf = name.partition("/")
    if "/" in leaf or not leaf:
        return layout.held_name(name)
    if part == "staging":
        return layout.staged_name(leaf)
    if part == "evidence":
        return layout.evidence_name(leaf)
    if part == "quarantine" and (match := _SHA256.fullmatch(leaf)):
        return layout.quarantine_name(match[1])
    if part == "renditions" and leaf.endswith(".pack"):
        return layout.renditions_name(leaf.removesuffix(".pack"))
    return layout.held_name(name)


def _move(source: Path, target: Path) -> bool:
    """Move a file, also between file systems. Return False if the target exists."""
    if _same_disk(source, target.parent):
        return files.move_new(source, target)
    copy = target.with_name(layout.temporary_name(target.name))
    shutil.copyfile(source, copy)
    if not files.move_new(copy, target):
        files.discard(copy)
        return False
    source.unlink()
    return True


def _same_disk(one: Path, other: Path) -> bool:
    return one.stat().st_dev == other.stat().st_dev


def _move_catalog(root: Path, old: Path) -> None:
    """Move the catalog, after writing its log into it: without its log it would lose changes."""
    catalog = old / _CATALOG
    if catalog.exists() and catalog.stat().st_size:
        write_log_in(catalog)
        if not _move(catalog, root / layout.CATALOG):  # the target exists by now
            at = 1
            while not _move(catalog, root / layout.held_name(f"{_CATALOG}.{at}")):
                at += 1
    for left in old.glob(f"{_CATALOG}*"):
        files.discard(left)


def _remove(old: Path) -> None:
    """Remove the old folder and its empty subfolders; unlink it if it is a symlink."""
    files.discard(old / _LOCK)
    try:
        for folder, names, _ in os.walk(old, topdown=False):
            for name in names:
                (Path(folder) / name).rmdir()
        if old.is_symlink():
            old.unlink()
        else:
            old.rmdir()
    except OSError as error:
        raise StorageError(f"cannot remove the emptied folder {old}: {error}") from error
