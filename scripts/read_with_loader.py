"""Reads a data set folder with one of the libraries that people train with; prints what it found.

Run by scripts/loaders.py with the Python of the venv that has them: LOADER FOLDER. Prints one JSON
object: the classes, and the files as paths relative to the folder. Every picture is decoded.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

Found = tuple[list[str], list[str]]  # classes, files


def torchvision(root: Path) -> Found:
    """Take each directory for a class."""
    from torchvision.datasets import ImageFolder

    found: Any = ImageFolder(str(root), allow_empty=True)
    for index in range(len(found)):
        found[index]
    return found.classes, [path for path, _ in found.samples]


def timm(root: Path) -> Found:
    """Walk everything; the class is the folder that a file lies in."""
    from timm.data import ImageDataset

    found: Any = ImageDataset(str(root))
    for index in range(len(found)):
        found[index]
    return list(found.reader.class_to_idx), [path for path, _ in found.reader.samples]


def fastai(root: Path) -> Found:
    """Walk everything that has an image's MIME type; the class is the parent's name."""
    from fastai.vision.all import ImageDataLoaders, PILImage, Resize, parent_label

    found: Any = ImageDataLoaders.from_folder(
        root, valid_pct=0.2, bs=2, item_tfms=Resize(32), num_workers=0
    )
    files = [*found.train_ds.items, *found.valid_ds.items]
    for path in files:
        PILImage.create(path)
    # Its vocabulary is that of the training part: a small folder's split can leave a class out.
    return sorted({parent_label(path) for path in files}), [str(path) for path in files]


def ultralytics(root: Path) -> Found:
    """Split a folder of classes by itself, into `<folder>_split`."""
    from ultralytics.data.utils import check_cls_dataset

    found: Any = check_cls_dataset(root)
    files = [
        str(root / path.relative_to(found[part]))
        for part in ("train", "val")
        for path in Path(found[part]).rglob("*")
        if path.is_file()
    ]
    return list(found["names"].values()), files


def keras(root: Path) -> Found:
    """List each directory as a class."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras as library

    found: Any = library.utils.image_dataset_from_directory(
        str(root), image_size=(32, 32), batch_size=None, shuffle=False, format="grain"
    )
    for _ in found:
        pass
    return list(found.class_names), list(found.file_paths)


def datasets(root: Path) -> Found:
    """Find pictures and the rows of metadata.jsonl by a pattern."""
    from datasets import Image, load_dataset

    found: Any = load_dataset(
        "imagefolder", data_files={"train": f"{root}/**"}, cache_dir=str(root.parent / "hf")
    )["train"]
    for row in found:
        row["image"].load()
    paths = found.cast_column("image", Image(decode=False))
    feature = found.features["label"]  # text of metadata.jsonl; by folder until that is written
    names = getattr(feature, "names", None) or sorted(set(found["label"]))
    return names, [row["image"]["path"] for row in paths]


LOADERS = {one.__name__: one for one in (torchvision, timm, fastai, ultralytics, keras, datasets)}


def main() -> None:
    """Read, and print what was found."""
    loader, root = sys.argv[1], Path(sys.argv[2]).resolve()
    classes, files = LOADERS[loader](root)
    names = sorted(Path(path).relative_to(root).as_posix() for path in files)
    sys.stdout.write("\n" + json.dumps({"classes": sorted(classes), "files": names}) + "\n")


if __name__ == "__main__":
    main()
