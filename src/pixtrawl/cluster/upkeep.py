"""Status of a job, and removal of objects that no commit names."""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import Final

from msgspec import Struct

from pixtrawl.cluster.beats import Beats, WorkerBeat
from pixtrawl.cluster.commits import Commits
from pixtrawl.cluster.duplicates import DuplicatesEntry, read_entry
from pixtrawl.cluster.job.description import JobDescription
from pixtrawl.cluster.job.keys import LEASE_S
from pixtrawl.cluster.store import Store
from pixtrawl.cluster.store_leases import holder_of
from pixtrawl.model import Reason

__all__ = ["JobStatus", "Swept", "WorkerStatus", "status", "sweep"]

_OBJECT: Final = re.compile(
    r"(?:data|outcomes|looks)/(.+?)-([0-9]{3,})-[0-9a-f]{8}(?:-[0-9]+)?\.\w+"
)


class WorkerStatus(Struct, frozen=True, kw_only=True):
    """A worker that has not ended in order."""

    beat: WorkerBeat
    is_alive: bool
    age_s: float  # of its last beat

    @property
    def rows(self) -> int:
        """Return how many rows it has settled, also of shards that are not committed."""
        return max(self.beat.settled, self.beat.rows)

    @property
    def rate(self) -> float:
        """Return its rows a second of late; 0 for one that is lost."""
        return self.beat.rate if self.is_alive else 0.0


class JobStatus(Struct, frozen=True, kw_only=True):
    """How far a job is."""

    shards: int
    committed: int
    rows: int
    settled: int
    saved: int
    reasons: dict[str, int]
    fetched_bytes: int
    stored_bytes: int
    lost_shards: int  # given up after several workers
    workers: list[WorkerStatus]
    duplicates: DuplicatesEntry | None  # found by `cluster duplicates`
    attempts: dict[str, str]  # by shard, of those committed

    @property
    def is_complete(self) -> bool:
        """Whether every shard is committed."""
        return self.committed >= self.shards

    @property
    def open_rows(self) -> int:
        """Return how many rows have an outcome already in shards that are not committed."""
        found = sum(one.beat.open_rows for one in self.workers if one.is_alive)
        return min(found, self.rows - self.settled)  # a beat may be older than the last commit

    @property
    def rate(self) -> float:
        """Return the rows a second of all workers."""
        return sum(one.rate for one in self.workers)


def status(store: Store, job: JobDescription) -> JobStatus:
    """Return how far a job is. Raise StorageError."""
    reasons: Counter[str] = Counter()
    attempts: dict[str, str] = {}
    fetched = stored = rows = lost = 0
    for commit in Commits(store).all():
        attempts[commit.shard] = commit.attempt
        reasons.update(commit.reasons)
        rows += commit.rows
        fetched += commit.fetched_bytes
        stored += sum(entry.size_bytes for entry in commit.data)
        lost += commit.reasons.get(Reason.WORKER_LOST.value, 0) == commit.rows
    beats = Beats(store, job.lease_s)
    ages = beats.ages_s(now=time.time())  # to be shown: nothing is decided by it
    return JobStatus(
        shards=job.shards, committed=len(attempts), rows=job.rows, settled=rows,
        saved=reasons.get(Reason.SAVED.value, 0), reasons=dict(reasons.most_common()),
        fetched_bytes=fetched, stored_bytes=stored, lost_shards=lost, attempts=attempts,
        duplicates=read_entry(store),
        workers=[
            WorkerStatus(
                beat=beat, age_s=ages.get(beat.worker, 0.0),
                is_alive=ages.get(beat.worker, 0.0) <= job.lease_s,
            )
            for beat in beats.read()
        ],
    )  # fmt: skip


class Swept(Struct, frozen=True, kw_only=True):
    """Objects that no commit names, and what killed writers have left of others."""

    removed: int
    size_bytes: int
    kept: int  # of shards without a commit: of a worker that is at work, or not old enough


def sweep(
    store: Store, *, older_s: float, lease_s: float = LEASE_S, dry_run: bool = False
) -> Swept:
    """Remove the objects of attempts that were not committed, and what writers have left half done.

    Those of a shard without a commit must be `older_s` old by the store's clock, and their worker
    without a beat for `lease_s`, since it may be about to commit them; those of a committed one can
    never count any more.
    """
    objects = [
        *store.entries("data"),
        *store.entries("outcomes"),
        *store.entries("looks"),
    ]  # first: newer ones are left alone
    named: set[str] = set()
    committed: set[str] = set()
    for commit in Commits(store).all():
        committed.add(commit.shard)
        named.update(entry.name for entry in commit.objects)
    removed = size_bytes = kept = 0
    now = store.now_s()
    ages = Beats(store, lease_s).ages_s(now=now)
    alive = {worker for worker, age_s in ages.items() if age_s <= lease_s}
    for entry in [*objects, *store.unfinished()]:
        if entry.name in named:
            continue
        attempt = _attempt_of(entry.name)
        is_open = attempt is None or attempt[0] not in committed
        is_new = now - entry.modified_s < older_s
        if is_open and (is_new or (attempt is not None and holder_of(store, *attempt) in alive)):
            kept += 1
            continue
        removed += 1
        size_bytes += entry.size_bytes
        if not dry_run:
            store.remove(entry.name)
    return Swept(removed=removed, size_bytes=size_bytes, kept=kept)


def _attempt_of(name: str) -> tuple[str, int] | None:
    """Return shard and epoch of an object, `data/SHARD-EPOCH-NONCE-PART.tar`, `looks/SHARD-...`.

    None for what belongs to no attempt.
    """
    found = _OBJECT.fullmatch(name)
    return None if found is None else (found[1], int(found[2]))
