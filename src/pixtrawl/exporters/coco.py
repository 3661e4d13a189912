"""COCO: `train/<label>/000001.jpg` and `annotations/instances_train.json`.

A label says what a picture shows, not where; each image has one annotation of its category whose
box is the whole image, so that COCO's own tools (`getImgIds(catIds=...)`, `annToMask`) work.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import IO, Any, ClassVar

from pixtrawl.exporters.base import ExportJob, FinalFile, Written, rows_name
from pixtrawl.exporters.cards import card_files
from pixtrawl.exporters.columns import TEXT
from pixtrawl.exporters.imagefolder import FilesPart, ImageFolder
from pixtrawl.exporters.plan import PlannedImage

__all__ = ["Coco"]


class Coco:
    """COCO instances with image-level categories."""

    name: ClassVar[str] = "coco"
    shuffled: ClassVar[bool] = False
    layout: ClassVar[int] = 1
    taken: ClassVar[frozenset[str]] = frozenset({"id", "coco_url", "flickr_url", "date_captured"})

    def __init__(self, job: ExportJob) -> None:
        self._job = job
        self._folder = ImageFolder(job)

    @property
    def part_images(self) -> int:
        return self._folder.part_images

    def names(self, number: int, entries: Sequence[PlannedImage]) -> list[str]:
        return self._folder.names(number, entries)

    def open_part(self, index: int, number: int, entries: Sequence[PlannedImage]) -> FilesPart:
        return FilesPart(self._job, index)

    def final_files(self, parts: Sequence[Written]) -> list[FinalFile]:
        splits = list(dict.fromkeys(part.split for part in parts if part.images))
        files: list[FinalFile] = [
            (f"annotations/instances_{split}.json", partial(self._instances, parts, split))
            for split in splits
        ]
        if TEXT in self._job.columns:
            files += [
                (f"annotations/captions_{split}.json", partial(self._caption_file, parts, split))
                for split in splits
            ]
        note = (
            "Annotations are in COCO's format, one file per split, with one annotation per image "
            "whose box is the whole image: a label says what is shown, not where. `file_name` is "
            "relative to the folder of the split."
        )
        return files + card_files(self._job, parts, load="", patterns={}, notes=[note])

    def _instances(self, parts: Sequence[Written], split: str, file: IO[bytes]) -> None:
        categories = {label: index for index, label in enumerate(self._job.plan.labels, 1)}
        licenses: dict[tuple[str, str], int] = {}
        file.write(b'{"info": ')
        file.write(_json({"description": self._job.title, "version": "1.0"}))
        file.write(b',\n"images": [')
        for row, number in self._rows(parts, split):
            key = (row["license"], row["license_url"])
            license_id = licenses.setdefault(key, len(licenses) + 1)
            file.write((b",\n" if number > 1 else b"\n") + _json(_image(row, number, license_id)))
        file.write(b'\n],\n"annotations": [')
        for row, number in self._rows(parts, split):
            annotation = _annotation(row, number, categories[row["label"]])
            file.write((b",\n" if number > 1 else b"\n") + _json(annotation))
        file.write(b'\n],\n"categories": ')
        file.write(
            _json([{"id": i, "name": n, "supercategory": "label"} for n, i in categories.items()])
        )
        file.write(b',\n"licenses": ')
        file.write(
            _json([{"id": i, "name": c or "unknown", "url": u} for (c, u), i in licenses.items()])
        )
        file.write(b"}\n")

    def _caption_file(self, parts: Sequence[Written], split: str, file: IO[bytes]) -> None:
        """Write the captions in COCO's format, for images that have one."""
        file.write(b'{"info": ')
        file.write(_json({"description": self._job.title, "version": "1.0"}))
        file.write(b',\n"images": [')
        for row, number in self._rows(parts, split):
            file.write((b",\n" if number > 1 else b"\n") + _json(_image(row, number, 0)))
        file.write(b'\n],\n"annotations": [')
        comma = b"\n"
        for row, number in self._rows(parts, split):
            if row[TEXT]:
                caption = {"id": number, "image_id": number, "caption": row[TEXT]}
                file.write(comma + _json(caption))
                comma = b",\n"
        file.write(b"\n]}\n")

    def _rows(self, parts: Sequence[Written], split: str) -> Iterator[tuple[dict[str, Any], int]]:
        number = 0
        for part in parts:
            if part.split != split or not part.images:
                continue
            for line in self._job.target.lines(rows_name(part.index)):
                number += 1
                yield json.loads(line), number


def _image(row: dict[str, Any], number: int, license_id: int) -> dict[str, Any]:
    own = {
        "id": number,
        "file_name": row["file_name"],
        "width": row["width"],
        "height": row["height"],
        "license": license_id,
        "coco_url": row["url"],
        "flickr_url": "",
        "date_captured": "",
    }
    return own | {name: value for name, value in row.items() if name not in own | {"license": 0}}


def _annotation(row: dict[str, Any], number: int, category: int) -> dict[str, Any]:
    width, height = row["width"], row["height"]
    return {
        "id": number,
        "image_id": number,
        "category_id": category,
        "bbox": [0, 0, width, height],
        "area": width * height,
        "iscrowd": 0,
        "segmentation": [[0, 0, width, 0, width, height, 0, height]],
    }


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
