"""Runs a session from its lock to its report, for queries as well as for manifests.

Separate from `run`, so that a download does not import the sources (40 ms).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing

from pixtrawl.catalog.database import connect
from pixtrawl.config.groups import Config
from pixtrawl.dedup import Level
from pixtrawl.engines.base import EngineKind
from pixtrawl.events import Event, RunFinished
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.disk_trouble import explained_disk_errors
from pixtrawl.pipeline import exporting
from pixtrawl.pipeline.best_copies import keep_best_copies
from pixtrawl.pipeline.opening import open_session
from pixtrawl.pipeline.report import build
from pixtrawl.pipeline.run_settings import warn_of_override
from pixtrawl.pipeline.session import Session
from pixtrawl.report import Report

__all__ = ["run_to_report"]


async def run_to_report(
    config: Config,
    folder: Folder,
    listener: Callable[[Event], None],
    body: Callable[[Session], Awaitable[None]],
    *,
    expected: int = 0,
    engine_kind: EngineKind | None = None,
) -> Report:
    """Run `body` in a session, then the export. Return a report, also when cancelled.

    `expected` and `engine_kind` are as in `open_session`.
    """
    exporting.check(config)
    warn_of_override(config, listener)
    current: Session | None = None
    try:
        with explained_disk_errors(folder):
            opening = open_session(
                config, folder, listener, expected=expected, engine_kind=engine_kind
            )
            async with opening as current:
                await body(current)
                if Level(config.images.dedup).compares_looks:
                    await keep_best_copies(current.catalog, folder, config.images, listener)
    except asyncio.CancelledError:
        if current is None:
            raise
        _go_on()
    assert current is not None
    with explained_disk_errors(folder), closing(connect(folder.catalog, read_only=True)) as db:
        report = build(db, folder, current.input.query_ids)
    if config.export.to is not None and not report.interrupted:
        try:
            report.export = await exporting.export_now(config, folder, listener)
        except asyncio.CancelledError:
            _go_on()
            report.interrupted = True
    listener(RunFinished(report))
    return report


def _go_on() -> None:
    """Clear the cancellation of the current task, so that it can still write its report."""
    task = asyncio.current_task()
    assert task is not None
    task.uncancel()
