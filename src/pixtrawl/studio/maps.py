"""The map of a data set: a place for each image that has an embedding, and what lies in a lasso.

A map is made in a thread of its own, takes seconds, and is kept until embeddings are added or
removed. Decisions do not change it: images that leave the data set leave the map by themselves.
"""

from __future__ import annotations

import shlex
import sqlite3
import threading
from array import array
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, Final

import numpy as np
from msgspec import Struct

from pixtrawl.catalog import embeddings, look_pairs
from pixtrawl.catalog.database import connect
from pixtrawl.scoring.model import Vectors
from pixtrawl.scoring.projection import LANDMARKS, lay_out
from pixtrawl.scoring.spaces import Space, space_of
from pixtrawl.studio.messages import LassoLine, StudioError
from pixtrawl.studio.open_set import OpenSet

__all__ = ["MOST_SHOWN", "MapMaker", "inside", "map_answer", "score_command"]

MOST_SHOWN: Final = 100_000  # of more images, evenly drawn ones are on the map

Array = np.ndarray[Any, Any]


class _Closed(Exception):  # noqa: N818 - ends the work, and is no error
    """The studio ends."""


class ImageMap(Struct, frozen=True):
    """Places by image; `ids` ascend."""

    key: tuple[int, int, int]
    model: str
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


class MapMaker:
    """Makes the map of one data set in the background; its methods may be called by any thread."""

    def __init__(self, data_set: OpenSet) -> None:
        """Make nothing yet."""
        self._set = data_set
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.map: ImageMap | None = None
        self.done = 0.0  # share of the work
        self.problem = ""

    def want(self, space: Space, key: tuple[int, int, int]) -> None:
        """Begin to make the map unless it is there, or being made."""
        with self._lock:
            if self.map is not None and self.map.key == key:
                return
            if self._thread is not None and self._thread.is_alive():
                return
            self.done, self.problem = 0.0, ""
            work = threading.Thread(
                target=self._make, args=(space, key), name="map", daemon=True
            )  # a daemon: `tell` ends it soon, but a person who presses Ctrl-C need not wait
            self._thread = work
            work.start()

    def _make(self, space: Space, key: tuple[int, int, int]) -> None:
        try:
            with closing(connect(self._set.folder.catalog, read_only=True)) as db:
                ids, places = self._laid_out(db, space)
        except _Closed:
            return
        except Exception as error:  # noqa: BLE001 - shown in the page, not on a thread's stderr
            self.problem = f"the map could not be made: {error}"
            return
        self.map = ImageMap(key, space.model, ids, places)
        self._set.touch()  # views by lasso are made anew

    def _laid_out(self, db: sqlite3.Connection, space: Space) -> tuple[Array, Array]:
        ids = embeddings.ids_of(db, space.model_id)
        ids = ids[:: -(-len(ids) // MOST_SHOWN) or 1]
        _, landmarks = space.vectors(db, ids[:: -(-len(ids) // LANDMARKS) or 1])
        there: list[int] = []

        def blocks() -> Iterator[Vectors]:
            for found, vectors in space.blocks(db, ids):
                there.extend(found)
                yield vectors

        places = lay_out(landmarks, blocks(), len(ids), self._tell)
        order = np.argsort(np.asarray(there, dtype=np.int64), kind="stable")
        return np.asarray(there, dtype=np.int64)[order], places[order]

    def _tell(self, done: float) -> None:
        self.done = done
        if self._set.is_closing:
            raise _Closed


def score_command(data_set: OpenSet) -> str:
    """Return the command that makes embeddings of this data set."""
    folder = shlex.quote(str(data_set.folder.root))
    return f"pixtrawl score {folder} --model clip-b32 --as relevance"


def map_answer(data_set: OpenSet, view: str) -> dict[str, Any]:
    """Return the places of a view's images, of all without a view; or how far the map is."""
    space, key = data_set.remembered("map", _key)
    maker: MapMaker = data_set.maker(MapMaker)
    answer: dict[str, Any] = {
        "state": "none", "done": 0.0, "model": space.model, "command": score_command(data_set),
        "total": 0, "shown": 0, "ids": [], "n": [], "x": [], "y": [], "label": [], "labels": [],
        "revision": data_set.watch(),
    }  # fmt: skip
    if space.by != "embedding":
        return answer
    maker.want(space, key)
    if maker.problem:
        raise StudioError(503, maker.problem)
    if maker.map is None:
        return answer | {"state": "working", "done": round(maker.done, 3)}
    known = data_set.remembered("numbered", look_pairs.numbered)
    ids = list(known) if not view else data_set.views.require(view).ids
    there, places = maker.map.at(ids)
    shown = [int(ids[at]) for at in there.tolist()]
    kept = [at for at, one in enumerate(shown) if one in known]  # others were refused meanwhile
    shown, places = [shown[at] for at in kept], places[kept]
    names = {name: at for at, name in enumerate(sorted({known[one][0] for one in shown}))}
    return answer | {
        "state": "ready", "done": 1.0, "total": len(ids), "shown": len(shown), "ids": shown,
        "n": [known[one][1] for one in shown],
        "x": places[:, 0].tolist(), "y": places[:, 1].tolist(),
        "label": [names[known[one][0]] for one in shown], "labels": list(names),
    }  # fmt: skip


def _key(db: sqlite3.Connection) -> tuple[Space, tuple[int, int, int]]:
    space = space_of(db)
    count, total = embeddings.mark_of(db, space.model_id)
    return space, (space.model_id, count, total)


def inside(data_set: OpenSet, ids: array[int], lasso: Sequence[LassoLine]) -> array[int]:
    """Return those of the images that lie in one of the lines on the map, in their order.

    Raise StudioError 409 where there is no map yet.
    """
    maker: MapMaker = data_set.maker(MapMaker)
    if maker.map is None:
        raise StudioError(409, "there is no map of this data set yet; open the map first")
    there, places = maker.map.at(ids)
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
