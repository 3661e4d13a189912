"""Brings a dropped copy back, beside the kept image or in its place, and undoes that: rows only.

The row of the copy is there already (`pipeline.copy_back`), since its file has to be decoded
for it; until then the decision waits. Files are moved after the commit:
`removals.set_replaced_aside`, `relabel.finish_moves`.
"""

from __future__ import annotations

import sqlite3
from pathlib import PurePosixPath
from typing import Final

import msgspec

from pixtrawl.catalog import copies, copy_rows, labels, sample_rows, samples
from pixtrawl.catalog.copies import DroppedCopy
from pixtrawl.catalog.copy_rows import Former
from pixtrawl.catalog.sample_rows import Meant, SampleRow
from pixtrawl.catalog.schema.states import KEPT, KEPT_STATES, SampleState, any_of
from pixtrawl.errors import UsageError
from pixtrawl.folder import quarantine
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.decisions.effects import Effect, find_image
from pixtrawl.folder.decisions.journal import DecisionRecord
from pixtrawl.folder.layout import file_name, parse_file_name

__all__ = ["bring", "unbring", "waiting_copy"]

_REPLACED: Final = any_of(SampleState.REPLACED)


def waiting_copy(
    db: sqlite3.Connection, folder: Folder, record: DecisionRecord
) -> DroppedCopy | None:
    """Return the dropped copy that a decision names and that has no row yet, else None."""
    if record.action != "take_back" or not record.sha256:
        return None
    if find_image(db, record, _REPLACED) is not None:
        return None
    copy = copies.of_bytes(db, record.file_name.partition("/")[0], record.sha256)
    return copy if copy is not None and quarantine.find(folder, copy.sha256) else None


def bring(db: sqlite3.Connection, folder: Folder, effect: Effect) -> None:
    """Make the copy that the decision names an image of the data set.

    With `value`, it takes number and place of the kept image with that SHA-256. Nothing is done
    where either is not there any more. Raise UsageError where its file is gone.
    """
    record = effect.record
    copy = find_image(db, record, _REPLACED)
    if copy is None:
        return
    former = copy_rows.former_of(db, copy.id)
    effect.note |= {"sample": copy.id, "former": msgspec.to_builtins(former)}
    if record.value:
        kept = sample_rows.find(db, Meant(copy.label, "", record.value), KEPT)
        if kept is None:
            return
        effect.note["kept"] = kept.id
        _replace(db, folder, effect, kept, copy, former.distance or 0)
        return
    number = copy_rows.own_number(db, copy.id) or samples.next_number(db)
    name = file_name(copy.label, number, _suffix(copy))
    _fetch_from_aside(db, folder, copy)
    copy_rows.put(db, copy.id, number, name)
    effect.changed = True
    effect.names.append(("", name))
    effect.samples.append(copy.id)


def unbring(db: sqlite3.Connection, folder: Folder, effect: Effect) -> None:
    """Make the image a dropped copy again; the one that it replaced takes its place again."""
    if "sample" not in effect.note:
        return
    copy = sample_rows.one(db, int(effect.note["sample"]))
    if copy.state not in KEPT_STATES:
        return  # refused, deleted or replaced since
    former = msgspec.convert(effect.note["former"], Former)
    if "kept" in effect.note:
        kept = sample_rows.one(db, int(effect.note["kept"]))
        _replace(db, folder, effect, copy, kept, former.distance or 0)
    else:
        effect.changed = True
        effect.names.append((copy.file_name, ""))
        effect.samples.append(copy.id)
    copy_rows.put_back(db, copy.id, former)


def _replace(
    db: sqlite3.Connection, folder: Folder, effect: Effect, old: SampleRow, new: SampleRow,
    distance: int,
) -> None:  # fmt: skip
    """Put one image into the place of another, under its number."""
    place = copy_rows.place_of(db, old.id)
    if parse_file_name(place.file_name) is not None:
        name = file_name(place.label, place.number, _suffix(new))
    else:  # the name that a list gave
        name = PurePosixPath(place.file_name).with_suffix(f".{_suffix(new)}").as_posix()
    _fetch_from_aside(db, folder, new)
    copy_rows.take_over(db, old.id, new.id, distance)
    copy_rows.put(db, new.id, place.number, name)
    effect.changed = True
    effect.names += [(old.file_name, ""), ("", name)]
    effect.samples += [old.id, new.id]


def _fetch_from_aside(db: sqlite3.Connection, folder: Folder, row: SampleRow) -> None:
    """Note that the file moves out of quarantine. Raise UsageError where it is not there."""
    aside = quarantine.find(folder, row.sha256)
    if aside is None:
        raise UsageError(f"the file {row.sha256[:16]}... is not kept aside any more")
    labels.note_move(db, row.id, aside.relative_to(folder.root).as_posix())


def _suffix(row: SampleRow) -> str:
    return PurePosixPath(row.file_name).suffix[1:]
