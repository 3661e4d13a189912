"""FiftyOne's own format on disk: `data/<label>/000001.jpg`, `samples.json` and `metadata.json`.

    fiftyone.Dataset.from_dir(OUT, dataset_type=fiftyone.types.FiftyOneDataset)

Each sample has its label as the classification `ground_truth`, its split as a tag, and every column
as a field. FiftyOne (with its data base) is needed to read it, not to write it. The format is that
of FiftyOne 1.0, which later versions migrate as they read it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import IO, Any, ClassVar, Final

from pixtrawl.exporters.base import ExportJob, FinalFile, Written, rows_name
from pixtrawl.exporters.cards import card_files
from pixtrawl.exporters.columns import FLOATS, INTEGERS
from pixtrawl.exporters.imagefolder import FilesPart, ImageFolder, leaf_name
from pixtrawl.exporters.plan import PlannedImage
from pixtrawl.folder.derived.metadata_rows import FLAGS

__all__ = ["FiftyOne"]

_VERSION: Final = "1.0.0"
_FOLDER: Final = "data"
_LABEL: Final = "ground_truth"  # what FiftyOne's own importers call it
_EPOCH: Final = "1970-01-01T00:00:00Z"
_MIME: Final = {"svg": "image/svg+xml", "ico": "image/x-icon"}
# The fields of every FiftyOne sample: name, kind of field, kind of its items.
_OWN: Final = (
    ("id", "ObjectId", None),
    ("filepath", "String", None),
    ("tags", "List", "String"),
    ("_media_type", "String", None),
    ("_rand", "Float", None),
    ("_dataset_id", "ObjectId", None),
)

_OWN_KINDS: Final = {"bool": "Boolean", "int": "Int", "float": "Float"}


class FiftyOne:
    """A FiftyOneDataset."""

    name: ClassVar[str] = "fiftyone"
    shuffled: ClassVar[bool] = False
    layout: ClassVar[int] = 1
    taken: ClassVar[frozenset[str]] = frozenset(
        {*(name for name, *_ in _OWN), "created_at", "last_modified_at", "metadata", _LABEL}
    )

    def __init__(self, job: ExportJob) -> None:
        self._job = job
        self._folder = ImageFolder(job)

    @property
    def part_images(self) -> int:
        return self._folder.part_images

    def names(self, number: int, entries: Sequence[PlannedImage]) -> list[str]:
        extension = self._job.transform.extension
        return [f"{_FOLDER}/{leaf_name(e, extension(str(e.columns['format'])))}" for e in entries]

    def open_part(self, index: int, number: int, entries: Sequence[PlannedImage]) -> FilesPart:
        return FilesPart(self._job, index, _FOLDER)

    def final_files(self, parts: Sequence[Written]) -> list[FinalFile]:
        def samples(file: IO[bytes]) -> None:
            file.write(b'{"samples": [')
            for number, sample in enumerate(self._samples(parts)):
                file.write((b",\n" if number else b"\n") + json.dumps(sample).encode())
            file.write(b"\n]}\n")

        def metadata(file: IO[bytes]) -> None:
            splits = list(dict.fromkeys(part.split for part in parts if part.images))
            document = _document(self._job, splits)
            file.write(json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n")

        note = (
            "The format is FiftyOne's own: read it with `fiftyone.Dataset.from_dir(\"path/to/this/"
            'folder", dataset_type=fiftyone.types.FiftyOneDataset)`. `ground_truth` is the label, '
            "a tag the split."
        )
        own: list[FinalFile] = [("samples.json", samples), ("metadata.json", metadata)]
        return own + card_files(self._job, parts, load="", patterns={}, notes=[note])

    def _samples(self, parts: Sequence[Written]) -> Iterator[dict[str, Any]]:
        for part in parts:
            if part.images:
                for line in self._job.target.lines(rows_name(part.index)):
                    yield _sample(json.loads(line), part.split)


def _sample(row: dict[str, Any], split: str) -> dict[str, Any]:
    """Return a row as FiftyOne's database stores it; ids are hashes of the row, so stable."""
    drawn = hashlib.sha256(f"{row['file_name']}\0{row['sha256']}".encode()).hexdigest()
    fetched = {"$date": _date(str(row["fetched_at"]))}
    facts = {
        name: bool(value) if name in FLAGS else (None if value == "" else value)
        for name, value in row.items()
    }
    return {
        "_id": {"$oid": drawn[:24]},
        "filepath": f"{_FOLDER}/{row['file_name']}",
        "tags": [split],
        "metadata": {
            "_cls": "ImageMetadata",
            "size_bytes": row["size_bytes"],
            "mime_type": _MIME.get(row["format"], f"image/{row['format']}"),
            "width": row["width"],
            "height": row["height"],
        },
        "_media_type": "image",
        "_rand": int(drawn[24:32], 16) / 2**32,
        _LABEL: {
            "_id": {"$oid": drawn[32:56]},
            "_cls": "Classification",
            "tags": [],
            "label": row["label"],
        },
        **facts,
        "created_at": fetched,
        "last_modified_at": fetched,
    }


def _date(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return _EPOCH
    return f"{moment:%Y-%m-%dT%H:%M:%S}Z"


def _document(job: ExportJob, splits: Sequence[str]) -> dict[str, Any]:
    """Return FiftyOne's document for the whole data set, with the types of its fields."""
    own = [
        *(_field(name, kind, item=item) for name, kind, item in _OWN),
        *(_field(name, "DateTime", read_only=True) for name in ("created_at", "last_modified_at")),
        _field("metadata", document="metadata.ImageMetadata", fields=_image_fields()),
        _field(_LABEL, document="labels.Classification", fields=_label_fields()),
    ]
    return {
        "name": job.title,
        "version": _VERSION,
        "media_type": "image",
        "tags": [],
        "info": {"source": "pixtrawl", "splits": list(splits)},
        "classes": {_LABEL: job.plan.labels},
        "default_classes": [],
        "sample_fields": own
        + [_field(name, _kind(name, job.plan.own_types)) for name in job.columns],
    }


def _image_fields() -> list[dict[str, Any]]:
    numbers = ("size_bytes", "width", "height", "num_channels")
    return [_field("mime_type", "String"), *(_field(name, "Int") for name in numbers)]


def _label_fields() -> list[dict[str, Any]]:
    return [
        _field("id", "ObjectId"),
        _field("tags", "List", item="String"),
        _field("label", "String"),
        _field("confidence", "Float"),
        _field("logits", "Vector"),
    ]


def _kind(column: str, own: Mapping[str, str]) -> str:
    if column in own:
        return _OWN_KINDS.get(own[column], "String")
    if column in FLAGS:
        return "Boolean"
    if column in FLOATS:
        return "Float"
    return "Int" if column in INTEGERS else "String"


def _field(
    name: str,
    kind: str = "EmbeddedDocument",
    *,
    item: str | None = None,
    document: str | None = None,
    fields: Sequence[dict[str, Any]] = (),
    read_only: bool = False,
) -> dict[str, Any]:
    return {
        "name": name,
        "ftype": f"fiftyone.core.fields.{kind}Field",
        "embedded_doc_type": document and f"fiftyone.core.{document}",
        "subfield": item and f"fiftyone.core.fields.{item}Field",
        "fields": list(fields),
        "db_field": "_id" if name == "id" else name,
        "description": None,
        "info": None,
        "read_only": read_only,
    }
