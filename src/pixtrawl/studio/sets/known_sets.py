"""The data sets that were opened before, newest first: a small file in the user's cache folder."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import msgspec

from pixtrawl.config.user_folders import user_folder
from pixtrawl.folder.dataset_folder import Folder

__all__ = ["known_paths", "remember", "set_id"]

_MOST: Final = 50


def set_id(root: Path) -> str:
    """Return the id of a data set in addresses: it depends on its absolute path alone."""
    return hashlib.sha256(str(root.absolute()).encode("utf-8", "surrogateescape")).hexdigest()[:12]


def _file() -> Path:
    return user_folder("cache") / "studio-sets.json"


def known_paths() -> list[Path]:
    """Return the data sets opened before that are still there, newest first."""
    try:
        found = msgspec.json.decode(_file().read_bytes(), type=list[str])
    except (OSError, msgspec.DecodeError):  # none yet; the list is only a convenience
        return []
    return [path for path in map(Path, found) if path.is_absolute() and Folder(path).exists()]


def remember(root: Path) -> None:
    """Put a data set first in the list; a list that cannot be written is left as it is."""
    paths = [str(root), *(str(one) for one in known_paths() if one != root)][:_MOST]
    file = _file()
    part = file.with_name(f"{file.name}.tmp")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(msgspec.json.encode(paths))
        part.replace(file)
    except OSError:
        return
