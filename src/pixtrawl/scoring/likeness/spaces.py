"""Vectors of images, in which near means alike: embeddings by a model, else the images' looks.

A look is made of what the catalog holds of each image: the grey thumbnail of 64 x 64 pixels shrunk
to 16 x 16, the colours of 8 x 8 cells, and a few measures. It shows light, layout and palette, not
what is shown.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import Struct

from pixtrawl.catalog.scores import embeddings
from pixtrawl.catalog.views import alike as look_alike
from pixtrawl.errors import UsageError
from pixtrawl.scoring.likeness.neighbours import EXACT
from pixtrawl.scoring.models.interface import Vectors, from_bytes, unit

__all__ = ["Space", "demand_model", "space_of"]

_SIDE: Final = 64
_SMALL: Final = 16
_CHROMA_SIDE: Final = 16
_BLOCK: Final = 1024  # images at a time: 4 MB of thumbnails
_COLUMNS: Final = 96  # of compact vectors
_LEARNT: Final = 4_000  # vectors from which components are learnt
_COLOUR_SCALE: Final = 96.0  # of Cb and Cr: strong colours count like strong edges
_MEASURES: Final = (  # name, usual value, usual spread
    ("brightness", 0.5, 0.2), ("contrast", 0.25, 0.1), ("entropy", 6.5, 1.5),
    ("edges", 0.1, 0.1),
)  # fmt: skip
_MEASURE_SHARE: Final = 0.15  # of a spread, beside thumbnails of length 1

Block = tuple[list[int], Vectors]
OnProgress = Callable[[float], None]


class Space(Struct, frozen=True):
    """A way of comparing images: `by` is `embedding` or `look`; `model` names the model."""

    by: str
    model_id: int = 0
    model: str = ""

    def vectors(self, db: sqlite3.Connection, ids: Sequence[int]) -> Block:
        """Return the images that have a vector, in the order of `ids`, and their vectors."""
        blocks = list(self.blocks(db, ids))
        if not blocks:
            return [], np.zeros((0, 1), np.float32)
        return [one for found, _ in blocks for one in found], np.concatenate([v for _, v in blocks])

    def blocks(self, db: sqlite3.Connection, ids: Sequence[int]) -> Iterator[Block]:
        """Yield the images and their vectors of length 1, some thousands at a time."""
        for at in range(0, len(ids), _BLOCK):
            block = list(ids[at : at + _BLOCK])
            found = self._embedded(db, block) if self.by == "embedding" else _looks(db, block)
            if found[0]:
                yield found

    def _embedded(self, db: sqlite3.Connection, ids: Sequence[int]) -> Block:
        rows = dict(embeddings.of_images(db, self.model_id, ids))
        there = [one for one in ids if one in rows]
        return there, from_bytes([rows[one] for one in there]) if there else np.zeros(
            (0, 1), np.float32
        )

    def comparable(
        self,
        db: sqlite3.Connection,
        ids: Sequence[int],
        on_progress: OnProgress = lambda done: None,
    ) -> Block:
        """Return vectors to compare all with all by: those of `compact`, as numbers of 16 bits,
        where they are many: 19 MB for 100,000.

        `on_progress` is called with the share that is read; it may raise, to end the work.
        """
        if len(ids) <= EXACT:
            return self.vectors(db, ids)
        return self.compact(db, ids, _COLUMNS, on_progress, np.float16)

    def compact(
        self, db: sqlite3.Connection, ids: Sequence[int], columns: int,
        on_progress: OnProgress = lambda done: None, kind: type[np.floating[Any]] = np.float32,
    ) -> Block:  # fmt: skip
        """As `vectors`, projected to this many dimensions, with products nearly the same.

        The axes are the strongest components of some thousands of vectors. The full vectors are
        never all in memory.
        """
        step = -(-len(ids) // _LEARNT)
        _, sample = self.vectors(db, ids[::step])
        _, axes = np.linalg.eigh(sample.T @ sample)  # ascending
        del sample
        strongest = np.ascontiguousarray(axes[:, -columns:])
        there: list[int] = []
        every: Any = np.empty((len(ids), strongest.shape[1]), kind)
        for found, vectors in self.blocks(db, ids):
            every[len(there) : len(there) + len(found)] = vectors @ strongest
            there += found
            on_progress(len(there) / len(ids))
        return there, every[: len(there)]


def space_of(db: sqlite3.Connection, ids: Sequence[int] = (), model: str = "") -> Space:
    """Return the space in which these images can be compared.

    That of embeddings if each of `ids` has one by one model (of several: the one with the most
    images), else that of looks. `model` names the only model to take, by the start of its name.
    """
    if ids:
        found = look_alike.model_of_all(db, ids, model)
        return Space("look") if found is None else Space("embedding", *found)
    for one in embeddings.embedding_models(db):
        if one.name.startswith(model):
            return Space("embedding", one.id, one.name)
    return Space("look")


def demand_model(db: sqlite3.Connection, name: str) -> None:
    """Raise UsageError where a model is named, and none of this name gave embeddings."""
    models = [one.name for one in embeddings.embedding_models(db)]
    if name and not any(one.startswith(name) for one in models):
        there = ", ".join(models) or "none; `pixtrawl score DIR --model MODEL --as NAME` makes some"
        raise UsageError(f"no embeddings are by a model {name!r} (there are: {there})")


def _looks(db: sqlite3.Connection, ids: Sequence[int]) -> Block:
    order = {one: at for at, one in enumerate(ids)}
    rows = [row for row in look_alike.looks(db, ids) if len(row.thumb) == _SIDE * _SIDE]
    rows.sort(key=lambda row: order[row.id])
    if not rows:
        return [], np.zeros((0, 1), np.float32)
    return [row.id for row in rows], look_vectors(rows)


def look_vectors(rows: Sequence[look_alike.LookOf]) -> Vectors:
    """Return the vectors of looks, of length 1."""
    count, factor = len(rows), _SIDE // _SMALL
    thumbs = np.frombuffer(b"".join(row.thumb for row in rows), np.uint8)
    small = thumbs.reshape(count, _SMALL, factor, _SMALL, factor).mean(axis=(2, 4))
    grey = (small.reshape(count, -1) / 255).astype(np.float32)
    grey -= grey.mean(axis=1, keepdims=True)
    grey /= np.linalg.norm(grey, axis=1, keepdims=True) + 1e-3
    cells = _CHROMA_SIDE // 2
    colours = np.zeros((count, 2 * cells * cells), np.float32)
    for at, row in enumerate(rows):
        if len(row.chroma) == 2 * _CHROMA_SIDE * _CHROMA_SIDE:
            grid = np.frombuffer(row.chroma, np.int8).reshape(2, cells, 2, cells, 2)
            colours[at] = grid.mean(axis=(2, 4)).ravel() / (_COLOUR_SCALE * cells)
    return unit(np.concatenate([grey, colours, _measures(rows)], axis=1))


def _measures(rows: Sequence[look_alike.LookOf]) -> np.ndarray[Any, np.dtype[np.float32]]:
    found = np.zeros((len(rows), len(_MEASURES)), np.float32)
    for at, row in enumerate(rows):
        measures = msgspec.json.decode(row.measures) if row.measures != "{}" else {}
        for column, (name, middle, spread) in enumerate(_MEASURES):
            value = (float(measures.get(name, middle)) - middle) / spread
            found[at, column] = _MEASURE_SHARE * min(max(value, -3.0), 3.0)
    return found
