"""Catalogs as earlier versions of pixtrawl wrote them: today's, with later tables taken back."""

from __future__ import annotations

import sqlite3

_UNDO = {
    10: "DROP INDEX candidate_opted_out;",
    9: "DROP TRIGGER sample_added; DROP TRIGGER sample_changed; DROP TABLE derived_stale;",
    8: "DROP TABLE content_hash;",
    7: "DROP TABLE decision; DROP TABLE refused; DROP TABLE journal_mark;",
    6: "DROP INDEX sample_kept;",
    5: (
        "DROP INDEX sample_by_number; DROP INDEX sample_left_behind; DROP INDEX sample_wanted_back; "
        "DROP TABLE moving; DROP TABLE relabelled; DROP TABLE label_alias; DROP TABLE taken_with;"
    ),
    4: (
        "DROP INDEX sample_stem; DROP TABLE own_column; "
        "ALTER TABLE candidate DROP COLUMN extra; ALTER TABLE candidate DROP COLUMN file_stem; "
        "ALTER TABLE candidate DROP COLUMN settled_at; ALTER TABLE also_found DROP COLUMN extra; "
        "ALTER TABLE query DROP COLUMN extra; ALTER TABLE sample DROP COLUMN stem_key;"
    ),
    3: "DROP INDEX candidate_opt_out; DROP INDEX sample_down;",
    2: "DROP TRIGGER relevance_gone; DROP TABLE relevance;",
}


def downgrade(db: sqlite3.Connection, version: int) -> None:
    """Makes it a catalog of that format."""
    for number in sorted(_UNDO, reverse=True):
        if number > version:
            db.executescript(_UNDO[number])
    db.execute(f"PRAGMA user_version = {version}")
