"""Beats of the workers of a job: small objects that say in the store that a worker is alive.

The age of a beat is measured by the store's clock, so that machines need no common time.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from contextlib import suppress
from typing import Final

import msgspec
from msgspec import Struct

from pixtrawl.cluster.store import Store
from pixtrawl.cluster.store_calls import in_thread
from pixtrawl.errors import EngineError

__all__ = ["BEATS", "Beats", "RecentRate", "WorkerBeat", "elect"]

BEATS: Final = 9  # in the time after which a worker is lost
_ELECTIONS: Final = 3


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


class Beats:
    """The beats of all workers of a store."""

    def __init__(self, store: Store, lease_s: float) -> None:
        self._store = store
        self.lease_s = lease_s

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
        return {w for w, age_s in self.ages_s(own).items() if age_s <= self.lease_s}

    def read(self) -> list[WorkerBeat]:
        """Return the beats of all workers, lost ones included."""
        found = (self._store.read(entry.name) for entry in self._store.entries("beats"))
        return [beat for beat in map(_decoded_beat, found) if beat is not None]


async def elect(beats: Beats, own: str) -> None:
    """Become the only worker, for a store without conditional writes. Raise EngineError."""
    for _ in range(_ELECTIONS):
        if not await in_thread(beats.alive):
            await in_thread(beats.write, WorkerBeat(worker=own, host=""))
            await asyncio.sleep(beats.lease_s / BEATS)
            if await in_thread(beats.alive, own) == {own}:
                return
            await in_thread(beats.end, own)
        await asyncio.sleep(random.uniform(0.5, 1.5) * beats.lease_s / BEATS)
    raise EngineError(
        "another worker is at work, and this store cannot refuse to write over an object: only one "
        "worker can use it; wait for its end, or prepare the job in a store with conditional writes"
    )


def _decoded_beat(data: bytes | None) -> WorkerBeat | None:
    """Return a beat; None where a power cut has left an empty file, or another program a file."""
    if data is None:
        return None
    with suppress(msgspec.DecodeError):
        return msgspec.json.decode(data, type=WorkerBeat)
    return None


def _beat_name(worker: str) -> str:
    return f"beats/{worker}.json"


def _id(name: str) -> str:
    return name.rpartition("/")[2].removesuffix(".json")
