"""The files that `pixtrawl publish` sends: parquet shards, card, attributions, croissant.json.

The shards are cut so that a re-published data set changes few of them (`shard_tree`); their rows
are shuffled, so that any part of them is a fair sample.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import IO, ClassVar, Final

from pixtrawl.exporters.base import ExportJob, FinalFile, Item, Written
from pixtrawl.exporters.cards import card_files, split_word
from pixtrawl.exporters.croissant import DataFile, croissant
from pixtrawl.exporters.parquet import Parquet, ParquetShard, numbered
from pixtrawl.exporters.plan import PlannedImage
from pixtrawl.exporters.shard_tree import HubShard, Leaf, cut, limit_bytes
from pixtrawl.folder.derived.card import Summary
from pixtrawl.folder.derived.features import IMAGE

__all__ = ["CARD", "CROISSANT", "HubFiles", "shards_of"]

CARD: Final = "README.md"
CROISSANT: Final = "croissant.json"
_SHARD_IMAGES: Final = 100_000


def shards_of(split: str) -> str:
    """Return the pattern by which card and croissant.json have the images of a split read."""
    return f"data/{split}-*.parquet"


class HubFiles(Parquet):
    """Shards `data/train-00000-of-00004.parquet`."""

    name: ClassVar[str] = "hub"
    shuffled: ClassVar[bool] = True
    layout: ClassVar[int] = 1

    def __init__(self, job: ExportJob) -> None:
        super().__init__(job)
        leaves = [_leaf(entry) for entry in job.plan.entries()]
        total = sum(leaf.size_bytes for leaf in leaves)
        self._shards = cut(
            leaves, job.shard_bytes(limit_bytes(total)), job.shard_images(_SHARD_IMAGES)
        )
        self._by_start = {shard.start: shard for shard in self._shards}

    @property
    def part_images(self) -> int:
        return max(shard.end - shard.start for shard in self._shards)

    def names(self, number: int, entries: Sequence[PlannedImage]) -> list[str]:
        return [_file(self._shard_of(entries[0]))]

    def open_part(self, index: int, number: int, entries: Sequence[PlannedImage]) -> _OpenHubShard:
        return _OpenHubShard(self._job, self._shard_of(entries[0]))

    def _shard_of(self, entry: PlannedImage) -> HubShard:
        known = self._by_start.get(entry.position)
        if known is not None:
            return known
        # The part before it was closed early, as its own images were all unreadable.
        return next(one for one in self._shards if one.start <= entry.position < one.end)

    def final_files(self, parts: Sequence[Written]) -> list[FinalFile]:
        publication = self._job.publication
        splits = list(dict.fromkeys(part.split for part in parts if part.images))
        features = {"image": dict(IMAGE), **numbered(self._job.features)}
        where = publication.repository if publication else "path/to/this/folder"
        summary = Summary()
        patterns: dict[str, Sequence[str]] = {split: [shards_of(split)] for split in splits}
        files = card_files(
            self._job,
            parts,
            load=f"load_dataset({json.dumps(where)})",
            patterns=patterns,
            notes=publication.notes if publication else (),
            features=features,
            summary=summary,
        )

        def describe(file: IO[bytes]) -> None:
            found = croissant(
                summary,
                features,
                [self._described(part) for part in parts if part.images],
                {split: split_word(split) for split in splits},
                patterns=patterns,
                title=self._job.title,
                url=publication.url if publication else "",
                version=self._job.fingerprint,
            )
            file.write(json.dumps(found, indent=1, ensure_ascii=False).encode() + b"\n")

        return [*files, (CROISSANT, describe)]

    def _described(self, part: Written) -> DataFile:
        """Return a shard with size and hash, as it was written."""
        entry = next(self._job.plan.entries(part.end - part.images - len(part.bad)))
        name = _file(self._shard_of(entry))
        digest, size_bytes = hashlib.sha256(), 0
        for piece in self._job.target.lines(name):
            digest.update(piece)
            size_bytes += len(piece)
        return DataFile(
            name=name, split=part.split, size_bytes=size_bytes, sha256=digest.hexdigest()
        )


class _OpenHubShard(ParquetShard):
    def __init__(self, job: ExportJob, shard: HubShard) -> None:
        super().__init__(job, _file(shard), max_bytes=0)
        self._end = shard.end

    def takes(self, item: Item) -> bool:
        return item.entry.position < self._end


def _leaf(entry: PlannedImage) -> Leaf:
    return Leaf(entry.split, entry.key, int(entry.columns["size_bytes"]))


def _file(shard: HubShard) -> str:
    return f"data/{shard.name}.parquet"
