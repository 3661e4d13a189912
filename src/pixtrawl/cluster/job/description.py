"""The description of a job in its store: settings, shards, and the rows of each shard.

`job.json` is written last: where it is, all shards are there.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from pixtrawl.cluster.job.partition import ShardEntry
from pixtrawl.cluster.job.spool import PackedRow, Row
from pixtrawl.cluster.store import Store
from pixtrawl.errors import StorageError, UsageError

__all__ = [
    "BAD_LINES",
    "FORMATS",
    "INDEX_ENTRIES",
    "JobDescription",
    "index_name",
    "pack_rows",
    "read_index",
    "read_job",
    "read_rows_of",
    "rows_name",
]

FORMATS: Final = ("webdataset", "parquet")
BAD_LINES: Final = "bad-lines.jsonl"
INDEX_ENTRIES: Final = 10_000  # of one piece of the index
_JOB: Final = "job.json"
_VERSION: Final = 1
_AGAIN: Final = "the same `pixtrawl cluster prepare` writes it again"


class JobDescription(Struct, frozen=True, kw_only=True):
    """A job as `prepare` has written it."""

    version: int = _VERSION
    fingerprint: str  # of shards and settings: the same manifests and settings give the same
    to: str  # webdataset or parquet
    settings: Mapping[str, Any]  # those that were given, by key
    lease_s: float  # without a beat, before a worker's shards go to another
    shard_rows: int
    shards: int
    index: str = ""  # the part of the name that its pieces share: of one `prepare` only
    index_pieces: int
    rows: int  # without duplicates
    duplicates: int  # rows with the URL of another one
    bad_lines: int  # of the manifests, which hold no row
    largest_group: str
    largest_rows: int


class _Version(Struct):
    version: int = _VERSION


def read_job(store: Store) -> JobDescription:
    """Return the job of a store. Raise UsageError where there is none, or of a newer version."""
    data = store.read(_JOB)
    if data is None:
        raise UsageError(
            f"there is no job in {store.url}; begin with "
            f"`pixtrawl cluster prepare MANIFEST -o {store.url}`"
        )
    try:
        # First: nothing else of a newer version need be as it is here.
        if msgspec.json.decode(data, type=_Version).version > _VERSION:
            raise UsageError(f"the job in {store.url} is of a newer pixtrawl; update this one")
        return msgspec.json.decode(data, type=JobDescription)
    except msgspec.DecodeError as error:
        raise StorageError(f"{store.url}/{_JOB} is damaged: {error}") from error


def has_job(store: Store) -> bool:
    """Return whether a store holds a job."""
    return store.size(_JOB) is not None


def write_job(store: Store, job: JobDescription) -> bool:
    """Write the description. Return False where another job is there already."""
    return store.create(_JOB, msgspec.json.format(msgspec.json.encode(job)))


def index_name(index: str, piece: int) -> str:
    """Return the name of a piece of an index."""
    return f"index/{index}{'-' if index else ''}{piece:06d}.json"


def read_index(store: Store, job: JobDescription) -> Iterator[ShardEntry]:
    """Yield all shards of a job. Raise StorageError."""
    for piece in range(job.index_pieces):
        name = index_name(job.index, piece)
        data = store.read(name)
        if data is None:
            raise StorageError(f"{store.url} lacks {name}; {_AGAIN}")
        try:
            yield from msgspec.json.decode(data, type=list[ShardEntry])
        except msgspec.DecodeError as error:
            raise StorageError(f"{store.url}/{name} is damaged: {error}; {_AGAIN}") from error


def rows_name(shard_id: str) -> str:
    """Return the name of a shard's rows."""
    return f"shards/{shard_id}.rows"


def pack_rows(rows: list[PackedRow]) -> bytes:
    """Return rows as an object: msgpack by zlib."""
    return zlib.compress(msgspec.msgpack.encode([row.row for row in rows]), 6)


def read_rows_of(store: Store, shard_id: str) -> list[Row]:
    """Return the rows of a shard. Raise StorageError."""
    data = store.read(rows_name(shard_id))
    if data is None:
        raise StorageError(f"{store.url} lacks {rows_name(shard_id)}; {_AGAIN}")
    try:
        return msgspec.msgpack.decode(zlib.decompress(data), type=list[Row])
    except (zlib.error, msgspec.DecodeError) as error:
        name = rows_name(shard_id)
        raise StorageError(f"{store.url}/{name} is damaged: {error}; {_AGAIN}") from error
