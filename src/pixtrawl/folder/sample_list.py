"""The kept images of a data set as a sequence: all of them, or those of some queries.

Images whose file is gone are left out. The order (by label and number) takes 8 bytes of memory per
image; the images' rows are read lazily.
"""

from __future__ import annotations

import os
import sqlite3
import time
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from pixtrawl.catalog import sample_order, samples
from pixtrawl.catalog.reading import Reader
from pixtrawl.catalog.sample_order import EVERY, Only, of_queries, of_rows
from pixtrawl.errors import StorageError
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.recovery.by_hand import ByHand
from pixtrawl.folder.recovery.catch_up import catch_up
from pixtrawl.model import Sample

__all__ = ["Samples", "open_samples"]

CHUNK: Final = 256  # images read per SQL statement: 2 MB of rows
_NAMES: Final = 16 * CHUNK  # file names read per statement; they are shorter than rows


class Samples:
    """Every kept image of a data set, in the order of label and number.

    `len()` and iteration first check the disk for changes; the order is read again after a change
    of the catalog. May be pickled, forked and shared between threads.
    """

    def __init__(
        self,
        folder: Folder,
        *,
        provenance: bool = True,
        query_ids: Iterable[int] | None = None,
        contents: bool = False,
    ) -> None:
        """Open the images of a data set. Raise UsageError if there is none.

        Args:
            folder: the data set.
            provenance: whether to read the provenance of each image, too.
            query_ids: take only the images that count for these rows of queries.
            contents: look for files changed in place, too: for what passes files on.
        """
        folder.require()
        self.folder = folder
        self._provenance = provenance
        self._contents = contents
        self._reader = Reader()
        self._of_queries = EVERY if query_ids is None else of_queries(query_ids)
        self._only = self._of_queries
        self._seen: Signature | None = None
        self.noticed: ByHand | None = None  # changes by hand found at the first look
        self._look()

    @property
    def shown(self) -> str:
        """The folder as it was given, for messages."""
        return self.folder.shown

    @property
    def place(self) -> Path:
        """Where the names of `files` are relative to."""
        return self.folder.root

    @property
    def reader(self) -> None:
        """None: the names of `files` are paths."""
        return None

    def _look(self) -> None:
        """Catch up with the disk if a folder changed since the last call."""
        signature = _signature(self.folder.root)
        if signature is None or signature != self._seen:
            view = catch_up(self.folder, contents=self._contents)
            self._only = self._of_queries.but(view.missing)
            self.noticed = self.noticed or view.noticed
            self._seen = signature

    def compare_contents(self) -> None:
        """Look at every file, if that was not done, for those that were changed in place."""
        if not self._contents:
            self._contents, self._seen = True, None
            self._look()

    def __len__(self) -> int:
        self._look()
        return len(self.ids())

    def ids(self) -> Sequence[int]:
        """Return the images' rows in order, from the catalog; do not check the disk again."""
        only = self._only
        return self._reader.once(
            self.folder.catalog, ("ids", only), lambda db: sample_order.ids(db, only)
        )

    def counts(self, ids: Sequence[int] | None = None) -> dict[str, int]:
        """Return the number of images by label; only of `ids` if given."""
        return sample_order.counts(self._db(), self._chosen(ids))

    def labels(self, ids: Sequence[int] | None = None) -> list[str]:
        """Return the labels of the images, sorted; only of `ids` if given."""
        only = self._chosen(ids)
        if ids is not None:
            return sample_order.labels(self._db(), only)
        return list(
            self._reader.once(
                self.folder.catalog, ("labels", only), lambda db: sample_order.labels(db, only)
            )
        )

    def files(self, ids: Sequence[int] | None = None) -> Iterator[tuple[str, str]]:
        """Yield (file name, label) of each image in order, without reading the whole rows."""
        ids = self._ids(ids)
        for start in range(0, len(ids), _NAMES):
            yield from sample_order.files(self._db(), ids[start : start + _NAMES])

    def chosen(
        self, conditions: Mapping[str, object], ids: Sequence[int] | None = None
    ) -> tuple[Sequence[int], dict[str, object]]:
        """Return the images that meet the conditions SQL can check, and the other conditions.

        Conditions are those of `Dataset.filter`, such as `width__ge`; only `ids` are tested if
        given.
        """
        ids = self._ids(ids)
        found, rest = sample_order.chosen(self._db(), conditions)
        if found is not None:
            ids = array("q", filter(found.__contains__, ids))
        return ids, rest

    def firsts(self, count: int) -> list[Sample]:
        """Return at most `count` images, spread evenly over the labels, in the usual order."""
        best = sample_order.firsts(self._db(), self._only, count)
        return self.together([one for one in self.ids() if one in best])

    def by_id(self, sample_id: int) -> Sample:
        """Return the image of a row. Raise IndexError if it is no longer kept."""
        for sample in self.together((sample_id,)):
            return sample
        raise IndexError(f"image {sample_id} is not in the data set any more")

    def some(self, ids: Sequence[int]) -> Iterator[Sample]:
        """Yield the images of these rows in this order, without those that are no longer kept.

        Reads 256 per SQL statement. No statement stays open in between: a reader open for an hour
        would block checkpoints of SQLite's write-ahead log.
        """
        for start in range(0, len(ids), CHUNK):
            yield from self.together(ids[start : start + CHUNK])

    def together(self, ids: Sequence[int]) -> list[Sample]:
        """Return the images of these rows as `some` does, by one statement, all in memory."""
        catalog = self.folder.catalog
        columns = self._reader.once(catalog, "columns", samples.columns_of)
        db = self._reader.connection(catalog)
        return samples.some(
            db, self.folder.root, ids, columns, catalog if self._provenance else None
        )

    def __iter__(self) -> Iterator[Sample]:
        yield from self.some(self._ids(None))

    def close(self) -> None:
        """Close the connection of this thread; the next use opens another."""
        self._reader.close()

    def _db(self) -> sqlite3.Connection:
        return self._reader.connection(self.folder.catalog)

    def _ids(self, ids: Sequence[int] | None) -> Sequence[int]:
        if ids is not None:
            return ids
        self._look()
        return self.ids()

    def _chosen(self, ids: Sequence[int] | None) -> Only:
        if ids is not None:
            return of_rows(ids)
        self._look()
        return self._only


def open_samples(root: Path | str, *, provenance: bool = True) -> Samples:
    """Return the samples of a data set folder, whose files are to be passed on.

    Raise UsageError if there is none.
    """
    return Samples(Folder(root), provenance=provenance, contents=True)


Signature = tuple[tuple[str, int], ...]
_SETTLED_NS: Final = 50_000_000  # file systems store times in steps of up to 10 ms


def _signature(root: Path) -> Signature | None:
    """Return the mtime of each label's folder; None while the newest is under 50 ms old."""
    try:
        with os.scandir(root) as entries:
            found = [(e.name, e.stat().st_mtime_ns) for e in entries if e.is_dir()]
    except OSError as error:
        raise StorageError(f"cannot read {root}: {error.strerror}") from error
    newest = max((changed for _, changed in found), default=0)
    return None if time.time_ns() - newest < _SETTLED_NS else tuple(sorted(found))
