"""Small pictures that decoders make for a model while they inspect files, held until it sees them.

So a file that is inspected and scored is decoded once. Beyond a bound of bytes the oldest are
dropped: their files are decoded again.
"""

from __future__ import annotations

from threading import Lock
from typing import Final

import numpy as np

from pixtrawl.scoring.models.interface import Vectors
from pixtrawl.scoring.models.preprocess import BadPictureError, Preprocess
from pixtrawl.transform import Picture

__all__ = ["SmallPictures"]

_MOST_BYTES: Final = 64 << 20


class SmallPictures:
    """Pictures by the SHA-256 of their files. Thread-safe."""

    def __init__(self, preprocess: Preprocess, most_bytes: int = _MOST_BYTES) -> None:
        """`preprocess` is that of the model that will see them."""
        self._preprocess = preprocess
        self._most_bytes = most_bytes
        self._held: dict[str, bytes] = {}
        self._bytes = 0
        self._lock = Lock()

    def put(self, sha256: str, picture: Picture) -> None:
        """Hold the picture of a file."""
        with self._lock:
            self._drop(sha256)
            self._held[sha256] = picture.data
            self._bytes += len(picture.data)
            while self._bytes > self._most_bytes:
                self._drop(next(iter(self._held)))

    def _drop(self, sha256: str) -> bytes | None:
        data = self._held.pop(sha256, None)
        self._bytes -= len(data or b"")
        return data

    def take(self, rows: list[tuple[int, str, str]]) -> tuple[list[int], Vectors | None]:
        """Return the ids (of id, file name, SHA-256) whose picture is here, and their pixels.

        What is returned is no longer held.
        """
        with self._lock:
            there = [(row[0], data) for row in rows if (data := self._drop(row[2])) is not None]
        ids, pixels = [], []
        for id_, data in there:
            try:
                pixels.append(self._preprocess.pixels(data))
            except BadPictureError:  # the file itself is tried instead
                continue
            ids.append(id_)
        return ids, np.stack(pixels) if pixels else None
