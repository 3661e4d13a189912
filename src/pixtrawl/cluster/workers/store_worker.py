"""A worker that the store alone coordinates: leases shards, fetches their rows, commits.

Many shards are at work at once, so that a slow host does not hold up the rest. A worker that
cannot write its beat cancels its own work before others may take it over (`store_leases`). It keeps
its outcomes and continues with those shards that it can lease again: otherwise a store or machine
with occasional stalls would make it fetch the same rows again and again.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from msgspec.structs import replace

from pixtrawl import urls
from pixtrawl.cluster.beats import BEATS, RecentRate, WorkerBeat, elect
from pixtrawl.cluster.commits import Commit, now_to_ms
from pixtrawl.cluster.job import description as jobs
from pixtrawl.cluster.job.description import JobDescription
from pixtrawl.cluster.store import Store
from pixtrawl.cluster.store_calls import in_thread
from pixtrawl.cluster.store_leases import MOST_LEASES, ShardClaim, StoreLeases, company_of
from pixtrawl.cluster.workers.looks_spool import LooksSpool
from pixtrawl.cluster.workers.roll_ups import RollUps
from pixtrawl.cluster.workers.shard_files import ShardOutcomes, ShardWriter
from pixtrawl.engines.base import WorkerSpec
from pixtrawl.engines.heartbeat import clock_s
from pixtrawl.engines.lease import Lease, LeaseLostError
from pixtrawl.engines.shard_worker import ShardWorker
from pixtrawl.errors import EngineError, StorageError
from pixtrawl.events import Event, Notice, RowSettled, ShardCommitted
from pixtrawl.model import Outcome, Reason, Task
from pixtrawl.net.hosts.state import HostState
from pixtrawl.preferences import now_utc

__all__ = ["StoreWorker"]

_SILENCE: Final = 2 / 3  # of the time until a worker is lost: in the rest its hosts rest
_COMMITS: Final = 8  # shards that are written and uploaded at once
_END_S: Final = 8.0  # to give shards back, once the worker is stopped
_BETWEEN_CLAIMS_S: Final = 0.1  # time for a shard's tasks to take their places


class StoreWorker:
    """One worker process of a job."""

    def __init__(
        self,
        store: Store,
        job: JobDescription,
        leases: StoreLeases,
        worker: ShardWorker,
        writer: ShardWriter,
        emit: Callable[[Event], None],
    ) -> None:
        """Use `open`."""
        host = leases.worker.rpartition("-")[0]
        self.beat = WorkerBeat(worker=leases.worker, host=host, pid=os.getpid())
        self._store = store
        self._job = job
        self._leases = leases
        self._worker = worker
        self._writer = writer
        self._emit = emit
        self._settled = 0  # rows, also of shards that are not committed
        self._started = time.monotonic()
        self._rate = RecentRate(BEATS, self._started)
        self._commits = asyncio.Semaphore(_COMMITS)
        self._active: dict[asyncio.Task[None], ShardClaim] = {}
        self._at_work: dict[str, ShardOutcomes] = {}
        self._begun: dict[str, ShardOutcomes] = {}  # left in silence, until somebody commits them
        self._looked = -job.lease_s
        self._roll_ups = RollUps(store, leases, emit)
        self._ended = asyncio.Event()  # a shard has, or the beat reports trouble

    @classmethod
    async def open(
        cls, store: Store, job: JobDescription, spec: WorkerSpec, emit: Callable[[Event], None]
    ) -> StoreWorker:
        """Open the worker; `spec` names a folder of its own for what is fetched.

        Raise UsageError, StorageError or EngineError.
        """
        entries = await in_thread(lambda: list(jobs.read_index(store, job)))
        leases = StoreLeases(store, entries, job.lease_s)
        if not await in_thread(store.probe):
            await elect(leases.beats, leases.worker)
            text = (
                f"{store.url} writes over objects that it was asked not to: this worker works "
                "alone, and others that are started will end at once"
            )
            emit(Notice(text, level="warning"))
        spec = replace(spec, name="")
        worker = await ShardWorker.open(spec, emit=emit, silence_s=job.lease_s * _SILENCE)
        writer = ShardWriter(store, spec.staging, job.to, spec.transform, leases.worker)
        return cls(store, job, leases, worker, writer, emit)

    # -- the life of a worker

    async def run(self, *, wait: bool = True) -> bool:
        """Work until every shard is committed, or with `wait=False` until none is free.

        Return whether every shard is committed. Cancelling gives the leases back.

        Raise StorageError or EngineError.
        """
        await self._beat_once()
        beating = asyncio.create_task(self._beat())
        try:
            while True:
                self._raise_failures()
                await self._fill()
                if not self._active and not self._leases.open_shards:
                    return True
                if not self._active and not wait:
                    return False
                self._ended.clear()
                pause_s = self._pause_s()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._ended.wait(), pause_s)
        finally:
            # A store that does not answer: leases and beat are lost after their time, and no row.
            with suppress(TimeoutError, StorageError):
                async with asyncio.timeout(_END_S):
                    await self._cancel()
                    beating.cancel()
                    await asyncio.wait([beating])
                    await self._roll_ups.aclose()
                    await in_thread(self._leases.beats.end, self._leases.worker)
            beating.cancel()
            await self._worker.aclose()

    def _pause_s(self) -> float:
        has_more = self._leases.has_waiting(len(self._active))
        if self._active and self._has_place() and has_more:
            return _BETWEEN_CLAIMS_S
        return self._job.lease_s / BEATS

    def _has_place(self) -> bool:
        """Return whether one more shard may be at work."""
        if not self._active:
            return True
        most = min(company_of(claim.lost) for claim in self._active.values())
        return self._worker.has_room and len(self._active) < min(most, MOST_LEASES)

    def _raise_failures(self) -> None:
        for task in [one for one in self._active if one.done()]:
            del self._active[task]
            task.result()

    async def _fill(self) -> None:
        """Take one more shard if there is room for its tasks."""
        if not self._has_place() or self._worker.is_silent():
            return
        claim = await self._claim()
        if claim is None and self._may_look():
            self._looked = clock_s()
            found = await in_thread(self._leases.look, frozenset(self._begun))
            self._forget_committed()
            self._roll_ups.begin()
            if found:
                claim = await self._claim()
        if claim is not None:
            task = asyncio.create_task(self._carry_out(claim))
            self._active[task] = claim
            task.add_done_callback(lambda _: self._ended.set())

    async def _claim(self) -> ShardClaim | None:
        """Claim a shard. Cancelling gives it back: the thread goes on, and its lease is written."""
        at_work = len(self._active)
        claiming = asyncio.create_task(in_thread(self._leases.claim, at_work))
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            with suppress(StorageError, TimeoutError):
                async with asyncio.timeout(_END_S):
                    if (claim := await claiming) is not None:
                        await self._give_back(claim)
            raise

    def _forget_committed(self) -> None:
        for shard_id in [one for one in self._begun if self._leases.is_committed(one)]:
            self._discard(self._begun.pop(shard_id))

    def _discard(self, shard: ShardOutcomes) -> None:
        self._writer.discard(shard.outcomes.values())
        shard.looks.discard()

    def _may_look(self) -> bool:
        """Return whether to list the job's shards again: when idle, else rarely (it is costly)."""
        return not self._active or clock_s() - self._looked >= self._job.lease_s / 3

    async def _cancel(self) -> None:
        for task in self._active:
            task.cancel()
        await asyncio.gather(*self._active, return_exceptions=True)
        self._active.clear()
        for shard in self._begun.values():
            self._discard(shard)
        self._begun.clear()

    # -- beats

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._job.lease_s / BEATS)
            try:
                await self._beat_once()
            except StorageError as error:
                self._emit(Notice(f"no beat reaches the store: {error}", level="warning"))

    async def _beat_once(self) -> None:
        sent_at, now = clock_s(), time.monotonic()
        shards = (*self._at_work.values(), *self._begun.values())
        self.beat = replace(
            self.beat, leases=len(self._active), settled=self._settled,
            open_rows=sum(len(one.outcomes) for one in shards),
            rate=self._rate.add(now, self._settled), elapsed_s=now - self._started,
        )  # fmt: skip
        await in_thread(self._leases.beats.write, self.beat)
        self._worker.register_beat(sent_at)

    # -- one shard

    async def _carry_out(self, claim: ShardClaim) -> None:
        """Carry a shard out. A failing store or disk is not its fault: the lease is given back."""
        try:
            await self._carried_out(claim)
        except (asyncio.CancelledError, StorageError):
            await self._give_back(claim)
            raise

    async def _carried_out(self, claim: ShardClaim) -> None:
        entry = claim.entry
        shard = self._begun.pop(entry.id, None)
        if shard is None:
            rows = await in_thread(jobs.read_rows_of, self._store, entry.id)
            looks = LooksSpool(self._writer.folder / f"{claim.attempt}.spool")
            shard = ShardOutcomes(entry.id, rows, {}, looks)
        self._at_work[entry.id] = shard
        try:
            await self._finish(claim, shard)
        finally:
            del self._at_work[entry.id]

    async def _finish(self, claim: ShardClaim, shard: ShardOutcomes) -> None:
        entry = claim.entry
        started, begun_at = time.monotonic(), now_to_ms()
        states: tuple[HostState, ...] = ()
        try:
            if claim.is_given_up:
                self._give_up(claim, shard)
            else:
                states = await self._fetch(claim, shard)
        except LeaseLostError:
            self._emit(Notice(f"{entry.id} is given back: the store was out of reach"))
            self._begun[entry.id] = shard
            await self._give_back(claim)
            return
        except asyncio.CancelledError:
            self._discard(shard)
            raise
        facts = {"begun_at": begun_at, "hosts": () if entry.is_last else states}
        async with self._commits:
            finishing = asyncio.create_task(in_thread(self._commit, claim, shard, facts, started))
            try:
                await asyncio.shield(finishing)
            except asyncio.CancelledError:
                await finishing  # all but done: not to be fetched again

    async def _fetch(self, claim: ShardClaim, shard: ShardOutcomes) -> tuple[HostState, ...]:
        hosts: tuple[HostState, ...] = ()
        before = self._leases.before(claim.entry)
        if before is not None:
            found = await in_thread(self._leases.commits.read, before)
            hosts = () if found is None else found.hosts
        tasks = tuple(
            Task(row.number, 0, urls.host_of(row.candidate.url), row.candidate)
            for row in shard.rows
            if row.number not in shard.outcomes
        )

        def settled(task: Task, outcome: Outcome) -> None:
            info = outcome.info  # without thumbnails: thousands of rows are at work at once
            if info is not None:
                if outcome.staged_name is not None:
                    shard.looks.add(task.id, info)
                info = replace(info, thumb=b"", chroma=b"", fine=b"")
            shard.outcomes[task.id] = replace(outcome, info=info, fetched_at=now_utc())
            self._settled += 1
            self._emit(RowSettled(task.candidate, outcome))

        lease = Lease(id=claim.attempt, epoch=claim.epoch, tasks=tasks, hosts=hosts)
        states = await self._worker.carry_out(lease, settled)
        if len(shard.outcomes) != len(shard.rows):
            raise EngineError(f"{claim.entry.id}: rows without an outcome; report this as a bug")
        return states

    def _give_up(self, claim: ShardClaim, shard: ShardOutcomes) -> None:
        said = f"{claim.lost} workers ended over its shard {claim.entry.id}"
        self._emit(Notice(f"{said}: its rows are given up", level="warning"))
        given_up = Outcome(reason=Reason.WORKER_LOST, detail=said, fetched_at=now_utc())
        for row in shard.rows:
            shard.outcomes.setdefault(row.number, given_up)

    async def _give_back(self, claim: ShardClaim) -> None:
        with suppress(StorageError):  # a lease that nobody ends is lost with its worker
            await in_thread(self._leases.give_back, claim)

    def _commit(
        self, claim: ShardClaim, shard: ShardOutcomes, facts: Mapping[str, Any], started: float
    ) -> None:
        commit = replace(self._writer.write(claim.attempt, shard), **facts)
        commit = replace(commit, ended_at=now_to_ms(), elapsed_s=time.monotonic() - started)
        # In a thread, while beats go on: a worker that stood still may be late, and another ahead.
        if self._worker.is_silent() or not self._leases.commits.create(commit):
            self._writer.remove(commit)
            self._leases.give_back(claim)
            self._emit(Notice(f"{claim.entry.id} went to another worker meanwhile"))
            return
        self._leases.done(claim)
        self._count(commit)

    def _count(self, commit: Commit) -> None:
        saved = commit.reasons.get(Reason.SAVED.value, 0)
        beat = self.beat
        self.beat = replace(
            beat,
            shards=beat.shards + 1,
            rows=beat.rows + commit.rows,
            saved=beat.saved + saved,
            fetched_bytes=beat.fetched_bytes + commit.fetched_bytes,
        )
        text = f"{commit.shard}: {saved:,} of {commit.rows:,} saved in {commit.elapsed_s:,.1f} s"
        self._emit(Notice(text))
        self._emit(
            ShardCommitted(
                commit.shard, commit.worker, commit.rows, commit.reasons, commit.fetched_bytes,
                rows_reported=True,
            )
        )  # fmt: skip
