"""Moves files of withdrawn images to quarantine and removes files of images taken down.

The rows are committed first. Both functions run after the commit and at each start, so a kill in
between leaves nothing behind. A file with other bytes under such a name is foreign and stays.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from pixtrawl.catalog import relations, sample_rows
from pixtrawl.catalog.decisions import takedown
from pixtrawl.catalog.files import records as file_records
from pixtrawl.catalog.schema.states import SampleState
from pixtrawl.folder import files, quarantine
from pixtrawl.folder.dataset_folder import Folder

__all__ = ["remove_files", "set_replaced_aside", "set_withdrawn_aside"]


def set_withdrawn_aside(
    db: sqlite3.Connection, folder: Folder, among: Iterable[int] | None = None
) -> None:
    """Move the files of withdrawn images that are still in place to quarantine.

    With `among` look only for those of these images, and of others not looked for so far.
    """
    looked_for = []
    for sample_id, name, sha256 in relations.withdrawn(db, among):
        path = folder.root / name
        if path.is_file() and files.sha256_of(path) == sha256:
            quarantine.put(folder, path, sha256)
        looked_for.append(sample_id)
    if among is not None:
        file_records.note_aside(db, looked_for)


def set_replaced_aside(db: sqlite3.Connection, folder: Folder, ids: Iterable[int]) -> None:
    """Move the files of those of these images that were replaced, and lie in place, aside.

    After a kill in between, `relabel.finish_moves` and `pipeline.finished.mending` do that.
    """
    for sample_id in ids:
        row = sample_rows.one(db, sample_id)
        path = folder.root / row.file_name
        replaced = row.state is SampleState.REPLACED and path.is_file()
        if replaced and files.sha256_of(path) == row.sha256:
            quarantine.put(folder, path, row.sha256)


def remove_files(db: sqlite3.Connection, folder: Folder) -> int:
    """Remove the files of images that were taken down, and their quarantined copies.

    Return how many images had a file in place.
    """
    count = 0
    for removed in takedown.removed(db):
        count += _remove_file(folder.root / removed.file_name, removed.sha256)
        for sha256 in removed.every_sha256:
            aside = quarantine.find(folder, sha256)
            if aside is not None:
                files.discard(aside)
    blocked = takedown.digests(db)
    for sha256, path in quarantine.held(folder) if blocked else ():
        if sha256 in blocked:  # of a copy, which has no row of its own
            files.discard(path)
    return count


def _remove_file(path: Path, sha256: str) -> bool:
    if not path.is_file() or files.sha256_of(path) != sha256:
        return False
    files.discard(path)
    files.remove_empty(path.parent)
    return True
