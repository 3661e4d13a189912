"""File names that a list asks for (`--id-column`): portable, and unique within a label.

Each image still has a number; where a name is taken, the number is appended to it.
"""

from __future__ import annotations

import re
import sqlite3
from typing import Final

from pixtrawl.labels import label_for, same_name

__all__ = ["keep", "kept_stem", "new_stem"]

_NUMBERED: Final = re.compile(r"\d{6,12}")  # looks like a file name made from a number
_PICTURE: Final = re.compile(r"\.(?:jpe?g|png|gif|webp|avif|bmp|tiff?)$", re.IGNORECASE)


def new_stem(db: sqlite3.Connection, label: str, wanted: str, number: int) -> tuple[str, str]:
    """Return a file name without extension for this id, and the key by which it is unique."""
    base = label_for(_PICTURE.sub("", wanted) or wanted)
    stem, attempt = base, 0
    while _taken(db, label, stem):
        stem = f"{base}_{number:06d}" + (f"_{attempt}" if attempt else "")
        attempt += 1
    return stem, same_name(stem)


def _taken(db: sqlite3.Connection, label: str, stem: str) -> bool:
    row = db.execute(
        "SELECT 1 FROM sample WHERE label = ? AND stem_key = ?", (label, same_name(stem))
    ).fetchone()
    if row is None and _NUMBERED.fullmatch(stem):  # may be the number of another image
        row = db.execute(
            "SELECT 1 FROM sample WHERE label = ? AND number = ? AND stem_key IS NULL",
            (label, int(stem)),
        ).fetchone()
    return row is not None


def kept_stem(db: sqlite3.Connection, sample_id: int) -> tuple[str, str | None]:
    """Return the file name of an image without extension, and its key where a list gave it."""
    name, key = db.execute(
        "SELECT file_name, stem_key FROM sample WHERE id = ?", (sample_id,)
    ).fetchone()
    return str(name).rpartition("/")[2].rpartition(".")[0], key


def keep(db: sqlite3.Connection, sample_id: int, key: str | None) -> None:
    """Store the key of a name that a list gave; None changes nothing."""
    if key is not None:
        db.execute("UPDATE sample SET stem_key = ? WHERE id = ?", (key, sample_id))
