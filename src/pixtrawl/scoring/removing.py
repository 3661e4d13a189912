"""Remove columns of scores, and what a data set recorded of the models that made them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from pixtrawl.catalog.scores import columns as scores
from pixtrawl.errors import UsageError
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.derived import writing
from pixtrawl.scoring.score import opened

__all__ = ["recorded_hashes", "remove_scores"]


def remove_scores(folder: Folder, name: str) -> list[str]:
    """Remove the columns of a scoring from the data set; return their names. Keep embeddings.

    Raises:
        UsageError: no data set, or no such scoring.
        StorageError: a run is at work on it.
    """

    def remove(db: sqlite3.Connection) -> list[str]:
        there = scores.columns(db)
        own = [one.name for one in there if one.scoring == name]
        if not own:
            known = ", ".join(dict.fromkeys(one.scoring for one in there)) or "none"
            raise UsageError(f"no scores are called {name!r} (there are: {known})")
        scores.drop(db, name)
        writing.write_all(db, folder)
        return own

    with opened(folder) as catalog:
        return catalog.write_now(remove)


def recorded_hashes(folder: Folder, name: str) -> Mapping[str, str]:
    """Return SHA-256 by file of a known model, as the data set recorded them at its first use."""
    with opened(folder) as catalog:
        rows: list[dict[str, Any]] = catalog.write_now(scores.models)
    files = next((row.get("files") for row in rows if row.get("name") == name), None)
    return {key: str(one["sha256"]) for key, one in files.items()} if files else {}
