"""The plan of an export: images, splits and order, decided once and stored on disk.

Balancing, duplicate groups and shares need to see every image before the first is written. The
plan therefore goes through a temporary SQLite file: memory hardly grows (four bytes an image, and
about 1 KB while it is split), and an export that goes on after a kill makes the same plan again.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec
from msgspec import Struct

from pixtrawl.batches import batches
from pixtrawl.captions import Chain
from pixtrawl.claims import is_licensed
from pixtrawl.exporters.columns import Columns, columns_of, host_of, own_types
from pixtrawl.exporters.embedding_column import EMBEDDING, EmbeddingColumn
from pixtrawl.exporters.groups import GroupOf, NearDuplicateGroups
from pixtrawl.exporters.origin import FolderOrigin, Origin
from pixtrawl.exporters.splits import Dealer, Splitting, block_place
from pixtrawl.model import Sample
from pixtrawl.preferences.marks import has_mark

__all__ = ["ExportPlan", "PlannedImage", "Selection"]

_SCHEMA: Final = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -16000;
PRAGMA temp_store = FILE;
CREATE TABLE image (seq INTEGER PRIMARY KEY, label TEXT, number INTEGER, shuffle BLOB,
                    family INTEGER, split INTEGER DEFAULT 0, format TEXT, place TEXT, body BLOB);
CREATE TABLE mark (key BLOB, seq INTEGER);
CREATE TABLE place (position INTEGER PRIMARY KEY, seq INTEGER, split INTEGER);
"""


_INSERT: Final = """
INSERT INTO image (seq, label, number, shuffle, format, place, body) VALUES (?, ?, ?, ?, ?, ?, ?)
"""


class Selection(Struct, frozen=True, kw_only=True):
    """Which images are exported. Empty means all."""

    labels: frozenset[str] = frozenset()
    licenses: frozenset[str] = frozenset()  # words and ids of `--license`, or claims as they are
    exclude: frozenset[str] = frozenset()  # marks of `preferences.marks` that an image may not have
    min_size: tuple[int, int] | None = None  # width, height in pixels
    balance: int | str | None = None  # images per label: a number, or "min" for the smallest label

    def wants(self, columns: Columns) -> bool:
        """Return whether an image is selected."""
        if self.labels and columns["label"] not in self.labels:
            return False
        if self.licenses and not any(_is_licensed(columns, wish) for wish in self.licenses):
            return False
        if self.min_size is None:
            return True
        width, height = self.min_size
        return int(columns["width"]) >= width and int(columns["height"]) >= height


def _is_licensed(columns: Columns, wish: str) -> bool:
    return is_licensed(str(columns["license_id"]), str(columns["license"]), wish)


class PlannedImage(Struct, frozen=True):
    """One image of the plan. `position` counts from 0 over the whole export."""

    position: int
    split: str
    label: str
    class_index: int
    columns: Columns
    key: bytes = b""  # by which it is shuffled
    place: str = ""  # where its bytes lie, for `Origin.read`

    @property
    def file_name(self) -> str:
        """Relative to the data set folder."""
        return str(self.columns["file_name"])


class ExportPlan:
    """A finished plan; a context manager that removes its temporary file.

    Args:
        samples: read once, in the order of label and number.
        origin: the data set folder, or another origin; the pictures must still be there.
        selection: which of them.
        splitting: how they are dealt to splits.
        shuffled: order within a split: by a seeded shuffle, or by label and number.
        group_of: keys of a sample; images that share one are never on two sides (default: those
            that look nearly the same).
        taken: names of columns that the format needs for itself.
        captions: origins of the captions; None for those of the data set.
        embeddings: gives the column `embedding`; None: there is none.
    """

    def __init__(  # noqa: PLR0913 - what a plan is made of
        self,
        samples: Iterable[Sample],
        origin: Path | Origin,
        *,
        selection: Selection = Selection(),
        splitting: Splitting = Splitting(),
        shuffled: bool = False,
        group_of: GroupOf | None = None,
        taken: frozenset[str] = frozenset(),
        captions: Chain | None = None,
        embeddings: EmbeddingColumn | None = None,
    ) -> None:
        # A database without a name is a temporary file that SQLite removes, also if we are killed.
        self._db = sqlite3.connect("")
        self._splitting = splitting
        self.splits = [name for name, _ in splitting.shares]
        self.own_types: dict[str, str] = {}  # of the user's own columns: bool, int, float, text
        self._taken = taken
        self._captions = captions
        self._embeddings = embeddings
        if embeddings is not None:
            self.own_types[EMBEDDING] = "floats"
        self.missing: int = 0
        self._count = 0  # images in the plan
        self._db.executescript(_SCHEMA)
        try:
            origin = FolderOrigin(origin) if isinstance(origin, Path) else origin
            self._load(samples, origin, selection, group_of)
            self._balance(selection.balance)
            if len(self.splits) > 1:
                self._join()
                self._split()
            self._place(shuffled)
        except BaseException:
            self.close()
            raise
        self.labels = [row[0] for row in self._db.execute("SELECT DISTINCT label FROM image")]
        self.labels.sort()
        formats = self._db.execute("SELECT DISTINCT format FROM image ORDER BY format")
        self.formats = [row[0] for row in formats]
        self._class_of = {label: index for index, label in enumerate(self.labels)}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the temporary file."""
        self._db.close()

    def __len__(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM place").fetchone()[0])

    def entries(self, start: int = 0) -> Iterator[PlannedImage]:
        """Yield the images from a position on, split by split."""
        rows = self._db.execute(
            "SELECT p.position, p.split, i.label, i.body, i.shuffle, i.place FROM place p "
            "JOIN image i ON i.seq = p.seq WHERE p.position >= ? ORDER BY p.position",
            (start,),
        )
        decode = msgspec.json.decode
        for batch in batches(rows):
            for position, index, label, body, key, place in batch:
                split, number = self.splits[index], self._class_of[label]
                yield PlannedImage(position, split, label, number, decode(body), key, place)

    def format_counts(self) -> dict[str, int]:
        """Return the number of images by format."""
        rows = self._db.execute(
            "SELECT i.format, count(*) FROM place p JOIN image i ON i.seq = p.seq "
            "GROUP BY i.format ORDER BY i.format"
        )
        return dict(rows.fetchall())

    def counts(self) -> dict[str, int]:
        """Return the number of images by split, without empty splits."""
        rows = self._db.execute("SELECT split, count(*) FROM place GROUP BY split ORDER BY split")
        return {self.splits[index]: count for index, count in rows}

    def digest(self) -> str:
        """Return a hash of all images with their splits, order and columns."""
        digest = hashlib.sha256(json.dumps([self.splits, self.labels]).encode())
        rows = "SELECT p.split, i.body FROM place p JOIN image i ON i.seq = p.seq ORDER BY position"
        for split, body in self._db.execute(rows):
            digest.update(b"%d\0%b\n" % (split, body))
        return digest.hexdigest()

    def _load(
        self, samples: Iterable[Sample], origin: Origin, selection: Selection,
        group_of: GroupOf | None,
    ) -> None:  # fmt: skip
        with self._db as db, NearDuplicateGroups() as look_alikes:
            for batch in batches(samples):
                chosen = self._chosen(batch, origin, selection)
                rows = [
                    (seq, columns["label"], sample.number, self._shuffle_key(sample),
                     columns["format"], place, msgspec.json.encode(columns))
                    for seq, (sample, columns, place) in enumerate(chosen, self._count + 1)
                ]  # fmt: skip
                db.executemany(_INSERT, rows)
                self._count += len(rows)
                if len(self.splits) > 1:
                    for (seq, *_), (sample, columns, _) in zip(rows, chosen, strict=True):
                        marks = set(group_of(sample) if group_of else look_alikes.add(seq, sample))
                        if self._splitting.by == "host":
                            marks.add(f"host:{host_of(columns)}")
                        self._mark((mark, seq) for mark in marks)
            self._mark(look_alikes.keys())

    def _chosen(
        self, samples: Iterable[Sample], origin: Origin, selection: Selection
    ) -> list[tuple[Sample, Columns, str]]:
        """Return those that are selected and there, with their columns and places."""
        chosen = []
        for sample in [origin.captioned(one, self._captions) for one in samples]:
            columns = columns_of(sample, self._taken)
            if sample.own or sample.scores:
                own_types(sample, columns, self.own_types)
            if self._embeddings is not None:
                columns[EMBEDDING] = self._embeddings.of(sample.id)
            if not selection.wants(columns) or has_mark(sample.rights, selection.exclude):
                continue
            place = origin.place(sample)
            if place is None:
                self.missing += 1
            else:
                chosen.append((sample, columns, place))
        return chosen

    def _shuffle_key(self, sample: Sample) -> bytes:
        key = f"{self._splitting.seed}\0{sample.info.sha256}\0{sample.file_name}"
        return hashlib.sha256(key.encode(errors="replace")).digest()[:16]

    def _mark(self, marks: Iterable[tuple[str, int]]) -> None:
        self._db.executemany(
            "INSERT INTO mark VALUES (?, ?)",
            (
                (hashlib.sha256(key.encode(errors="replace")).digest()[:16], seq)
                for key, seq in marks
            ),
        )

    def _balance(self, balance: int | str | None) -> None:
        """Keep the first images of each label: those that their sources ranked highest."""
        if balance is None:
            return
        if balance == "min":
            smallest = "SELECT min(n) FROM (SELECT count(*) AS n FROM image GROUP BY label)"
            balance = self._db.execute(smallest).fetchone()[0] or 0
        with self._db as db:
            db.execute(
                "DELETE FROM image WHERE seq IN (SELECT seq FROM (SELECT seq, row_number() OVER "
                "(PARTITION BY label ORDER BY number, seq) AS rank FROM image) WHERE rank > ?)",
                (balance,),
            )
            db.execute("DELETE FROM mark WHERE seq NOT IN (SELECT seq FROM image)")

    def _join(self) -> None:
        """Assign one family to images that share a mark, also transitively (union-find)."""
        size = self._db.execute("SELECT coalesce(max(seq), 0) + 1 FROM image").fetchone()[0]
        parent = array("i", range(size))

        def first(seq: int) -> int:
            while parent[seq] != seq:
                parent[seq] = parent[parent[seq]]
                seq = parent[seq]
            return seq

        before: tuple[bytes, int] | None = None
        for key, seq in self._db.execute("SELECT key, seq FROM mark ORDER BY key, seq"):
            if before is not None and before[0] == key:
                one, other = sorted((first(before[1]), first(seq)))
                parent[other] = one
            before = key, seq
        families = ((first(seq), seq) for seq in self._seqs())
        with self._db as db:
            db.executemany("UPDATE image SET family = ? WHERE seq = ?", families)

    def _seqs(self) -> Iterator[int]:
        last = 0
        while rows := self._db.execute(
            "SELECT seq FROM image WHERE seq > ? ORDER BY seq LIMIT 10000", (last,)
        ).fetchall():
            yield from (row[0] for row in rows)
            last = rows[-1][0]

    def _split(self) -> None:
        self._db.execute("CREATE INDEX family ON image (family)")
        deal = self._by_host() if self._splitting.by == "host" else self._by_rank()
        self._db.execute("CREATE TABLE dealt (family INTEGER PRIMARY KEY, split INTEGER)")
        with self._db as db:
            db.executemany("INSERT INTO dealt VALUES (?, ?)", deal)
            db.execute(
                "UPDATE image SET split = "
                "(SELECT split FROM dealt WHERE dealt.family = image.family)"
            )

    def _by_rank(self) -> Iterator[tuple[int, int]]:
        """Yield each family with the rank, in its label, of its member of lowest number."""
        shares, seed = self._splitting.shares, self._splitting.seed
        rows = self._db.execute(
            "SELECT family, label, row_number() OVER (PARTITION BY label ORDER BY number, seq) - 1 "
            "FROM (SELECT family, label, number, seq, row_number() OVER (PARTITION BY family "
            "ORDER BY number, label, seq) AS nth FROM image) WHERE nth = 1"
        )
        for family, label, rank in rows:
            yield family, block_place(shares, seed, label, rank)

    def _by_host(self) -> Iterator[tuple[int, int]]:
        totals = dict(self._db.execute("SELECT label, count(*) FROM image GROUP BY label"))
        dealer = Dealer(self._splitting.shares, totals)
        families = self._db.execute(
            "SELECT family, count(*) AS n, min(shuffle) AS s FROM image GROUP BY family "
            "ORDER BY n DESC, s"
        )
        for family, _, _ in families:
            labels = self._db.execute(
                "SELECT label, count(*) FROM image WHERE family = ? GROUP BY label ORDER BY label",
                (family,),
            ).fetchall()
            yield family, dealer.deal(labels)

    def _place(self, shuffled: bool) -> None:
        order = "shuffle" if shuffled else "label, number"
        with self._db as db:
            db.execute(
                "INSERT INTO place SELECT row_number() OVER w - 1, seq, split FROM image "  # noqa: S608
                f"WINDOW w AS (ORDER BY split, {order}, seq)"
            )
