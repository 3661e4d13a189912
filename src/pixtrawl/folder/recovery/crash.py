"""Crash recovery at start: after kill -9, a power cut, or files changed by hand.

A save goes: stage the file, commit the row as `accepted`, rename the file, mark the row `placed`.
So an accepted row whose staged file exists needs the rename, one whose target has its bytes needs
only the mark, and a staged file without a row is removed. Rows newer than the durable point count
as accepted, too, if the system was started since: what they say may not have reached the disk.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct, field

from pixtrawl import durable
from pixtrawl.catalog import kept, samples
from pixtrawl.catalog.decisions import departed
from pixtrawl.catalog.files import records as file_records, unplaced
from pixtrawl.catalog.files.unplaced import Unplaced
from pixtrawl.catalog.schema.states import SampleState
from pixtrawl.folder import files, renditions
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.decisions import (
    applying,
    journal,
    journal_facts,
    relabel,
    removals,
)
from pixtrawl.folder.decisions.applying import TakenIn
from pixtrawl.folder.layout import is_passing, staged_name
from pixtrawl.folder.placing import AcceptedFile, place
from pixtrawl.folder.recovery import by_hand
from pixtrawl.folder.recovery.by_hand import ByHand


class Recovered(Struct):
    """The changes made by recovery."""

    placed: int = 0  # renames that a killed run had not done
    lost: int = 0  # accepted rows whose file is gone (power cut): to be fetched again
    by_hand: ByHand = field(default_factory=ByHand)
    decided: TakenIn = field(default_factory=TakenIn)  # recorded while no process held the data set

    @property
    def changed(self) -> bool:
        """Return whether the files derived from the catalog must be written again."""
        return bool(self.by_hand.anything or self.placed or self.lost or self.decided.effects)

    @property
    def unknown(self) -> list[str]:
        """The files without a row; never touched."""
        return list(self.by_hand.unknown)


def recover(db: sqlite3.Connection, folder: Folder, at_once: int | None = None) -> Recovered:
    """Reconcile files and rows; call inside one transaction, before any other work.

    Raise ManyTouchedError where more than `at_once` files had to be hashed.
    """
    result = _finished(db, folder, whole=True)
    result.by_hand = by_hand.take_note(db, folder, at_once)
    if result.by_hand.deleted:
        renditions.remove_all(folder.root)  # a deleted image must not survive as a rendition
    removals.remove_files(db, folder)
    _sweep(folder.root)
    _remove_empty_labels(db, folder.root)
    if folder.durable and file_records.is_behind(db):
        durable.sync_many(folder.root, _placed(db, folder))
        file_records.advance(db)
    return result


def carry_out(db: sqlite3.Connection, folder: Folder) -> Recovered:
    """Do what killed commands left, and what decisions ask for; compare no files with rows.

    Call inside one transaction. The cost does not grow with the data set, but with what is left.
    """
    result = _finished(db, folder, whole=False)
    if result.decided.effects:
        _remove_empty_labels(db, folder.root)
    return result


def _finished(db: sqlite3.Connection, folder: Folder, *, whole: bool) -> Recovered:
    result = Recovered()
    if journal.size(folder) == 0 and departed.any_there(db):
        journal_facts.write_down(db, folder)  # of an older version, or a journal that was deleted
    file_records.doubt_newer(db, durable.boot_id())
    _replay_all(db, folder, result)
    result.decided = applying.take_in(db, folder)
    removals.set_replaced_aside(db, folder, result.decided.replaced)
    relabel.finish_moves(db, folder)
    # or a scan takes them for foreign files
    removals.set_withdrawn_aside(db, folder, None if whole else result.decided.samples)
    if result.decided.took_down:
        renditions.remove_all(folder.root)
        removals.remove_files(db, folder)
    return result


def _replay_all(db: sqlite3.Connection, folder: Folder, result: Recovered) -> None:
    labels = set()
    for row in unplaced.every(db):
        _replay(db, folder, row, result)
        labels.add(row.label)
    if labels and folder.durable:  # before the commit that says the files are there
        durable.sync_directories([*(folder.root / label for label in labels), folder.root])


def _replay(
    db: sqlite3.Connection,
    folder: Folder,
    row: Unplaced,
    result: Recovered,
) -> None:
    staged = folder.staging / staged_name(row.staged_name) if row.staged_name else None
    target = folder.root / row.file_name
    if files.has_bytes(target, row.sha256):
        if staged is not None:
            files.discard(staged)
    elif staged is not None and files.has_bytes(staged, row.sha256):
        place(db, folder, AcceptedFile(row.id, row.label, row.number, row.file_name, staged))
        result.placed += 1
    else:
        result.lost += 1
        unplaced.drop(db, row.id)
        return
    samples.mark(db, row.id, SampleState.PLACED)


def _placed(db: sqlite3.Connection, folder: Folder) -> Iterator[Path]:
    return (folder.root / name for name, _ in kept.digests(db))


def _sweep(root: Path) -> None:
    """Remove the staged and temporary files of a killed run."""
    with os.scandir(root) as entries:
        left = [entry.path for entry in entries if is_passing(entry.name)]
    for path in left:
        files.discard(Path(path))


def _remove_empty_labels(db: sqlite3.Connection, root: Path) -> None:
    """Remove empty folders of labels in the catalog; other folders stay."""
    with os.scandir(root) as entries:
        labels = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    for label in labels:
        if samples.has_label(db, label):
            files.remove_empty(root / label)
