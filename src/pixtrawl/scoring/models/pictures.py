"""The pictures of a data set as a model's input: decoded on all cores, one batch ahead."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from msgspec import Struct

from pixtrawl.cores import usable_cores
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.layout import inside
from pixtrawl.scoring.models.interface import Vectors
from pixtrawl.scoring.models.preprocess import BadPictureError, Preprocess

__all__ = ["PictureBatches", "Row", "Unreadable"]

Row = tuple[int, str, str]  # id, file name, SHA-256


class Unreadable(Struct, frozen=True):
    """An image that could not be read."""

    file_name: str
    why: str


class PictureBatches:
    """Reads images batch by batch; those that cannot be read are collected in `unreadable`."""

    def __init__(
        self, folder: Folder, preprocess: Preprocess, batch: int, as_collected: bool = False
    ) -> None:
        """`as_collected` gives the numbers of the small pictures that decoders make for a model."""
        self._folder = folder
        self._to_pixels = preprocess.pixels_as_collected if as_collected else preprocess.pixels
        self._batch = batch
        self.unreadable: list[Unreadable] = []

    def of(self, rows: Iterable[Row]) -> Iterator[tuple[list[int], Vectors]]:
        """Yield the ids and the pixels of a batch."""
        ids: list[int] = []
        pixels: list[Vectors] = []
        with ThreadPoolExecutor(min(usable_cores(), 16), "picture") as pool:
            for row, future in _ahead(pool, self._pixels, rows, 2 * self._batch):
                try:
                    pixels.append(future.result())
                except BadPictureError as error:
                    self.unreadable.append(Unreadable(row[1], str(error)))
                    continue
                ids.append(row[0])
                if len(ids) == self._batch:
                    yield ids, np.stack(pixels)
                    ids, pixels = [], []
        if ids:
            yield ids, np.stack(pixels)

    def _pixels(self, row: Row) -> Vectors:
        _, file_name, sha256 = row
        try:
            data = inside(self._folder.root, file_name).read_bytes()
        except OSError as error:
            raise BadPictureError(f"cannot be read ({error.strerror or error})") from error
        # only what was checked on arrival is decoded in this process
        if hashlib.sha256(data).hexdigest() != sha256:
            raise BadPictureError("is not the file that was saved: its SHA-256 differs")
        return self._to_pixels(data)


def _ahead(
    pool: ThreadPoolExecutor, work: Callable[[Row], Vectors], rows: Iterable[Row], window: int
) -> Iterator[tuple[Row, Future[Vectors]]]:
    """Yield results in order, working at most `window` ahead, to bound memory."""
    waiting: deque[tuple[Row, Future[Vectors]]] = deque()
    try:
        for row in rows:
            waiting.append((row, pool.submit(work, row)))
            if len(waiting) > window:
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()
    finally:
        for _, future in waiting:
            future.cancel()
