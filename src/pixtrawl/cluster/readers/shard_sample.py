"""An accepted image of a set of shards: `Sample`, whose bytes lie in an object of the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from pixtrawl.catalog import own_columns
from pixtrawl.cluster.readers.pictures import PlaceReader, place_of
from pixtrawl.errors import StorageError, UsageError
from pixtrawl.folder.layout import file_name
from pixtrawl.images.formats.sniff import EXTENSIONS
from pixtrawl.model import Candidate, ImageInfo, Kind, Sample

__all__ = ["FILTERED", "ShardSample", "filter_values", "info_of", "sample_of"]

FILTERED: Final = [
    "row", "data", "label", "kind", "format", "width", "height", "frames", "size_bytes",
    "stored_format", "stored_width", "stored_height", "stored_bytes",
]  # fmt: skip

_FOUND: Final = (
    "source", "rank", "url", "page_url", "title", "license", "license_url", "creator", "query",
    "alt",
)  # fmt: skip


class ShardSample(Sample, frozen=True, kw_only=True):
    """An image in a set of shards: `read()` gives its bytes, and there is no file of its own."""

    place: str  # of its bytes in the store

    @property
    def path(self) -> Path:
        """Raise UsageError: the picture is part of a larger object."""
        raise UsageError(
            f"{self.file_name} lies in {self.root}/{self.place.partition('#')[0]} and is no file: "
            f"read() gives its bytes, and `pixtrawl cluster collect {self.root} -o DIR` makes files"
        )

    def read(self) -> bytes:
        """Return the bytes of the picture, by one request. Raise OSError."""
        try:
            return PlaceReader(self.root)(self.place)
        except StorageError as error:
            raise OSError(str(error)) from error


def info_of(row: Mapping[str, Any]) -> ImageInfo:
    """Return what was measured of the picture as it was fetched."""
    return ImageInfo(
        format=row["format"], width=row["width"] or 0, height=row["height"] or 0,
        frames=row["frames"] or 1, size_bytes=row["size_bytes"] or 0, sha256=row["sha256"] or "",
        phash=row["phash"] or b"", phash_trim=row["phash_trim"] or b"", flat=bool(row["flat"]),
        thumb=row.get("thumb") or b"", chroma=row.get("chroma") or b"",
        fine=row.get("fine") or b"",
        orientation=row["orientation"] or 1,
        measures=msgspec.json.decode(row["measures"]) if row["measures"] else {},
    )  # fmt: skip


def filter_values(values: Sequence[Any]) -> tuple[object, ...]:
    """Return the values of `sample_columns.COLUMNS`, as `sample_of` has them, from `FILTERED`."""
    number, _, label, kind, *file, stored_format, width, height, size_bytes = values
    if stored_format is not None:
        file = [stored_format, width, height, 1, size_bytes]
    return label, file[0], kind, number, file[1] or 0, file[2] or 0, file[3] or 1, file[4] or 0


def _way(row: Mapping[str, Any]) -> dict[str, object]:
    """Return the one finding of a row, as catalogs have it: a job holds each URL once."""
    way = {name: row[name] for name in _FOUND if row[name] is not None}
    if row["extra"]:
        way["own"] = msgspec.json.decode(row["extra"])
    return way


def sample_of(
    row: Mapping[str, Any],
    place: int,
    own: Mapping[str, str],
    url: str,
    *,
    as_fetched: bool = False,
) -> ShardSample:
    """Return the sample of an outcome row.

    Args:
        row: all columns.
        place: its number in the set, from 0.
        own: types of the user's own columns.
        url: of the store.
        as_fetched: describe the file that was fetched, and not what `--resize` made of it.
    """
    info = info_of(row)
    if row["stored_format"] is not None and not as_fetched:
        info = msgspec.structs.replace(
            info, format=row["stored_format"], width=row["stored_width"],
            height=row["stored_height"], size_bytes=row["stored_bytes"], frames=1, orientation=1,
            sha256=row["stored_sha256"] or "",
        )  # fmt: skip
    candidate = Candidate(
        url=row["url"], query=row["query"], label=row["label"], source=row["source"],
        rank=row["rank"] or 0, page_url=row["page_url"], title=row["title"], alt=row["alt"],
        license=row["license"], license_url=row["license_url"], creator=row["creator"],
        extra=row["extra"] or "",
    )  # fmt: skip
    fetched = row["fetched_url"] or row["url"]
    return ShardSample(
        id=place, label=row["label"], number=row["row"], info=info, candidate=candidate,
        file_name=file_name(row["label"], row["row"], EXTENSIONS[info.format]),
        url=fetched, final_url=row["final_url"] or fetched, fetched_at=row["fetched_at"] or "",
        kind=Kind(row["kind"]), root=url, place=place_of(dict(row)),
        rights=msgspec.json.decode(row["rights"]) if row["rights"] else {},
        own=own_columns.coerced(own, row["extra"]) if own else {},
        provenance=(_way(row),),
    )  # fmt: skip
