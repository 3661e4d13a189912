"""The Exporter interface: parts written one after the other, then what ties them together.

A part is the unit of work and of resuming: a shard, or a few hundred files. Its files appear under
their final names only whole; a part that is interrupted is written again. A new format is one class
with three methods; killing, resuming, splits, order and pictures are the business of `export`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import IO, ClassVar, Protocol

from msgspec import Struct

from pixtrawl.exporters.columns import ORIGINALS, Columns, row_text
from pixtrawl.exporters.plan import Entry, Plan
from pixtrawl.exporters.target import STATE, Target
from pixtrawl.transform import Picture, Transform

__all__ = [
    "Exporter",
    "FinalFile",
    "Item",
    "Job",
    "Part",
    "ShardPart",
    "Sharding",
    "Written",
    "json_line",
    "rows_name",
]

FinalFile = tuple[str, Callable[[IO[bytes]], None]]  # name, and what writes it


class Sharding(Struct, frozen=True, kw_only=True):
    """Limits of one shard; whichever is met first ends it. None: what the format recommends."""

    max_bytes: int | None = None
    max_images: int | None = None


class Item(Struct, frozen=True):
    """One image, ready to be written. `columns` describe the picture as it is exported."""

    entry: Entry
    picture: Picture
    columns: Columns


class Job(Struct, frozen=True, kw_only=True):
    """What an exporter works on."""

    target: Target
    plan: Plan
    transform: Transform
    sharding: Sharding
    title: str
    fingerprint: str  # of the plan and of every option that changes a byte

    @property
    def columns(self) -> list[str]:
        """What is told of each image: with the file's own facts where pictures are changed."""
        first = next(self.plan.entries())
        return [*first.columns, *(() if self.transform.keeps_bytes else ORIGINALS)]

    def shard_bytes(self, default: int) -> int:
        return self.sharding.max_bytes or default

    def shard_images(self, default: int) -> int:
        return self.sharding.max_images or default


class Written(Struct, frozen=True, kw_only=True):
    """A finished part, as the journal keeps it."""

    index: int  # over the whole export
    split: str
    number: int  # within its split
    images: int
    end: int  # position of the entry after it
    size_bytes: int
    bad: tuple[int, ...]  # positions of entries that were skipped


class Part(Protocol):
    """A part that is being written."""

    def takes(self, item: Item) -> bool:
        """Whether there is room for it; a new part takes any one image."""
        ...

    def add(self, item: Item) -> None:
        """Writes the next image."""
        ...

    def close(self) -> None:
        """Publishes what is not yet published."""
        ...

    def abandon(self) -> None:
        """Drops what is not yet published."""
        ...


class Exporter(Protocol):
    """Writes one format."""

    name: ClassVar[str]
    shuffled: ClassVar[bool]  # shards are read in order, so their order should mean nothing
    layout: ClassVar[int]  # raised when the same input gives other bytes than before

    def __init__(self, job: Job) -> None: ...

    @property
    def part_images(self) -> int:
        """No part holds more."""
        ...

    def names(self, number: int, entries: Sequence[Entry]) -> list[str]:
        """Files that the part will publish: known before, so that a restart can remove them.

        `number` is that of the part within its split, `entries` the most that it may hold.
        """
        ...

    def open_part(self, index: int, number: int, entries: Sequence[Entry]) -> Part:
        """Begins a part; `index` is its number over all splits."""
        ...

    def final_files(self, parts: Sequence[Written]) -> list[FinalFile]:
        """Indexes, metadata, card: what is written when all parts are there."""
        ...


class _AbandonedError(Exception):
    """Handed into a target's `write` so that it drops the file."""


class ShardPart:
    """A part that is one file: holds it open, counts, publishes or drops it."""

    def __init__(self, target: Target, name: str, max_bytes: int) -> None:
        self._writing = target.write(name)
        self.file: IO[bytes] = self._writing.__enter__()
        self.size_bytes = 0
        self._max_bytes = max_bytes

    def fits(self, more_bytes: int) -> bool:
        """Whether so many bytes more stay within the limit; the first image always does."""
        return not self.size_bytes or self.size_bytes + more_bytes <= self._max_bytes

    def close(self) -> None:
        self._writing.__exit__(None, None, None)

    def abandon(self) -> None:
        error = _AbandonedError()
        self._writing.__exit__(_AbandonedError, error, None)


def rows_name(index: int) -> str:
    """Where a part of single files keeps its rows until all parts are there."""
    return f"{STATE}/rows-{index:06d}.jsonl"


def json_line(row: Columns) -> bytes:
    """One line of JSON, UTF-8, the keys in their own order."""
    return row_text(row) + b"\n"
