"""Decisions of a person in the studio, recorded as those of the command line are."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct, field

from pixtrawl.catalog import labels
from pixtrawl.catalog.schema.states import KEPT_STATES, SampleState
from pixtrawl.catalog.views import rows as look_rows
from pixtrawl.catalog.views.rows import DecidedCandidate, LookRow
from pixtrawl.errors import PixtrawlError, StorageError, UsageError
from pixtrawl.folder import quarantine
from pixtrawl.folder.dataset_folder import in_use
from pixtrawl.folder.decisions import journal
from pixtrawl.folder.decisions.journal import DecisionRecord
from pixtrawl.model import Reason
from pixtrawl.operations.decision_summary import summarise
from pixtrawl.pipeline.curating import curate, deciding
from pixtrawl.studio.messages import DecisionAnswer, DecisionRequest, StudioError, WhichImages
from pixtrawl.studio.sets.captions import caption_plan
from pixtrawl.studio.sets.open_set import OpenSet
from pixtrawl.studio.sets.views import parse_ref

__all__ = ["decide", "undo"]

_MOST_REASON: Final = 500  # characters
_ASIDE: Final = frozenset(
    {
        Reason.SAME_PICTURE, Reason.BETTER_COPY_KEPT, Reason.PLACEHOLDER, Reason.LABEL_CONFLICT,
    }
)  # fmt: skip
_COPIES: Final = frozenset({Reason.SAME_PICTURE, Reason.BETTER_COPY_KEPT})
_DONE: Final = {
    "keep": "kept", "reject": "rejected", "relabel": "put under {label}",
    "bring_back": "brought back", "never_again": "taken down for good",
    "caption": "captioned", "swap": "kept in place of another copy",
}  # fmt: skip


class DecisionPlan(Struct):
    """The records of one decision, and the dropped copies that become images."""

    records: list[DecisionRecord] = field(default_factory=list)
    copies: dict[str, str] = field(default_factory=dict)  # SHA-256, and of whom it takes the place
    labels: dict[str, str] = field(default_factory=dict)  # of the copies, by SHA-256
    left_by_hand: int = 0  # captions written by hand that stay as they are

    @property
    def size(self) -> int:
        return len(self.records) + len(self.copies)


def decide(data_set: OpenSet, request: DecisionRequest) -> DecisionAnswer:
    """Record a decision, and carry it out unless a run does.

    Raise StudioError: 409 where it would change another number of images than expected.
    """
    images, candidates = _chosen(data_set, request.on)
    with data_set.settling.deciding():
        plan = data_set.read(lambda db: _plan(db, data_set, request, images, candidates))
        if plan.size != request.expect:
            raise StudioError(
                409, f"this would change {plan.size} images, not {request.expect}",
                would_change=plan.size, **_left(plan),
            )  # fmt: skip
        if not plan.size:
            left = plan.left_by_hand
            return DecisionAnswer("", 0, "nothing to change", data_set.watch(), left_by_hand=left)
        records = [*plan.records, *_copies_back(data_set, plan)]
        done = deciding.record(data_set.folder, records, derive=False)
    word = _DONE[request.action].format(label=request.label)
    if plan.copies and done.by_run:
        word = f"will be {word} when the run at work has ended"
    stay = f"; {plan.left_by_hand:,} written by hand stay as they are" if plan.left_by_hand else ""
    summary = f"{_images(plan.size)} {word}{stay}"
    return DecisionAnswer(
        done.batch, plan.size, summary, data_set.watch(), done.by_run, plan.left_by_hand
    )


def undo(data_set: OpenSet, *, redo: bool) -> DecisionAnswer:
    """Undo or redo the last decision as a whole. Raise StudioError 409 where there is none."""
    with data_set.settling.deciding():
        try:
            done = deciding.undo(data_set.folder, who="web", redo=redo, derive=False)
        except UsageError as error:
            what = "redo" if redo else "undo"
            raise StudioError(409, f"there is nothing to {what}") from error
    changed = sum(len(one.names) or int(one.changed) for one in done.effects)
    word = "done again" if redo else "taken back"
    summary = f"{word}: {summarise(done.undone)}"
    return DecisionAnswer(done.batch, changed, summary, data_set.watch(), done.by_run)


def _left(plan: DecisionPlan) -> Mapping[str, int]:
    return {"left_by_hand": plan.left_by_hand} if plan.left_by_hand else {}


def _images(n: int) -> str:
    return f"{n:,} image{'' if n == 1 else 's'}"


def _chosen(data_set: OpenSet, on: WhichImages) -> tuple[list[int], list[int]]:
    """Return the rows of images and of candidates, each once. Raise StudioError."""
    if on.view:
        view = data_set.views.require(on.view)
        if not on.all and on.count <= 0:
            raise StudioError(400, "say which images of the view: all, or start and count")
        ids = list(view.ids if on.all else view.ids[max(0, on.start) : on.start + on.count])
        return ([], ids) if view.kind == "not_kept" else (ids, [])
    parsed = dict.fromkeys(map(parse_ref, on.ids))
    return [row for kind, row in parsed if kind == "s"], [
        row for kind, row in parsed if kind == "c"
    ]


def _plan(
    db: sqlite3.Connection,
    data_set: OpenSet,
    request: DecisionRequest,
    images: Sequence[int],
    candidates: Sequence[int],
) -> DecisionPlan:
    if request.action != "caption":
        return _planned(db, request, images, candidates)
    rows = look_rows.sample_rows_of(db, images)
    captions = caption_plan(db, data_set.folder.root, request, rows)
    return DecisionPlan(captions.records, left_by_hand=captions.left_by_hand)


def _planned(
    db: sqlite3.Connection,
    request: DecisionRequest,
    images: Sequence[int],
    candidates: Sequence[int],
) -> DecisionPlan:
    plan = DecisionPlan()
    dropped = look_rows.candidates_by_id(db, candidates)
    # What a person refused or deleted was an image: the decision is about that image.
    own = [
        one.sample_id
        for one in dropped
        if one.reason in {Reason.REFUSED_BY_PERSON, Reason.REMOVED_BY_USER} and one.sample_id
    ]
    rows = look_rows.sample_rows_of(db, list(dict.fromkeys([*images, *own])))
    batch = journal.new_id()
    more = _fields(db, request)
    for row in rows:
        action = _action(request, row, str(more.get("label", "")))
        if action:
            named = {"sha256": row.sha256, "file_name": row.file_name}
            if action == "takedown" and row.state not in KEPT_STATES:
                named = {"kind": "sha256", "value": row.sha256}
            plan.records.append(journal.record("web", action, batch, **named, **more))
    for one in dropped:
        if one.sample_id in own:
            continue
        if request.action == "bring_back" and one.reason in _ASIDE and one.sha256:
            plan.copies[one.sha256] = ""
            plan.labels[one.sha256] = one.label
        elif request.action == "swap":
            _plan_swap(db, plan, one)
        elif request.action == "never_again":
            plan.records.append(journal.record("web", "takedown", batch, **_rule(one)))
    return plan


def _fields(db: sqlite3.Connection, request: DecisionRequest) -> Mapping[str, object]:
    reason = request.reason[:_MOST_REASON]
    if request.action == "reject":
        return {"reason": reason, "refill": request.refill}
    if request.action == "relabel":
        if not request.label.strip():
            raise StudioError(400, "relabel wants the name of a label")
        return {"label": labels.spelling(db, request.label)}
    return {"reason": reason} if reason and request.action == "keep" else {}


def _action(request: DecisionRequest, row: LookRow, label: str) -> str:
    """Return the action of the journal that changes this image; "" where nothing would change."""
    kept = row.state in KEPT_STATES
    refused = row.state is SampleState.WITHDRAWN and row.reason == Reason.REFUSED_BY_PERSON
    match request.action:
        case "reject":
            return "reject" if kept else ""
        case "keep":
            return "keep" if kept or refused else ""
        case "relabel":
            return "label" if kept and row.label != label else ""
        case "bring_back":
            return "restore" if refused or row.state is SampleState.DELETED_BY_HAND else ""
        case "caption" | "swap":
            return ""  # `caption_plan` and `_plan_swap` plan these
        case "never_again":
            return "takedown" if row.state is not SampleState.TAKEN_DOWN else ""


def _rule(one: DecidedCandidate) -> Mapping[str, object]:
    kind, value = ("sha256", one.sha256) if one.sha256 else ("url", one.url)
    return {"kind": kind, "value": value}


def _plan_swap(db: sqlite3.Connection, plan: DecisionPlan, one: DecidedCandidate) -> None:
    """Add a copy that takes the place of the kept image of its group; one of each group."""
    if one.reason not in _COPIES or not one.sha256 or one.sample_id is None:
        return
    kept = [row for row in look_rows.sample_rows_of(db, [one.sample_id])
            if row.state in KEPT_STATES]  # fmt: skip
    if kept and kept[0].sha256 not in {one.sha256, *plan.copies.values()}:
        plan.copies[one.sha256] = kept[0].sha256
        plan.labels[one.sha256] = one.label


def _copies_back(data_set: OpenSet, plan: DecisionPlan) -> list[DecisionRecord]:
    """Return the records that make dropped copies images. Raise StudioError 409."""
    if not plan.copies:
        return []
    try:
        names = asyncio.run(curate.prepare(data_set.folder, list(plan.copies)))
    except StorageError as error:
        if not in_use(data_set.folder):
            raise StudioError(409, str(error)) from error
        names = _waiting(data_set, plan)  # the run that holds the data set decodes them at its end
    except PixtrawlError as error:
        raise StudioError(409, str(error)) from error
    batch = plan.records[0].batch if plan.records else journal.new_id()
    return [
        journal.record(
            "web", "take_back", batch, sha256=sha256, file_name=name, value=plan.copies[sha256]
        )
        for sha256, name in names.items()
    ]


def _waiting(data_set: OpenSet, plan: DecisionPlan) -> dict[str, str]:
    """Return by SHA-256 what names copies that have no row yet: the folder of their label."""
    for sha256 in plan.copies:
        if quarantine.find(data_set.folder, sha256) is None:
            raise StudioError(409, f"{sha256}: its file is not kept aside any more")
    return {sha256: f"{plan.labels[sha256]}/" for sha256 in plan.copies}
