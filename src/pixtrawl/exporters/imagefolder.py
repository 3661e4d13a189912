"""Class folders: `train/<label>/000001.jpg` and `train/metadata.jsonl`, split by split.

Hugging Face's `load_dataset(OUT)`, torchvision's `ImageFolder(OUT/train)`, Keras, fastai and YOLO's
classification trainer read it as it lies. With captions each picture has a text file beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import IO, ClassVar, Final

from pixtrawl.exporters.base import ExportJob, FinalFile, Item, Written, json_line, rows_name
from pixtrawl.exporters.caption_files import CaptionFiles
from pixtrawl.exporters.cards import card_files
from pixtrawl.exporters.columns import TEXT
from pixtrawl.exporters.plan import PlannedImage
from pixtrawl.folder.derived.features import IMAGE, Features

__all__ = ["FilesPart", "ImageFolder", "leaf_name"]

_PART_IMAGES = 500
Leaf = Callable[[PlannedImage, str], str]


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
        folder: where the class folders lie (default: one for each split); "" for the target itself.
        leaf: name of a picture in that folder.
        captions: writes the files beside pictures; None for none.
    """

    def __init__(
        self,
        job: ExportJob,
        index: int,
        folder: str | None = None,
        *,
        leaf: Leaf = leaf_name,
        captions: CaptionFiles | None = None,
    ) -> None:
        self._job = job
        self._index = index
        self._folder = folder
        self._leaf = leaf
        self._captions = captions
        self._rows: list[bytes] = []

    def takes(self, item: Item) -> bool:
        return True

    def add(self, item: Item) -> None:
        leaf = self._leaf(item.entry, item.picture.extension)
        folder = item.entry.split if self._folder is None else self._folder
        name = f"{folder}/{leaf}" if folder else leaf
        with self._job.target.write(name) as file:
            file.write(item.picture.data)
        columns = item.columns
        if self._captions is not None:
            columns = self._captions.put(name, columns)
        self._rows.append(json_line({**columns, "file_name": leaf}))

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
    # Endings that loaders of such folders take; they leave out all others without a word.
    loaders: ClassVar[Mapping[str, frozenset[str]]] = {
        "torchvision's ImageFolder": frozenset(
            {"jpg", "jpeg", "png", "ppm", "bmp", "pgm", "tif", "tiff", "webp"}
        ),
        "Keras": frozenset({"jpg", "jpeg", "png", "bmp", "gif"}),
    }
    writes_captions: ClassVar[bool] = True

    def __init__(self, job: ExportJob) -> None:
        self._job = job
        self._captions = self._caption_files({})

    @property
    def part_images(self) -> int:
        return _PART_IMAGES

    def names(self, number: int, entries: Sequence[PlannedImage]) -> list[str]:
        extension = self._job.transform.extension
        names = []
        for entry in entries:
            leaf = self.leaf(entry, extension(str(entry.columns["format"])))
            folder = self.folder(entry.split)
            names.append(f"{folder}/{leaf}" if folder else leaf)
        return names

    def caption_digests(self, number: int, entries: Sequence[PlannedImage]) -> dict[str, str]:
        """Return the digests of the caption files of a part."""
        if self._captions is None:
            return {}
        return self._captions.digests(self.names(number, entries), entries)

    def take_by_hand(self, captions: Mapping[str, str]) -> None:
        """Use these captions, which a person wrote into an earlier export, by their stems."""
        self._captions = self._caption_files(captions)

    def _caption_files(self, by_hand: Mapping[str, str]) -> CaptionFiles | None:
        if not self.writes_captions:
            return None
        return CaptionFiles(self._job.target, by_hand)

    def open_part(self, index: int, number: int, entries: Sequence[PlannedImage]) -> FilesPart:
        folder = self.folder(entries[0].split)
        return FilesPart(self._job, index, folder, leaf=self.leaf, captions=self._captions)

    def folder(self, split: str) -> str:
        """Return the folder of a split's pictures and of its metadata.jsonl."""
        return split

    def leaf(self, entry: PlannedImage, extension: str) -> str:
        """Return the name of a picture in that folder."""
        return leaf_name(entry, extension)

    def notes(self) -> list[str]:
        """Return paragraphs for the card."""
        return [_NOTE] if self.writes_captions and TEXT in self._job.columns else []

    def final_files(self, parts: Sequence[Written]) -> list[FinalFile]:
        splits = list(dict.fromkeys(part.split for part in parts if part.images))
        files: list[FinalFile] = [
            (self._in(split, "metadata.jsonl"), partial(self._metadata, parts, split))
            for split in splits
        ]
        return files + card_files(
            self._job,
            parts,
            load='load_dataset("path/to/this/folder")',
            patterns={split: self._patterns(split) for split in splits},
            notes=self.notes(),
            features=self.features(),
            by_config=True,
        )

    def features(self) -> Features:
        """Return the features of what Hugging Face loads."""
        return folder_features(self._job)

    def _in(self, split: str, name: str) -> str:
        folder = self.folder(split)
        return f"{folder}/{name}" if folder else name

    def _patterns(self, split: str) -> list[str]:
        """Return the data files; by their endings where there are others beside the pictures.

        Otherwise `datasets` takes the loader of the most frequent ending, which may be text.
        """
        if TEXT not in self._job.columns or not self.writes_captions:
            return [self._in(split, "**")]
        formats = {self._job.transform.extension(one) for one in self._job.plan.formats}
        pictures = [self._in(split, f"**/*.{extension}") for extension in sorted(formats)]
        return [self._in(split, "metadata.jsonl"), *pictures]

    def _metadata(self, parts: Sequence[Written], split: str, file: IO[bytes]) -> None:
        for part in parts:
            if part.split == split and part.images:
                for line in self._job.target.lines(rows_name(part.index)):
                    file.write(self.line(line))

    def line(self, line: bytes) -> bytes:
        """Return a line of metadata.jsonl from the row of a picture."""
        return line


_NOTE: Final = (
    "Each picture has its caption in a text file beside it, and as `text` in metadata.jsonl. Text "
    "files that are edited stay as they are when the export is repeated."
)
