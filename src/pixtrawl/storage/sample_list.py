"""The kept images of a data set as a sequence, all of them or those of some queries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pixtrawl.model import Sample
from pixtrawl.storage.catalog import connect
from pixtrawl.storage.folder import Folder
from pixtrawl.storage.samples import ORDER, SELECT, one, read

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
        self._only = (
            ""
            if query_ids is None
            else f" AND s.query_id IN ({', '.join(str(int(one)) for one in query_ids)})"
        )

    def __len__(self) -> int:
        return sum(self.counts().values())

    def counts(self) -> dict[str, int]:
        """How many images each label has, by label."""
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
            return one(db, row, self.folder)
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
            return list(read(db, self.folder, provenance=False, only=chosen))
        finally:
            db.close()

    def by_id(self, sample_id: int) -> Sample:
        """The image of a row. Raises IndexError where it is kept no more."""
        db = connect(self.folder.catalog, read_only=True)
        try:
            row = db.execute(f"{SELECT} AND s.id = ?", (sample_id,)).fetchone()
            if row is None:
                raise IndexError(f"image {sample_id} is not in the data set any more")
            return one(db, row, self.folder)
        finally:
            db.close()

    def __iter__(self) -> Iterator[Sample]:
        db = connect(self.folder.catalog, read_only=True)
        try:
            yield from read(db, self.folder, provenance=self._provenance, only=self._only)
        finally:
            db.close()


def open_samples(root: Path | str, *, provenance: bool = True) -> Samples:
    """The samples of a data set folder. Raises UsageError where there is none."""
    return Samples(Folder(root), provenance=provenance)
