"""Export formats: an explicit table from name to class, loaded on use.

Where a format's package is not installed, the error has the command that installs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any, Final

from pixtrawl.errors import UsageError

__all__ = ["FORMATS", "load"]

# name: (where, what it is)
FORMATS: Final[Mapping[str, tuple[str, str]]] = {
    "imagefolder": (
        "pixtrawl.exporters.imagefolder:ImageFolder",
        "class folders, metadata.jsonl, splits (Hugging Face, torchvision, Keras, YOLO classify)",
    ),
    "kohya": (
        "pixtrawl.exporters.training_folders:Kohya",
        "N_label folders with .txt captions (kohya's sd-scripts); --repeats N",
    ),
    "ai-toolkit": (
        "pixtrawl.exporters.training_folders:AiToolkit",
        "one folder of images with .txt captions (ai-toolkit)",
    ),
    "diffusers": (
        "pixtrawl.exporters.training_folders:Diffusers",
        "imagefolder with `text` as second column (training scripts of diffusers)",
    ),
    "webdataset": ("pixtrawl.exporters.webdataset:WebDataset", "tar shards and an index"),
    "parquet": (
        "pixtrawl.exporters.parquet:Parquet",
        "shards with image bytes and columns (Hugging Face, Spark, Ray, DuckDB)",
    ),
    "hub": (
        "pixtrawl.exporters.hub:HubFiles",
        "what `publish` sends: parquet shards, data card, croissant.json",
    ),
    "lance": (
        "pixtrawl.exporters.lance:Lance",
        "Lance tables with image bytes and columns, for random access (LanceDB, PyTorch)",
    ),
    "tfrecord": ("pixtrawl.exporters.tfrecord:TfRecord", "shards of tf.train.Example"),
    "coco": ("pixtrawl.exporters.coco:Coco", "images and COCO annotations, one label per image"),
    "fiftyone": (
        "pixtrawl.exporters.fiftyone:FiftyOne",
        "FiftyOne's own format: labels, splits as tags, all columns as fields",
    ),
    "csv": ("pixtrawl.exporters.tables:CsvTable", "one row per image, without the images"),
    "jsonl": ("pixtrawl.exporters.tables:JsonLinesTable", "the same as JSON Lines"),
}


def load(name: str) -> type[Any]:
    """Return the class of a format. Raises UsageError (unknown), MissingExtraError."""
    try:
        place, _ = FORMATS[name]
    except KeyError:
        near = get_close_matches(name, FORMATS, 1)
        hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(FORMATS)}"
        raise UsageError(f"unknown export format {name!r} ({hint})") from None
    module, _, attribute = place.partition(":")
    kind: type[Any] = getattr(import_module(module), attribute)
    return kind
