"""Provenance of an image: every finding of its candidates, merged ones included."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, overload

import msgspec

from pixtrawl.catalog.database import connect

__all__ = ["Provenance", "provenance_of"]

_PROVENANCE: Final = (
    "SELECT c.source, c.rank, c.url, c.page_url, c.title, c.license, c.license_url, c.creator, "
    "q.text, c.distance, c.extra, c.alt, c.page_text "
    "FROM candidate c JOIN query q ON q.id = c.query_id WHERE c.sample_id = ?1 "
    "UNION ALL "
    "SELECT a.source, a.rank, coalesce(a.url, c.url), a.page_url, a.title, a.license, "
    "a.license_url, a.creator, "
    "q.text, NULL, a.extra, a.alt, a.page_text "
    "FROM also_found a JOIN candidate c ON c.id = a.candidate_id "
    "JOIN query q ON q.id = c.query_id WHERE c.sample_id = ?1"
)
_PROVENANCE_KEYS: Final = (
    "source", "rank", "url", "page_url", "title", "license", "license_url", "creator", "query",
    "distance", "own", "alt", "page_text",
)  # fmt: skip

Way = Mapping[str, object]


def provenance_of(db: sqlite3.Connection, sample_id: int) -> tuple[Way, ...]:
    """Return the known facts of each finding; `own` holds the columns of the user's list."""
    return tuple(
        {
            name: msgspec.json.decode(value) if name == "own" else value
            for name, value in zip(_PROVENANCE_KEYS, found, strict=True)
            if value is not None
        }
        for found in db.execute(_PROVENANCE, (sample_id,))
    )


class Provenance(Sequence[Way]):
    """The findings of one image, read from the catalog on first access.

    Lazy, because each image costs one SQL query and most readers of 200,000 images need none.
    Pickling reads them. Access raises StorageError where the catalog cannot be opened any more.
    """

    __slots__ = ("_catalog", "_sample_id", "_ways")

    def __init__(self, catalog: Path, sample_id: int, ways: tuple[Way, ...] | None = None) -> None:
        self._catalog = catalog
        self._sample_id = sample_id
        self._ways = ways

    def __reduce__(self) -> tuple[type[Provenance], tuple[Path, int, tuple[Way, ...]]]:
        return Provenance, (self._catalog, self._sample_id, self._read())

    def _read(self) -> tuple[Way, ...]:
        if self._ways is None:
            with closing(connect(self._catalog, read_only=True)) as db:
                self._ways = provenance_of(db, self._sample_id)
        return self._ways

    @overload
    def __getitem__(self, index: int) -> Way: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Way, ...]: ...
    def __getitem__(self, index: int | slice) -> Way | tuple[Way, ...]:
        return self._read()[index]

    def __len__(self) -> int:
        return len(self._read())

    def __iter__(self) -> Iterator[Way]:
        return iter(self._read())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Provenance):
            same = (self._catalog, self._sample_id) == (other._catalog, other._sample_id)
            return same or self._read() == other._read()
        return isinstance(other, tuple | list) and self._read() == tuple(other)

    def __hash__(self) -> int:
        return hash((self._catalog, self._sample_id))

    def __repr__(self) -> str:
        return repr(self._read())
