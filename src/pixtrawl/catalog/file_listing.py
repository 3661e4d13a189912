"""The digest of all files' names and records when they were last found as the rows say.

Triggers drop it, and count a revision, in each transaction that changes an image or the record of
its file. A digest is saved only if the revision is the one from before the rows were compared, so
it can never vouch for rows that changed meanwhile.
"""

from __future__ import annotations

import sqlite3

from msgspec import Struct

__all__ = ["Listing", "read", "save"]


class Listing(Struct, frozen=True):
    """What is known of the files."""

    revision: int
    digest: bytes | None  # None: rows changed since the files were last compared with them


def read(db: sqlite3.Connection) -> Listing:
    """Return what is known."""
    return Listing(*db.execute("SELECT revision, digest FROM file_listing").fetchone())


def save(db: sqlite3.Connection, listing: Listing) -> None:
    """Save a digest, unless a row changed since the revision of `listing` was read."""
    db.execute(
        "UPDATE file_listing SET digest = ? WHERE revision = ?", (listing.digest, listing.revision)
    )
