"""How loaders walk a folder of images: their rules in a few lines each, the widest of their versions.

Each gives the classes, and the files by class. `make loaders` asks the libraries themselves.
"""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Callable
from pathlib import Path

Found = dict[str, set[str]]  # class to files, relative to the folder

_TORCHVISION = {".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"}
_KERAS = {".bmp", ".gif", ".jpeg", ".jpg", ".png"}
_TIMM = {".png", ".jpg", ".jpeg"}


def _below(folder: Path, root: Path, takes: Callable[[str], bool]) -> set[str]:
    return {
        (Path(place) / name).relative_to(root).as_posix()
        for place, _, names in os.walk(folder, followlinks=True)
        for name in names
        if takes(name)
    }


def torchvision(root: Path) -> Found:
    """Every directory of the folder is a class, hidden ones too; files by their endings."""
    folders = [Path(entry.path) for entry in os.scandir(root) if entry.is_dir()]
    return {
        folder.name: _below(folder, root, lambda name: Path(name.lower()).suffix in _TORCHVISION)
        for folder in folders
    }


def keras(root: Path) -> Found:
    """The same with other endings."""
    folders = sorted(path for path in root.iterdir() if path.is_dir())
    return {
        folder.name: _below(folder, root, lambda name: name.lower().endswith(tuple(_KERAS)))
        for folder in folders
    }


def timm(root: Path) -> Found:
    """Everything below the folder, itself included; the class is the folder of the file."""
    found: Found = {}
    for name in _below(root, root, lambda name: Path(name.lower()).suffix in _TIMM):
        found.setdefault(name.rpartition("/")[0].replace("/", "_"), set()).add(name)
    return found


def fastai(root: Path) -> Found:
    """Everything that the system's table calls an image; the class is the name of the parent."""
    table = {end for end, kind in mimetypes.types_map.items() if kind.startswith("image/")}
    found: Found = {}
    for name in _below(root, root, lambda name: Path(name.lower()).suffix in table):
        found.setdefault((root / name).parent.name, set()).add(name)
    return found


def ultralytics(root: Path) -> Found:
    """Without `train`, each directory is a class, and each file with a dot in it is copied."""
    folders = [path for path in root.iterdir() if path.is_dir()]
    return {
        folder.name: {path.relative_to(root).as_posix() for path in folder.glob("*.*")}
        for folder in folders
    }


WALKS: list[Callable[[Path], Found]] = [torchvision, keras, timm, fastai, ultralytics]
