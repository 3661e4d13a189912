"""Hashes many files whose times or inodes are not as recorded, as all are after `cp -a`.

What is found to have its bytes is committed batch by batch, so that a stopped command loses nothing
of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from pixtrawl.batches import batches
from pixtrawl.catalog import kept
from pixtrawl.catalog.database import Catalog
from pixtrawl.catalog.files import records as file_records
from pixtrawl.folder import files
from pixtrawl.folder.on_disk import Changed

__all__ = ["AT_ONCE", "ManyTouchedError", "OnProgress", "has_bytes", "record_whole"]

AT_ONCE: Final = 256  # so many are hashed in the transaction that compares all files

OnProgress = Callable[[int, int], None]
"""Takes the number of files that are done, and of all; what it raises ends the work."""


class ManyTouchedError(Exception):
    """More files are not as recorded than are hashed in one transaction."""

    def __init__(self, changes: Sequence[Changed]) -> None:
        super().__init__(f"{len(changes):,} files are not as recorded")
        self.changes = changes


def record_whole(
    catalog: Catalog, root: Path, changes: Sequence[Changed], on_progress: OnProgress
) -> None:
    """Record the files that have the bytes of their rows as they are now; leave the others."""
    done = 0
    for some in batches(iter(changes)):
        on_progress(done, len(changes))
        ids = [change.row.sample_id for change in some]
        wanted = catalog.write_now(partial(kept.sha256_of, ids=ids), synced=False)
        whole = [
            (change.row.sample_id, change.record)
            for change in some
            if has_bytes(root, change, wanted.get(change.row.sample_id, ""))
        ]
        catalog.write_now(partial(file_records.put, records=whole), synced=False)
        done += len(some)
    on_progress(done, len(changes))


def has_bytes(root: Path, change: Changed, sha256: str) -> bool:
    """Return whether a file has these bytes; False where it cannot be read."""
    if change.has_other_size:
        return False
    try:
        return files.sha256_of(root / change.row.file_name) == sha256
    except OSError:
        return False
