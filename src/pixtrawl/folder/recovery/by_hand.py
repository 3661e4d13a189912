"""Detects changes that a person made to the files since the last command, by file content.

Detects files moved, renamed, put back or deleted, and renamed label folders. A missing image is
searched for among the files without a row, by size and then by SHA-256; one that is found nowhere
counts as deleted and is not fetched again.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from pixtrawl.catalog import kept, labels, sample_rows, samples
from pixtrawl.catalog.decisions import deleted
from pixtrawl.catalog.files import records as file_records
from pixtrawl.catalog.schema.states import SampleState
from pixtrawl.folder import files, on_disk
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.decisions import journal, journal_facts, relabel
from pixtrawl.folder.decisions.journal import DecisionRecord
from pixtrawl.folder.on_disk import Changed, Differences
from pixtrawl.folder.recovery.touched import ManyTouchedError, has_bytes
from pixtrawl.labels import label_for

__all__ = ["Altered", "ByHand", "could_be_back", "sentences", "take_note"]

_SHOWN: Final = 3  # file names in a message
_RENAMED_SHARE: Final = 0.5  # of a label's images: found in one new folder, its own is gone


class Altered(Struct, frozen=True):
    """An image whose file has other bytes than its row says."""

    sample_id: int
    file_name: str


class ByHand(Struct):
    """Counts of changed images, renamed labels, and files without a row."""

    deleted: int = 0
    relabelled: int = 0
    renamed: int = 0  # the file only
    returned: int = 0  # deleted earlier, put back by a person
    labels: tuple[tuple[str, str], ...] = ()  # renamed folders: (old name, new name)
    unknown: tuple[str, ...] = ()  # files without a row
    edited: list[str] = field(default_factory=list)  # by a person: the files are kept as they are
    damaged: list[str] = field(default_factory=list)  # no whole images any more: set aside
    copies: list[str] = field(default_factory=list)  # without a row, of images there are: set aside
    altered: list[Altered] = field(default_factory=list)  # by a person, or by a failure of the disk

    @property
    def anything(self) -> bool:
        """Return whether rows had to change."""
        return bool(
            self.deleted or self.relabelled or self.renamed or self.returned or self.labels
            or self.edited or self.damaged
        )  # fmt: skip


class _Seeker(Struct):
    """An image whose file is not where its row says."""

    sample_id: int
    label: str
    file_name: str
    size_bytes: int
    sha256: bytes
    state: SampleState
    home: str | None = None  # where its bytes were found


def take_note(db: sqlite3.Connection, folder: Folder, at_once: int | None = None) -> ByHand:
    """Update the rows to match the files; touch no file. Call inside one transaction.

    What changed is written to the journal as well: a catalog that is made again needs it.

    Raise StorageError if a folder cannot be read, or the journal not written; ManyTouchedError
    where more than `at_once` files had to be hashed.
    """
    found = on_disk.differences(db, folder.root)
    if at_once is not None and len(found.changed) > at_once:
        raise ManyTouchedError(found.changed)
    _refresh(db, folder.root, found)
    seekers = list(_seekers(db, folder.root, found))
    _find_homes(folder.root, found, seekers)
    taken = {seeker.home for seeker in seekers if seeker.home is not None}
    result = ByHand()
    facts: list[DecisionRecord] = []
    batch = labels.next_batch(db)
    result.labels = tuple(_rename_labels(db, found, seekers, batch))
    renamed = dict(result.labels)
    in_place = {change.row.sample_id for change in found.changed}
    for seeker in seekers:
        if seeker.home is not None:
            if seeker.state is SampleState.DELETED_BY_HAND:
                facts.append(journal.fact("back", sha256=seeker.sha256.hex()))
            _move(db, seeker, renamed, result, batch)
        elif seeker.state is SampleState.PLACED and (
            seeker.sample_id not in in_place or seeker.file_name in taken
        ):
            facts += journal_facts.gone(db, [seeker.file_name], kind="deleted")
            samples.mark(db, seeker.sample_id, SampleState.DELETED_BY_HAND)
            result.deleted += 1
        elif seeker.state is SampleState.PLACED:
            result.altered.append(Altered(seeker.sample_id, seeker.file_name))
    facts += [journal.fact("renamed", file_name=old, label=new) for old, new in result.labels]
    journal.append_facts(db, folder, facts)
    result.unknown = tuple(sorted({*found.unknown, *found.foreign} - taken))
    return result


def _refresh(db: sqlite3.Connection, root: Path, found: Differences) -> None:
    """Leave in `found.changed` only files with other bytes; record the others as they are now."""
    whole = list(found.unrecorded)
    altered: list[Changed] = []
    wanted = kept.sha256_of(db, [change.row.sample_id for change in found.changed])
    for change in found.changed:
        same = has_bytes(root, change, wanted[change.row.sample_id])
        (whole if same else altered).append(change)
    found.changed = altered
    file_records.put(db, [(change.row.sample_id, change.record) for change in whole])


def could_be_back(db: sqlite3.Connection, root: Path, unknown: Iterable[str]) -> bool:
    """Return whether a file without a row has the size of an image that was deleted by hand."""
    sizes = deleted.sizes_bytes(db)
    return bool(sizes) and any(_size(root / name) in sizes for name in unknown)


def _seekers(db: sqlite3.Connection, root: Path, found: Differences) -> Iterable[_Seeker]:
    """Yield images whose file is missing or changed, and deleted ones that may be back."""
    for row in [*found.missing, *(change.row for change in found.changed)]:
        sha256 = bytes.fromhex(sample_rows.one(db, row.sample_id).sha256)
        yield _Seeker(
            row.sample_id, row.label, row.file_name, row.size_bytes, sha256, SampleState.PLACED
        )
    sizes = {_size(root / name) for name in found.unknown}
    for gone in deleted.every(db) if sizes else ():
        if gone.size_bytes in sizes:
            yield _Seeker(
                gone.sample_id, gone.label, gone.file_name, gone.size_bytes, gone.sha256,
                SampleState.DELETED_BY_HAND,
            )  # fmt: skip


def _find_homes(root: Path, found: Differences, seekers: list[_Seeker]) -> None:
    """Assign each image one file with its bytes: same label first, then same name, then any."""
    wanted = {seeker.size_bytes for seeker in seekers}
    bytes_of: dict[bytes, list[str]] = {}
    for name in [*found.unknown, *(change.row.file_name for change in found.changed)]:
        if _size(root / name) in wanted and _is_place(name):
            with contextlib.suppress(OSError):
                digest = bytes.fromhex(files.sha256_of(root / name))
                bytes_of.setdefault(digest, []).append(name)
    # Kept images choose before deleted ones.
    for rank in (_same_label, _same_leaf, _any):
        for seeker in sorted(seekers, key=lambda one: one.state):
            names = bytes_of.get(seeker.sha256, [])
            home = next((name for name in names if rank(seeker, name)), None)
            if seeker.home is None and home is not None:
                seeker.home = home
                names.remove(home)


def _same_label(seeker: _Seeker, name: str) -> bool:
    return name.partition("/")[0] == seeker.label


def _same_leaf(seeker: _Seeker, name: str) -> bool:
    return name.partition("/")[2] == seeker.file_name.partition("/")[2]


def _any(seeker: _Seeker, name: str) -> bool:
    return True


def _is_place(name: str) -> bool:
    """Return whether a file can be an image of the data set: its folder's name is a label."""
    label, _, leaf = name.partition("/")
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return label_for(label) == label and not leaf.startswith(".") and "\\" not in leaf


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else -1
    except OSError:
        return -1


def _rename_labels(
    db: sqlite3.Connection, found: Differences, seekers: list[_Seeker], batch: int
) -> Iterable[tuple[str, str]]:
    """Rename labels whose folder was renamed, with their queries; yield (old, new)."""
    homes: dict[str, list[str]] = {}
    for seeker in seekers:
        if seeker.state is SampleState.PLACED and seeker.label not in found.folders:
            homes.setdefault(seeker.label, []).append((seeker.home or "").partition("/")[0])
    new = {label for labels in homes.values() for label in labels if label}
    new = {label for label in new if not labels.is_known(db, label)}
    for label, folders in homes.items():
        into = {folder for folder in folders if folder}
        if len(into) == 1 and into <= new:
            (target,) = into
            if folders.count(target) >= _RENAMED_SHARE * len(folders):
                labels.rename_label(db, label, target, batch=batch)
                yield label, target


def _move(
    db: sqlite3.Connection, seeker: _Seeker, renamed: dict[str, str], result: ByHand, batch: int
) -> None:
    assert seeker.home is not None
    label = seeker.home.partition("/")[0]
    own = renamed.get(seeker.label, seeker.label)
    if seeker.state is SampleState.DELETED_BY_HAND:
        deleted.put_back(db, seeker.sample_id)
        result.returned += 1
    elif label != own:
        result.relabelled += 1
    elif own == seeker.label:
        result.renamed += 1
    relabel.put_under(db, seeker.sample_id, label, seeker.home, batch=batch)


def sentences(found: ByHand) -> list[str]:
    """Return the messages for the user, one line each."""
    lines = [
        f"the folder {old!r} is called {new!r} now; its query goes on there"
        for old, new in found.labels
    ]
    for count, what in (
        (found.deleted, "deleted by hand; they stay so (`pixtrawl restore` brings them back)"),
        (found.relabelled, "moved to another label by hand; the next run fills their old places"),
        (found.renamed, "renamed by hand"),
        (found.returned, "put back by hand"),
    ):
        if count:
            lines.append(f"{count:,} {'file was' if count == 1 else 'files were'} {what}")
    for names, what in (
        (found.edited, "edited by hand; the data set has them as they are now"),
        (found.damaged, "damaged (no whole image) and set aside; the next run fetches them again"),
        (found.copies, "set aside: a second copy of an image of the data set"),
    ):
        if names:
            shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
            verb = "file was" if len(names) == 1 else "files were"
            lines.append(f"{len(names):,} {verb} {what}: {shown}")
    return lines
