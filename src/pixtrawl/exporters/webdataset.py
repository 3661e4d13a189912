"""WebDataset: tar shards `train-000000.tar` with `<key>.jpg`, `<key>.json` and `<key>.cls`.

The tar is written here, header by header: owner, mode and time are fixed, so that the same input
gives the same bytes; a member never needs more than a plain ustar header.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import IO, ClassVar, Final

from pixtrawl.exporters.base import ExportJob, FinalFile, Item, ShardPart, Written
from pixtrawl.exporters.cards import card_files
from pixtrawl.exporters.columns import TEXT, row_text
from pixtrawl.exporters.plan import PlannedImage
from pixtrawl.folder.derived.features import IMAGE, TEXT as STRING, Features, class_label, value

__all__ = ["WebDataset"]

TAR_BLOCK: Final = 512
_RECORD: Final = 20 * TAR_BLOCK  # tar files are padded to whole records
_OWNED: Final = b"0000644\0" + b"0000000\0" * 2  # mode, owner, group
_TIME: Final = b"00000000000\0"  # of modification
_REST: Final = b"".join(
    (
        b"0".ljust(101, b"\0"),  # a regular file, no link
        b"ustar\00000".ljust(80, b"\0"),  # no owner's name, no group's
        bytes(175),
    )
)
# The checksum is the sum of all bytes, its own eight counted as blanks.
_SAME_FOR_ALL: Final = sum(_OWNED + _TIME + b" " * 8 + _REST)
_SHARD_BYTES: Final = 1_000_000_000  # loaders like 100 MB to 1 GB
_SHARD_IMAGES: Final = 10_000


class WebDataset:
    """Tar shards and the index that `wids` reads."""

    name: ClassVar[str] = "webdataset"
    shuffled: ClassVar[bool] = True
    layout: ClassVar[int] = 2
    taken: ClassVar[frozenset[str]] = frozenset({"key", "class"})

    def __init__(self, job: ExportJob) -> None:
        self._job = job
        self._extension = _one_extension(job)

    @property
    def part_images(self) -> int:
        return self._job.shard_images(_SHARD_IMAGES)

    def names(self, number: int, entries: Sequence[PlannedImage]) -> list[str]:
        return [f"{entries[0].split}-{number:06d}.tar"]

    def open_part(self, index: int, number: int, entries: Sequence[PlannedImage]) -> _TarShard:
        (name,) = self.names(number, entries)
        return _TarShard(self._job, name, self._job.shard_bytes(_SHARD_BYTES), self._extension)

    def final_files(self, parts: Sequence[Written]) -> list[FinalFile]:
        splits = list(dict.fromkeys(part.split for part in parts if part.images))
        files: list[FinalFile] = [
            ("index.json", lambda file: self._index(parts, file)),
            ("classes.json", lambda file: _dump(self._job.plan.labels, file)),
        ]
        note = (
            "Each sample is `<key>.<image>`, `<key>.json` (what is known of it) and `<key>.cls` "
            "(the number of its label in classes.json). Samples are shuffled. The reader is the "
            "one of Hugging Face or the webdataset package."
        )
        notes = [note]
        if TEXT in self._job.columns:
            notes.append("`<key>.txt` is the caption; it is empty where an image has none.")
        if not _is_uniform(self._job):
            notes.append(
                "The images are of several formats and keep their bytes; all members are called "
                "`.jpg`, because readers want one name for one field and look at the content. "
                "`format` in the JSON says what each is."
            )
        return files + card_files(
            self._job,
            parts,
            load='load_dataset("path/to/this/folder")',
            patterns={split: [f"{split}-*.tar"] for split in splits},
            notes=notes,
            features=self._features(),
        )

    def _features(self) -> Features:
        """Return one feature for each member of a sample; `cls` is the label."""
        columns = {**self._job.features, "label": STRING}
        return {
            self._extension: dict(IMAGE),
            "json": {"key": STRING, **columns, "class": value("int64")},
            "cls": class_label(self._job.plan.labels),
            **({"txt": dict(STRING)} if TEXT in columns else {}),
            "__key__": STRING,
            "__url__": STRING,
        }

    def _index(self, parts: Sequence[Written], file: IO[bytes]) -> None:
        shards = [
            {
                "url": f"{part.split}-{part.number:06d}.tar",
                "nsamples": part.images,
                "filesize": self._job.target.size(f"{part.split}-{part.number:06d}.tar"),
                "split": part.split,
            }
            for part in parts
            if part.images
        ]
        head = {"__kind__": "wids-shard-index-v1", "wids_version": 1, "name": self._job.title}
        _dump({**head, "shardlist": shards}, file)


class _TarShard(ShardPart):
    def __init__(self, job: ExportJob, name: str, max_bytes: int, extension: str) -> None:
        super().__init__(job.target, name, max_bytes - _RECORD)  # the end and its padding
        self._extension = extension
        self._ready: tuple[Item, list[tuple[str, bytes]]] | None = None  # asked about last

    def takes(self, item: Item) -> bool:
        members = self._members(item)
        self._ready = item, members
        return self.fits(sum(_padded(len(data)) + TAR_BLOCK for _, data in members))

    def add(self, item: Item) -> None:
        asked, members = self._ready or (None, [])
        pieces: list[bytes] = []
        for name, data in members if asked is item else self._members(item):
            pieces += tar_member(name, data)
            self.size_bytes += TAR_BLOCK + _padded(len(data))
        self.file.write(b"".join(pieces))

    def close(self) -> None:
        self.file.write(tar_end(self.size_bytes))
        super().close()

    def _members(self, item: Item) -> list[tuple[str, bytes]]:
        key = f"{item.entry.position:09d}"
        row = {"key": key, **item.columns, "class": item.entry.class_index}
        members = [
            (f"{key}.{self._extension}", item.picture.data),
            (f"{key}.json", row_text(row)),
            (f"{key}.cls", str(item.entry.class_index).encode()),
        ]
        if TEXT in item.columns:
            members.append((f"{key}.txt", str(item.columns[TEXT]).encode()))
        return members


def tar_header(name: str, size_bytes: int) -> bytes:
    """Return a ustar header (POSIX.1-1988) of a regular file; names must be short and ASCII."""
    size = (
        b"%011o\0" % size_bytes if size_bytes < 8**11 else b"\x80" + size_bytes.to_bytes(11, "big")
    )
    path = name.encode("ascii")
    checksum = _SAME_FOR_ALL + sum(path) + sum(size)
    return b"%b%b%b%b%06o\0 %b" % (path.ljust(100, b"\0"), _OWNED, size, _TIME, checksum, _REST)


def tar_member(name: str, data: bytes) -> tuple[bytes, bytes, bytes]:
    """Return header, content and padding of a file in a tar."""
    return tar_header(name, len(data)), data, bytes(-len(data) % TAR_BLOCK)


def tar_end(size_bytes: int) -> bytes:
    """Return the end of a tar whose members take so many bytes."""
    return bytes(2 * TAR_BLOCK + -(size_bytes + 2 * TAR_BLOCK) % _RECORD)


def _padded(size_bytes: int) -> int:
    return size_bytes + -size_bytes % TAR_BLOCK


def _formats(job: ExportJob) -> set[str]:
    return {job.transform.extension(format_) for format_ in job.plan.formats}


def _is_uniform(job: ExportJob) -> bool:
    return len(_formats(job)) == 1


def _one_extension(job: ExportJob) -> str:
    """Return one name for the image field of all samples.

    Hugging Face's reader takes a sample's fields from its first five samples and refuses a data
    set in which they differ; webdataset's decoder goes by content once the name is an image's.
    """
    extensions = _formats(job)
    return extensions.pop() if len(extensions) == 1 else "jpg"


def _dump(value: object, file: IO[bytes]) -> None:
    file.write(json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n")
