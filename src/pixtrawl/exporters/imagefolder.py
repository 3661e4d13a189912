"""Class folders: `train/<label>/000001.jpg` and `train/metadata.jsonl`, split by split.

Hugging Face's `load_dataset(OUT)`, torchvision's `ImageFolder(OUT/train)`, Keras, fastai and YOLO's
classification trainer read it as it lies.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import IO, ClassVar

from pixtrawl.exporters.base import ExportJob, FinalFile, Item, Written, json_line, rows_name
from pixtrawl.exporters.cards import card_files
from pixtrawl.exporters.plan import PlannedImage
from pixtrawl.folder.features import IMAGE, Features

__all__ = ["FilesPart", "ImageFolder", "leaf_name"]

_PART_IMAGES = 500


def leaf_name(entry: PlannedImage, extension: str) -> str:
    """Return `<label>/<number>.<extension>` as in the data set, with the picture's extension."""
    return f"{entry.file_name.rpartition('.')[0]}.{extension}"


def folder_features(job: ExportJob) -> Features:
    """Return the features as Hugging Face's ImageFolder loads them: the file name is the image."""
    found = job.features
    del found["file_name"]
    return {"image": dict(IMAGE), **found}


class FilesPart:
    """A part of single picture files; its rows are kept until all parts are complete.

    Args:
        job: what is exported.
        index: of the part over all splits.
        folder: where the class folders lie (default: one for each split).
    """

    def __init__(self, job: ExportJob, index: int, folder: str | None = None) -> None:
        self._job = job
        self._index = index
        self._folder = folder
        self._rows: list[bytes] = []

    def takes(self, item: Item) -> bool:
        return True

    def add(self, item: Item) -> None:
        leaf = leaf_name(item.entry, item.picture.extension)
        with self._job.target.write(f"{self._folder or item.entry.split}/{leaf}") as file:
            file.write(item.picture.data)
        self._rows.append(json_line({**item.columns, "file_name": leaf}))

    def close(self) -> None:
        with self._job.target.write(rows_name(self._index)) as file:
            file.writelines(self._rows)

    def abandon(self) -> None:
        """Do nothing: each file is complete, and will be written again."""


class ImageFolder:
    """ImageFolder with metadata and explicit splits."""

    name: ClassVar[str] = "imagefolder"
    shuffled: ClassVar[bool] = False
    layout: ClassVar[int] = 2

    def __init__(self, job: ExportJob) -> None:
        self._job = job

    @property
    def part_images(self) -> int:
        return _PART_IMAGES

    def names(self, number: int, entries: Sequence[PlannedImage]) -> list[str]:
        extension = self._job.transform.extension
        return [f"{e.split}/{leaf_name(e, extension(str(e.columns['format'])))}" for e in entries]

    def open_part(self, index: int, number: int, entries: Sequence[PlannedImage]) -> FilesPart:
        return FilesPart(self._job, index)

    def final_files(self, parts: Sequence[Written]) -> list[FinalFile]:
        splits = list(dict.fromkeys(part.split for part in parts if part.images))
        files: list[FinalFile] = [
            (f"{split}/metadata.jsonl", partial(self._metadata, parts, split)) for split in splits
        ]
        return files + card_files(
            self._job,
            parts,
            load='load_dataset("path/to/this/folder")',
            patterns={split: [f"{split}/**"] for split in splits},
            features=folder_features(self._job),
            by_config=True,
        )

    def _metadata(self, parts: Sequence[Written], split: str, file: IO[bytes]) -> None:
        for part in parts:
            if part.split == split and part.images:
                file.writelines(self._job.target.lines(rows_name(part.index)))
