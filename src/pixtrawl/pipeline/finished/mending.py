"""Recovers a data set before a command works on it: rows, files, and files with other bytes.

`folder.recovery` reconciles rows and files. Here files with unexpected bytes are examined: an
altered image that decodes is a person's edit and is kept; one that does not is damaged (by a power
cut, say), is set aside and fetched again. A numbered file without a row belongs to a catalog that
went back in time: it waits for its URL in `Orphans`, so that no picture comes twice.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from typing import Final

from pixtrawl import durable
from pixtrawl.catalog import samples
from pixtrawl.catalog.database import Catalog
from pixtrawl.catalog.files import edited, records as file_records, unplaced
from pixtrawl.folder import files, quarantine
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.layout import parse_file_name
from pixtrawl.folder.recovery import crash, touched
from pixtrawl.folder.recovery.crash import Recovered
from pixtrawl.folder.recovery.touched import ManyTouchedError, OnProgress
from pixtrawl.images.formats.sniff import EXTENSIONS
from pixtrawl.pipeline.copy_back import bring_waiting
from pixtrawl.pipeline.decide.orphans import Orphans
from pixtrawl.pipeline.finished.examining import ImageFile, examined

__all__ = ["carry_out", "recover", "set_left_aside"]

_IMAGES: Final = frozenset(EXTENSIONS.values())


def recover(
    catalog: Catalog,
    folder: Folder,
    orphans: Orphans | None = None,
    on_progress: OnProgress = lambda done, total: None,
) -> Recovered:
    """Reconcile rows and files; add to `orphans` the files that may come again.

    `on_progress` is called while many files are hashed, and while altered ones are decoded. What it
    raises ends the work; the next call goes on there.

    Raise StorageError; EngineError where decoders cannot be started to look at altered files.
    """
    try:
        found = catalog.write_now(lambda db: crash.recover(db, folder, touched.AT_ONCE))
    except ManyTouchedError as many:
        touched.record_whole(catalog, folder.root, many.changes, on_progress)
        found = catalog.write_now(lambda db: crash.recover(db, folder))
    found.decided.add(bring_waiting(catalog, folder))
    altered = {one.file_name: one.sample_id for one in found.by_hand.altered}
    unknown = [name for name in found.unknown if _is_image(name)]
    if not altered and not unknown:
        return found
    numbered = [name for name in unknown if parse_file_name(name) is not None]
    aside: list[ImageFile] = []
    names = [*altered, *numbered]
    for done, one in enumerate(examined(folder, (ImageFile(name, None) for name in names))):
        on_progress(done, len(names))
        if one.record is None:
            continue  # a link, or it cannot be read: it is reported again next time
        if one.name in altered:
            catalog.write_now(
                lambda db, one=one: _settle(db, altered[one.name], one, found, aside)  # type: ignore[misc]
            )
        elif catalog.write_now(lambda db, one=one: _is_ours(db, one)):  # type: ignore[misc]
            aside.append(one)
        elif orphans is not None:
            catalog.write_now(lambda db, one=one: _expect(db, one, orphans))  # type: ignore[misc]
    if orphans is not None:
        _add_named(folder, [name for name in unknown if name not in numbered], orphans)
    _set_aside(folder, aside, found)
    return found


def carry_out(catalog: Catalog, folder: Folder) -> Recovered:
    """Do as `recover`, without comparing all files with their rows.

    For a decision in a data set that is open: the next command compares. Raise StorageError.
    """
    found = catalog.write_now(lambda db: crash.carry_out(db, folder))
    found.decided.add(bring_waiting(catalog, folder))
    return found


def _is_image(name: str) -> bool:
    return "/" in name and name.rpartition(".")[2] in _IMAGES


def _settle(
    db: sqlite3.Connection, sample_id: int, one: ImageFile, found: Recovered, aside: list[ImageFile]
) -> None:
    if one.info is not None and one.record is not None:
        edited.take(db, sample_id, one.info)
        file_records.put(db, [(sample_id, one.record)])
        found.by_hand.edited.append(one.name)
    elif not one.undecided:
        unplaced.drop(db, sample_id)
        aside.append(one)


def _is_ours(db: sqlite3.Connection, one: ImageFile) -> bool:
    """Return whether a numbered file copies an image of its label, or is damaged."""
    label = one.name.partition("/")[0]
    if samples.same_bytes(db, label, one.sha256) is not None:
        return True
    return one.info is None and not one.undecided and _is_lost(db, one.name)


def _is_lost(db: sqlite3.Connection, name: str) -> bool:
    """Return whether the catalog lost the row of a numbered file: it gave no such number yet.

    Other programs number files as well: theirs lie in labels that the data set does not know, or
    were there before and had their numbers passed over.
    """
    parsed = parse_file_name(name)
    if parsed is None or not samples.has_label(db, parsed[0]):
        return False
    return parsed[1] >= samples.next_number(db)


def _expect(db: sqlite3.Connection, one: ImageFile, orphans: Orphans) -> None:
    orphans.names[one.name.partition("/")[0], one.sha256] = one.name
    if _is_lost(db, one.name):
        orphans.lost.add(one.name)


def _add_named(folder: Folder, names: Collection[str], orphans: Orphans) -> None:
    """Add files that are named by a list's column of ids."""
    for name in names:
        path = folder.root / name
        if path.is_file() and not path.is_symlink():
            orphans.names.setdefault((name.partition("/")[0], files.sha256_of(path)), name)


def set_left_aside(
    catalog: Catalog, folder: Folder, orphans: Orphans, labels: Collection[str]
) -> list[str]:
    """Set aside the files without a row that no URL of these labels brought again; return names."""
    left = {
        name: sha256
        for (label, sha256), name in orphans.names.items()
        if name in orphans.lost and label in labels
    }
    for name, sha256 in left.items():
        quarantine.put(folder, folder.root / name, sha256)
    if left and folder.durable:
        durable.sync_directories([folder.root])
    return sorted(left)


def _set_aside(folder: Folder, aside: Collection[ImageFile], found: Recovered) -> None:
    """Move files aside; after the commit, so that none is missing of which a row says it is there.

    A kill in between leaves a numbered file without a row, which the next start sets aside.
    """
    hand = found.by_hand
    for one in aside:
        quarantine.put(folder, folder.root / one.name, one.sha256)
        (hand.damaged if one.info is None else hand.copies).append(one.name)
    gone = {one.name for one in aside}
    hand.unknown = tuple(name for name in hand.unknown if name not in gone)
    if aside and folder.durable:
        durable.sync_directories([folder.root])
