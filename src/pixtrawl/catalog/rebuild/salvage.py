"""Reads what can still be read of a damaged catalog; whatever stands on a bad page is left out."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct, field

from pixtrawl.catalog import samples
from pixtrawl.catalog.database import connect
from pixtrawl.catalog.decisions import departed
from pixtrawl.catalog.decisions.departed import Departed
from pixtrawl.errors import StorageError
from pixtrawl.model import Sample

__all__ = ["Salvaged", "salvage"]

T = TypeVar("T")


class Salvaged(Struct):
    """Rows of a damaged catalog; each list ends where the damage begins."""

    rules: list[tuple[str, str]] = field(default_factory=list)  # kind, value
    gone: list[Departed] = field(default_factory=list)
    images: list[Sample] = field(default_factory=list)
    queries: list[tuple[str, str, str, int | None]] = field(
        default_factory=list
    )  # text, label, filters, wanted
    aliases: list[tuple[str, str]] = field(default_factory=list)


def salvage(path: Path, root: Path) -> Salvaged:
    """Read a catalog as far as that is possible; `root` is the folder of its images."""
    found = Salvaged()
    try:
        db = connect(path, read_only=True)
    except (StorageError, sqlite3.Error):
        return found  # not even its header can be read
    with contextlib.closing(db):
        found.rules = _readable(db.execute, "SELECT kind, value FROM takedown")
        found.queries = _readable(db.execute, "SELECT text, label, filters, wanted FROM query")
        found.aliases = _readable(db.execute, "SELECT old, new FROM label_alias")
        found.gone = _readable(departed.every, db)
        found.images = _readable(samples.read, db, root)
    return found


def _readable(read: Any, *given: Any) -> list[Any]:
    rows: list[Any] = []
    # Garbage in a row can end in any of these; the rows before it are good.
    with contextlib.suppress(sqlite3.Error, ValueError, TypeError, KeyError, AttributeError):
        iterator: Iterator[Any] = iter(read(*given))
        rows.extend(iterator)
    return rows
