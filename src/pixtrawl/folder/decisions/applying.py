"""Applies recorded decisions to the catalog, each exactly once, in order.

The process that holds the data set does this: a run about twice a second, any other command when
it starts. Rows change inside the caller's transaction; `finish_files` moves the files after the
commit, and each start repeats that.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from msgspec import Struct, field

from pixtrawl.catalog.copies import DroppedCopy
from pixtrawl.catalog.database import savepoint
from pixtrawl.catalog.decisions import recorded as decisions
from pixtrawl.catalog.decisions.recorded import DecisionState, Noted
from pixtrawl.errors import UsageError
from pixtrawl.folder import renditions
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.decisions import (
    actions,
    copies_back,
    journal,
    journal_facts,
    relabel,
    removals,
)
from pixtrawl.folder.decisions.effects import Effect, kept_image
from pixtrawl.folder.decisions.journal import STEERING, DecisionRecord

__all__ = [
    "STEERING",
    "TakenIn",
    "decided_by",
    "finish_files",
    "is_pending",
    "last_batch",
    "refused_meanwhile",
    "take_in",
    "waiting_copies",
]

_OPEN: Final = frozenset({DecisionState.HOLDS, DecisionState.WAITS})


class TakenIn(Struct):
    """The results of newly recorded decisions."""

    effects: list[Effect] = field(default_factory=list)
    steering: list[DecisionRecord] = field(default_factory=list)  # for the run that holds the set
    bad: list[str] = field(default_factory=list)  # invalid lines, and decisions that failed
    gained: Counter[int] = field(default_factory=Counter)  # images by query; negative if lost
    unfilled: Counter[int] = field(default_factory=Counter)  # places that stay empty, by query

    def add(self, other: TakenIn) -> None:
        """Add the results of decisions that were applied later."""
        self.effects += other.effects
        self.steering += other.steering
        self.bad += other.bad
        self.gained.update(other.gained)
        self.unfilled.update(other.unfilled)

    @property
    def anything(self) -> bool:
        return bool(self.effects or self.steering or self.bad)

    @property
    def replaced(self) -> list[int]:
        """Return the images of which copies were brought back or dropped again."""
        found = (one.samples for one in self.effects if one.record.action == "take_back")
        return [sample_id for ids in found for sample_id in ids]

    @property
    def samples(self) -> list[int]:
        """Return the images that decisions were about."""
        return [sample_id for one in self.effects for sample_id in one.samples]

    @property
    def took_down(self) -> bool:
        """Return whether images were taken down: their renditions must go, too."""
        return any(effect.record.action == "takedown" for effect in self.effects)


def is_pending(db: sqlite3.Connection, folder: Folder) -> bool:
    """Return whether decisions are recorded but not yet applied, or were deferred."""
    start = decisions.read_to(db)
    if journal.size(folder) != start:
        found = journal.read(folder, start)
        if found.bad or any(one.action not in journal.FACTS for one in found.records):
            return True
    return decisions.are_waiting(db)


def refused_meanwhile(db: sqlite3.Connection, folder: Folder) -> frozenset[int]:
    """Return the images that unapplied decisions refuse or take down by name."""
    found = journal.read(folder, decisions.read_to(db)).records
    kept = (kept_image(db, one) for one in found if one.action in {"reject", "takedown"})
    return frozenset(one for one in kept if one is not None)


def waiting_copies(
    db: sqlite3.Connection, folder: Folder
) -> list[tuple[DecisionRecord, DroppedCopy]]:
    """Return the decisions that wait for a dropped copy to be decoded, each with the copy."""
    found = []
    for one in map(_record, decisions.waiting(db)):
        copy = copies_back.waiting_copy(db, folder, one)
        if copy is not None:
            found.append((one, copy))
    return found


def take_in(db: sqlite3.Connection, folder: Folder, *, run_id: int | None = None) -> TakenIn:
    """Read new decisions from the journal and apply them to the rows.

    `run_id` is the run that holds the data set. None if no run is active: then deferred decisions
    are applied, too.
    """
    done = TakenIn()
    if run_id is None:
        for left in decisions.waiting(db):
            _carry_out(db, folder, _record(left), done, None)
    start = decisions.read_to(db)
    if journal.size(folder) == start:
        return done
    found = journal.read(folder, start)
    done.bad += found.bad
    for record in found.records:
        if record.action in journal.FACTS:
            continue
        if decisions.note(db, record.id, record.batch, msgspec.json.encode(record)):
            _carry_out(db, folder, record, done, run_id)
    decisions.mark(db, found.end)
    journal.append_facts(db, folder, list(_facts(db, done.effects)))
    return done


def _facts(db: sqlite3.Connection, effects: Sequence[Effect]) -> Iterator[DecisionRecord]:
    """Yield a fact for each image that these decisions removed."""
    for effect in effects:
        kind = {"reject": "refused", "takedown": "taken"}.get(effect.record.action)
        if kind is None or effect.undone:
            continue
        record = effect.record
        cause = f"{record.kind} {record.value}" if record.kind else journal.BY_DECISION
        for old, new in effect.names:
            if old and not new:
                yield from journal_facts.gone(db, [old], kind=kind, cause=cause)


def _carry_out(
    db: sqlite3.Connection,
    folder: Folder,
    record: DecisionRecord,
    done: TakenIn,
    run_id: int | None,
) -> None:
    """Apply one decision atomically; one that fails is marked VOID and added to `done.bad`."""
    if record.action in STEERING:
        meant = run_id is not None and record.run in {None, run_id}
        if meant:
            done.steering.append(record)
        state = DecisionState.HOLDS if meant else DecisionState.VOID
        decisions.set_state(db, record.id, state)
        return
    if run_id is not None and _must_wait(db, record):
        return
    if copies_back.waiting_copy(db, folder, record) is not None:
        return
    effects: list[Effect] = []
    try:
        with savepoint(db):
            if record.action == "undo":
                effects = _undo(db, folder, record)
            else:
                effects = [_apply(db, folder, record)]
    except (UsageError, ValueError, KeyError, TypeError) as error:
        decisions.set_state(db, record.id, DecisionState.VOID)
        done.bad.append(f"{record.action} {record.file_name or record.value}: {error}")
    for effect in effects:
        effect.by = record.id if record.action == "undo" else ""
        done.effects.append(effect)
        done.gained.update(effect.gained)
        done.unfilled.update(effect.unfilled)


def _apply(db: sqlite3.Connection, folder: Folder, record: DecisionRecord) -> Effect:
    effect = actions.apply(db, folder, record)
    state = DecisionState.HOLDS if effect.changed else DecisionState.VOID
    decisions.set_state(db, record.id, state, effect.note)
    return effect


def _record(one: Noted) -> DecisionRecord:
    return msgspec.json.decode(one.line, type=DecisionRecord)


def _must_wait(db: sqlite3.Connection, record: DecisionRecord) -> bool:
    """Return whether to defer until no run is active: it renames the label of a query."""
    if record.action == "undo":
        former = map(_record, decisions.of_batch(db, record.undoes))
        return any(_must_wait(db, one) for one in former if one.action != "undo")
    return record.action == "label" and not record.sha256


def _undo(db: sqlite3.Connection, folder: Folder, record: DecisionRecord) -> list[Effect]:
    """Undo a batch, its newest decision first; undoing an undo is a redo."""
    effects: list[Effect] = []
    changed = False
    for one in reversed(decisions.of_batch(db, record.undoes)):
        former = _record(one)
        if former.action in STEERING or one.state not in _OPEN:
            continue
        changed = True
        if former.action == "undo":
            effects += _redo(db, folder, former)
        elif one.state is DecisionState.HOLDS:
            effects.append(actions.take_back(db, folder, former, one.note))
        decisions.set_state(db, one.id, DecisionState.UNDONE)
    decisions.set_state(db, record.id, DecisionState.HOLDS if changed else DecisionState.VOID)
    return effects


def _redo(db: sqlite3.Connection, folder: Folder, undo: DecisionRecord) -> list[Effect]:
    effects: list[Effect] = []
    for one in decisions.of_batch(db, undo.undoes):
        if one.state is DecisionState.UNDONE:
            former = _record(one)
            if former.action == "undo":
                effects += _undo(db, folder, former)
            elif copies_back.waiting_copy(db, folder, former) is not None:
                decisions.set_state(db, one.id, DecisionState.WAITS)
            else:
                effects.append(_apply(db, folder, former))
    return effects


def last_batch(records: Sequence[DecisionRecord], *, redo: bool = False) -> str | None:
    """Return the newest batch to undo; with `redo`, the newest undo since the last decision."""
    undone: set[str] = set()
    undoing: dict[str, str] = {}  # undoing batch -> undone batch
    order: dict[str, None] = {}
    for record in records:
        if record.action in STEERING or record.action in journal.FACTS:
            continue
        order[record.batch] = None
        if record.action == "undo" and record.undoes not in undone:
            undoing[record.batch] = record.undoes
            undone.add(record.undoes)
            undone.discard(undoing.get(record.undoes, ""))  # what an undone undo undid is valid
    for batch in reversed(order):
        decided, undid = batch not in undoing, undoing.get(undoing.get(batch, "")) is None
        if batch not in undone and (undid and not decided if redo else decided):
            return batch
        if redo and decided:
            return None
    return None


def decided_by(records: Sequence[DecisionRecord], batch: str) -> list[DecisionRecord]:
    """Return the decisions of a batch; of an undo, those that it is about in the end."""
    undoes = {one.batch: one.undoes for one in records if one.action == "undo"}
    while batch in undoes:
        batch = undoes[batch]
    return [one for one in records if one.batch == batch]


def finish_files(db: sqlite3.Connection, folder: Folder, done: TakenIn) -> None:
    """Move or remove the files of images whose rows changed; call after the commit."""
    if not done.effects:
        return
    removals.set_replaced_aside(db, folder, done.replaced)
    relabel.finish_moves(db, folder)
    removals.set_withdrawn_aside(db, folder, done.samples)
    if done.took_down:
        renditions.remove_all(folder.root)
        removals.remove_files(db, folder)
