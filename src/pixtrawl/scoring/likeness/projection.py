"""A map of images: a place in the plane for each, so that like ones lie near each other. Pure.

Some thousands of landmarks are placed by a neighbour embedding in the manner of UMAP (McInnes and
others, 2018): each is drawn to its nearest ones and pushed away from random ones, from where the
two strongest components put it. Every other image goes where its nearest landmarks are. Time and
memory thus grow with the landmarks, and by little with the images. The same images give the same
map.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np

from pixtrawl.scoring.likeness.neighbours import nearest
from pixtrawl.scoring.models.interface import Vectors, unit

__all__ = ["LANDMARKS", "MAP_SIDE", "Landmarks", "lay_out"]

LANDMARKS: Final = 5_000
MAP_SIDE: Final = 65_535  # places are whole numbers from 0 to this
_COMPONENTS: Final = 48
_NEIGHBOURS: Final = 12
_EPOCHS: Final = 220
_PULL: Final = 2.5  # weight of all neighbours of a landmark together
_PUSHED: Final = 16  # random others for each landmark and epoch
_A, _B = 1.577, 0.895  # UMAP's curve for a least distance of 0.1
_FEW: Final = 5  # of fewer there is no neighbourhood to speak of
_NEAR: Final = 3  # landmarks that place another image
_MARGIN: Final = 0.03

Array = np.ndarray[Any, Any]
OnProgress = Callable[[float], None]  # the share that is done; it may raise, to end the work


class Landmarks:
    """Placed landmarks, by which other images are placed."""

    def __init__(self, vectors: Vectors, on_progress: OnProgress = lambda done: None) -> None:
        """Place them; some seconds for `LANDMARKS` of them."""
        self._mean = vectors.mean(axis=0)
        centred = vectors - self._mean
        _, axes = np.linalg.eigh(centred.T @ centred)  # ascending
        self._axes = np.ascontiguousarray(axes[:, ::-1][:, :_COMPONENTS])
        reduced = centred @ self._axes
        self._known = unit(reduced)
        self.places = _flat(reduced)
        if len(vectors) > _FEW:
            self.places = _embedded(self.places, self._known, on_progress)

    def place(self, vectors: Vectors) -> Array:
        """Return the places of other images, from their nearest landmarks."""
        cosines = unit((vectors - self._mean) @ self._axes) @ self._known.T
        rows = np.arange(len(vectors))
        sums = np.zeros((len(vectors), 2))
        weights = np.zeros(len(vectors))
        first = cosines.max(axis=1)
        for _ in range(min(_NEAR, len(self._known))):  # quicker than sorting out the best of all
            best = cosines.argmax(axis=1)
            weight = np.exp(20 * (cosines[rows, best] - first))
            sums += weight[:, None] * self.places[best]
            weights += weight
            cosines[rows, best] = -2
        return np.asarray(sums / weights[:, None])


def lay_out(
    landmarks: Vectors,
    blocks: Iterable[Vectors],
    count: int,
    on_progress: OnProgress = lambda done: None,
) -> Array:
    """Return places (x and y, from 0 to `MAP_SIDE`) of the images of all blocks, in their order.

    Args:
        landmarks: vectors of some of them, at most `LANDMARKS`.
        blocks: the vectors of all, some thousands at a time.
        count: how many they are, about: for `on_progress`.
        on_progress: called with the share that is done.
    """
    if not len(landmarks):
        return np.zeros((0, 2), np.uint16)
    placed = Landmarks(landmarks, lambda done: on_progress(0.6 * done))
    parts, so_far = [], 0
    for block in blocks:
        parts.append(placed.place(block))
        so_far += len(block)
        on_progress(0.6 + 0.4 * min(1.0, so_far / max(count, 1)))
    return _scaled(np.concatenate(parts) if parts else np.zeros((0, 2)))


def _flat(reduced: Array) -> Array:
    """Return the first two components, about 10 wide, as a beginning."""
    flat = np.zeros((len(reduced), 2))
    flat[:, : min(2, reduced.shape[1])] = reduced[:, :2]
    widest = float(np.abs(flat).max()) if len(flat) else 0.0
    flat *= 10 / max(widest, 1e-9)
    # equal images would stay on one spot: no force separates them
    return flat + np.random.default_rng(0).normal(0, 0.01, flat.shape)


def _embedded(places: Array, vectors: Vectors, on_progress: OnProgress) -> Array:
    indices, cosines = nearest(vectors, _NEIGHBOURS)
    distances = np.maximum(cosines[:, :1] - cosines, 0)
    spread = np.maximum(distances.mean(axis=1, keepdims=True), 1e-6)
    weights = np.exp(-distances / spread)
    weights = (weights / weights.sum(axis=1, keepdims=True) * _PULL).ravel()
    total, count = indices.shape
    source = np.repeat(np.arange(total), count)
    target = indices.ravel()
    chance = np.random.default_rng(0)
    for epoch in range(_EPOCHS):
        rate = 1 - epoch / _EPOCHS
        pull = _pull(places[source] - places[target]) * weights[:, None]
        force = _sums(source, pull, total) - _sums(target, pull, total)
        for _ in range(_PUSHED):
            force += _push(places - places[chance.integers(0, total, total)])
        places = places + rate * np.clip(force, -4, 4) * 0.25
        on_progress((epoch + 1) / _EPOCHS)
    return places


def _pull(apart: Array) -> Array:
    square = (apart**2).sum(axis=1, keepdims=True)
    power = np.maximum(square, 1e-9) ** (_B - 1)
    return np.asarray(np.clip(-2 * _A * _B * power / (1 + _A * power * square) * apart, -4, 4))


def _push(apart: Array) -> Array:
    square = (apart**2).sum(axis=1, keepdims=True)
    factor = 2 * _B / ((0.01 + square) * (1 + _A * square**_B))
    return np.asarray(np.clip(factor * apart, -4, 4))


def _sums(rows: Array, forces: Array, total: int) -> Array:
    return np.stack([np.bincount(rows, forces[:, axis], total) for axis in (0, 1)], axis=1)


def _scaled(places: Array) -> Array:
    """Scale to the map's side in one proportion; stray ones go to the edge."""
    if not len(places):
        return np.zeros((0, 2), np.uint16)
    low, high = np.quantile(places, (0.001, 0.999), axis=0)
    side = max(float((high - low).max()), 1e-9)
    middle = (low + high) / 2
    share = 0.5 + (places - middle) / side * (1 - 2 * _MARGIN)
    return np.asarray(np.rint(np.clip(share, 0, 1) * MAP_SIDE), dtype=np.uint16)
