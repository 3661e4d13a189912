"""Publishes the progress of jobs, and sources in trouble, as events of the studio."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from pixtrawl.operations.job import RunJob
from pixtrawl.studio.events import EventRing
from pixtrawl.studio.jobs import Jobs, blocked_lines, progress_data, shell_progress
from pixtrawl.studio.sets.open_set import OpenSet

__all__ = ["JobEvents"]

_SHELL_S: Final = 2.0  # counting a catalog takes longer than reading counters

Run = Callable[[Callable[[], Any]], Awaitable[Any]]


class JobEvents:
    """Publishes what has changed since the last call; bound to the studio's event loop."""

    def __init__(self, jobs: Jobs, events: EventRing) -> None:
        self._jobs = jobs
        self._events = events
        self._changes: dict[str, int] = {}
        self._states: dict[str, str] = {}
        self._blocked: dict[str, set[str]] = {}
        self._counted_at_s: dict[str, float] = {}

    async def publish(self, data_set: OpenSet, run: Run, *, changed: bool) -> None:
        """Publish what is new of the runs on this data set; blocking reads go through `run`."""
        own = [one for one in self._jobs.at_work() if one.record.path == str(data_set.folder.root)]
        for job in own:
            await self._publish_job(job, data_set, run)
        if not any(one.is_at_work for one in own) and changed:
            await self._publish_shell(data_set, run)

    async def _publish_job(self, job: RunJob, data_set: OpenSet, run: Run) -> None:
        key, changes = job.record.id, job.progress.changes
        if self._changes.get(key) != changes:
            self._changes[key] = changes
            data = await run(lambda: progress_data(job, data_set))
            self._events.publish("progress", data, data_set=data_set.id)
        announced = self._blocked.setdefault(key, set())
        for one in blocked_lines(job, job.record.path):
            if one["source"] not in announced:
                announced.add(one["source"])
                self._events.publish("blocked", {"job": key, **one}, data_set=data_set.id)
        if self._states.get(key) != job.state:
            self._states[key] = job.state
            data = {"id": key, "set": data_set.id, "state": job.state, "error": job.record.error}
            self._events.publish("job", data, data_set=data_set.id)

    async def _publish_shell(self, data_set: OpenSet, run: Run) -> None:
        now_s = time.monotonic()
        if now_s - self._counted_at_s.get(data_set.id, 0.0) < _SHELL_S:
            return
        if await run(data_set.run_line) is None:
            return
        self._counted_at_s[data_set.id] = now_s
        data = await run(lambda: shell_progress(data_set))
        self._events.publish("progress", data, data_set=data_set.id)
