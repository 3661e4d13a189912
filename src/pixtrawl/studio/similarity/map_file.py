"""The places of images on the map, kept beside the catalog: to lay them out may take minutes.

The file may be removed at any time. It goes with takedowns (`folder.renditions.remove_all`), and is
used only where the embeddings are still those that it was made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import Struct

from pixtrawl.errors import StorageError
from pixtrawl.folder.files import write_whole
from pixtrawl.folder.layout import MAP

__all__ = ["ImageMap", "MapKey", "read", "write"]

_FORM: Final = 1  # another one where the same embeddings give another map
_MOST_BYTES: Final = 4 * 2**20
_ROW_BYTES: Final = 8 + 2 * 2

Array = np.ndarray[Any, Any]


class MapKey(Struct, frozen=True):
    """Of which embeddings a map is: their model, how many, and the sum of their images' ids."""

    model: str
    count: int
    total: int


class ImageMap(Struct, frozen=True):
    """Places by image; `ids` ascend."""

    key: MapKey
    ids: Array
    places: Array

    def at(self, ids: Sequence[int]) -> tuple[Array, Array]:
        """Return which of the images are on the map (positions in `ids`), and their places."""
        asked = np.asarray(ids, dtype=np.int64)
        if not len(self.ids) or not len(asked):
            return np.zeros(0, np.int64), np.zeros((0, 2), np.uint16)
        found = np.searchsorted(self.ids, asked)
        found[found == len(self.ids)] = 0
        there = np.flatnonzero(self.ids[found] == asked)
        return there, self.places[found[there]]


class _Head(Struct, forbid_unknown_fields=True):
    form: int
    key: MapKey
    images: int


def read(root: Path, key: MapKey) -> ImageMap | None:
    """Return the map that was kept; None where there is none of these embeddings."""
    try:
        with (root / MAP).open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        line, _, rest = data.partition(b"\n")
        head = msgspec.json.decode(line, type=_Head)
    except (OSError, msgspec.MsgspecError):  # none, or damaged: it is made anew
        return None
    if head.form != _FORM or head.key != key or len(rest) != head.images * _ROW_BYTES:
        return None
    ids = np.frombuffer(rest, "<i8", head.images).astype(np.int64)
    places = np.frombuffer(rest, "<u2", 2 * head.images, 8 * head.images).astype(np.uint16)
    if (np.diff(ids) <= 0).any():
        return None
    return ImageMap(key, ids, places.reshape(-1, 2))


def write(root: Path, image_map: ImageMap) -> None:
    """Keep a map; where the folder cannot be written, the next studio makes it again."""
    head = msgspec.json.encode(_Head(_FORM, image_map.key, len(image_map.ids)))
    data = head + b"\n" + image_map.ids.astype("<i8").tobytes()
    data += image_map.places.astype("<u2").tobytes()

    def put(path: Path) -> None:
        path.write_bytes(data)

    try:
        write_whole(root / MAP, put, synced=False)
    except StorageError:  # a read-only medium: nothing is lost but time
        return
