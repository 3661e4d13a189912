"""Decisions of a person: first written to the journal of decisions, then carried out.

If a run is in progress, it carries them out within about half a second; otherwise they are carried
out at once. When a function here returns, the decision is in the journal on disk, so every later
command honours it, even if this process is killed (as with a write-ahead log).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from typing import Final, Literal

import msgspec
from msgspec import Struct

from pixtrawl.catalog import kept, queries, run_log
from pixtrawl.catalog.database import connect
from pixtrawl.catalog.files import derived_mark
from pixtrawl.errors import StorageError, UsageError
from pixtrawl.folder.dataset_folder import Folder, in_use
from pixtrawl.folder.decisions import applying, journal
from pixtrawl.folder.decisions.effects import Effect
from pixtrawl.folder.decisions.journal import DecisionRecord
from pixtrawl.folder.derived import writing
from pixtrawl.pipeline.finished import mending
from pixtrawl.pipeline.finished.opened import locked, looked_at, opened, relative

__all__ = ["Recorded", "Who", "derive", "keep", "record", "reject", "steer", "undo"]

Who = Literal["cli", "web", "python", "mcp"]
Steering = Literal["pause", "resume", "stop", "more"]
_MAX_REASON: Final = 500  # characters


class Recorded(Struct, frozen=True, kw_only=True):
    """Decisions that are recorded on disk.

    With `by_run`, a run in progress carries them out within about half a second, and `effects` is
    empty. `undone` holds the decisions that an undo took back, or that a redo did again.
    """

    batch: str
    records: tuple[DecisionRecord, ...]
    effects: tuple[Effect, ...] = ()
    by_run: bool = False
    undone: tuple[DecisionRecord, ...] = ()


def record(folder: Folder, records: Sequence[DecisionRecord], *, derive: bool = True) -> Recorded:
    """Record the decisions of one batch, and carry them out unless a run is in progress.

    Without `derive` the files made from the catalog (metadata.jsonl and others) stay as they are,
    and are marked stale: `derive`, or `catch_up`, writes them. Nor are all files compared with
    their rows. Meant for many small batches in a row, after `catch_up`.

    Raises:
        UsageError: there is no data set.
        StorageError: the decisions cannot be recorded or carried out.
    """
    if folder.is_lost():  # made again first: a decision must find its image
        with opened(folder):
            pass
    folder.require()
    if not records:
        return Recorded(batch="", records=())
    journal.append(folder, records)
    batch, kept = records[0].batch, tuple(records)
    if in_use(folder):
        return Recorded(batch=batch, records=kept, by_run=True)
    try:
        done = _carry_out(folder, derive=derive)
    except StorageError:
        if not in_use(folder):
            raise
        return Recorded(batch=batch, records=kept, by_run=True)  # a run began in between
    own = {one.id for one in kept}
    effects = tuple(one for one in done if (one.by or one.record.id) in own)
    return Recorded(batch=batch, records=kept, effects=effects)


def _carry_out(folder: Folder, *, derive: bool) -> list[Effect]:
    with locked(folder) as catalog:
        if not derive:
            return mending.carry_out(catalog, folder).decided.effects
        found = mending.recover(catalog, folder)
        catalog.write_now(lambda db: writing.write_all(db, folder))
        return found.decided.effects


def derive(folder: Folder, go_on: Callable[[], None]) -> None:
    """Carry out what is only recorded, and write the files made from the catalog where stale.

    `go_on` is called every few images; it may raise, to end the work before its end:
    the files then stay as they were, and stale. Raise StorageError.
    """
    with locked(folder) as catalog:
        mending.carry_out(catalog, folder)
        if catalog.write_now(derived_mark.is_stale, synced=False):
            catalog.write_now(lambda db: writing.write_all(db, folder, go_on))


def reject(
    folder: Folder,
    names: Iterable[str],
    *,
    who: Who,
    reason: str = "",
    refill: bool = True,
) -> Recorded:
    """Remove images from the data set, and keep the same bytes and near duplicates out.

    Args:
        folder: the data set.
        names: image files, or folders of labels for all of their images.
        who: where the decision comes from.
        reason: a free text, cut to 500 characters.
        refill: whether a run finds another image for each place.

    Raise UsageError where a name is no image of the data set; StorageError.
    """
    return _decide(folder, names, "reject", who, False, reason=reason[:_MAX_REASON], refill=refill)


def keep(folder: Folder, names: Iterable[str], *, who: Who, reason: str = "") -> Recorded:
    """Mark images as wanted by a person, and restore refused ones. Raise as `reject`."""
    return _decide(folder, names, "keep", who, True, reason=reason[:_MAX_REASON])


def _decide(
    folder: Folder, names: Iterable[str], action: str, who: Who, refused: bool, **given: object
) -> Recorded:
    batch = journal.new_id()
    with looked_at(folder) as db:
        images = named_images(db, folder, names, refused=refused)
    return record(
        folder,
        [
            journal.record(who, action, batch, sha256=sha256, file_name=name, **given)
            for name, sha256 in images
        ],
    )


def named_images(
    db: sqlite3.Connection, folder: Folder, names: Iterable[str], *, refused: bool = False
) -> list[tuple[str, str]]:
    """Return file name and SHA-256 of the named images, each once. Raise UsageError.

    `refused` includes images that a person refused.
    """
    found: dict[str, str] = {}
    for name in names:
        own = relative(folder, name).rstrip("/")
        rows = kept.named_or_of_label(db, own, refused=refused)
        if not rows:
            raise UsageError(f"{name}: no image and no label of the data set {folder.shown}")
        found.update((row.file_name, row.sha256) for row in rows)
    return list(found.items())


def undo(folder: Folder, *, who: Who, redo: bool = False, derive: bool = True) -> Recorded:
    """Undo the last batch of decisions as a whole; `redo` undoes the last undo.

    `derive` is that of `record`. Raise UsageError where there is nothing to undo; StorageError.
    """
    if derive:
        with looked_at(folder):  # carries out what a killed command had only recorded
            pass
    before = journal.read(folder).records
    batch = applying.last_batch(before, redo=redo)
    if batch is None:
        what = "redo" if redo else "undo"
        raise UsageError(f"{folder.shown}: no decision to {what}")
    done = undo_of(folder, batch, who=who, derive=derive)
    return msgspec.structs.replace(done, undone=tuple(applying.decided_by(before, batch)))


def undo_of(folder: Folder, batch: str, *, who: Who, derive: bool = True) -> Recorded:
    """Undo one batch of decisions. Raise as `record`."""
    one = journal.record(who, "undo", journal.new_id(), undoes=batch)
    return record(folder, [one], derive=derive)


def steer(
    folder: Folder, action: Steering, *, who: Who, query: str = "", limit: int | None = None
) -> Recorded:
    """Make the run in progress pause, resume, stop, or find more images.

    Args:
        folder: the data set.
        action: `pause`, `resume`, `stop` or `more`.
        who: where the decision comes from.
        query: text or label of one query; empty for all.
        limit: for `more`: the new number of images wanted of each query.

    Raise UsageError where no run is in progress, the query is unknown, or `limit` is not larger
    than before; StorageError.
    """
    folder.require()
    if not in_use(folder):
        raise UsageError(f"no run is at work on {folder.shown}: there is nothing to {action}")
    with closing(connect(folder.catalog, read_only=True)) as db:
        run_id = _run_at_work(db, folder, action)
        rows = [
            one for one in queries.of_run(db, run_id) if not query or query in {one.text, one.label}
        ]
    if not rows and query:
        raise UsageError(f"{query}: no query of the run at work on {folder.shown}")
    wanted = [one.wanted for one in rows if one.wanted is not None]
    if action == "more" and (limit is None or not wanted or limit <= min(wanted)):
        now = f"; {min(wanted)} are wanted now" if wanted else "; it takes all there are already"
        raise UsageError(f"more wants -n N with a larger number{now}")
    text = rows[0].text if query else ""
    one = journal.record(who, action, journal.new_id(), query=text, limit=limit, run=run_id)
    return record(folder, [one])


def _run_at_work(db: sqlite3.Connection, folder: Folder, action: str) -> int:
    run = run_log.last_run(db)
    if run is None or run.has_ended:
        raise UsageError(f"no run is at work on {folder.shown}: there is nothing to {action}")
    return run.id
