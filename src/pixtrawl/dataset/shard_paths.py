"""Names pictures in a set of shards by URLs that fsspec opens: `pixtrawl://STORE/PLACE/FILE`.

`datasets` holds paths, and opens them by fsspec where pictures are saved or published. STORE and
PLACE are percent-encoded. Importing this module makes the protocol known in this process.
"""

from __future__ import annotations

import io
from typing import Any, Final
from urllib.parse import quote, unquote

import fsspec
from fsspec.spec import AbstractFileSystem

from pixtrawl.cluster.readers.pictures import PlaceReader
from pixtrawl.cluster.readers.shard_sample import ShardSample

__all__ = ["PREFIX", "ShardPathSystem", "path_of", "read_path"]

PREFIX: Final = "pixtrawl://"


def path_of(sample: ShardSample) -> str:
    """Return the URL of a sample's picture."""
    leaf = sample.file_name.rpartition("/")[2]
    return PREFIX + "/".join(quote(part, safe="") for part in (sample.root, sample.place, leaf))


def read_path(path: str) -> bytes:
    """Return the bytes of a picture by its URL, with or without the prefix. Raise StorageError."""
    store, place, _ = map(unquote, path.removeprefix(PREFIX).split("/"))
    return PlaceReader(store)(place)


class ShardPathSystem(AbstractFileSystem):  # type: ignore[misc]
    """The file system of the protocol; it can only open a picture and tell its size."""

    protocol = "pixtrawl"

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Return name and size; the size of a picture in a tar is part of its place."""
        length = unquote(path).rpartition("/")[0].rpartition("@")[2].rpartition("+")[2]
        size = int(length) if length.isdecimal() else len(read_path(self._strip_protocol(path)))
        return {"name": path, "size": size, "type": "file"}

    def _open(self, path: str, mode: str = "rb", **_: Any) -> io.BytesIO:
        if mode != "rb":
            raise ValueError(f"{PREFIX}{path} can only be read")
        return io.BytesIO(read_path(path))


fsspec.register_implementation("pixtrawl", ShardPathSystem, clobber=True)
