"""The life of one worker of a job, from its settings to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from pixtrawl import block_lists
from pixtrawl.cluster.beats import WorkerBeat
from pixtrawl.cluster.job.description import JobDescription
from pixtrawl.cluster.store import Store
from pixtrawl.cluster.store_calls import in_thread
from pixtrawl.cluster.upkeep import status
from pixtrawl.cluster.workers.store_worker import StoreWorker
from pixtrawl.config.groups import Config
from pixtrawl.engines.base import WorkerSpec
from pixtrawl.errors import StorageError
from pixtrawl.events import Event
from pixtrawl.folder.disk_trouble import cause_of
from pixtrawl.images.rules import Rules
from pixtrawl.model import Candidate
from pixtrawl.pipeline.exporting import transform_of

__all__ = ["WorkerEnd", "spec_of", "work"]


class WorkerEnd(Struct, frozen=True, kw_only=True):
    """How a worker has ended."""

    beat: WorkerBeat  # its totals
    complete: bool  # every shard of the job is committed
    saved_by_all: int = 0  # images of the whole job, once it is complete


async def work(
    store: Store,
    job: JobDescription,
    config: Config,
    scratch: Path,
    emit: Callable[[Event], None],
    *,
    wait: bool = True,
) -> WorkerEnd:
    """Work on a job until it is complete, or with `wait=False` until no shard is free.

    A cancelled worker gives its shards back and returns its totals. Raise UsageError, StorageError
    or EngineError.
    """
    worker = await StoreWorker.open(store, job, spec_of(config, scratch), emit)
    try:
        complete = await worker.run(wait=wait)
    except StorageError as error:
        cause = cause_of(error)
        if isinstance(cause, OSError) and cause.filename is None:
            cause.filename = str(scratch)  # a write that fails names no file
        raise
    except asyncio.CancelledError:
        return WorkerEnd(beat=worker.beat, complete=False)
    saved = (await in_thread(status, store, job)).saved if complete else 0
    return WorkerEnd(beat=worker.beat, complete=complete, saved_by_all=saved)


def spec_of(config: Config, scratch: Path) -> WorkerSpec:
    """Return the settings of a worker that stages files in `scratch`. Raise UsageError."""
    rules = Rules(config.images, config.filters, frozenset(), config.politeness.preferences)
    return WorkerSpec(
        fetch=config.fetch, politeness=config.politeness, rules=rules,
        taken_down=_nothing_taken_down, blocked=block_lists.load(config.images), staging=scratch,
        transform=transform_of(config.export) if config.images.check == "full" else None,
    )  # fmt: skip


def _nothing_taken_down(candidate: Candidate, url: str) -> str | None:
    return None
