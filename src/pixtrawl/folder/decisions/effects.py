"""The effect of one decision: the image it refers to, and the gains and losses by query."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec import Struct, field

from pixtrawl.catalog import sample_rows
from pixtrawl.catalog.decisions import takedown
from pixtrawl.catalog.decisions.takedown import TakenDown, parse_rule
from pixtrawl.catalog.sample_rows import Meant, SampleRow
from pixtrawl.catalog.schema.states import KEPT, KEPT_STATES, SampleState, any_of
from pixtrawl.folder.decisions.journal import DecisionRecord

__all__ = ["Effect", "carry_out", "find_image", "kept_image", "touched_by"]

_REPLACED: Final = any_of(SampleState.REPLACED)


class Effect(Struct):
    """The changes made by one decision.

    `names` holds (old, new) file names; "" means that the image was not, or is no longer, in the
    data set.
    """

    record: DecisionRecord
    by: str = ""  # id of the undo that caused it
    undone: bool = False
    changed: bool = False
    names: list[tuple[str, str]] = field(default_factory=list)
    samples: list[int] = field(default_factory=list)  # rows that the decision is about
    note: dict[str, Any] = field(default_factory=dict)
    gained: Counter[int] = field(default_factory=Counter)  # change in images by query
    unfilled: Counter[int] = field(default_factory=Counter)  # change in empty places, by query


def find_image(db: sqlite3.Connection, record: DecisionRecord, states: str) -> SampleRow | None:
    """Return the image that a record names if it is in one of these states, else None."""
    if not record.sha256:
        return None
    label = record.file_name.partition("/")[0]
    return sample_rows.find(db, Meant(label, record.file_name, record.sha256), states)


def kept_image(db: sqlite3.Connection, record: DecisionRecord) -> int | None:
    """Return the row of the named image, or of the better copy that replaced it, if kept."""
    found = find_image(db, record, KEPT) or find_image(db, record, _REPLACED)
    while found is not None and found.state is SampleState.REPLACED:
        found = sample_rows.better_copy(db, found.id)
    return found.id if found is not None and found.state in KEPT_STATES else None


def touched_by(db: sqlite3.Connection, record: DecisionRecord) -> list[int]:
    """Return the rows whose counts a decision may change."""
    if record.action in {"takedown", "forget"} and record.kind:
        rule = TakenDown([parse_rule(record.kind, record.value)])
        return [one.sample_id for one in takedown.matching(db, rule)]
    if record.action == "label" and not record.sha256:
        return []  # the label's query is renamed with it: no count changes
    if not record.sha256:
        return []
    rows = sample_rows.of_bytes(db, record.sha256)
    if record.action == "take_back" and record.value:
        rows += sample_rows.of_bytes(db, record.value)
    kept = kept_image(db, record)
    return [*{*rows, *(() if kept is None else (kept,))}]


def carry_out(
    db: sqlite3.Connection, effect: Effect, action: Callable[[], None], touched: Sequence[int]
) -> None:
    """Run `action` and record in `effect` the gain or loss of each query."""
    images, empty = _standing(db, touched)
    action()
    images_now, empty_now = _standing(db, touched)
    images_now.subtract(images)
    empty_now.subtract(empty)
    effect.gained = Counter({query: n for query, n in images_now.items() if n})
    effect.unfilled = Counter({query: n for query, n in empty_now.items() if n})
    if effect.changed:
        effect.note.setdefault("samples", list(touched))


def _standing(db: sqlite3.Connection, ids: Sequence[int]) -> tuple[Counter[int], Counter[int]]:
    """Return by query how many of these rows count as images, and how many as empty places."""
    images: Counter[int] = Counter()
    empty: Counter[int] = Counter()
    for sample_id in ids:
        places = sample_rows.places_of(db, sample_id)
        if places is not None:
            images[places.query_id] += places.filled
            empty[places.query_id] += places.left_empty
    return images, empty
