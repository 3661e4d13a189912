"""The map of a data set: a place for each image that has an embedding, and what lies in a lasso.

A map is made in a thread of its own, takes seconds, and is kept, in a file too, until embeddings
are added or removed. Decisions do not change it: images that leave the data set leave the map by
themselves.
"""

from __future__ import annotations

import shlex
import sqlite3
from array import array
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from pixtrawl.catalog.scores import embeddings
from pixtrawl.catalog.views import pairs as look_pairs
from pixtrawl.catalog.views.pairs import LabelledImages
from pixtrawl.scoring.likeness.projection import LANDMARKS, lay_out
from pixtrawl.scoring.likeness.spaces import Space, space_of
from pixtrawl.scoring.models.interface import Vectors
from pixtrawl.studio.messages import LassoLine, StudioError
from pixtrawl.studio.sets.long_work import OnProgress
from pixtrawl.studio.sets.open_set import OpenSet
from pixtrawl.studio.similarity import map_file
from pixtrawl.studio.similarity.map_file import ImageMap, MapKey

__all__ = ["MOST_SHOWN", "inside", "map_answer", "score_command"]

MOST_SHOWN: Final = 100_000  # of more images, evenly drawn ones are on the map

Array = np.ndarray[Any, Any]


def _made(data_set: OpenSet, space: Space, key: MapKey, on_progress: OnProgress) -> ImageMap:
    """Lay the images out, or read the map that was kept; keep a new one."""
    kept = map_file.read(data_set.folder.root, key)
    if kept is None:
        ids, places = data_set.read_apart(lambda db: _laid_out(db, space, on_progress))
        kept = ImageMap(key, ids, places)
        if data_set.read_apart(_key) == (space, key):  # no image was taken down meanwhile
            map_file.write(data_set.folder.root, kept)
    data_set.touch()  # views by lasso are made anew
    return kept


def _laid_out(db: sqlite3.Connection, space: Space, on_progress: OnProgress) -> tuple[Array, Array]:
    ids = embeddings.ids_of(db, space.model_id)
    ids = ids[:: -(-len(ids) // MOST_SHOWN) or 1]
    _, landmarks = space.vectors(db, ids[:: -(-len(ids) // LANDMARKS) or 1])
    there: list[int] = []

    def blocks() -> Iterator[Vectors]:
        for found, vectors in space.blocks(db, ids):
            there.extend(found)
            yield vectors

    places = lay_out(landmarks, blocks(), len(ids), on_progress)
    order = np.argsort(np.asarray(there, dtype=np.int64), kind="stable")
    return np.asarray(there, dtype=np.int64)[order], places[order]


def score_command(data_set: OpenSet) -> str:
    """Return the command that makes embeddings of this data set."""
    folder = shlex.quote(str(data_set.folder.root))
    return f"pixtrawl score {folder} --model clip-b32 --as relevance"


def map_answer(data_set: OpenSet, view: str) -> dict[str, Any]:
    """Return the places of a view's images, of all without a view; or how far the map is."""
    space, key = data_set.remembered("map", _key)
    work = data_set.long_work("map")
    answer: dict[str, Any] = {
        "state": "none", "done": 0.0, "model": space.model, "command": score_command(data_set),
        "total": 0, "shown": 0, "ids": [], "n": [], "x": [], "y": [], "label": [], "labels": [],
        "revision": data_set.watch(),
    }  # fmt: skip
    if space.by != "embedding":
        return answer
    work.want(key, lambda on_progress: _made(data_set, space, key, on_progress))
    if work.problem:
        raise StudioError(503, f"the map could not be made: {work.problem}")
    found: ImageMap | None = work.result
    if found is None:
        return answer | {"state": "working", "done": round(work.done, 3)}
    known: LabelledImages = data_set.remembered("labelled", look_pairs.labelled)
    ids = known.ids if not view else data_set.views.require(view).ids
    shown, places, at = _kept(known, ids, found)
    own = np.asarray(known.labels)[at]
    names, label = np.unique(own, return_inverse=True)
    return answer | {
        "state": "ready", "done": 1.0, "total": len(ids), "shown": len(shown),
        "ids": shown.tolist(), "n": np.asarray(known.numbers)[at].tolist(),
        "x": places[:, 0].tolist(), "y": places[:, 1].tolist(),
        "label": label.tolist(), "labels": [known.names[one] for one in names.tolist()],
    }  # fmt: skip


def _kept(known: LabelledImages, ids: array[int], found: ImageMap) -> tuple[Array, Array, Array]:
    """Return those of the images that are on the map and were not refused meanwhile, their places,
    and where they are among the known ones.
    """
    there, places = found.at(ids)
    shown, every = np.asarray(ids, dtype=np.int64)[there], np.asarray(known.ids, dtype=np.int64)
    if not len(every):
        return shown[:0], places[:0], shown[:0]
    order = np.argsort(every, kind="stable")
    at = order[np.minimum(np.searchsorted(every, shown, sorter=order), len(every) - 1)]
    kept = every[at] == shown
    return shown[kept], places[kept], at[kept]


def _key(db: sqlite3.Connection) -> tuple[Space, MapKey]:
    space = space_of(db)
    count, total = embeddings.mark_of(db, space.model_id)
    return space, MapKey(space.model, count, total)


def inside(data_set: OpenSet, ids: array[int], lasso: Sequence[LassoLine]) -> array[int]:
    """Return those of the images that lie in one of the lines on the map, in their order.

    Raise StudioError 409 where there is no map yet.
    """
    found: ImageMap | None = data_set.long_work("map").result
    if found is None:
        raise StudioError(409, "there is no map of this data set yet; open the map first")
    there, places = found.at(ids)
    hit = np.zeros(len(there), bool)
    for line in lasso:
        hit |= _encloses(np.asarray(line, dtype=np.float64), places.astype(np.float64))
    return array("I", [ids[at] for at in there[hit].tolist()])


def _encloses(line: Array, places: Array) -> Array:
    """Return which places lie in a closed line (even-odd rule)."""
    found = np.zeros(len(places), bool)
    low, high = line.min(axis=0), line.max(axis=0)
    near = np.flatnonzero(((places >= low) & (places <= high)).all(axis=1))
    x, y = places[near].T
    odd = np.zeros(len(near), bool)
    for (x1, y1), (x2, y2) in zip(line, np.roll(line, -1, axis=0), strict=True):
        if y1 != y2:
            odd ^= ((y1 > y) != (y2 > y)) & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    found[near] = odd
    return found
