"""Reads the pictures of a set of shards by place: object, key, and where in a tar the bytes lie."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any, Final

from pixtrawl.cluster.outcome_tables import PictureGroups
from pixtrawl.cluster.store import Store
from pixtrawl.errors import StorageError

__all__ = ["PlaceReader", "ShardPictures", "place_of"]

_STORES: Final = 4


def place_of(row: dict[str, Any]) -> str:
    """Return the place of the picture of an outcome row, `data/x.tar#KEY@OFFSET+LENGTH`."""
    place = f"{row['data']}#{row['key']}"
    return place if row["offset"] is None else f"{place}@{row['offset']}+{row['length']}"


class ShardPictures:
    """The pictures of a store. May be used by several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._groups = PictureGroups()

    def read(self, place: str) -> bytes:
        """Return the bytes of a picture: one range request of a tar. Raise StorageError."""
        name, _, rest = place.partition("#")
        key, _, span = rest.partition("@")
        if span:
            offset, _, length = span.partition("+")
            return self._store.read_range(name, int(offset), int(length))
        found = self._groups.read(name, key, lambda: self._store.open(name))
        if found is None:
            raise StorageError(f"{name} of {self._store.url} lacks the picture {key}")
        return found


class PlaceReader:
    """Reads places of a store by its URL; can be pickled and forked, unlike open stores."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, place: str) -> bytes:
        """Return the bytes of a picture. Raise StorageError."""
        return _opened(self.url, os.getpid()).read(place)


@lru_cache(maxsize=_STORES)
def _opened(url: str, pid: int) -> ShardPictures:
    """Open a store once a process: clients do not survive a fork."""
    return ShardPictures(Store(url))
