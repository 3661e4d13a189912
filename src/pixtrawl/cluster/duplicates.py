"""The duplicate rows of a set of shards, as `cluster duplicates` has found them.

`duplicates.json` names the table that counts: every reader of the set leaves its rows out.
"""

from __future__ import annotations

import tempfile
from array import array
from bisect import bisect_left
from collections import defaultdict
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from pixtrawl.cluster import outcome_tables
from pixtrawl.cluster.store import Store
from pixtrawl.model import Reason

__all__ = ["DuplicateRows", "DuplicatesEntry", "forget_duplicates", "read_entry", "write_entry"]

_NAME: Final = "duplicates.json"
_REASONS: Final = tuple(Reason)
_NUMBERS: Final = {reason.value: number for number, reason in enumerate(_REASONS)}


class DuplicatesEntry(Struct, frozen=True, kw_only=True):
    """The content of `duplicates.json`."""

    version: int = 1
    table: str  # name of the Parquet object
    dedup: str  # level of `--dedup`
    turned: bool
    shards: int  # committed ones that were looked at
    pictures: int
    duplicates: int
    reasons: dict[str, int]


def read_entry(store: Store) -> DuplicatesEntry | None:
    """Return what is known of duplicates; None where nobody has looked. Raise StorageError."""
    return store.read_json(_NAME, DuplicatesEntry)


def write_entry(store: Store, entry: DuplicatesEntry) -> None:
    """Make a table the one that counts; remove the others. Raise StorageError."""
    store.put(_NAME, msgspec.json.format(msgspec.json.encode(entry)))
    for one in store.entries("duplicates"):
        if one.name != entry.table:
            store.remove(one.name)


def forget_duplicates(store: Store) -> bool:
    """Remove the table of duplicates, so that all rows count. Return whether there was one."""
    entry = read_entry(store)
    if entry is None:
        return False
    store.remove(_NAME)
    store.remove(entry.table)
    return True


class DuplicateRows:
    """The rows to leave out, in 17 bytes of memory each."""

    def __init__(self, store: Store) -> None:
        """Read the table of a store, if there is one. Raise StorageError."""
        self.entry = read_entry(store)
        self.by_shard: defaultdict[str, array[int]] = defaultdict(lambda: array("q"))
        found: list[tuple[int, int]] = []
        if self.entry is not None:
            with tempfile.TemporaryDirectory(prefix="pixtrawl-duplicates-") as folder:
                path = Path(folder) / "duplicates.parquet"
                store.fetch(self.entry.table, path)
                for row in outcome_tables.read_duplicates(path):
                    found.append((row["row"], _NUMBERS[row["reason"]]))
                    self.by_shard[row["shard"]].append(row["row"])
        found.sort()
        self._rows = array("q", (row for row, _ in found))
        self._reasons = bytes(number for _, number in found)

    def __len__(self) -> int:
        return len(self._rows)

    def reason(self, row: int) -> Reason | None:
        """Return why a row is left out; None where it counts."""
        at = bisect_left(self._rows, row)
        if at < len(self._rows) and self._rows[at] == row:
            return _REASONS[self._reasons[at]]
        return None

    def keeps(self, row: int) -> bool:
        """Return whether the picture of a row counts."""
        return self.reason(row) is None
