"""Images of a pool that a model refused, and choosing anew among all that a query has.

A model's refusal is a withdrawal with reasons of its own. It holds until the next choice, which
takes the refused images into account again; that of another model begins by bringing them back.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from msgspec import Struct

from pixtrawl.catalog import relations
from pixtrawl.catalog.relations import Withdrawal
from pixtrawl.catalog.schema.states import KEPT, SampleState
from pixtrawl.model import Reason

__all__ = [
    "PoolImage",
    "bring_back",
    "change_reason",
    "of_other_labels",
    "of_other_models",
    "pool_of",
    "refuse",
    "refused_count",
    "unscored",
]

_REASONS: Final = (Reason.OFF_TOPIC.value, Reason.NOT_BEST.value)
_REFUSED: Final = f"s.state = {SampleState.WITHDRAWN} AND s.withdrawn_for IN {_REASONS}"


class PoolImage(Struct, frozen=True):
    """An image of a query: kept, or refused by a model. `vector` is empty where there is none."""

    id: int
    file_name: str
    sha256: str
    kept: bool
    vector: bytes


def unscored(
    db: sqlite3.Connection, query_ids: Iterable[int], model: str, count: int
) -> list[tuple[int, str, str]]:
    """Return id, file name and SHA-256 of at most `count` placed images without an embedding."""
    return db.execute(
        f"SELECT s.id, s.file_name, lower(hex(s.sha256)) FROM sample s "
        f"WHERE s.state = {SampleState.PLACED} "
        "AND s.query_id IN (SELECT value FROM json_each(?)) AND NOT EXISTS "
        "(SELECT 1 FROM embedding e JOIN model m ON m.id = e.model_id "
        "WHERE e.sample_id = s.id AND m.name = ?) ORDER BY s.id LIMIT ?",
        (json.dumps(list(query_ids)), model, count),
    ).fetchall()


def pool_of(db: sqlite3.Connection, query_id: int, model: str) -> list[PoolImage]:
    """Return the images of a query that are kept or that a model refused, by number."""
    rows = db.execute(
        "SELECT s.id, s.file_name, lower(hex(s.sha256)), "
        f"s.state IN {KEPT}, coalesce(e.vector, X'') FROM sample s "
        "JOIN query q ON q.id = s.query_id LEFT JOIN model m ON m.name = ? "
        "LEFT JOIN embedding e ON e.sample_id = s.id AND e.model_id = m.id "
        f"WHERE s.query_id = ? AND s.label = q.label AND (s.state IN {KEPT} OR {_REFUSED}) "
        "ORDER BY s.number",
        (model, query_id),
    )
    return [PoolImage(row[0], row[1], row[2], bool(row[3]), row[4]) for row in rows]


def refused_count(db: sqlite3.Connection, query_id: int) -> int:
    """Count the images of a query that a model refused."""
    row = db.execute(
        f"SELECT count(*) FROM sample s WHERE s.query_id = ? AND {_REFUSED}", (query_id,)
    ).fetchone()
    return int(row[0])


def of_other_models(db: sqlite3.Connection, query_id: int, model: str) -> list[PoolImage]:
    """Return the images that another model than this one refused."""
    rows = db.execute(
        "SELECT s.id, s.file_name, lower(hex(s.sha256)) FROM sample s "
        "LEFT JOIN topic_refused t ON t.sample_id = s.id "
        f"WHERE s.query_id = ? AND {_REFUSED} AND t.model IS NOT ?",
        (query_id, model),
    )
    return [PoolImage(id_, name, sha256, False, b"") for id_, name, sha256 in rows]


def of_other_labels(
    db: sqlite3.Connection, labels: Collection[str], model: str, count: int
) -> list[tuple[str, bytes]]:
    """Return label and vector of at most `count` images of other labels than these, drawn evenly.

    They are kept ones, and those that a model refused because others suit their query better.
    """
    ids = [
        row[0]
        for row in db.execute(
            "SELECT s.id FROM model m JOIN embedding e ON e.model_id = m.id "
            "JOIN sample s ON s.id = e.sample_id WHERE m.name = ? "
            "AND s.label NOT IN (SELECT value FROM json_each(?)) AND "
            f"(s.state IN {KEPT} OR s.state = {SampleState.WITHDRAWN} AND s.withdrawn_for = ?) "
            "ORDER BY s.label, s.number, s.id",
            (model, json.dumps(list(labels)), Reason.NOT_BEST.value),
        )
    ]
    chosen = ids[:: -(-len(ids) // count)] if ids else []
    return db.execute(
        "SELECT s.label, e.vector FROM sample s JOIN embedding e ON e.sample_id = s.id "
        "JOIN model m ON m.id = e.model_id WHERE m.name = ? AND "
        "s.id IN (SELECT value FROM json_each(?)) ORDER BY s.label, s.number, s.id",
        (model, json.dumps(chosen)),
    ).fetchall()


def refuse(
    db: sqlite3.Connection, image: int, reason: Reason, model: str, detail: str
) -> Withdrawal | None:
    """Withdraw a kept image with a detail, such as its score; None where it was not kept."""
    withdrawal = relations.withdraw(db, image, reason)
    _note(db, image, reason, model, detail)
    return withdrawal


def _note(db: sqlite3.Connection, image: int, reason: Reason, model: str, detail: str) -> None:
    db.execute("INSERT OR REPLACE INTO topic_refused VALUES (?, ?)", (image, model))
    db.execute(
        "UPDATE candidate SET detail = ? WHERE sample_id = ? AND reason = ?",
        (detail, image, reason.value),
    )


def change_reason(
    db: sqlite3.Connection, image: int, reason: Reason, model: str, detail: str
) -> None:
    """Give an image that is refused already another reason of the same kind."""
    db.execute(
        f"UPDATE sample AS s SET withdrawn_for = ? WHERE id = ? AND {_REFUSED}",
        (reason.value, image),
    )
    db.execute(
        f"UPDATE candidate SET reason = ? WHERE sample_id = ? AND reason IN {_REASONS}",
        (reason.value, image),
    )
    _note(db, image, reason, model, detail)


def bring_back(db: sqlite3.Connection, images: Sequence[int]) -> None:
    """Keep images again that a model refused; their files must be in place already."""
    for image in images:
        db.execute(
            f"UPDATE sample AS s SET state = {SampleState.PLACED}, withdrawn_for = NULL "
            f"WHERE id = ? AND {_REFUSED}",
            (image,),
        )
        db.execute("DELETE FROM topic_refused WHERE sample_id = ?", (image,))
        db.execute(
            "UPDATE candidate SET detail = NULL, reason = CASE "
            "WHEN id = (SELECT candidate_id FROM sample WHERE id = ?1) THEN ?2 "
            "WHEN sha256 = (SELECT sha256 FROM sample WHERE id = ?1) THEN ?3 ELSE ?4 END "
            f"WHERE sample_id = ?1 AND reason IN {_REASONS}",
            (image, Reason.SAVED.value, Reason.SAME_BYTES.value, Reason.SAME_PICTURE.value),
        )
