"""Workers of a job as Ray actors: Ray places and watches them, the store coordinates them.

Ray is transport only. That an actor is dead is no proof that it has stopped asking hosts, so leases
and beats are those of the store (`store_leases`), as for plain workers; a driver that is lost loses
nothing either, and the same command goes on.
"""

from __future__ import annotations

import asyncio
import dataclasses
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

try:
    import ray
except ImportError:
    from pixtrawl.errors import MissingExtraError

    raise MissingExtraError("--engine ray", "ray") from None

from pixtrawl.amounts import plural
from pixtrawl.cluster.commits import Commits
from pixtrawl.cluster.job.description import JobDescription
from pixtrawl.cluster.store import Store
from pixtrawl.cluster.store_calls import in_thread
from pixtrawl.cluster.workers.program import WorkerEnd, work
from pixtrawl.config.groups import Config
from pixtrawl.cores import usable_cores
from pixtrawl.engines.event_loop import SWITCH_S, tune_process, use_batch_scheduling
from pixtrawl.errors import EngineError, PixtrawlError, StorageError, UsageError
from pixtrawl.events import Event, Notice, ShardCommitted, ignore

__all__ = ["run_on_ray"]

_CORES_OF_A_WORKER: Final = 5  # one for its event loop, four for decoders
_LOOK_S: Final = 5.0
_LOSSES: Final = 5  # workers in a row, without a shard committed between them
_STOP_S: Final = 30.0  # time to give shards back


class RayWorker:
    """The actor: one worker of a job."""

    def __init__(self, url: str, job: JobDescription, config: Config) -> None:
        self._url = url
        self._job = job
        self._config = config
        self._working: asyncio.Task[WorkerEnd] | None = None

    async def run(self) -> tuple[WorkerEnd | None, str, str]:
        """Work to the end of the job. Return how it ended, or the kind and text of an error."""
        # Here, since the policy of scheduling is that of a thread, and Ray runs this in its own.
        use_batch_scheduling()
        sys.setswitchinterval(SWITCH_S)
        tune_process()
        with tempfile.TemporaryDirectory(prefix="pixtrawl-worker-") as scratch:
            store = Store(self._url)
            self._working = asyncio.create_task(
                work(store, self._job, self._config, Path(scratch), ignore)
            )
            try:
                return await self._working, "", ""
            except PixtrawlError as error:
                return None, type(error).__name__, str(error)

    async def stop(self) -> None:
        """Give all shards back and end."""
        if self._working is not None:
            self._working.cancel()
            await asyncio.wait([self._working])


async def run_on_ray(
    store: Store,
    job: JobDescription,
    config: Config,
    emit: Callable[[Event], None],
    *,
    address: str | None = None,
) -> bool:
    """Let actors work on a job until it is complete; return whether it is.

    Without an address a Ray is started here and ended again; one that the program is connected to
    already is used and left as it is. Cancelling gives all shards back.

    Raise UsageError where there is no Ray at the address; StorageError or EngineError where workers
    cannot work.
    """
    own = not ray.is_initialized()
    if own:
        await asyncio.to_thread(_connect, address)
    driver: _ActorPool | None = None
    try:
        is_conditional = await in_thread(store.probe)
        driver = _ActorPool(store, job, config, emit, alone=not is_conditional)
        return await driver.run()
    finally:
        if driver is not None:
            await driver.stop()
        if own:
            await asyncio.to_thread(ray.shutdown)


def _connect(address: str | None) -> None:
    try:
        if address is None:
            ray.init(
                address="local", num_cpus=usable_cores(), include_dashboard=False,
                log_to_driver=False, logging_level="error",
            )  # fmt: skip
        else:
            ray.init(address=address, log_to_driver=False, logging_level="error")
    except Exception as error:  # Ray raises plain ones, too
        if address is None:
            raise EngineError(f"Ray does not start here: {error}") from error
        raise UsageError(f"--address {address}: no Ray answers there: {error}") from error


class _ActorPool:
    """Keeps as many actors at work as the cluster has room for."""

    def __init__(
        self,
        store: Store,
        job: JobDescription,
        config: Config,
        emit: Callable[[Event], None],
        *,
        alone: bool,  # the store has room for one worker
    ) -> None:
        cores = int(ray.cluster_resources().get("CPU", 1))
        count = config.job.workers or max(1, round(cores / _CORES_OF_A_WORKER))
        self._count = 1 if alone else max(1, min(count, job.shards, cores))
        share = max(1, min(_CORES_OF_A_WORKER, cores // self._count))
        decoders = config.images.decoders or max(1, share - 1)
        images = dataclasses.replace(config.images, decoders=decoders)
        self._config = dataclasses.replace(config, images=images)
        self._kind: Any = ray.remote(RayWorker).options(
            num_cpus=share, max_restarts=0, max_concurrency=4, scheduling_strategy="SPREAD",
            runtime_env={"env_vars": {"PYTHONSAFEPATH": "1"}} if sys.flags.safe_path else None,
        )  # fmt: skip
        self._store = store
        self._job = job
        self._emit = emit
        self._commits = Commits(store)
        self._known: set[str] = set()  # committed shards
        self._has_begun = False  # shards of earlier runs are not reported
        self._losses = 0
        self._actors: dict[Any, Any] = {}  # by the reference of their run

    async def run(self) -> bool:
        await self._look()
        while len(self._known) < self._job.shards:
            while len(self._actors) < self._count:
                actor = self._kind.remote(self._store.url, self._job, self._config)
                self._actors[actor.run.remote()] = actor
            await self._wait()
            await self._look()
        return True

    async def _wait(self) -> None:
        runs = list(self._actors)
        done, _ = await asyncio.to_thread(ray.wait, runs, num_returns=1, timeout=_LOOK_S)
        for run in done:
            actor = self._actors.pop(run)
            try:
                _, kind, text = await asyncio.to_thread(ray.get, run)
            except ray.exceptions.RayError as error:
                self._lost(error)
                continue
            ray.kill(actor)
            if kind:
                raise (StorageError if kind == "StorageError" else EngineError)(text)

    def _lost(self, error: Exception) -> None:
        self._losses += 1
        said = str(error).strip().partition("\n")[0]
        text = f"a worker is lost ({said}); others take its shards in {self._job.lease_s:.0f} s"
        self._emit(Notice(text, level="warning"))
        if self._losses >= _LOSSES:
            raise EngineError(f"{self._losses} workers ended and no shard with them: {said}")

    async def _look(self) -> None:
        there = await in_thread(self._commits.ids)
        new = there - self._known
        for shard in sorted(new) if self._has_begun else ():
            commit = await in_thread(self._commits.read, shard)
            if commit is not None:
                self._emit(
                    ShardCommitted(
                        shard, commit.worker, commit.rows, commit.reasons, commit.fetched_bytes,
                        rows_reported=False,
                    )
                )  # fmt: skip
        if new:
            self._losses = 0
            self._emit(Notice(f"{len(there):,} of {plural(self._job.shards, 'shard')} committed"))
        self._known, self._has_begun = there, True

    async def stop(self) -> None:
        """End all actors, those that answer after they have given their shards back."""
        actors = list(self._actors.values())
        self._actors.clear()
        if actors:
            stopping = [actor.stop.remote() for actor in actors]
            await asyncio.to_thread(ray.wait, stopping, num_returns=len(stopping), timeout=_STOP_S)
        for actor in actors:
            ray.kill(actor)
