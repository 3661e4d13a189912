"""The kept images of a data set as a sequence, all of them or those of some queries.

What lies on the disk counts: an image whose file is gone is none of them. The order (label, number)
is held as 8 bytes an image; an image itself is read when it is asked for.
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
from pixtrawl.folder.by_hand import ByHand
from pixtrawl.folder.catch_up import catch_up
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.model import Sample

__all__ = ["Samples", "open_samples"]

CHUNK: Final = 256  # images read by one statement: 2 MB of rows
_NAMES: Final = 16 * CHUNK  # names are shorter


class Samples:
    """Every kept image of a data set, in the order of label and number.

    It follows the folder: `len()` and iteration begin with a look at the disk, and the order is
    read anew after a change of the catalog. May be pickled, forked and shared between threads.
    """

    def __init__(
        self,
        folder: Folder,
        *,
        provenance: bool = True,
        query_ids: Iterable[int] | None = None,
    ) -> None:
        """Iterates without `provenance` where it is not wanted.

        `query_ids`: only what counts for these rows of queries.
        """
        folder.require()
        self.folder = folder
        self._provenance = provenance
        self._reader = Reader()
        self._of_queries = EVERY if query_ids is None else of_queries(query_ids)
        self._only = self._of_queries
        self._seen: Signature | None = None
        self.noticed: ByHand | None = None  # what a person had done to the files before
        self._look()

    def _look(self) -> None:
        """Catches up with the disk, where a folder changed since the last look."""
        signature = _signature(self.folder.root)
        if signature is None or signature != self._seen:
            view = catch_up(self.folder)
            self._only = self._of_queries.but(view.missing)
            self.noticed = self.noticed or view.noticed
            self._seen = signature

    def __len__(self) -> int:
        self._look()
        return len(self.ids())

    def ids(self) -> Sequence[int]:
        """The images' rows in order, as of the catalog's last change; the disk is not looked at."""
        only = self._only
        return self._reader.once(
            self.folder.catalog, ("ids", only), lambda db: sample_order.ids(db, only)
        )

    def counts(self, ids: Sequence[int] | None = None) -> dict[str, int]:
        """How many images each label has, by label; of `ids` where some are given."""
        return sample_order.counts(self._db(), self._chosen(ids))

    def labels(self, ids: Sequence[int] | None = None) -> list[str]:
        """The labels of the images, sorted; of `ids` where some are given."""
        only = self._chosen(ids)
        if ids is not None:
            return sample_order.labels(self._db(), only)
        return list(
            self._reader.once(
                self.folder.catalog, ("labels", only), lambda db: sample_order.labels(db, only)
            )
        )

    def files(self, ids: Sequence[int] | None = None) -> Iterator[tuple[str, str]]:
        """File name and label of each image, in order, without reading more of it."""
        ids = self._ids(ids)
        for start in range(0, len(ids), _NAMES):
            yield from sample_order.files(self._db(), ids[start : start + _NAMES])

    def chosen(
        self, conditions: Mapping[str, object], ids: Sequence[int] | None = None
    ) -> tuple[Sequence[int], dict[str, object]]:
        """The images that fulfil what the catalog can decide, and the conditions that are left.

        Conditions are those of `Dataset.filter`, such as `width__ge`; `ids` are chosen from.
        """
        ids = self._ids(ids)
        found, rest = sample_order.chosen(self._db(), conditions)
        if found is not None:
            ids = array("q", (one for one in ids if one in found))
        return ids, rest

    def firsts(self, count: int) -> list[Sample]:
        """At most `count` images, as many of each label as of the others, in the usual order."""
        best = sample_order.firsts(self._db(), self._only, count)
        return self.together([one for one in self.ids() if one in best])

    def by_id(self, sample_id: int) -> Sample:
        """The image of a row. Raises IndexError where it is kept no more."""
        for sample in self.together((sample_id,)):
            return sample
        raise IndexError(f"image {sample_id} is not in the data set any more")

    def some(self, ids: Sequence[int]) -> Iterator[Sample]:
        """The images of these rows in this order; those that are kept no more are left out.

        One statement for every 256. None is open in between: an epoch of an hour would else keep
        the catalog's log from being written back all the time.
        """
        for start in range(0, len(ids), CHUNK):
            yield from self.together(ids[start : start + CHUNK])

    def together(self, ids: Sequence[int]) -> list[Sample]:
        """The same by one statement, for what fits into memory."""
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
    """The samples of a data set folder. Raises UsageError where there is none."""
    return Samples(Folder(root), provenance=provenance)


Signature = tuple[tuple[str, int], ...]
_SETTLED_NS: Final = 50_000_000  # file systems tell time in steps of up to 10 ms


def _signature(root: Path) -> Signature | None:
    """When each label's folder last changed; None while that is too new to rely on."""
    try:
        with os.scandir(root) as entries:
            found = [(e.name, e.stat().st_mtime_ns) for e in entries if e.is_dir()]
    except OSError as error:
        raise StorageError(f"cannot read {root}: {error.strerror}") from error
    newest = max((changed for _, changed in found), default=0)
    return None if time.time_ns() - newest < _SETTLED_NS else tuple(sorted(found))
