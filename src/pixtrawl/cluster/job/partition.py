"""Divides the rows of manifests into shards: small groups together, large groups into chains.

The shards of a chain hold one host group and are carried out one after another, so that the group
never has two holders. Every other group lies in exactly one shard.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b

from msgspec import Struct

from pixtrawl.cluster.job.keys import SHARD_ROWS
from pixtrawl.cluster.job.spool import PackedRow

__all__ = ["Shard", "ShardEntry", "shards_of"]


class ShardEntry(Struct, frozen=True, kw_only=True):
    """A shard in the index of a job."""

    id: str
    chain: str  # shards of one chain are carried out in order, one at a time
    place: int = 0  # in its chain
    is_last: bool = True
    rows: int
    groups: int
    largest: str  # its largest group
    largest_rows: int


class Shard(Struct, frozen=True):
    """A shard with its rows."""

    entry: ShardEntry
    rows: list[PackedRow]


def shards_of(
    groups: Iterable[tuple[str, list[PackedRow]]], shard_rows: int = SHARD_ROWS
) -> Iterator[Shard]:
    """Yield the shards of rows that come group by group; each holds about `shard_rows` rows.

    The same rows in the same order give the same shards with the same ids, and others give others:
    an id is a digest of all that its rows say.
    """
    packing = _Packing(shard_rows)
    name: str | None = None
    rows: list[PackedRow] = []
    chain: _Chain | None = None
    for group, part in groups:
        if group != name:
            yield from _ended(name, rows, chain, packing)
            name, rows, chain = group, [], None
        rows += part
        while len(rows) > shard_rows:
            chain = chain or _Chain(group)
            yield chain.next(rows[:shard_rows], is_last=False)
            del rows[:shard_rows]
    yield from _ended(name, rows, chain, packing)
    yield from packing.rest()


def _ended(
    name: str | None, rows: list[PackedRow], chain: _Chain | None, packing: _Packing
) -> Iterator[Shard]:
    if chain is not None:
        yield chain.next(rows, is_last=True)  # a chain always has rows left
    elif name is not None and rows:
        yield from packing.add(name, rows)


class _Chain:
    def __init__(self, group: str) -> None:
        self._group = group
        self._id = f"c-{blake2b(group.encode(), digest_size=8).hexdigest()}"
        self._place = 0

    def next(self, rows: list[PackedRow], *, is_last: bool) -> Shard:
        entry = ShardEntry(
            id=f"{self._id}-{self._place:05d}-{_digest(rows)}", chain=self._id, place=self._place,
            is_last=is_last, rows=len(rows), groups=1, largest=self._group, largest_rows=len(rows),
        )  # fmt: skip
        self._place += 1
        return Shard(entry, rows)


class _Packing:
    """Puts small groups together."""

    def __init__(self, shard_rows: int) -> None:
        self._shard_rows = shard_rows
        self._groups: list[tuple[str, list[PackedRow]]] = []
        self._rows = 0

    def add(self, name: str, rows: list[PackedRow]) -> Iterator[Shard]:
        if self._rows + len(rows) > self._shard_rows:
            yield from self.rest()
        self._groups.append((name, rows))
        self._rows += len(rows)

    def rest(self) -> Iterator[Shard]:
        if not self._groups:
            return
        rows = [row for _, group in self._groups for row in group]
        largest, most = max(self._groups, key=lambda one: len(one[1]))
        id_ = f"g-{_digest(rows)}"
        yield Shard(
            ShardEntry(
                id=id_,
                chain=id_,
                rows=len(rows),
                groups=len(self._groups),
                largest=largest,
                largest_rows=len(most),
            ),
            rows,
        )
        self._groups, self._rows = [], 0


def _digest(rows: list[PackedRow]) -> str:
    digest = blake2b(digest_size=8)
    for row in rows:
        digest.update(row.row)
    return digest.hexdigest()
