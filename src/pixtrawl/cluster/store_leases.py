"""Leases of shards kept by the store alone: workers need no coordinator.

A lease is an object that is created only if there is none: `leases/SHARD/EPOCH`. Each worker
rewrites its beat object at intervals; the age of a beat is measured by the store's clock, so that
machines need no common time. A worker whose beat is older than the job's `lease_s` is lost, and its
shards are leased again under the next epoch. The worker itself cancels its work after two thirds of
that time (`silence_s`), so that the hosts rest in between.

An object of a lease is never written twice and its name never used again, except by a roll-up that
removes it when its shard is committed.

A worker has many shards at work, and one that ends over a shard takes the others with it. So shards
that have lost workers get less company each time, and at last none (`company_of`): only what was
lost alone counts towards giving a shard up.
"""

from __future__ import annotations

import re
import secrets
import socket
from collections.abc import Collection, Iterable
from typing import Final

import msgspec
from msgspec import Struct

from pixtrawl.cluster.beats import Beats
from pixtrawl.cluster.commits import Commits
from pixtrawl.cluster.job.partition import ShardEntry
from pixtrawl.cluster.store import Store

__all__ = [
    "MOST_LEASES", "LeaseRecord", "ShardClaim", "StoreLeases", "company_of",
    "holder_of",
]  # fmt: skip

MOST_LEASES: Final = 32  # shards that a worker has at work at most
MOST_LOST_ALONE: Final = 3  # workers lost with no other shard at work, before one is given up
_COMPANY: Final = {0: MOST_LEASES, 1: MOST_LEASES, 2: 4}  # by workers lost; alone from 3 on
_ENDED: Final = ".ended"
_LEASE: Final = re.compile(r"leases/([^/]+)/([0-9]+)(\.ended)?")


class LeaseRecord(Struct, frozen=True, kw_only=True):
    """The content of a lease."""

    worker: str
    attempt: str
    nonce: str  # after an unclear answer it shows whose object it is
    alone: bool = False  # the worker has no other shard at work as long as it has this one


class ShardClaim(Struct, frozen=True, kw_only=True):
    """A shard that this worker holds."""

    entry: ShardEntry
    epoch: int  # from 1
    attempt: str
    lost: int  # workers that were lost over it before
    is_given_up: bool = False  # too many of them: its rows are to be reported and not fetched


def company_of(lost: int) -> int:
    """Return how many shards a worker may have at work, one of which has lost so many workers."""
    return _COMPANY.get(lost, 1)


class _Seen(Struct):
    epochs: int = 0
    ended: set[int] = msgspec.field(default_factory=set)

    @property
    def lost(self) -> int:
        return self.epochs - len(self.ended)


class StoreLeases:
    """The leases of one worker on the shards of a job. Methods wait for the network."""

    def __init__(self, store: Store, entries: Iterable[ShardEntry], lease_s: float) -> None:
        self.worker = f"{socket.gethostname()}-{secrets.token_hex(4)}"
        self.beats = Beats(store, lease_s)
        self.commits = Commits(store)
        self._store = store
        self._entries = {entry.id: entry for entry in entries}
        self._before = _predecessors(self._entries.values())
        self._after = {before: after for after, before in self._before.items()}
        self._own: dict[str, ShardClaim] = {}
        self._committed: set[str] = set()  # when last looked
        self._alive: set[str] = set()  # workers, when last looked
        self._waiting: list[ShardEntry] = []  # free when last looked
        self._suspects: list[ShardEntry] = []  # of these, those that need less company
        self._open = len(self._entries)
        self._seen: dict[str, _Seen] = {}
        self._records: dict[str, LeaseRecord] = {}  # by name; their content never changes

    @property
    def open_shards(self) -> int:
        """The number of shards without a commit, when last looked."""
        return self._open

    def has_waiting(self, at_work: int) -> bool:
        """Return whether `claim` has shards left from the last look."""
        return bool(self._waiting) or self._has_suspect(at_work)

    def is_committed(self, shard_id: str) -> bool:
        """Return whether a shard was committed when last looked."""
        return shard_id in self._committed

    def look(self, begun: Collection[str] = ()) -> bool:
        """Look for free shards, to claim those in `begun` first. Return whether there is any."""
        seen: dict[str, _Seen] = {}
        for entry in self._store.entries("leases"):
            if (found := _LEASE.fullmatch(entry.name)) is None:
                continue
            one = seen.setdefault(found[1], _Seen())
            one.epochs = max(one.epochs, int(found[2]))
            if found[3]:
                one.ended.add(int(found[2]))
        alive = self.beats.alive(self.worker)  # after the leases: who has one has beaten before
        self._alive = alive
        committed = self.commits.ids()
        self._committed = committed
        self._open = sum(1 for one in self._entries if one not in committed)
        free = [
            entry
            for shard_id, entry in self._entries.items()
            if shard_id not in committed
            and shard_id not in self._own
            and self._may_follow(shard_id, committed)
            and self._is_free(shard_id, seen.get(shard_id), alive)
        ]
        self._seen = seen
        # Chains first, as they take longest; else each worker in an order of its own.
        free.sort(
            key=lambda entry: (
                entry.id not in begun,
                entry.chain == entry.id,
                secrets.randbits(32),
            ),
            reverse=True,
        )
        self._waiting, self._suspects = [], []
        for shard in free:
            self._add_waiting(shard)
        self._suspects.sort(key=self._lost, reverse=True)
        return bool(free)

    @property
    def is_first(self) -> bool:
        """Whether this worker has the first name of those alive when last looked."""
        return self.worker == min(self._alive, default="")

    def _may_follow(self, shard_id: str, committed: set[str]) -> bool:
        """Return whether a shard is the first of its chain, or the one before is committed."""
        before = self._before.get(shard_id)
        return before is None or before in committed

    def _add_waiting(self, entry: ShardEntry) -> None:
        has_company = company_of(self._lost(entry)) >= MOST_LEASES
        (self._waiting if has_company else self._suspects).append(entry)

    def _lost(self, entry: ShardEntry) -> int:
        found = self._seen.get(entry.id)
        return 0 if found is None else found.lost

    def _is_free(self, shard_id: str, seen: _Seen | None, alive: set[str]) -> bool:
        if seen is None or seen.epochs in seen.ended:
            return True
        record = self._record(shard_id, seen.epochs)
        # None: rolled up meanwhile; the commit is found when it is claimed.
        return record is None or record.worker not in alive

    def _record(self, shard_id: str, epoch: int) -> LeaseRecord | None:
        name = _lease_name(shard_id, epoch)
        if name not in self._records:
            record = self._store.read_json(name, LeaseRecord)
            if record is None:
                return None
            self._records[name] = record
        return self._records[name]

    def _is_given_up(self, shard_id: str, seen: _Seen) -> bool:
        if seen.lost < MOST_LOST_ALONE:
            return False
        lost = (
            self._record(shard_id, n + 1) for n in range(seen.epochs) if n + 1 not in seen.ended
        )
        return sum(one.alone for one in lost if one is not None) >= MOST_LOST_ALONE

    def _next(self, at_work: int) -> ShardEntry | None:
        # Suspects first where they may be: who starts anew finds out about them, the rest goes on.
        if self._has_suspect(at_work):
            return self._suspects.pop()
        return self._waiting.pop() if self._waiting else None

    def _has_suspect(self, at_work: int) -> bool:
        return bool(self._suspects) and at_work < company_of(self._lost(self._suspects[-1]))

    def claim(self, at_work: int = 0) -> ShardClaim | None:
        """Take one of the shards that were free at the last look; None where none is left.

        `at_work` is the number of shards that the worker has already.
        """
        while (entry := self._next(at_work)) is not None:
            seen = self._seen.get(entry.id, _Seen())
            epoch = seen.epochs + 1
            nonce = secrets.token_hex(8)
            attempt = f"{entry.id}-{epoch:03d}-{nonce[:8]}"
            record = LeaseRecord(
                worker=self.worker, attempt=attempt, nonce=nonce, alone=company_of(seen.lost) == 1
            )
            if not self._store.create(_lease_name(entry.id, epoch), msgspec.json.encode(record)):
                continue
            claim = ShardClaim(
                entry=entry, epoch=epoch, attempt=attempt, lost=seen.lost,
                is_given_up=self._is_given_up(entry.id, seen),
            )  # fmt: skip
            if self.commits.is_there(entry.id):  # since the last look
                self._end(claim)
                continue
            self._own[entry.id] = claim
            return claim
        return None

    def done(self, claim: ShardClaim) -> None:
        """Register that this worker has committed a shard; the next of its chain is free now."""
        self._own.pop(claim.entry.id, None)
        if (after := self._after.get(claim.entry.id)) is not None:
            self._add_waiting(self._entries[after])

    def give_back(self, claim: ShardClaim) -> None:
        """Let another worker have a shard at once; all requests for it must have ended."""
        self._own.pop(claim.entry.id, None)
        self._end(claim)

    def _end(self, claim: ShardClaim) -> None:
        self._store.put(_lease_name(claim.entry.id, claim.epoch) + _ENDED, b"{}")

    def before(self, entry: ShardEntry) -> str | None:
        """Return the shard that comes before this one in its chain."""
        return self._before.get(entry.id)


def _predecessors(entries: Iterable[ShardEntry]) -> dict[str, str]:
    places: dict[tuple[str, int], str] = {(one.chain, one.place): one.id for one in entries}
    return {
        shard_id: places[chain, place - 1]
        for (chain, place), shard_id in places.items()
        if place and (chain, place - 1) in places
    }


def holder_of(store: Store, shard_id: str, epoch: int) -> str | None:
    """Return the worker that has an attempt at work, if it was not given back; alive or not."""
    name = _lease_name(shard_id, epoch)
    record = store.read_json(name, LeaseRecord)
    if record is None or store.size(name + _ENDED) is not None:
        return None
    return record.worker


def _lease_name(shard_id: str, epoch: int) -> str:
    return f"leases/{shard_id}/{epoch:04d}"
