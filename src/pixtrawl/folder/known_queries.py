"""The queries of a data set with their labels, so that a text keeps its first label."""

from __future__ import annotations

import contextlib
import sqlite3

from pixtrawl.catalog import queries
from pixtrawl.catalog.database import connect
from pixtrawl.catalog.rebuild.salvage import Salvaged
from pixtrawl.errors import StorageError
from pixtrawl.folder.dataset_folder import Folder


def known_queries(folder: Folder) -> list[tuple[str, str]]:
    """Return (label, text) pairs, oldest first; an empty list if there is no data set yet.

    Raises:
        StorageError: the catalog cannot be read.
    """
    if folder.is_lost():  # its catalog is made again later, by whoever holds the lock
        from pixtrawl.folder.recovery import remains

        return list(remains.read(folder, Salvaged()).texts.items())
    if not folder.exists():
        return []
    with contextlib.closing(connect(folder.catalog, read_only=True)) as db:
        try:
            return queries.labels_and_texts(db)
        except sqlite3.Error as error:
            raise StorageError(f"cannot read the catalog {folder.catalog}: {error}") from error
