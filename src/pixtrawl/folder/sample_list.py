"""The kept images of a data set as a sequence, all of them or those of some queries.

What lies on the disk counts: an image whose file is gone is none of them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from pixtrawl.catalog.database import connect
from pixtrawl.catalog.samples import ORDER, SELECT, one, read
from pixtrawl.errors import StorageError
from pixtrawl.folder.by_hand import ByHand
from pixtrawl.folder.catch_up import catch_up
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.model import Sample

__all__ = ["Samples", "open_samples"]


class Samples:
    """Every kept image of a data set, in the order of label and number; read anew each time."""

    def __init__(
        self,
        folder: Folder,
        *,
        provenance: bool = True,
        query_ids: Iterable[int] | None = None,
    ) -> None:
        """Iterates without `provenance`, a question to the catalog each, where it is not wanted.

        `query_ids`: only what counts for these rows of queries.
        """
        folder.require()
        self.folder = folder
        self._provenance = provenance
        # numbers of ours, so they may stand in the statement
        self._of_queries = (
            ""
            if query_ids is None
            else f" AND s.query_id IN ({', '.join(str(int(one)) for one in query_ids)})"
        )
        self._only = self._of_queries
        self._seen: Signature | None = None
        self.noticed: ByHand | None = None  # what a person had done to the files before
        self._look()

    def _look(self) -> None:
        """Catches up with the disk, where a folder changed since the last look."""
        signature = _signature(self.folder.root)
        if signature is None or signature != self._seen:
            view = catch_up(self.folder)
            gone = ", ".join(map(str, sorted(view.missing)))
            self._only = self._of_queries + (f" AND s.id NOT IN ({gone})" if gone else "")
            self.noticed = self.noticed or view.noticed
            self._seen = signature

    def __len__(self) -> int:
        return sum(self.counts().values())

    def counts(self) -> dict[str, int]:
        """How many images each label has, by label."""
        self._look()
        db = connect(self.folder.catalog, read_only=True)
        try:
            return dict(
                db.execute(
                    "SELECT s.label, count(*) FROM sample s "  # noqa: S608 - numbers only
                    f"WHERE s.state IN (0, 1){self._only} GROUP BY 1 ORDER BY 1"
                ).fetchall()
            )
        finally:
            db.close()

    def at(self, index: int) -> Sample:
        """The image at a place in that order. Raises IndexError."""
        db = connect(self.folder.catalog, read_only=True)
        try:
            row = db.execute(f"{SELECT}{self._only}{ORDER} LIMIT 1 OFFSET ?", (index,)).fetchone()
            if row is None:
                raise IndexError(f"there is no image {index}")
            return one(db, row, self.folder.root)
        finally:
            db.close()

    def firsts(self, count: int) -> list[Sample]:
        """At most `count` images, as many of each label as of the others, in the usual order."""
        ranked = (
            "SELECT s.id, s.label, row_number() OVER (PARTITION BY s.label ORDER BY s.number) "  # noqa: S608
            f"AS place FROM sample s WHERE s.state IN (0, 1){self._only}"
        )
        best = f"SELECT id FROM ({ranked}) ORDER BY place, label LIMIT {count:d}"  # noqa: S608
        chosen = f" AND s.id IN ({best})"
        db = connect(self.folder.catalog, read_only=True)
        try:
            return list(read(db, self.folder.root, provenance=False, only=chosen))
        finally:
            db.close()

    def by_id(self, sample_id: int) -> Sample:
        """The image of a row. Raises IndexError where it is kept no more."""
        db = connect(self.folder.catalog, read_only=True)
        try:
            row = db.execute(f"{SELECT} AND s.id = ?", (sample_id,)).fetchone()
            if row is None:
                raise IndexError(f"image {sample_id} is not in the data set any more")
            return one(db, row, self.folder.root)
        finally:
            db.close()

    def __iter__(self) -> Iterator[Sample]:
        self._look()
        db = connect(self.folder.catalog, read_only=True)
        try:
            yield from read(db, self.folder.root, provenance=self._provenance, only=self._only)
        finally:
            db.close()


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
