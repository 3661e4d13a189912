"""Captions that a person or a model wrote, and the origins chosen for a data set."""

from __future__ import annotations

import sqlite3

from pixtrawl.captions import Chain, chain_text, parse_chain
from pixtrawl.model import Caption

__all__ = ["chain_of", "choose", "give", "inherit", "of_sample"]


def chain_of(db: sqlite3.Connection) -> Chain | None:
    """Return the origins chosen; None for a data set without captions.

    Where none were chosen, but captions were written, those are the captions.
    """
    row = db.execute("SELECT chain FROM caption_chain").fetchone()
    if row is not None:
        return parse_chain(row[0]) or None
    any_there = db.execute("SELECT 1 FROM caption LIMIT 1").fetchone() is not None
    return ("hand", "model") if any_there else None


def choose(db: sqlite3.Connection, chain: Chain) -> None:
    """Choose the origins of captions from now on; the empty chain means no captions."""
    db.execute("INSERT OR REPLACE INTO caption_chain VALUES (0, ?)", (chain_text(chain),))


def of_sample(db: sqlite3.Connection, sample_id: int) -> Caption | None:
    """Return the caption that was written for an image, or None."""
    row = db.execute("SELECT text, origin FROM caption WHERE sample_id = ?", (sample_id,))
    found = row.fetchone()
    return None if found is None else Caption(*found)


def give(db: sqlite3.Connection, sample_id: int, caption: Caption | None) -> None:
    """Set the written caption of an image; None removes it."""
    if caption is None:
        db.execute("DELETE FROM caption WHERE sample_id = ?", (sample_id,))
        return
    db.execute(
        "INSERT OR REPLACE INTO caption VALUES (?, ?, ?)",
        (sample_id, caption.text, caption.origin),
    )


def inherit(db: sqlite3.Connection, old_id: int, new_id: int) -> None:
    """Move the written caption of an image to its better copy."""
    caption = of_sample(db, old_id)
    if caption is not None:
        give(db, new_id, caption)
        give(db, old_id, None)
