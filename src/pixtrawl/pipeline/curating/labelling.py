"""Moves images to another label, renames whole labels, and undoes both."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from pixtrawl.catalog import kept, labels
from pixtrawl.catalog.decisions import recorded as decisions
from pixtrawl.errors import UsageError
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.decisions import journal, label_moves, relabel, removals
from pixtrawl.folder.decisions.journal import DecisionRecord
from pixtrawl.folder.decisions.label_moves import Relabelled
from pixtrawl.folder.derived import writing
from pixtrawl.pipeline.curating.deciding import Recorded, Who, record, undo_of
from pixtrawl.pipeline.finished.opened import looked_at, opened, relative

__all__ = ["Relabelled", "put_under_label", "take_back_labels"]


def put_under_label(
    folder: Folder, names: Sequence[str], label: str, *, who: Who = "cli"
) -> list[Relabelled]:
    """Move images to another label, which may be a new one.

    A label's folder stands for all of its images; moved to a new label, the label is renamed and
    keeps its query. If a run is in progress, it moves images within about half a second and
    whole labels when it ends; the names returned are then expected names.

    Args:
        folder: the data set.
        names: image files or labels' folders, as paths or relative to the data set.
        label: the new label.
        who: where the decision comes from.

    Raises:
        UsageError: a name is no image of the data set, or the label no folder name.
        StorageError: the decision cannot be recorded.
    """
    with looked_at(folder) as db:
        records = _records(db, folder, names, label, who)
    return _moved(record(folder, records), label)


def _moved(done: Recorded, label: str) -> list[Relabelled]:
    if done.by_run:
        return [
            Relabelled(one.file_name, f"{label}/{one.file_name.partition('/')[2]}")
            for one in done.records
        ]
    return [Relabelled(*names) for effect in done.effects for names in effect.names]


def _records(
    db: sqlite3.Connection, folder: Folder, names: Sequence[str], word: str, who: Who
) -> list[DecisionRecord]:
    label = labels.spelling(db, word)
    batch = journal.new_id()
    known = labels.is_known(db, label)
    whole: dict[str, DecisionRecord] = {}
    images: dict[int, DecisionRecord] = {}
    for name in names:
        own = relative(folder, name).rstrip("/")
        rows = kept.named_or_of_label(db, own)
        if not rows:
            raise UsageError(f"{name}: no image and no label of the data set {folder.shown}")
        if rows[0].label == own and own != label and not known and not whole and not images:
            whole[own] = journal.record(who, "label", batch, file_name=own, label=label)
            continue
        for image in rows:
            if image.label != label and image.label not in whole:
                images[image.sample_id] = journal.record(
                    who, "label", batch, sha256=image.sha256, file_name=image.file_name,
                    label=label,
                )  # fmt: skip
    return [*whole.values(), *images.values()]


def take_back_labels(folder: Folder, *, who: Who = "cli") -> list[Relabelled]:
    """Undo the last batch of moves, made by a command or by hand.

    Raise UsageError where nothing was moved; StorageError where a run is in progress and the moves
    were made by hand.
    """
    with looked_at(folder) as db:
        last = labels.next_batch(db) - 1
        batch = decisions.batch_of_labels(db, last)
        moved = labels.batch_of(db, last)
    if not moved:
        raise UsageError(f"{folder.shown}: no image was put under another label")
    if batch is not None:
        done = undo_of(folder, batch, who=who)
        return [Relabelled(*names) for effect in done.effects for names in effect.names]
    return _take_back_by_hand(folder, last)


def _take_back_by_hand(folder: Folder, batch: int) -> list[Relabelled]:
    with opened(folder) as catalog:
        moved = catalog.write_now(lambda db: label_moves.undo_batch(db, folder, batch))
        places = catalog.write_now(lambda db: relabel.finish_moves(db, folder))
        catalog.write_now(lambda db: removals.set_withdrawn_aside(db, folder))
        catalog.write_now(lambda db: writing.write_all(db, folder))
        return list(_placed(moved.items(), places))


def _placed(
    moved: Iterable[tuple[int, Relabelled]], places: Mapping[int, str]
) -> Iterable[Relabelled]:
    for sample_id, one in moved:
        yield Relabelled(one.old_name, places.get(sample_id, one.new_name))
