"""Families of pictures that look alike, within a whole collection at once.

For splits: what would be copies, also mirrored, turned by quarters or cropped, and across labels,
must not be on two sides, nor middle squares and what is inside of frames. That every picture is
there before the first is compared lets hashes be joined and descriptors be multiplied in bulk:
0.4-0.8 ms of processor time an image at 100,000 where asking one by one takes 10; measured before
views (middle squares, what is inside frames) and turned crops were looked for, which cost some
tenths more. What is inside a frame counts as a further picture of the same family.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import chain
from types import TracebackType
from typing import IO, Any, Final, Self

import numpy as np

from pixtrawl.dedup.bulk.crop_join import join_crops
from pixtrawl.dedup.bulk.families import Families
from pixtrawl.dedup.bulk.hash_join import HashJoin
from pixtrawl.dedup.flat import Flat
from pixtrawl.dedup.levels import LIMITS, Level
from pixtrawl.dedup.near import FLAT_STEP, THUMB_BYTES
from pixtrawl.dedup.overlay.crop_windows import COARSE, shrunk
from pixtrawl.dedup.overlay.turned import turned_hashes
from pixtrawl.dedup.search.view_index import inside, views_of
from pixtrawl.model import ImageInfo

__all__ = ["LookAlikes"]

Array = np.ndarray[Any, Any]

_SIDE: Final = 64
_INSIDE: Final = -1  # minus the number: what is inside that picture's frame
_BLOCK: Final = 512  # pictures at a time: 8 MB of float pixels


class LookAlikes:
    """Collects pictures, then finds their families by the rule of `--dedup near`.

    Takes 0.5 KB of memory a picture; thumbnails lie in a temporary file of 4 KB each.
    """

    def __init__(self) -> None:
        self._count = 0
        self._hashes: list[bytes] = []  # of the pictures and without their border
        self._owners: list[int] = []
        self._seen: list[int] = []  # numbers (or `_INSIDE`) of the thumbnails, in the file's order
        self._views: list[bytes] = []  # hashes of middle squares and of what is inside frames
        self._viewed: list[int] = []
        self._flats: list[tuple[int, Flat]] = []
        self._thumbs: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._thumbs is not None:
            self._thumbs.close()

    def add(self, info: ImageInfo) -> int:
        """Add a picture; return its number, from 0."""
        number = self._count
        self._count += 1
        if info.flat:
            if len(info.thumb) == THUMB_BYTES:  # a flat picture's hash alone means nothing
                self._flats.append((number, Flat.of(info)))
            return number
        for hash in {info.phash, info.phash_trim} - {b""}:
            self._hashes.append(hash)
            self._owners.append(number)
        if len(info.thumb) == THUMB_BYTES:
            if self._thumbs is None:
                self._thumbs = tempfile.TemporaryFile()  # noqa: SIM115 - closed at the end
            self._thumbs.write(info.thumb)
            self._seen.append(number)
            views = views_of(info).hashes
            self._views += views
            self._viewed += [number] * len(views)
            if (inner := inside(info)) is not None:
                self._thumbs.write(inner.thumb)
                self._seen.append(_INSIDE - number)
        return number

    def families(self) -> Array:
        """Return the family of each picture: the number of its first member."""
        framed = [_INSIDE - seen for seen in self._seen if seen < 0]
        families = Families(self._count + len(framed))
        further = iter(range(self._count, self._count + len(framed)))
        self._seen = [seen if seen >= 0 else next(further) for seen in self._seen]
        families.join(np.array(framed, dtype=np.int64), self._count + np.arange(len(framed)))
        self._join_flat(families)
        if self._hashes:
            self._join_hashes(families)
        if self._thumbs is not None:
            self._join_crops(families)
        return families.of(np.arange(self._count))

    def _pixels(self) -> Array:
        """Return n x 64 x 64 pixels, mapped from the file."""
        assert self._thumbs is not None
        self._thumbs.flush()
        shape = (len(self._seen), _SIDE, _SIDE)
        # As a plain array: each slice of a memmap costs 20 us more.
        return np.asarray(np.memmap(self._thumbs, dtype=np.uint8, mode="r", shape=shape))

    def _join_hashes(self, families: Families) -> None:
        hashes = np.frombuffer(b"".join(self._hashes), dtype=np.uint8).reshape(-1, 32)
        owners = np.array(self._owners)
        # Equal hashes count once: a thousand copies of one file would be a million pairs.
        _, first, same = np.unique(
            hashes.view("V32").ravel(), return_index=True, return_inverse=True
        )
        families.join(owners[first][same], owners)
        owners, hashes = owners[first], hashes[first]
        index = HashJoin(owners, hashes)
        radius = LIMITS[Level.NEAR].within_label
        for numbers, asked in chain([(owners, hashes)], self._turned()):
            for pair in index.pairs(numbers, asked, radius):
                families.join(*pair)
        if self._views:  # a view is held against whole pictures, as at `--dedup wide`
            asked = np.frombuffer(b"".join(self._views), dtype=np.uint8).reshape(-1, 32)
            for pair in index.pairs(np.array(self._viewed), asked, LIMITS[Level.WIDE].view):
                families.join(*pair)

    def _turned(self) -> Iterator[tuple[Array, Array]]:
        """Yield numbers and hashes of the seven other orientations, some pictures at a time."""
        if self._thumbs is None:
            return
        seen, pixels = np.array(self._seen), self._pixels()
        for at in range(0, len(seen), _BLOCK):
            hashes = turned_hashes(pixels[at : at + _BLOCK])[:, 1:]
            yield np.repeat(seen[at : at + _BLOCK], 7), hashes.reshape(-1, 32)

    def _join_crops(self, families: Families) -> None:
        seen, pixels = np.array(self._seen), self._pixels()
        coarse = np.empty((len(seen), COARSE, COARSE), dtype=np.uint8)
        for at in range(0, len(seen), _BLOCK):
            coarse[at : at + _BLOCK] = shrunk(pixels[at : at + _BLOCK]) + np.float32(0.5)
        rule = LIMITS[Level.NEAR]
        places = {number: at for at, number in enumerate(self._seen)}
        join_crops(
            coarse, seen, families, lambda n: pixels[places[n]], (rule.aligned, rule.fitting)
        )

    def _join_flat(self, families: Families) -> None:
        """Join each flat picture with the first that it resembles."""
        known: list[tuple[int, Flat]] = []
        for number, flat in self._flats:
            for other, before in known:
                if before.step(flat) <= FLAT_STEP:
                    families.join(np.array([other]), np.array([number]))
                    break
            else:
                known.append((number, flat))
