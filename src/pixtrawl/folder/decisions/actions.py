"""Applies or undoes one decision of a person: rows only, inside the caller's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pixtrawl.catalog import block_hashes, kept, labels, sample_rows, samples, written
from pixtrawl.catalog.decisions import refusals, takedown, wanted_back
from pixtrawl.catalog.decisions.refusals import Refusal
from pixtrawl.catalog.decisions.takedown import Rule, Taken, TakenDown, parse_rule
from pixtrawl.catalog.schema.states import (
    SampleState,
    any_of,
)
from pixtrawl.folder import quarantine
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.decisions import copies_back, label_moves
from pixtrawl.folder.decisions.effects import (
    Effect,
    carry_out,
    find_image,
    kept_image,
    touched_by,
)
from pixtrawl.folder.decisions.journal import DecisionRecord
from pixtrawl.model import Caption, Reason

__all__ = ["apply", "take_back"]

_GONE: Final = any_of(SampleState.WITHDRAWN, SampleState.DELETED_BY_HAND, SampleState.TAKEN_DOWN)
_REPLACED: Final = any_of(SampleState.REPLACED)
_WITHDRAWN: Final = any_of(SampleState.WITHDRAWN)


_Action = Callable[[sqlite3.Connection, Folder, Effect], None]


def apply(db: sqlite3.Connection, folder: Folder, record: DecisionRecord) -> Effect:
    """Apply a decision; do nothing if its image is no longer in the data set."""
    effect = Effect(record)
    carry_out(db, effect, lambda: _DO[record.action](db, folder, effect), touched_by(db, record))
    return effect


def take_back(
    db: sqlite3.Connection, folder: Folder, record: DecisionRecord, note: Mapping[str, Any]
) -> Effect:
    """Undo what `apply` did; `note` is the note of that effect."""
    effect = Effect(record, undone=True, note=dict(note))
    touched = [int(one) for one in note.get("samples", ())]
    carry_out(db, effect, lambda: _UNDO[record.action](db, folder, effect), touched)
    return effect


# -- refusing and bringing back


def _reject(db: sqlite3.Connection, folder: Folder, effect: Effect) -> None:
    sample_id = kept_image(db, effect.record)
    if sample_id is not None:
        _refuse(db, effect, sample_id, Refusal(effect.record.refill, effect.record.reason))


def _refuse(db: sqlite3.Connection, effect: Effect, sample_id: int, refusal: Refusal) -> None:
    withdrawal = refusals.refuse(db, sample_id, refusal)
    if withdrawal is not None:
        effect.changed = True
        effect.samples.append(sample_id)
        effect.names.append((withdrawal.file_name, ""))
        effect.note["sample"] = sample_id


def _unreject(db: sqlite3.Connection, folder: Folder, effect: Effect) -> None:
    sample_id = effect.note.get("sample")
    if sample_id is not None and refusals.refusal_of(db, sample_id) is not None:
        _bring_back(db, folder, effect, sample_id)


def _bring_back(db: sqlite3.Connection, folder: Folder, effect: Effect, sample_id: int) -> None:
    """Restore a refused image from quarantine, or let the next run fetch it if absent there."""
    refusal = refusals.refusal_of(db, sample_id)
    row = sample_rows.one(db, sample_id)
    name = row.file_name
    aside = quarantine.find(folder, row.sha256)
    refusals.bring_back(db, sample_id)
    effect.changed = True
    effect.samples.append(sample_id)
    if refusal is not None:
        effect.note |= {"sample": sample_id, "refill": refusal.refill, "words": refusal.words}
    if aside is not None:
        labels.note_move(db, sample_id, aside.relative_to(folder.root).as_posix())
    elif not (folder.root / name).is_file():
        samples.set_state(db, sample_id, SampleState.DELETED_BY_HAND)
        wanted_back.want_back(db, [sample_id])
        name = ""
    effect.names.append(("", name))


def _keep(db: sqlite3.Connection, folder: Folder, effect: Effect) -> None:
    """Bring back an image that was refused; record a kept one as reviewed."""
    found = find_image(db, effect.record, _WITHDRAWN)
    if found is not None and refusals.refusal_of(db, found.id) is not None:
        _bring_back(db, folder, effect, found.id)
    elif (own := kept_image(db, effect.record)) is not None:
        effect.changed = True
        effect.samples.append(own)


def _restore(db: sqlite3.Connection, folder: Folder, effect: Effect) -> None:
    found = find_image(db, effect.record, _GONE)
    if found is None:
        return
    if found.state is SampleState.WITHDRAWN:
        if refusals.refusal_of(db, found.id) is not None:
            _bring_back(db, folder, effect, found.id)
        return
    if found.state is SampleState.TAKEN_DOWN:
        takedown.forget(db, [Rule("sha256", effect.record.sha256)])
        if takedown.held(db, [found.id]):
            return
    _want_back(db, effect, {found.id: found.state.value})


def _want_back(db: sqlite3.Connection, effect: Effect, former: Mapping[int, int]) -> None:
    """Let the next run fetch these images; `former` maps each row to its state."""
    if former and wanted_back.want_back(db, list(former)):
        effect.changed = True
        effect.samples += list(former)
        effect.note["wanted_back"] = {str(one): state for one, state in former.items()}


def _want_back_down(db: sqlite3.Connection, effect: Effect, ids: Sequence[int]) -> None:
    _want_back(db, effect, dict.fromkeys(ids, SampleState.TAKEN_DOWN.value))


def _unrestore(db: sqlite3.Connection, folder: Folder, effect: Effect) -> None:
    """Refuse the image again, or stop waiting for it; one that has arrived meanwhile stays."""
    sample_id = effect.note.get("sample")
    if sample_id is not None and "refill" in effect.note:
        refusal = Refusal(effect.note["refill"], effect.note["words"])
        _refuse(db, effect, sample_id, refusal)
    for text, state in effect.note.get("wanted_back", {}).items():
        former = SampleState(state)
        if wanted_back.stop_waiting(db, int(text), former):
            effect.changed = True
            if former is SampleState.TAKEN_DOWN:
                takedown.remember(db, [Rule("sha256", effect.record.sha256)])


# -- labels


def _label(db: sqlite3.Connection, folder: Folder, effect: Effect) -> None:
    record = effect.record
    label = labels.spelling(db, record.label)
    batch = labels.next_batch(db)
    if not record.sha256:
        rows = kept.named_or_of_label(db, record.file_name)
        if rows and rows[0].label == record.file_name and not labels.is_known(db, label):
            moved = label_moves.rename(db, rows, record.file_name, label, batch)
            effect.names += [(one.old_name, one.new_name) for one in moved.values()]
            effect.changed = True
            effect.note["relabelled"] = batch
        return
    sample_id = kept_image(db, record)
    image = None if sample_id is None else kept.by_id(db, sample_id)
    if image is None or image.label == label:
        return
    moved_one = label_moves.move(db, folder, image, label, batch)
    effect.names.append((moved_one.old_name, moved_one.new_name))
    effect.samples.append(image.sample_id)
    effect.changed = True
    effect.note |= {
        "relabelled": batch, "joined": not moved_one.new_name, "sample": image.sample_id,
    }  # fmt: skip


def _unlabel(db: sqlite3.Connection, folder: Folder, effect: Effect) -> None:
    moved = label_moves.undo_batch(db, folder, int(effect.note.get("relabelled", 0)))
    effect.names += [(one.old_name, one.new_name) for one in moved.values()]
    effect.samples += list(moved)
    effect.changed = bool(moved)
    if effect.note.get("joined"):  # a twin had that label, so its own file was quarantined
        own = int(effect.note["sample"])
        labels.part(db, own)
        _bring_back(db, folder, effect, own)


# -- taking down


def _take_down(db: sqlite3.Connection, folder: Folder, effect: Effect) -> None:
    record = effect.record
    rules = [parse_rule(record.kind, record.value)] if record.kind else []
    taken = list(takedown.matching(db, TakenDown(rules)))
    if not record.kind and (sample_id := kept_image(db, record)) is not None:
        row = sample_rows.one(db, sample_id)
        taken.append(Taken(sample_id, row.file_name, row.sha256, "named"))
    takedown.remember(db, rules)
    takedown.remove(db, taken, rules)
    if record.reason == Reason.BLOCKED_HASH and record.kind == "sha256":
        block_hashes.refuse(db, record.value)
    effect.names += [(one.file_name, "") for one in taken]
    effect.samples += [one.sample_id for one in taken]
    effect.changed = bool(rules or taken)
    effect.note["sha256"] = [one.sha256 for one in taken]


def _untake(db: sqlite3.Connection, folder: Folder, effect: Effect) -> None:
    record = effect.record
    own = [Rule(record.kind, record.value)] if record.kind else []
    rules = own or [Rule("sha256", sha256) for sha256 in effect.note.get("sha256", ())]
    free = set(takedown.forget(db, rules))
    _want_back(
        db,
        effect,
        {
            one: SampleState.TAKEN_DOWN.value
            for one in effect.note.get("samples", ())
            if one in free
        },
    )
    effect.changed = True


def _forget(db: sqlite3.Connection, folder: Folder, effect: Effect) -> None:
    """Drop a takedown rule; the next run fetches the images that only this rule removed."""
    record = effect.record
    kind, value = (record.kind, record.value) if record.kind else ("sha256", record.sha256)
    known = {(rule.kind, rule.value) for rule in takedown.load(db).rules}
    if (kind, value) not in known:
        return
    down = takedown.removed_ids(db)
    free = set(takedown.forget(db, [Rule(kind, value)]))
    effect.changed = True
    effect.note["rule"] = [kind, value]
    _want_back_down(db, effect, [one for one in down if one in free])


def _unforget(db: sqlite3.Connection, folder: Folder, effect: Effect) -> None:
    takedown.remember(db, [Rule(*effect.note["rule"])])
    _unrestore(db, folder, effect)
    effect.changed = True


# -- captions


def _caption(db: sqlite3.Connection, folder: Folder, effect: Effect) -> None:
    """Set or drop the written caption; a model's text does not replace one by hand."""
    record = effect.record
    sample_id = kept_image(db, record)
    if sample_id is None:
        return
    before = written.of_sample(db, sample_id)
    new = Caption(record.text, record.origin) if record.origin else None
    by_hand = before is not None and before.origin == "hand"
    if new == before or (by_hand and record.origin == "model"):
        return
    written.give(db, sample_id, new)
    effect.changed = True
    effect.samples.append(sample_id)
    effect.note["caption"] = None if before is None else [before.text, before.origin]


def _uncaption(db: sqlite3.Connection, folder: Folder, effect: Effect) -> None:
    sample_id = kept_image(db, effect.record)
    if sample_id is None or "caption" not in effect.note:
        return
    before = effect.note["caption"]
    written.give(db, sample_id, None if before is None else Caption(*before))
    effect.changed = True
    effect.samples.append(sample_id)


_DO: Final[Mapping[str, _Action]] = {
    "reject": _reject,
    "keep": _keep,
    "restore": _restore,
    "take_back": copies_back.bring,
    "label": _label,
    "takedown": _take_down,
    "forget": _forget,
    "caption": _caption,
}
_UNDO: Final[Mapping[str, _Action]] = {
    "reject": _unreject,
    "keep": _unrestore,
    "restore": _unrestore,
    "take_back": copies_back.unbring,
    "label": _unlabel,
    "takedown": _untake,
    "forget": _unforget,
    "caption": _uncaption,
}
