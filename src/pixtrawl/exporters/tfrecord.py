"""TFRecord shards of `tf.train.Example`, written without TensorFlow.

Framing: https://www.tensorflow.org/tutorials/load_data/tfrecord (length, masked CRC-32C of the
length, data, masked CRC-32C of the data). Example: tensorflow/core/example/feature.proto. Feature
names are those that TensorFlow's own image tools use (`image/encoded`, `image/class/label` ...).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, ClassVar, Final

from pixtrawl.exporters.base import ExportJob, FinalFile, Item, ShardPart, Written
from pixtrawl.exporters.cards import card_files
from pixtrawl.exporters.crc32c import masked_crc32c
from pixtrawl.exporters.plan import PlannedImage
from pixtrawl.exporters.protobuf import field, varint

__all__ = ["TfRecord", "encode_example", "frame"]

_SHARD_BYTES: Final = 200_000_000  # TensorFlow's guide: 100 MB and more
_SHARD_IMAGES: Final = 10_000
_FRAME_BYTES: Final = 16
_NAMES: Final = {
    "label": "image/class/text",
    "width": "image/width",
    "height": "image/height",
    "format": "image/format",
    "file_name": "image/filename",
    "sha256": "image/key/sha256",
    "url": "image/source_url",
}


class TfRecord:
    """Shards `train-00000.tfrecord`."""

    name: ClassVar[str] = "tfrecord"
    shuffled: ClassVar[bool] = True
    layout: ClassVar[int] = 1
    taken: ClassVar[frozenset[str]] = frozenset({"encoded", "filename", "source_url"})

    def __init__(self, job: ExportJob) -> None:
        self._job = job

    @property
    def part_images(self) -> int:
        return self._job.shard_images(_SHARD_IMAGES)

    def names(self, number: int, entries: Sequence[PlannedImage]) -> list[str]:
        return [f"{entries[0].split}-{number:05d}.tfrecord"]

    def open_part(self, index: int, number: int, entries: Sequence[PlannedImage]) -> _RecordShard:
        (name,) = self.names(number, entries)
        return _RecordShard(self._job.target, name, self._job.shard_bytes(_SHARD_BYTES))

    def final_files(self, parts: Sequence[Written]) -> list[FinalFile]:
        def classes(file: IO[bytes]) -> None:
            text = json.dumps(self._job.plan.labels, ensure_ascii=False, indent=1)
            file.write(text.encode() + b"\n")

        note = (
            "Each record is a `tf.train.Example` with `image/encoded` (the file's bytes), "
            "`image/class/label` (its number in classes.json), `image/class/text` and what else "
            "is known of the image. Records are shuffled."
        )
        return [
            ("classes.json", classes),
            *card_files(self._job, parts, load="", patterns={}, notes=[note]),
        ]


class _RecordShard(ShardPart):
    _last: tuple[int, bytes] = (-1, b"")

    def takes(self, item: Item) -> bool:
        return self.fits(len(self._example(item)) + _FRAME_BYTES)

    def add(self, item: Item) -> None:
        record = self._example(item)
        self.file.writelines(frame(record))
        self.size_bytes += len(record) + _FRAME_BYTES

    def _example(self, item: Item) -> bytes:
        if self._last[0] != item.entry.position:
            features: dict[str, bytes | str | int | float] = {
                "image/encoded": item.picture.data,
                "image/class/label": item.entry.class_index,
            }
            for name, value in item.columns.items():
                if value is not None:
                    features[_NAMES.get(name, f"image/{name}")] = value
            self._last = item.entry.position, encode_example(features)
        return self._last[1]


def frame(record: bytes) -> Iterator[bytes]:
    """Yield one record, framed as in the file."""
    length = struct.pack("<Q", len(record))
    yield length + struct.pack("<I", masked_crc32c(length))
    yield record
    yield struct.pack("<I", masked_crc32c(record))


def encode_example(features: Mapping[str, bytes | str | int | float]) -> bytes:
    """Encode a tf.train.Example with one value per feature, the features sorted by name."""
    entries = b"".join(
        field(1, field(1, name.encode()) + field(2, _feature(features[name])))
        for name in sorted(features)
    )
    return field(1, entries)


def _feature(value: bytes | str | int | float) -> bytes:
    if isinstance(value, float):
        return field(2, field(1, struct.pack("<f", value)))  # FloatList, packed
    if isinstance(value, int):
        return field(3, field(1, varint(value & 0xFFFF_FFFF_FFFF_FFFF)))  # Int64List, packed
    return field(1, field(1, value.encode() if isinstance(value, str) else value))  # BytesList
