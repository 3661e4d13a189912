"""The Exporter interface: parts written one after the other, then the final files.

A part is the unit of work and of resuming: a shard, or a few hundred files. Its files appear under
their final names only when complete; an interrupted part is written again. A new format is one
class with three methods; `export` handles resuming, splits, order and pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import IO, ClassVar, Protocol, runtime_checkable

from msgspec import Struct

from pixtrawl.exporters.columns import ORIGINALS, TYPES, Columns, row_text
from pixtrawl.exporters.plan import ExportPlan, PlannedImage
from pixtrawl.exporters.target import STATE, Target
from pixtrawl.folder.derived.features import Features, features_of
from pixtrawl.transform import Picture, Transform

__all__ = [
    "ExportJob",
    "Exporter",
    "FinalFile",
    "Item",
    "Part",
    "Publication",
    "ShardPart",
    "Sharding",
    "WritesCaptions",
    "Written",
    "json_line",
    "rows_name",
]

FinalFile = tuple[str, Callable[[IO[bytes]], None]]  # name, and the function that writes it


class Sharding(Struct, frozen=True, kw_only=True):
    """Limits of one shard; whichever is met first ends it. None: what the format recommends."""

    max_bytes: int | None = None
    max_images: int | None = None


class Item(Struct, frozen=True):
    """One image, ready to be written. `columns` describe the picture as it is exported."""

    entry: PlannedImage
    picture: Picture
    columns: Columns


class Publication(Struct, frozen=True, kw_only=True):
    """Where an export will be published, and what its card says beside the counts."""

    repository: str  # user/set
    url: str  # of its page
    notes: tuple[str, ...] = ()  # paragraphs in Markdown


class ExportJob(Struct, frozen=True, kw_only=True):
    """The input of an exporter."""

    target: Target
    plan: ExportPlan
    transform: Transform
    sharding: Sharding
    title: str
    repeats: int = 1  # of each image in an epoch, for trainers that read it from names of folders
    publication: Publication | None = None
    fingerprint: str  # of the plan and of every option that changes a byte

    @property
    def columns(self) -> list[str]:
        """The columns of each image, with those of the original file where pictures change."""
        first = next(self.plan.entries())
        return [*first.columns, *(() if self.transform.keeps_bytes else ORIGINALS)]

    @property
    def features(self) -> Features:
        """The features of these columns for Hugging Face, without the image."""
        own = self.plan.own_types
        return features_of(self.columns, self.plan.labels, types=TYPES, own=own)

    def shard_bytes(self, default: int) -> int:
        return self.sharding.max_bytes or default

    def shard_images(self, default: int) -> int:
        return self.sharding.max_images or default


class Written(Struct, frozen=True, kw_only=True):
    """A finished part, as recorded in the journal."""

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
        """Return whether the item fits; a new part takes any one image."""
        ...

    def add(self, item: Item) -> None:
        """Write the next image."""
        ...

    def close(self) -> None:
        """Publish the files that are not yet published."""
        ...

    def abandon(self) -> None:
        """Drop the files that are not yet published."""
        ...


class Exporter(Protocol):
    """Writes one format."""

    name: ClassVar[str]
    shuffled: ClassVar[bool]  # True for shards, which are read in order
    layout: ClassVar[int]  # version: increased when the same input gives other bytes

    def __init__(self, job: ExportJob) -> None: ...

    @property
    def part_images(self) -> int:
        """The most images of a part."""
        ...

    def names(self, number: int, entries: Sequence[PlannedImage]) -> list[str]:
        """Return the files that the part will publish, so that a restart can remove them.

        `number` is that of the part within its split, `entries` the most that it may hold.
        """
        ...

    def open_part(self, index: int, number: int, entries: Sequence[PlannedImage]) -> Part:
        """Begin a part; `index` is its number over all splits."""
        ...

    def final_files(self, parts: Sequence[Written]) -> list[FinalFile]:
        """Return indexes, metadata and card: the files written after all parts."""
        ...


@runtime_checkable
class WritesCaptions(Protocol):
    """An exporter that writes caption files beside pictures."""

    def caption_digests(self, number: int, entries: Sequence[PlannedImage]) -> dict[str, str]:
        """Return the digest of each caption file that a part will publish, by name."""
        ...

    def take_by_hand(self, captions: Mapping[str, str]) -> None:
        """Use these captions, which a person wrote into an earlier export, by their stems."""
        ...


class _AbandonedError(Exception):
    """Raised inside a target's `write` block to drop the file."""


class ShardPart:
    """A part of one file: keeps it open, counts its bytes, publishes or drops it."""

    def __init__(self, target: Target, name: str, max_bytes: int) -> None:
        self._writing = target.write(name)
        self.file: IO[bytes] = self._writing.__enter__()
        self.size_bytes = 0
        self._max_bytes = max_bytes

    def fits(self, more_bytes: int) -> bool:
        """Return whether so many more bytes fit; the first image always does."""
        return not self.size_bytes or self.size_bytes + more_bytes <= self._max_bytes

    def close(self) -> None:
        self._writing.__exit__(None, None, None)

    def abandon(self) -> None:
        error = _AbandonedError()
        self._writing.__exit__(_AbandonedError, error, None)


def rows_name(index: int) -> str:
    """Return the file for the rows of a part of single files, until all parts are complete."""
    return f"{STATE}/rows-{index:06d}.jsonl"


def json_line(row: Columns) -> bytes:
    """Encode a row as one line of JSON, UTF-8, keeping the order of the keys."""
    return row_text(row) + b"\n"
