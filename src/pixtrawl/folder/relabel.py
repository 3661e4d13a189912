"""Images put under another label, by a command or by hand; labels that are renamed.

The image keeps its row, with its number and all that is known of it. A second row stays behind
under the old label (`RELABELLED`), so that the picture does not come back there and its number
stays taken. A command commits the new place first (`moving`) and renames the file then; a kill
between the two is mended by the next start.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

from pixtrawl.catalog import relations, samples
from pixtrawl.catalog.run_log import now
from pixtrawl.errors import UsageError
from pixtrawl.folder import files
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.layout import file_name, parse_file_name
from pixtrawl.labels import label_for, same_name

__all__ = [
    "finish_moves",
    "is_known",
    "next_batch",
    "note_move",
    "plan_move",
    "put_under",
    "rename_label",
    "spelling",
]

_LARGEST: Final = 10**6  # a number that a person's file name is taken for, at most


def is_known(db: sqlite3.Connection, label: str) -> bool:
    """Whether a query or an image, of whatever state, has this label."""
    row = db.execute(
        "SELECT 1 FROM query WHERE label = ?1 UNION ALL SELECT 1 FROM sample WHERE label = ?1 "
        "LIMIT 1",
        (label,),
    ).fetchone()
    return row is not None


def spelling(db: sqlite3.Connection, word: str) -> str:
    """The label that a word names: one that is there, else a new one. Raises UsageError."""
    label = label_for(word)
    if not word.strip() or label != word.strip():
        raise UsageError(f"{word!r} is no portable folder name; it would be {label!r}")
    rows = db.execute("SELECT label FROM query UNION SELECT label FROM sample")
    return next((own for (own,) in rows if same_name(own) == same_name(label)), label)


def next_batch(db: sqlite3.Connection) -> int:
    """What is moved at once is taken back at once."""
    (last,) = db.execute("SELECT coalesce(max(batch), 0) FROM relabelled").fetchone()
    return int(last) + 1


def put_under(
    db: sqlite3.Connection, sample_id: int, label: str, name: str, *, batch: int | None
) -> None:
    """The image belongs to `label` from now on, and its file is called `name`.

    Only rows are written. `batch` says with what it is taken back; None: not at all.
    """
    old_label, old_name, sha256 = db.execute(
        "SELECT label, file_name, sha256 FROM sample WHERE id = ?", (sample_id,)
    ).fetchone()
    number = _number_of(db, sample_id, name)
    if label != old_label:
        if batch is not None:
            db.execute(
                "INSERT INTO relabelled (batch, at, sample_id, old_label, new_label, old_name) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (batch, now(), sample_id, old_label, label, old_name),
            )
        _leave_behind(db, sample_id)
        db.execute(
            "DELETE FROM sample WHERE label = ? AND sha256 = ? AND state = 6", (label, sha256)
        )
        db.execute("DELETE FROM label_alias WHERE old = ?", (label,))
        if relations.is_pardoned(db, old_label, sha256.hex()):
            relations.pardon(db, label, sha256.hex())
    db.execute(
        "UPDATE sample SET label = ?, number = ?, file_name = ?, staged_name = NULL WHERE id = ?",
        (label, number, name, sample_id),
    )
    # Two that stand under one label now are in no conflict any more.
    db.execute(
        "DELETE FROM conflict WHERE (sample_id = ?1 OR other_id = ?1) AND "
        "(SELECT label FROM sample WHERE id = sample_id) = "
        "(SELECT label FROM sample WHERE id = other_id)",
        (sample_id,),
    )


def _number_of(db: sqlite3.Connection, sample_id: int, name: str) -> int:
    """The number in a file name that a person gave, where no other image has it; else its own."""
    (own,) = db.execute("SELECT number FROM sample WHERE id = ?", (sample_id,)).fetchone()
    parsed = parse_file_name(name)
    if parsed is None or parsed[1] > _LARGEST:
        return int(own)
    taken = db.execute(
        "SELECT 1 FROM sample WHERE number = ? AND id <> ? LIMIT 1", (parsed[1], sample_id)
    ).fetchone()
    return int(own) if taken else parsed[1]


def _leave_behind(db: sqlite3.Connection, sample_id: int) -> None:
    columns = [row[1] for row in db.execute("PRAGMA table_info(sample)") if row[1] != "id"]
    kept = ", ".join(columns)
    read = ", ".join({"state": "6", "staged_name": "NULL"}.get(name, name) for name in columns)
    db.execute(
        f"INSERT INTO sample ({kept}) SELECT {read} FROM sample WHERE id = ?",  # noqa: S608
        (sample_id,),
    )


def rename_label(db: sqlite3.Connection, old: str, new: str, *, batch: int | None) -> None:
    """A label is called otherwise: its images, removed ones too, and its queries go along.

    Later runs that ask for the old one go on in the new one. Only rows are written.
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


def plan_move(db: sqlite3.Connection, folder: Folder, name: str, label: str) -> str:
    """A file name under another label that no file and no row has: the same leaf if possible."""
    leaf = name.partition("/")[2]
    wanted = f"{label}/{leaf}"
    row = db.execute(
        # what the same picture left behind here is no other image's name
        "SELECT 1 FROM sample WHERE label = ? AND file_name = ? AND NOT (state = 6 AND sha256 IN "
        "(SELECT sha256 FROM sample WHERE file_name = ? AND state IN (0, 1))) LIMIT 1",
        (label, wanted, name),
    ).fetchone()
    if row is None and not os.path.lexists(folder.root / wanted):
        return wanted
    number = samples.next_number(db)
    extension = PurePosixPath(leaf).suffix[1:].lower() or "jpg"
    while os.path.lexists(folder.root / file_name(label, number, extension)):
        number += 1
    return file_name(label, number, extension)


def note_move(db: sqlite3.Connection, sample_id: int, source: str) -> None:
    """The file of this image is to be renamed from `source` to what its row says."""
    db.execute("INSERT OR REPLACE INTO moving VALUES (?, ?)", (sample_id, source))


def finish_moves(db: sqlite3.Connection, folder: Folder) -> Mapping[int, str]:
    """Renames the files whose new place is decided; runs after the commit, and at each start.

    Returns where each of them is now. No file is replaced: where somebody's lies in the way, the
    image gets another number.
    """
    done: dict[int, str] = {}
    rows = db.execute(
        "SELECT m.sample_id, m.source, s.label, s.file_name, s.sha256 FROM moving m "
        "JOIN sample s ON s.id = m.sample_id"
    ).fetchall()
    for sample_id, source, label, name, sha256 in rows:
        path, place = folder.root / source, name
        if path.is_file() and files.sha256_of(path) == sha256.hex():
            while not files.move_new(path, folder.root / place):
                number = samples.next_number(db)
                place = file_name(label, number, PurePosixPath(name).suffix[1:].lower())
                samples.rename(db, sample_id, number, place)
            _drop_empty(folder, source)
        done[sample_id] = place
    db.execute("DELETE FROM moving")
    return done


def _drop_empty(folder: Folder, source: str) -> None:
    """A label without images is no class; loaders stop at an empty folder."""
    try:
        (folder.root / source).parent.rmdir()
    except OSError:
        return  # something is left in it
