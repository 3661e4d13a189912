"""Labels: their names, their images, and the changes that a person made.

An image that is put under another label keeps its row and number. A second row stays behind under
the old label (`RELABELLED`), so that the picture is not accepted there again and its number stays
taken. This module writes rows only; `folder.decisions.relabel` moves the files.
"""

from __future__ import annotations

import sqlite3

from msgspec import Struct

from pixtrawl.catalog import relations, written
from pixtrawl.catalog.run_log import now
from pixtrawl.catalog.schema.states import KEPT, SampleState
from pixtrawl.errors import UsageError
from pixtrawl.labels import label_for, same_name
from pixtrawl.model import Reason

__all__ = [
    "Moving",
    "NewPlace",
    "Relabelling",
    "as_spelt",
    "batch_of",
    "every",
    "forget_batch",
    "forget_moving",
    "forget_trace",
    "is_known",
    "is_taken",
    "join",
    "moving",
    "next_batch",
    "note_move",
    "part",
    "put_under",
    "rename_label",
    "spelling",
    "twin_of",
]


class NewPlace(Struct, frozen=True):
    """The new label and file name of an image; `number` is used unless another image has it."""

    label: str
    file_name: str
    number: int | None = None


class Moving(Struct, frozen=True):
    """An image whose new place is committed; its file may still lie at `source`."""

    sample_id: int
    source: str
    label: str
    file_name: str
    sha256: str  # hexadecimal


class Relabelling(Struct, frozen=True):
    """One change of a person: an image moved, or a label renamed where `sample_id` is None."""

    sample_id: int | None
    old_label: str
    new_label: str
    old_name: str


def is_known(db: sqlite3.Connection, label: str) -> bool:
    """Return whether a query, or an image in whatever state, has this label."""
    row = db.execute(
        "SELECT 1 FROM query WHERE label = ?1 UNION ALL SELECT 1 FROM sample WHERE label = ?1 "
        "LIMIT 1",
        (label,),
    ).fetchone()
    return row is not None


def every(db: sqlite3.Connection) -> list[str]:
    """Return every label that a query, or an image in whatever state, has."""
    rows = db.execute("SELECT label FROM query UNION SELECT label FROM sample")
    return [label for (label,) in rows]


def spelling(db: sqlite3.Connection, word: str) -> str:
    """Return the label for a word: an existing one in its own spelling, else a new one.

    Raise UsageError where the word is no portable folder name.
    """
    label = label_for(word)
    if not word.strip() or label != word.strip():
        raise UsageError(f"{word!r} is no portable folder name; it would be {label!r}")
    return as_spelt(db, label)


def as_spelt(db: sqlite3.Connection, label: str) -> str:
    """Return the known label that would share a folder with this one (they differ in case),
    else the label itself.
    """
    return next((own for own in every(db) if same_name(own) == same_name(label)), label)


def next_batch(db: sqlite3.Connection) -> int:
    """Return a new batch number: the changes of one batch are undone together."""
    (last,) = db.execute("SELECT coalesce(max(batch), 0) FROM relabelled").fetchone()
    return int(last) + 1


def batch_of(db: sqlite3.Connection, batch: int) -> list[Relabelling]:
    """Return the changes of a batch, newest first."""
    rows = db.execute(
        "SELECT sample_id, old_label, new_label, old_name FROM relabelled WHERE batch = ? "
        "ORDER BY id DESC",
        (batch,),
    )
    return [Relabelling(*row) for row in rows]


def forget_batch(db: sqlite3.Connection, batch: int) -> None:
    """Delete the record of a batch after it was undone."""
    db.execute("DELETE FROM relabelled WHERE batch = ?", (batch,))


def put_under(
    db: sqlite3.Connection, sample_id: int, place: NewPlace, *, batch: int | None
) -> None:
    """Change the label and the file name of an image, in its rows only.

    `batch` is the batch that undoes it; None records nothing to undo.
    """
    label = place.label
    old_label, old_name, sha256 = db.execute(
        "SELECT label, file_name, sha256 FROM sample WHERE id = ?", (sample_id,)
    ).fetchone()
    number = _number_of(db, sample_id, place.number)
    if label != old_label:
        if batch is not None:
            db.execute(
                "INSERT INTO relabelled (batch, at, sample_id, old_label, new_label, old_name) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (batch, now(), sample_id, old_label, label, old_name),
            )
        _leave_behind(db, sample_id)
        db.execute(
            "DELETE FROM sample "
            f"WHERE label = ? AND sha256 = ? AND state = {SampleState.RELABELLED}",
            (label, sha256),
        )
        db.execute("DELETE FROM label_alias WHERE old = ?", (label,))
        if relations.is_pardoned(db, old_label, sha256.hex()):
            relations.pardon(db, label, sha256.hex())
    db.execute(
        "UPDATE sample SET label = ?, number = ?, file_name = ?, staged_name = NULL WHERE id = ?",
        (label, number, place.file_name, sample_id),
    )
    # Two images that now share a label are no longer in conflict.
    db.execute(
        "DELETE FROM conflict WHERE (sample_id = ?1 OR other_id = ?1) AND "
        "(SELECT label FROM sample WHERE id = sample_id) = "
        "(SELECT label FROM sample WHERE id = other_id)",
        (sample_id,),
    )


def _number_of(db: sqlite3.Connection, sample_id: int, wanted: int | None) -> int:
    """Return the wanted number if no other image has it, else the image's own."""
    (own,) = db.execute("SELECT number FROM sample WHERE id = ?", (sample_id,)).fetchone()
    if wanted is None:
        return int(own)
    taken = db.execute(
        "SELECT 1 FROM sample WHERE number = ? AND id <> ? LIMIT 1", (wanted, sample_id)
    ).fetchone()
    return int(own) if taken else wanted


def _leave_behind(db: sqlite3.Connection, sample_id: int) -> None:
    columns = [row[1] for row in db.execute("PRAGMA table_info(sample)") if row[1] != "id"]
    kept = ", ".join(columns)
    read = ", ".join(
        {"state": str(SampleState.RELABELLED), "staged_name": "NULL"}.get(name, name)
        for name in columns
    )
    db.execute(
        f"INSERT INTO sample ({kept}) SELECT {read} FROM sample WHERE id = ?",
        (sample_id,),
    )


def forget_trace(db: sqlite3.Connection, label: str, file_name: str) -> None:
    """Delete the row that an image left behind under a label, before it comes back there."""
    db.execute(
        "DELETE FROM sample "
        f"WHERE label = ? AND file_name = ? AND state = {SampleState.RELABELLED}",
        (label, file_name),
    )


def rename_label(db: sqlite3.Connection, old: str, new: str, *, batch: int | None) -> None:
    """Rename a label, with its images (removed ones too) and its queries, in the rows only.

    An alias makes later runs that ask for the old label use the new one.
    """
    if batch is not None:
        db.execute(
            "INSERT INTO relabelled (batch, at, old_label, new_label) VALUES (?, ?, ?, ?)",
            (batch, now(), old, new),
        )
    db.execute(
        "UPDATE sample SET label = ?2, file_name = ?2 || substr(file_name, length(?1) + 1) "
        "WHERE label = ?1",
        (old, new),
    )
    for query_id, text, filters in db.execute(
        "SELECT id, text, filters FROM query WHERE label = ?", (old,)
    ).fetchall():
        taken = db.execute(
            "SELECT 1 FROM query WHERE text = ? AND label = ? AND filters = ?", (text, new, filters)
        ).fetchone()
        if taken is None:
            db.execute("UPDATE query SET label = ? WHERE id = ?", (new, query_id))
    db.execute("UPDATE OR IGNORE pardon SET label = ? WHERE label = ?", (new, old))
    db.execute("UPDATE label_alias SET new = ? WHERE new = ?", (new, old))
    db.execute("DELETE FROM label_alias WHERE old = ?", (new,))
    db.execute("INSERT OR REPLACE INTO label_alias VALUES (?, ?)", (old, new))


def twin_of(db: sqlite3.Connection, sample_id: int, label: str) -> int | None:
    """Return the row of the label's kept image with the same bytes as this one, or None."""
    row = db.execute(
        "SELECT o.id FROM sample s JOIN sample o ON o.sha256 = s.sha256 AND o.label = ? "
        f"WHERE s.id = ? AND o.state IN {KEPT} LIMIT 1",
        (label, sample_id),
    ).fetchone()
    return None if row is None else int(row[0])


def join(db: sqlite3.Connection, sample_id: int, twin: int) -> None:
    """Withdraw an image whose bytes the label has already; give its candidates to the twin.

    A written caption is the twin's, too, unless that has one of its own.
    """
    own = written.of_sample(db, sample_id)
    if own is not None and written.of_sample(db, twin) is None:
        written.give(db, twin, own)
    relations.withdraw(db, sample_id, Reason.SAME_BYTES)
    db.execute("UPDATE candidate SET sample_id = ? WHERE sample_id = ?", (twin, sample_id))


def part(db: sqlite3.Connection, sample_id: int) -> None:
    """Undo `join` for the image's own candidate, which it gets back as refused by a person."""
    db.execute(
        "UPDATE candidate SET sample_id = ?1, reason = ?2 "
        "WHERE id = (SELECT candidate_id FROM sample WHERE id = ?1)",
        (sample_id, Reason.REFUSED_BY_PERSON.value),
    )


def is_taken(db: sqlite3.Connection, label: str, file_name: str, *, but_for: str) -> bool:
    """Return whether some row of this label, kept or not, has this file name.

    The row that the image with the file name `but_for` left behind here does not count.
    """
    row = db.execute(
        "SELECT 1 FROM sample WHERE label = ? AND file_name = ? "
        f"AND NOT (state = {SampleState.RELABELLED} AND sha256 IN "
        f"(SELECT sha256 FROM sample WHERE file_name = ? AND state IN {KEPT})) LIMIT 1",
        (label, file_name, but_for),
    ).fetchone()
    return row is not None


def note_move(db: sqlite3.Connection, sample_id: int, source: str) -> None:
    """Record that the file of this image is to be renamed from `source` to its row's name."""
    db.execute("INSERT OR REPLACE INTO moving VALUES (?, ?)", (sample_id, source))


def moving(db: sqlite3.Connection) -> list[Moving]:
    """Return the images whose files may not have been renamed yet."""
    rows = db.execute(
        "SELECT m.sample_id, m.source, s.label, s.file_name, lower(hex(s.sha256)) FROM moving m "
        "JOIN sample s ON s.id = m.sample_id"
    )
    return [Moving(*row) for row in rows]


def forget_moving(db: sqlite3.Connection) -> None:
    """Delete the records of `note_move`, once all files have been renamed."""
    db.execute("DELETE FROM moving")
