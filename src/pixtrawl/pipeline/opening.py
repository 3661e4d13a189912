"""Opens the resources of one run, and closes them in reverse order.

Lock, catalog, recovery, engine, judge, scheduler. However it ends, the data set can be resumed.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from pixtrawl import __version__, block_lists, engines
from pixtrawl.amounts import plural
from pixtrawl.block_lists import BlockLists
from pixtrawl.captions import parse_chain
from pixtrawl.catalog import run_log, written
from pixtrawl.catalog.database import Catalog
from pixtrawl.catalog.decisions import takedown
from pixtrawl.config.groups import Config
from pixtrawl.dedup import Level
from pixtrawl.engines.arrivals import Arrivals
from pixtrawl.engines.base import Engine, EngineKind, WorkerSpec
from pixtrawl.engines.choice import choose
from pixtrawl.events import Event, Listener, Notice
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.decisions import journal
from pixtrawl.folder.recovery import by_hand, crash
from pixtrawl.folder.renditions import RenditionWriter
from pixtrawl.images.rules import Rules
from pixtrawl.pipeline import topic_model
from pixtrawl.pipeline.curating import block_check
from pixtrawl.pipeline.decide.judge import Judge
from pixtrawl.pipeline.decide.orphans import Orphans
from pixtrawl.pipeline.decide.settler import Settler
from pixtrawl.pipeline.decision_intake import DecisionIntake
from pixtrawl.pipeline.exporting import transform_of
from pixtrawl.pipeline.finished import mending
from pixtrawl.pipeline.finished.opened import locked
from pixtrawl.pipeline.run_input import DownloadInput
from pixtrawl.pipeline.run_settings import asked_for_size, plain_settings
from pixtrawl.pipeline.scheduler.scheduler import Scheduler
from pixtrawl.pipeline.session import Session
from pixtrawl.pipeline.steering import Steering
from pixtrawl.pipeline.url_list import UrlListWriter
from pixtrawl.worker import KeepRendition, TakenDown

if TYPE_CHECKING:
    from pixtrawl.scoring.models.interface import Embedder
    from pixtrawl.scoring.models.small_pictures import SmallPictures

__all__ = ["open_session", "worker_spec"]

_NOT_DURABLE: Final = (
    "--durability none: a power cut or a crash of the system during this run may cost what it "
    "saved; the default, batch, waits for the disk"
)


_TOLD_EVERY_S: Final = 2.0


class _StoppedRecoveryError(Exception):
    """The user wants to leave while files are examined."""


@asynccontextmanager
async def open_session(
    config: Config,
    folder: Folder,
    emit: Callable[[Event], None],
    *,
    expected: int = 0,
    engine_kind: EngineKind | None = None,
) -> AsyncIterator[Session]:
    """Open a session and record how it ends. Raise UsageError, StorageError or EngineError.

    `expected` is about how many files will be fetched, by which an engine is chosen, unless
    `engine_kind` is given.
    """
    kind = engine_kind or engines.load(choose(config.job.engine, expected))
    blocked = block_lists.load(config.images)
    topic_model.check(config)
    model = topic_model.run_model(config)
    async with AsyncExitStack() as stack:
        catalog = stack.enter_context(locked(folder))
        if not folder.durable:
            emit(Notice(_NOT_DURABLE, level="warning"))
        orphans = Orphans()
        await _recover(catalog, folder, orphans, emit)
        if blocked is not None:
            await _hold_against(config, folder, catalog, blocked, emit)
        run_id = catalog.write_now(
            lambda db: run_log.begin_run(db, __version__, plain_settings(config))
        )
        if config.job.caption is not None:
            chain = parse_chain(config.job.caption)
            catalog.write_now(lambda db: written.choose(db, chain))
        spec = worker_spec(config, folder, catalog, blocked)
        spec, keep, small = _pictures_made(config, folder, spec, model, stack)
        engine = await kind.open(spec, Arrivals(folder.staging, keep), emit)
        stack.push_async_callback(engine.aclose)
        session = _assemble(
            config,
            folder,
            emit,
            run_id,
            catalog,
            engine,
            spec.rules,
            orphans,
            model,
            spec.taken_down, small,
        )  # fmt: skip
        if session.steering is not None:
            stack.push_async_callback(session.steering.aclose)
        end_reason = "failed"
        try:
            yield session
            end_reason = "done"
        except (asyncio.CancelledError, KeyboardInterrupt):
            end_reason = "interrupted"
            raise
        finally:
            session.finish(end_reason)


async def _recover(catalog: Catalog, folder: Folder, orphans: Orphans, emit: Listener) -> None:
    """Recover beside the event loop, which tells how far it is, and stops it where it is told to.

    Hashing every file of a data set that was copied takes minutes.
    """
    loop, stopped = asyncio.get_running_loop(), threading.Event()
    told_at = time.monotonic()

    def on_progress(done: int, total: int) -> None:
        nonlocal told_at
        if stopped.is_set():
            raise _StoppedRecoveryError
        if time.monotonic() - told_at >= _TOLD_EVERY_S:
            told_at = time.monotonic()
            text = f"examining files altered since the last command: {done:,} of {total:,}"
            loop.call_soon_threadsafe(emit, Notice(text))

    work = asyncio.ensure_future(
        asyncio.to_thread(mending.recover, catalog, folder, orphans, on_progress)
    )
    try:
        _notify(await asyncio.shield(work), emit)
    except asyncio.CancelledError:
        stopped.set()
        with contextlib.suppress(_StoppedRecoveryError):
            _notify(await work, emit)
        raise


def _pictures_made(
    config: Config, folder: Folder, spec: WorkerSpec, model: Embedder | None, stack: AsyncExitStack
) -> tuple[WorkerSpec, KeepRendition | None, SmallPictures | None]:
    """Have decoders make the pictures of an export, else those that the model is to see."""
    if spec.transform is not None:
        renditions = RenditionWriter(folder.root, spec.transform)
        stack.callback(renditions.close)
        return spec, renditions.put, None
    if not config.job.relevant or model is None or config.images.check != "full":
        return spec, None, None
    from pixtrawl.scoring.models.small_pictures import (
        SmallPictures,  # with numpy, and rarely needed
    )

    small = SmallPictures(model.preprocess)
    return replace(spec, transform=model.preprocess.transform), small.put, small


async def _hold_against(
    config: Config, folder: Folder, catalog: Catalog, blocked: BlockLists, emit: Listener
) -> None:
    """Take down what the data set has already of the block lists."""
    if (text := blocked.remark()) is not None:
        emit(Notice(text))
    hits = await block_check.hits_of(folder, catalog, blocked, config.images, emit)
    if hits:
        journal.append(folder, block_check.records_of(hits))
        catalog.write_now(lambda db: crash.recover(db, folder))
        kept = sum(1 for hit in hits if hit.file_name)
        emit(
            Notice(
                f"block lists hold {kept} images of the data set, and {len(hits) - kept} files "
                "held back: removed for good",
                level="warning",
            )
        )


def worker_spec(
    config: Config, folder: Folder, catalog: Catalog, blocked: BlockLists | None = None
) -> WorkerSpec:
    """Return the settings from which workers of this run are built, on any machine."""
    return WorkerSpec(
        fetch=config.fetch,
        politeness=config.politeness,
        rules=Rules(
            config.images, config.filters, asked_for_size(config), config.politeness.preferences
        ),
        taken_down=catalog.write_now(takedown.load).why_url,
        blocked=blocked,
        staging=folder.staging,
        workers=config.job.workers,
        transform=transform_of(config.export) if config.images.check == "full" else None,
    )


def _assemble(  # noqa: PLR0913 - what was opened
    config: Config,
    folder: Folder,
    emit: Callable[[Event], None],
    run_id: int,
    catalog: Catalog,
    engine: Engine,
    rules: Rules,
    orphans: Orphans,
    model: Embedder | None,
    taken_down: TakenDown,
    small: SmallPictures | None,
) -> Session:
    judge = Judge(Level(config.images.dedup), run_id, rules)
    settler = Settler(catalog, folder, judge, orphans)
    scheduler = Scheduler(
        catalog, config.politeness.per_host, settler.offer,
        max_total_bytes=config.job.max_total_bytes,
    )  # fmt: skip
    url_list = UrlListWriter(catalog, folder)
    run_input = DownloadInput(config, run_id, catalog, judge, scheduler, url_list, emit)
    if config.job.steer:
        scheduler.steering = Steering(
            config, engine.hosts, catalog, taken_down, model, emit, scheduler.spent
        )
    if config.job.relevant:
        from pixtrawl.pipeline.topic_pool import TopicPool  # with numpy, and rarely needed

        assert model is not None  # `topic_model.check`
        pool = TopicPool(model, config.job.pool, catalog, folder, judge, emit, small)
        scheduler.pool = run_input.pool = pool
    intake = DecisionIntake(catalog, folder, run_id, judge=judge, scheduler=scheduler, emit=emit)
    return Session(
        folder, emit, run_input=run_input, engine=engine, settler=settler,
        url_list=url_list, intake=intake, orphans=orphans, max_time_s=config.job.max_time_s,
        pool=run_input.pool,
    )  # fmt: skip


def _notify(found: crash.Recovered, emit: Callable[[Event], None]) -> None:
    if found.placed or found.lost:
        placed = plural(found.placed, "file")
        emit(Notice(f"went on where a killed run stopped: {placed} put in place"))
    for sentence in by_hand.sentences(found.by_hand):
        emit(Notice(sentence))
    if found.unknown:
        shown = ", ".join(found.unknown[:3])
        emit(
            Notice(
                f"{len(found.unknown)} files in the data set are not pixtrawl's and are left "
                f"alone: {shown}",
                level="warning",
            )
        )
