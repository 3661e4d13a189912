"""What one decision changes, which image it means, and what queries gain or lose by it."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec import Struct, field

from pixtrawl.catalog import takedown
from pixtrawl.catalog.states import KEPT, KEPT_STATES, SampleState, any_of
from pixtrawl.catalog.takedown import TakenDown, parse_rule
from pixtrawl.folder.decision_journal import DecisionRecord

__all__ = ["Effect", "carry_out", "find_image", "kept_image", "name_of", "touched_by"]

_REPLACED: Final = any_of(SampleState.REPLACED)


class Effect(Struct):
    """What one decision has changed.

    `names` pairs the file names of the images before and after; "" where it left the data set.
    """

    record: DecisionRecord
    by: str = ""  # id of the undo that it is due to
    undone: bool = False
    changed: bool = False
    names: list[tuple[str, str]] = field(default_factory=list)
    samples: list[int] = field(default_factory=list)  # rows that the decision is about
    note: dict[str, Any] = field(default_factory=dict)
    gained: Counter[int] = field(default_factory=Counter)  # images by query
    unfilled: Counter[int] = field(default_factory=Counter)  # places that stay empty, by query


def find_image(db: sqlite3.Connection, record: DecisionRecord, states: str) -> int | None:
    """The row of the image that a record names, in one of these states.

    It may have another name by now, or another label; its bytes under another label that it never
    had are another image.
    """
    if not record.sha256:
        return None
    label = record.file_name.partition("/")[0]
    row = db.execute(
        "SELECT id FROM sample s WHERE sha256 = ?1 AND "  # noqa: S608 - numbers only
        f"state IN {states} AND (label = ?2 OR EXISTS "
        "(SELECT 1 FROM sample o WHERE o.sha256 = ?1 AND o.label = ?2 AND "
        f"o.state = {SampleState.RELABELLED})) "
        "ORDER BY file_name = ?3 DESC, label = ?2 DESC, id LIMIT 1",
        (bytes.fromhex(record.sha256), label, record.file_name),
    ).fetchone()
    return None if row is None else int(row[0])


def kept_image(db: sqlite3.Connection, record: DecisionRecord) -> int | None:
    """The kept image that is meant, or the better copy that has taken its place since."""
    found = find_image(db, record, KEPT)
    replaced = None if found is not None else find_image(db, record, _REPLACED)
    while replaced is not None:
        row = db.execute(
            "SELECT s.id, s.state FROM candidate c JOIN sample s ON s.id = c.sample_id "
            "WHERE c.id = (SELECT candidate_id FROM sample WHERE id = ?)",
            (replaced,),
        ).fetchone()
        if row is None or row[0] == replaced:
            return None
        if row[1] in KEPT_STATES:
            return int(row[0])
        replaced = int(row[0]) if row[1] == SampleState.REPLACED else None
    return found


def touched_by(db: sqlite3.Connection, record: DecisionRecord) -> list[int]:
    """Rows whose standing a decision may change."""
    if record.action in {"takedown", "forget"} and record.kind:
        rule = TakenDown([parse_rule(record.kind, record.value)])
        return [one.sample_id for one in takedown.matching(db, rule)]
    if record.action == "label" and not record.sha256:
        return []  # the query goes along
    if not record.sha256:
        return []
    rows = db.execute("SELECT id FROM sample WHERE sha256 = ?", (bytes.fromhex(record.sha256),))
    kept = kept_image(db, record)
    return [*{*(row[0] for row in rows), *(() if kept is None else (kept,))}]


def carry_out(
    db: sqlite3.Connection, effect: Effect, action: Callable[[], None], touched: Sequence[int]
) -> None:
    """Carries out and notes what each query has gained or lost by it."""
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
    """By query: how many of these count as its images, and how many places of it stay empty."""
    images: Counter[int] = Counter()
    empty: Counter[int] = Counter()
    for sample_id in ids:
        row = db.execute(
            f"SELECT q.id, s.state IN {KEPT} AND s.label = q.label, "  # noqa: S608
            f"s.state = {SampleState.WITHDRAWN} AND EXISTS "
            "(SELECT 1 FROM refused r WHERE r.sample_id = s.id AND NOT r.refill) "
            "FROM sample s JOIN query q ON q.id = s.query_id WHERE s.id = ?",
            (sample_id,),
        ).fetchone()
        if row is not None:
            images[row[0]] += row[1]
            empty[row[0]] += row[2]
    return images, empty


def name_of(db: sqlite3.Connection, sample_id: int) -> str:
    """The file name of an image, whatever became of it."""
    row = db.execute("SELECT file_name FROM sample WHERE id = ?", (sample_id,)).fetchone()
    return str(row[0])
