"""The kept pictures of a set of shards as a sequence, read shard by shard.

The order is that of shards and rows, as of the moment of opening. An image is known by its place in
it, so that the order takes no memory; of the rows, those of two shards are in memory.
"""

from __future__ import annotations

import tempfile
import threading
from array import array
from bisect import bisect_right
from collections import Counter, OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from pixtrawl.catalog import own_columns
from pixtrawl.catalog.shard_rows import RowFilter
from pixtrawl.cluster import outcome_tables
from pixtrawl.cluster.outcome_tables import KeptRows
from pixtrawl.cluster.readers.pictures import PlaceReader, place_of
from pixtrawl.cluster.readers.reading import ShardSet
from pixtrawl.cluster.readers.shard_sample import FILTERED, filter_values, sample_of
from pixtrawl.cluster.readers.url_outcomes import ShardOutcomesList
from pixtrawl.cluster.store import Store
from pixtrawl.errors import UsageError
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.layout import needs_folder
from pixtrawl.folder.recovery.by_hand import ByHand
from pixtrawl.model import Reason, Sample
from pixtrawl.pipeline.outcomes import Outcomes
from pixtrawl.report import Report

__all__ = ["ShardSamples"]

_TABLES: Final = 2  # in memory
_CHUNK: Final = 256
_FEW: Final = 20  # less than this part of all images: looked at one by one


class _IndexedShard(Struct, frozen=True):
    """Facts of a shard that its commit holds."""

    shard: str
    outcomes: str  # name of the table
    looks: str | None
    own: Mapping[str, str] | None  # types of own columns


class ShardSamples:
    """The pictures of a set of shards, with the methods of `Samples` of a folder.

    May be pickled, forked and shared between threads; each process opens the store anew.
    """

    noticed: ByHand | None = None  # nobody changes objects by hand

    def __init__(self, url: str, *, looks: bool = False) -> None:
        """Raise UsageError where there is no set of shards, StorageError.

        `looks`: read the thumbnails, too, which splits without look-alikes on both sides need.
        """
        self.url = str(url).rstrip("/")
        self._looks = looks
        _ = self._lock  # made once, before there are threads
        self._set  # noqa: B018 - raises where there is none

    @property
    def shown(self) -> str:
        """The place as given, for messages."""
        return self.url

    @property
    def place(self) -> str:
        """Where the names of `files` are relative to."""
        return self.url

    @property
    def folder(self) -> Folder:
        """Raise UsageError: what asks for it works on a folder only."""
        raise UsageError(needs_folder(self.url))

    @property
    def reader(self) -> PlaceReader:
        """Reads pictures by the names that `files` yields."""
        return PlaceReader(self.url)

    def with_looks(self) -> ShardSamples:
        """Return the same images, with their thumbnails."""
        return ShardSamples(self.url, looks=True)

    @cached_property
    def _set(self) -> ShardSet:
        return ShardSet(Store(self.url))

    @cached_property
    def _index(self) -> tuple[list[_IndexedShard], array[int]]:
        """The shards with pictures, and the place at which each begins; the last is the total."""
        pieces: list[_IndexedShard] = []
        starts = array("q", [0])
        dropped = self._set.duplicates.by_shard
        for one in self._set.commits():
            kept = one.reasons.get(Reason.SAVED.value, 0) - len(dropped.get(one.shard, ()))
            if kept > 0:
                looks = None if one.looks is None else one.looks.name
                pieces.append(_IndexedShard(one.shard, one.outcomes.name, looks, one.own))
                starts.append(starts[-1] + kept)
        return pieces, starts

    @cached_property
    def _own(self) -> dict[str, str]:
        """The types of the user's own columns over all shards."""
        known: dict[str, str] = {}
        untold: list[_IndexedShard] = []
        for piece in self._index[0]:
            if piece.own is None:
                untold.append(piece)
            else:
                own_columns.join(known, piece.own)
        if untold:  # written by an older version
            for row in self._set.rows(["extra"]):
                if row["extra"]:
                    own_columns.joined(known, row["extra"])
        return known

    @cached_property
    def _tables(self) -> OrderedDict[int, KeptRows]:
        return OrderedDict()

    @cached_property
    def _lock(self) -> threading.Lock:
        return threading.Lock()

    def __getstate__(self) -> dict[str, object]:
        return {"url": self.url, "_looks": self._looks}

    def __len__(self) -> int:
        return self._index[1][-1]

    def ids(self) -> Sequence[int]:
        """Return the places of all images."""
        return range(len(self))

    def counts(self, ids: Sequence[int] | None = None) -> dict[str, int]:
        """Return the number of images by label, sorted; only of `ids` if given."""
        found: Counter[str] = Counter()
        if ids is None:
            for (label, reason), count in self._set.counted(["label", "reason"]).items():
                if reason == Reason.SAVED.value:
                    found[label] += count
        else:
            found.update(row["label"] for row in self._rows(ids))
        return dict(sorted(found.items()))

    def labels(self, ids: Sequence[int] | None = None) -> list[str]:
        """Return the labels of the images, sorted; only of `ids` if given."""
        return list(self.counts(ids))

    def files(self, ids: Sequence[int] | None = None) -> Iterator[tuple[str, str]]:
        """Yield (place, label) of each image in order."""
        for row in self._rows(self.ids() if ids is None else ids):
            yield place_of(row), row["label"]

    def chosen(
        self, conditions: Mapping[str, object], ids: Sequence[int] | None = None
    ) -> tuple[Sequence[int], dict[str, object]]:
        """Return the images that match the conditions with an SQL form, and the other conditions.

        Of few images none is checked here: all tables would be read.
        """
        ids = self.ids() if ids is None else ids
        with closing(RowFilter(conditions)) as wanted:
            if wanted.is_empty or len(ids) * _FEW < len(self):
                return ids, dict(conditions)
            found = array("q", self._matching(wanted))
        if isinstance(ids, range):  # all, in order
            return found, wanted.rest
        matching = frozenset(found)
        return array("q", (one for one in ids if one in matching)), wanted.rest

    def _matching(self, wanted: RowFilter) -> Iterator[int]:
        """Yield the places of the images that match."""
        starts = dict(zip((one.shard for one in self._index[0]), self._index[1], strict=False))
        for commit, path in self._set.tables():
            if commit.shard in starts:
                keeps = self._set.duplicates.keeps
                rows = outcome_tables.outcome_columns(path, FILTERED)
                kept = (filter_values(row) for row in rows if row[1] is not None and keeps(row[0]))
                for place in wanted.matching(kept):
                    yield starts[commit.shard] + place

    def firsts(self, count: int) -> list[Sample]:
        """Return at most `count` images, spread evenly over the set."""
        step = max(1, len(self) // max(count, 1))
        return self.together(range(0, len(self), step)[:count])

    def by_id(self, sample_id: int) -> Sample:
        """Return the image at a place. Raise IndexError where there is none."""
        return self.together((sample_id,))[0]

    def some(self, ids: Sequence[int]) -> Iterator[Sample]:
        """Yield the images at these places, in this order."""
        for row in self._rows(ids):
            yield sample_of(row, row["place"], self._own, self.url)

    def together(self, ids: Sequence[int]) -> list[Sample]:
        """Return the images at these places, in this order."""
        return list(self.some(ids))

    def __iter__(self) -> Iterator[Sample]:
        yield from self.some(self.ids())

    def report(self) -> Report:
        """Return the report of the job."""
        return self._set.report()

    def outcomes(self, **chosen: str | Collection[str]) -> Outcomes:
        """Return the outcome of every URL, as `Dataset.outcomes`."""
        return ShardOutcomesList(self._set, **chosen)

    def _rows(self, ids: Sequence[int]) -> Iterator[dict[str, Any]]:
        """Yield the rows at these places, those that follow each other together."""
        at = 0
        starts = self._index[1]
        while at < len(ids):
            first = ids[at]
            if not 0 <= first < starts[-1]:
                raise IndexError(f"image {first} of {starts[-1]}")
            piece = bisect_right(starts, first) - 1
            most = min(_CHUNK, starts[piece + 1] - first, len(ids) - at)
            count = 1
            while count < most and ids[at + count] == first + count:
                count += 1
            begin = first - starts[piece]
            for place, row in enumerate(self._table(piece).rows(begin, begin + count), first):
                yield row | {"place": place}
            at += count

    def _table(self, piece: int) -> KeptRows:
        with self._lock:
            found = self._tables.get(piece)
            if found is None:
                found = self._tables[piece] = self._read(piece)
                while len(self._tables) > _TABLES:
                    self._tables.popitem(last=False)
            self._tables.move_to_end(piece)
            return found

    def _read(self, piece: int) -> KeptRows:
        about = self._index[0][piece]
        with tempfile.TemporaryDirectory(prefix="pixtrawl-outcomes-") as folder:
            path = Path(folder) / "outcomes.parquet"
            self._set.store.fetch(about.outcomes, path)
            looks = None
            if self._looks and about.looks is not None:
                looks_path = Path(folder) / "looks.parquet"
                self._set.store.fetch(about.looks, looks_path)
                looks = {row: look for row, *look in outcome_tables.read_looks(looks_path)}
            return KeptRows(path, self._set.duplicates.keeps, looks)
