"""The main colours of images, from what the catalog holds of each, and which images have a colour.

The grey thumbnail and the colour grid give 16 x 16 cells. Cells of nearly one colour are counted
together; the largest such groups are the main colours of an image, each with its share of the area.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from pixtrawl.catalog.views import alike as look_alike
from pixtrawl.scoring.likeness.held_vectors import absent

__all__ = ["SHARE", "TOLERANCE", "ColourIndex", "parse_colour"]

TOLERANCE: Final = 22.0  # distance in CIELAB (CIE 1976); 2 is just seen, black to white is 100
SHARE: Final = 0.1  # of the area that has to be within it

_SIDE: Final = 16
_CELLS: Final = _SIDE * _SIDE
_THUMB_SIDE: Final = 64
_COLOURS: Final = 10  # groups held of an image
_STEP: Final = 16  # values of one channel that are counted together
_LEVELS: Final = 256 // _STEP
_BLOCK: Final = 512  # images at a time
_ROW_BYTES: Final = 4 * _COLOURS  # L, a, b and share of each colour

Array = np.ndarray[Any, Any]

_PLACES: Final = np.array([_LEVELS * _LEVELS, _LEVELS, 1], np.int32)
_ABOVE_ZERO: Final = np.array([0, 128, 128], np.float32)
_FROM_YCC: Final = np.array(
    [[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]], dtype=np.float32
)
_TO_XYZ: Final = np.array(  # of linear sRGB, divided by the white of D65
    [[0.433953, 0.376219, 0.189828], [0.212671, 0.715160, 0.072169],
     [0.017758, 0.109477, 0.872765]], dtype=np.float32,
)  # fmt: skip


def parse_colour(text: str) -> tuple[int, int, int]:
    """Return red, green and blue of `#rrggbb`. Raise ValueError, with a sentence for the user."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        raise ValueError(f"{text[:20]!r} is no colour; write it as #rrggbb")
    red, green, blue = bytes.fromhex(text[1:])
    return red, green, blue


def _lab(rgb: Array) -> Array:
    """Return CIELAB of sRGB values of 0 to 1, along the last axis."""
    rgb = np.clip(rgb, 0, 1)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _TO_XYZ.T
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def _main_colours(rows: Sequence[look_alike.LookOf]) -> Array:
    """Return L, a, b (rounded) and share (of 255) of the main colours of each image, as bytes."""
    count = len(rows)
    factor = _THUMB_SIDE // _SIDE
    grey = np.frombuffer(b"".join(row.thumb for row in rows), np.uint8)
    light = grey.reshape(count, _SIDE, factor, _SIDE, factor).mean(axis=(2, 4)).reshape(count, -1)
    none = bytes(2 * _CELLS)
    chroma = np.frombuffer(
        b"".join(row.chroma if len(row.chroma) == 2 * _CELLS else none for row in rows), np.int8
    ).reshape(count, 2, _CELLS)
    cells = np.stack([light, chroma[:, 0], chroma[:, 1]], axis=-1).astype(np.float32)
    bins = (np.round(cells + _ABOVE_ZERO).astype(np.int32) // _STEP) @ _PLACES
    order = np.argsort(bins.astype(np.uint16), axis=1, kind="stable")
    cells = np.take_along_axis(cells, order[..., None], axis=1)
    bins = np.take_along_axis(bins, order, axis=1)
    begins = np.ones((count, _CELLS), bool)  # cells of one group lie together now
    begins[:, 1:] = bins[:, 1:] != bins[:, :-1]
    first = np.flatnonzero(begins)
    sizes = np.diff(first, append=count * _CELLS)
    size_at: Array = np.zeros(count * _CELLS, np.int32)
    size_at[first] = sizes
    size_at = size_at.reshape(count, _CELLS)
    best = np.argpartition(-size_at, _COLOURS - 1, axis=1)[:, :_COLOURS]
    group = np.cumsum(begins).reshape(count, _CELLS) - 1
    which = np.take_along_axis(group, best, axis=1)
    sums = np.add.reduceat(cells.reshape(-1, 3), first, axis=0)
    lab = _lab((sums[which] / sizes[which][..., None]) @ _FROM_YCC.T / 255)
    found = np.zeros((count, _COLOURS, 4), np.uint8)
    found[..., 0] = np.clip(np.round(lab[..., 0] * 2.55), 0, 255)
    found[..., 1:3] = np.clip(np.round(lab[..., 1:] + 128), 0, 255)
    found[..., 3] = np.minimum(np.take_along_axis(size_at, best, axis=1), 255)
    return found.reshape(count, _ROW_BYTES)


class ColourIndex:
    """The main colours of the images of one data set: 40 bytes an image; not thread-safe."""

    def __init__(self) -> None:
        self._ids: Array = np.zeros(0, np.int64)  # ascending
        self._colours: Array = np.zeros((0, _ROW_BYTES), np.uint8)
        self._tried: Array = np.zeros(0, np.int64)  # ascending; those without a look, too

    def missing(self, ids: Sequence[int]) -> Array:
        """Return those of the images that were not read yet, in ascending order."""
        return absent(self._tried, ids)

    def update(self, db: sqlite3.Connection, ids: Sequence[int]) -> None:
        """Read the colours of the images that are not known yet: some 100 microseconds each."""
        new = self.missing(ids)
        known, colours = [self._ids], [self._colours]
        for at in range(0, len(new), _BLOCK):
            rows = look_alike.looks(db, new[at : at + _BLOCK].tolist())
            rows = [row for row in rows if len(row.thumb) == _THUMB_SIDE * _THUMB_SIDE]
            if rows:
                known.append(np.array([row.id for row in rows], np.int64))
                colours.append(_main_colours(rows))
        self._tried = np.sort(np.concatenate([self._tried, new]))
        if len(known) > 1:
            every = np.concatenate(known)
            order = np.argsort(every, kind="stable")
            self._ids, self._colours = every[order], np.concatenate(colours)[order]

    def having(self, colour: str, ids: Sequence[int]) -> Array:
        """Return for each image whether enough of it is near the colour `#rrggbb`.

        Raise ValueError for a colour that cannot be read.
        """
        rgb = np.array(parse_colour(colour), np.float32) / 255
        wanted = _lab(rgb)
        colours = self._colours.reshape(-1, _COLOURS, 4)
        off: Any = colours[..., 0] / np.float32(2.55) - np.float32(wanted[0])
        away: Any = off * off
        for channel in (1, 2):
            off = colours[..., channel].astype(np.float32) - np.float32(128 + wanted[channel])
            away = away + off * off
        share = np.where(away <= TOLERANCE**2, colours[..., 3], 0).sum(axis=1, dtype=np.int32)
        enough = share >= SHARE * _CELLS
        asked = np.asarray(ids, dtype=np.int64)
        at = np.searchsorted(self._ids, asked)
        at[at == len(self._ids)] = 0
        if not len(self._ids):
            return np.zeros(len(asked), bool)
        return np.asarray((self._ids[at] == asked) & enough[at])
