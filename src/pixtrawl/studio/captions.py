"""Captions in the studio: one text for images, or words replaced in many; shown with origin."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from pixtrawl.captions import caption_of
from pixtrawl.catalog import samples, written
from pixtrawl.catalog.look_rows import LookRow
from pixtrawl.catalog.states import KEPT_STATES
from pixtrawl.folder import decision_journal as journal
from pixtrawl.folder.decision_journal import DecisionRecord
from pixtrawl.model import Caption
from pixtrawl.pipeline.captioning import MAX_TEXT
from pixtrawl.studio.messages import DecisionRequest, StudioError

__all__ = ["caption_records", "captions_of"]


def captions_of(db: sqlite3.Connection, root: Path, ids: Sequence[int]) -> dict[str, Caption]:
    """Return the caption of each of these images by file name, as the data set's origins say."""
    chain = written.chain_of(db) or ("title",)
    known = samples.some(db, root, list(ids), samples.columns_of(db), None)
    return {one.file_name: caption_of(one, chain) for one in known}


def caption_records(
    db: sqlite3.Connection, root: Path, request: DecisionRequest, rows: Sequence[LookRow]
) -> list[DecisionRecord]:
    """Return the decisions that give images a caption.

    One text for several images leaves those alone that have one written by hand; replaced words
    change only the captions that have them. Raise StudioError 400.
    """
    if request.find == "" or (request.find is None and len(request.text) > MAX_TEXT):
        raise StudioError(400, f"give words to find, or a text of at most {MAX_TEXT:,} characters")
    kept = [row for row in rows if row.state in KEPT_STATES]
    present = captions_of(db, root, [row.id for row in kept])
    batch, found = journal.new_id(), []
    for row in kept:
        before = present.get(row.file_name, Caption())
        text = _text(request, before, alone=len(kept) == 1)
        if text is None:
            continue
        if len(text) > MAX_TEXT:
            raise StudioError(
                400, f"{row.file_name}: a caption has at most {MAX_TEXT:,} characters"
            )
        named = {"sha256": row.sha256, "file_name": row.file_name}
        found.append(journal.record("web", "caption", batch, **named, text=text, origin="hand"))
    return found


def _text(request: DecisionRequest, before: Caption, *, alone: bool) -> str | None:
    """Return the new caption of an image; None where it stays as it is."""
    if request.find is not None:
        changed = before.text.replace(request.find, request.text)
        return changed if changed != before.text else None
    if before.origin == "hand" and (not alone or before.text == request.text):
        return None
    return request.text
