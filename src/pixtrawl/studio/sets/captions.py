"""Captions in the studio: one text for images, or words replaced in many; shown with origin."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct, field

from pixtrawl.captions import WRITTEN, caption_of
from pixtrawl.catalog import samples, written
from pixtrawl.catalog.schema.states import KEPT_STATES
from pixtrawl.catalog.views.rows import LookRow
from pixtrawl.folder.decisions import journal
from pixtrawl.folder.decisions.journal import DecisionRecord
from pixtrawl.model import Caption
from pixtrawl.pipeline.curating.captioning import MAX_TEXT
from pixtrawl.studio.messages import DecisionRequest, StudioError

__all__ = ["CaptionPlan", "caption_plan", "captions_of"]


class CaptionPlan(Struct):
    """The decisions that give images a caption, and how many written by hand stay as they are."""

    records: list[DecisionRecord] = field(default_factory=list)
    left_by_hand: int = 0


def captions_of(db: sqlite3.Connection, root: Path, ids: Sequence[int]) -> dict[str, Caption]:
    """Return the caption of each of these images by file name, as the data set's origins say."""
    chain = written.chain_of(db) or ("title",)
    known = samples.some(db, root, list(ids), samples.columns_of(db), None)
    return {one.file_name: caption_of(one, chain) for one in known}


def caption_plan(
    db: sqlite3.Connection, root: Path, request: DecisionRequest, rows: Sequence[LookRow]
) -> CaptionPlan:
    """Return the decisions that give images a caption, replace words in it, or drop it.

    Of several images, those that have one written by hand are left alone unless `by_hand` says
    otherwise; images that would not change do not count. Raise StudioError 400.
    """
    if request.find == "" or (request.find is None and len(request.text) > MAX_TEXT):
        raise StudioError(400, f"give words to find, or a text of at most {MAX_TEXT:,} characters")
    kept = [row for row in rows if row.state in KEPT_STATES]
    present = captions_of(db, root, [row.id for row in kept])
    batch, plan = journal.new_id(), CaptionPlan()
    for row in kept:
        before = present.get(row.file_name, Caption())
        text = _text(request, before)
        if text is None:
            continue
        if before.origin == "hand" and len(kept) > 1 and not request.by_hand:
            plan.left_by_hand += 1
            continue
        if len(text) > MAX_TEXT:
            raise StudioError(
                400, f"{row.file_name}: a caption has at most {MAX_TEXT:,} characters"
            )
        named = {"sha256": row.sha256, "file_name": row.file_name}
        origin = "" if request.reset else "hand"
        plan.records.append(
            journal.record("web", "caption", batch, **named, text=text, origin=origin)
        )
    return plan


def _text(request: DecisionRequest, before: Caption) -> str | None:
    """Return the new caption of an image; None where it stays as it is."""
    if request.reset:
        return "" if before.origin in WRITTEN else None
    if request.find is not None:
        changed = before.text.replace(request.find, request.text)
        return changed if changed != before.text else None
    return None if before.origin == "hand" and before.text == request.text else request.text
