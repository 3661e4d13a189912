"""Order images by likeness to one or several: by embeddings where all have one, else by look.

The look is the grey thumbnail of 64 x 64 pixels that the catalog holds of each image, shrunk to
16 x 16, and the perceptual hash; colour is not measured.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from pixtrawl.catalog import look_alike
from pixtrawl.studio.messages import StudioError
from pixtrawl.studio.open_set import OpenSet
from pixtrawl.studio.views import parse_ref

__all__ = ["most_alike"]

_SIDE: Final = 64
_SMALL: Final = 16
_BLOCK: Final = 4096  # images at a time: 16 MB of thumbnails
_HASH_SHARE: Final = 0.5  # of the distance, beside the thumbnail

Vectors = np.ndarray[Any, np.dtype[np.float32]]


def most_alike(
    data_set: OpenSet, ids: array[int], similar_to: Sequence[str]
) -> tuple[array[int], str]:
    """Return the images ordered by likeness, and by what: `embedding` or `look`.

    Raise StudioError where no image to compare with is given.
    """
    parsed = [parse_ref(ref) for ref in similar_to]
    own = [row for kind, row in parsed if kind == "s"]
    if not own or len(own) != len(parsed):
        raise StudioError(400, "similar_to wants the ids of one or several images")
    by = "embedding" if data_set.read(lambda db: look_alike.all_embedded(db, own)) else "look"
    blocks = _embeddings if by == "embedding" else _looks
    centre = np.concatenate([vectors for _, vectors in blocks(data_set, array("I", own))])
    if not len(centre):
        raise StudioError(404, "there is no such image")
    best: list[tuple[float, int]] = []
    seen: set[int] = set()
    for found, vectors in blocks(data_set, ids):
        # The squared distance to the nearest of the given images.
        distance = (
            np.min(((vectors[:, None, :] - centre[None, :, :]) ** 2).sum(axis=2), axis=1)
            if len(centre) <= 4
            else _to_mean(vectors, centre)
        )
        best += zip(distance.tolist(), found, strict=True)
        seen.update(found)
    best.sort()
    rest = [one for one in ids if one not in seen]  # without an embedding
    return array("I", [*(one for _, one in best), *rest]), by


def _to_mean(vectors: Vectors, centre: Vectors) -> Vectors:
    found: Vectors = ((vectors - centre.mean(axis=0)) ** 2).sum(axis=1)
    return found


def _looks(data_set: OpenSet, ids: array[int]) -> Iterator[tuple[list[int], Vectors]]:
    for at in range(0, len(ids), _BLOCK):
        block = list(ids[at : at + _BLOCK])
        rows = data_set.read(lambda db, block=block: look_alike.looks(db, block))  # type: ignore[misc]
        found = [row for row in rows if len(row.thumb) == _SIDE * _SIDE and len(row.phash) == 32]
        if not found:
            continue
        thumbs = np.frombuffer(b"".join(row.thumb for row in found), np.uint8)
        factor = _SIDE // _SMALL
        small = thumbs.reshape(-1, _SMALL, factor, _SMALL, factor).mean(axis=(2, 4))
        grey = (small.reshape(len(found), -1) / 255).astype(np.float32)
        grey -= grey.mean(axis=1, keepdims=True)
        grey /= np.linalg.norm(grey, axis=1, keepdims=True) + 1e-3
        hashes = np.frombuffer(b"".join(row.phash for row in found), np.uint8).reshape(-1, 32)
        bits = np.unpackbits(hashes, axis=1).astype(np.float32) * np.float32(_HASH_SHARE / 16)
        yield [row.id for row in found], np.concatenate([grey, bits], axis=1)


def _embeddings(data_set: OpenSet, ids: array[int]) -> Iterator[tuple[list[int], Vectors]]:
    for at in range(0, len(ids), _BLOCK):
        block = list(ids[at : at + _BLOCK])
        rows = data_set.read(lambda db, block=block: look_alike.embeddings(db, block))  # type: ignore[misc]
        if rows:
            joined = np.frombuffer(b"".join(data for _, data in rows), np.float16)
            yield [one for one, _ in rows], joined.reshape(len(rows), -1).astype(np.float32)
