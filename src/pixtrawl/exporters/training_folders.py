"""Folders that trainers of image generators load as they lie: kohya, ai-toolkit, diffusers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import ClassVar, Final

from pixtrawl.exporters.base import ExportJob, json_line
from pixtrawl.exporters.columns import TEXT
from pixtrawl.exporters.imagefolder import ImageFolder, leaf_name
from pixtrawl.exporters.plan import PlannedImage
from pixtrawl.folder.derived.features import Features

__all__ = ["AiToolkit", "Diffusers", "Kohya"]

_KOHYA: Final = (
    "For kohya's sd-scripts: `--train_data_dir` is this folder{split}, captions are read with "
    "`--caption_extension .txt`. The number before a label is how often an epoch has its images; "
    "an image without a text file has the label as its caption."
)
_AI_TOOLKIT: Final = 'For ai-toolkit: `folder_path` is this folder{split}, `caption_ext: "txt"`.'
_DIFFUSERS: Final = (
    "For diffusers: `--train_data_dir` is this folder; `image` and `text` are the first columns, "
    "which its scripts take by default."
)


class Kohya(ImageFolder):
    """`<repeats>_<label>/000001.jpg` and `.txt`, as sd-scripts reads them.

    sd-scripts stops at an empty caption file, and takes the label where there is none.
    """

    name: ClassVar[str] = "kohya"
    layout: ClassVar[int] = 1
    loaders: ClassVar[Mapping[str, frozenset[str]]] = {
        "kohya's sd-scripts": frozenset({"jpg", "jpeg", "png", "webp", "bmp"})
    }

    def folder(self, split: str) -> str:
        return split if len(self._job.plan.splits) > 1 else ""

    def leaf(self, entry: PlannedImage, extension: str) -> str:
        _, _, file = leaf_name(entry, extension).rpartition("/")
        return f"{self._job.repeats}_{entry.label}/{file}"

    def notes(self) -> list[str]:
        return [_KOHYA.format(split=_of_split(self._job))]


class AiToolkit(ImageFolder):
    """All pictures in one folder, each with its `.txt`."""

    name: ClassVar[str] = "ai-toolkit"
    layout: ClassVar[int] = 1
    loaders: ClassVar[Mapping[str, frozenset[str]]] = {
        "ai-toolkit": frozenset({"jpg", "jpeg", "png", "webp"})
    }

    def folder(self, split: str) -> str:
        return split if len(self._job.plan.splits) > 1 else ""

    def leaf(self, entry: PlannedImage, extension: str) -> str:
        _, _, file = leaf_name(entry, extension).rpartition("/")
        return f"{entry.label}_{file}"

    def notes(self) -> list[str]:
        return [_AI_TOOLKIT.format(split=_of_split(self._job))]


class Diffusers(ImageFolder):
    """ImageFolder with `text` as the second column; without files of captions."""

    name: ClassVar[str] = "diffusers"
    layout: ClassVar[int] = 1
    writes_captions: ClassVar[bool] = False
    loaders: ClassVar[Mapping[str, frozenset[str]]] = {}
    reads_text: ClassVar[bool] = True

    def line(self, line: bytes) -> bytes:
        row = json.loads(line)
        first = {name: row[name] for name in ("file_name", TEXT) if name in row}
        return json_line({**first, **row})

    def features(self) -> Features:
        found = super().features()
        return {**{name: found[name] for name in ("image", TEXT) if name in found}, **found}

    def notes(self) -> list[str]:
        return [_DIFFUSERS]


def _of_split(job: ExportJob) -> str:
    return "'s `train`" if len(job.plan.splits) > 1 else ""
