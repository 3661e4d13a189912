"""Leases of shards kept by the store alone: workers need no coordinator.

A lease is an object that is created only if there is none: `leases/SHARD/EPOCH`. Each worker
rewrites its beat object at intervals; the age of a beat is measured by the store's clock, so that
machines need no common time. A worker whose beat is older than the job's `lease_s` is lost, and its
shards are leased again under the next epoch. The worker itself cancels its work after two thirds of
that time (`silence_s`), so that the hosts rest in between.

An object of a lease is never written twice and its name never used again, except by a roll-up that
removes it when its shard is committed.
"""

from __future__ import annotations

import secrets
import socket
from collections import deque
from collections.abc import Collection, Iterable
from typing import Final

import msgspec
from msgspec import Struct

from pixtrawl.cluster.commits import Commits
from pixtrawl.cluster.job.partition import ShardEntry
from pixtrawl.cluster.store import Store

__all__ = [
    "MOST_ATTEMPTS",
    "Beats",
    "LeaseRecord",
    "RecentRate",
    "ShardClaim",
    "StoreLeases",
    "WorkerBeat",
]

MOST_ATTEMPTS: Final = 4  # workers lost over one shard, before its rows are given up
_ENDED: Final = ".ended"


class WorkerBeat(Struct, frozen=True, kw_only=True):
    """Totals that a worker sends with each beat."""

    worker: str
    host: str
    pid: int = 0
    shards: int = 0  # committed
    leases: int = 0
    settled: int = 0  # rows with an outcome, also those of shards that are not committed yet
    open_rows: int = 0  # rows with an outcome in shards that it holds and has not committed
    rate: float = 0.0  # rows a second that got an outcome, over the job's last `lease_s`
    rows: int = 0  # of committed shards
    saved: int = 0
    fetched_bytes: int = 0
    elapsed_s: float = 0.0


class RecentRate:
    """How many a second were counted lately: since so many measurements ago."""

    def __init__(self, measurements: int, started_s: float) -> None:
        self._at = deque([(started_s, 0)], maxlen=measurements)

    def add(self, now_s: float, count: int) -> float:
        """Note how many there are by now. Return how many a second became so."""
        then_s, before = self._at[0]
        self._at.append((now_s, count))
        return (count - before) / max(1e-3, now_s - then_s)


class LeaseRecord(Struct, frozen=True, kw_only=True):
    """The content of a lease."""

    worker: str
    attempt: str
    nonce: str  # after an unclear answer it shows whose object it is


class ShardClaim(Struct, frozen=True, kw_only=True):
    """A shard that this worker holds."""

    entry: ShardEntry
    epoch: int  # from 1
    attempt: str
    lost: int  # workers that were lost over it before


class _Seen(Struct):
    epochs: int = 0
    ended: set[int] = msgspec.field(default_factory=set)


class Beats:
    """The beats of all workers of a store."""

    def __init__(self, store: Store, lease_s: float) -> None:
        self._store = store
        self._lease_s = lease_s

    def write(self, beat: WorkerBeat) -> None:
        """Write the beat of this worker. Raise StorageError."""
        self._store.put(_beat_name(beat.worker), msgspec.json.encode(beat))

    def end(self, worker: str) -> None:
        """Remove the beat of a worker that has ended in order."""
        self._store.remove(_beat_name(worker))

    def ages_s(self, own: str | None = None, now: float = 0.0) -> dict[str, float]:
        """Return the age of each worker's beat, by the store's clock.

        The present is the time of the beat of `own`, or else the youngest beat or `now` (seconds
        since 1970 by a clock of this machine), whichever is later.
        """
        at = {_id(entry.name): entry.modified_s for entry in self._store.entries("beats")}
        if not at:
            return {}
        now = at[own] if own in at else max(now, *at.values())
        return {worker: max(0.0, now - beat) for worker, beat in at.items()}

    def alive(self, own: str | None = None) -> set[str]:
        """Return the workers whose beat is not too old."""
        return {w for w, age_s in self.ages_s(own).items() if age_s <= self._lease_s}

    def read(self) -> list[WorkerBeat]:
        """Return the beats of all workers, lost ones included."""
        found = (self._store.read(entry.name) for entry in self._store.entries("beats"))
        return [msgspec.json.decode(one, type=WorkerBeat) for one in found if one is not None]


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
        self._waiting: list[ShardEntry] = []  # free when last looked
        self._open = len(self._entries)
        self._seen: dict[str, _Seen] = {}
        self._holders: dict[str, str] = {}  # by name of the lease, whose content never changes

    @property
    def open_shards(self) -> int:
        """The number of shards without a commit, when last looked."""
        return self._open

    @property
    def has_waiting(self) -> bool:
        """Whether shards were free when last looked."""
        return bool(self._waiting)

    def is_committed(self, shard_id: str) -> bool:
        """Return whether a shard was committed when last looked."""
        return shard_id in self._committed

    def look(self, begun: Collection[str] = ()) -> bool:
        """Look for free shards, to claim those in `begun` first. Return whether there is any."""
        seen: dict[str, _Seen] = {}
        for entry in self._store.entries("leases"):
            _, shard_id, name = entry.name.split("/")
            one = seen.setdefault(shard_id, _Seen())
            epoch = int(name.removesuffix(_ENDED))
            one.epochs = max(one.epochs, epoch)
            if name.endswith(_ENDED):
                one.ended.add(epoch)
        alive = self.beats.alive(self.worker)  # after the leases: who has one has beaten before
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
        self._waiting = free
        return bool(free)

    def _may_follow(self, shard_id: str, committed: set[str]) -> bool:
        """Return whether a shard is the first of its chain, or the one before is committed."""
        before = self._before.get(shard_id)
        return before is None or before in committed

    def _is_free(self, shard_id: str, seen: _Seen | None, alive: set[str]) -> bool:
        if seen is None or seen.epochs in seen.ended:
            return True
        name = _lease_name(shard_id, seen.epochs)
        holder = self._holders.get(name)
        if holder is None:
            data = self._store.read(name)
            if data is None:
                return True  # rolled up meanwhile: the commit is found when it is claimed
            holder = self._holders[name] = msgspec.json.decode(data, type=LeaseRecord).worker
        return holder not in alive

    def claim(self) -> ShardClaim | None:
        """Take one of the shards that were free at the last look; None where none is left."""
        while self._waiting:
            entry = self._waiting.pop()
            seen = self._seen.get(entry.id, _Seen())
            epoch = seen.epochs + 1
            nonce = secrets.token_hex(8)
            attempt = f"{entry.id}-{epoch:03d}-{nonce[:8]}"
            record = LeaseRecord(worker=self.worker, attempt=attempt, nonce=nonce)
            if not self._store.create(_lease_name(entry.id, epoch), msgspec.json.encode(record)):
                continue
            lost = seen.epochs - len(seen.ended)
            claim = ShardClaim(entry=entry, epoch=epoch, attempt=attempt, lost=lost)
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
            self._waiting.append(self._entries[after])

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


def _lease_name(shard_id: str, epoch: int) -> str:
    return f"leases/{shard_id}/{epoch:04d}"


def _beat_name(worker: str) -> str:
    return f"beats/{worker}.json"


def _id(name: str) -> str:
    return name.rpartition("/")[2].removesuffix(".json")
