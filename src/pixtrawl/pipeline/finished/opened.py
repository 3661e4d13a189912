"""Opens a finished data set for decisions of a person, and resolves the file names they give.

Changes open it as a run does: lock, catalog, recovery. Reading needs no lock.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from pixtrawl.catalog.database import Catalog, connect
from pixtrawl.errors import UsageError
from pixtrawl.folder.dataset_folder import DatasetLock, Folder
from pixtrawl.folder.disk_trouble import explained_disk_errors
from pixtrawl.folder.own_folders import require_own_folders
from pixtrawl.folder.recovery.catch_up import catch_up
from pixtrawl.pipeline.finished import mending

__all__ = ["locked", "looked_at", "opened", "relative", "split_root"]


@contextlib.contextmanager
def locked(folder: Folder) -> Iterator[Catalog]:
    """Hold the lock and open the catalog, a new one for a new data set; make a lost one again.

    Raise StorageError: in use, not writable, or damaged.
    """
    with explained_disk_errors(folder), DatasetLock(folder, rebuilds=True):
        require_own_folders(folder)
        if folder.is_lost():
            # rarely needed, and slow to import
            from pixtrawl.pipeline.finished.rebuilding import rebuild

            rebuild(folder)
        catalog = Catalog(folder.own_catalog, survives_power_cut=folder.durable)
        try:
            yield catalog
        finally:
            catalog.close()


@contextlib.contextmanager
def opened(folder: Folder) -> Iterator[Catalog]:
    """Open a data set for writing, after recovery. Raise UsageError or StorageError."""
    if not folder.is_lost():
        folder.require()
    with locked(folder) as catalog:
        mending.recover(catalog, folder)
        yield catalog


@contextlib.contextmanager
def looked_at(folder: Folder) -> Iterator[sqlite3.Connection]:
    """Open a data set for reading. Raise UsageError or StorageError."""
    with explained_disk_errors(folder):
        catch_up(folder)
        db = connect(folder.catalog, read_only=True)
        try:
            yield db
        finally:
            db.close()


def relative(folder: Folder, name: str) -> str:
    """Return a file name as in the catalog: relative to the data set, with forward slashes."""
    path = Path(name)
    for one in (path, folder.root / path):
        with contextlib.suppress(ValueError):
            found = one.absolute().relative_to(folder.root.absolute())
            if one.exists():
                return found.as_posix()
    return path.as_posix()


def split_root(
    words: Iterable[str], output: str | None, *, command: str = "label"
) -> tuple[Folder, list[str]]:
    """Return the data set and the file names of a command line.

    The data set is `output`, else the first word if that is a data set, else one that contains a
    named file, else the folder `images`. Raise UsageError where there is none.
    """
    names = list(words)
    if output is not None:
        return Folder(output), names
    if names and Folder(names[0]).exists():
        return Folder(names[0]), names[1:]
    for name in names:
        for parent in Path(name).absolute().parents:
            if Folder(parent).exists():
                return Folder(parent), names
    if names:
        Folder(names[0]).refuse_shards()
    if names and Folder("images").exists():
        return Folder("images"), names
    raise UsageError(f"in which data set? name it first: pixtrawl {command} DIR FILE...")
