"""A run that a front end started, in a thread and event loop of its own; it can be found again.

What was asked for is kept in a small file, so that the job can go on after its process died. The
data set itself is an ordinary one: the same run at the shell goes on with it as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from pixtrawl.catalog.run_log import now
from pixtrawl.config.groups import Config
from pixtrawl.config.user_folders import user_folder
from pixtrawl.errors import PixtrawlError, innermost
from pixtrawl.events import Event
from pixtrawl.operations.job_hold import JobHold, is_held
from pixtrawl.operations.job_progress import JobProgress, shortfalls
from pixtrawl.operations.job_request import JobRequest, configured, queries_of
from pixtrawl.report import Report

__all__ = ["JobRecord", "JobState", "KnownJobs", "RunJob", "find_job", "known_jobs", "state_of"]

JobState = Literal["running", "paused", "done", "stopped", "failed", "resumable"]
_MOST_KNOWN: Final = 200
_ID: Final = re.compile(r"[0-9a-f]{12}")
_END_S: Final = 30.0  # a run that is stopped ends the transfers under way first


class JobRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A job as its file holds it."""

    id: str
    path: str
    at: str
    request: JobRequest
    state: JobState = "running"
    error: str = ""
    short: tuple[dict[str, str], ...] = ()


class KnownJobs(Struct, frozen=True):
    """The jobs that are known, and a sentence for each file of one that cannot be read."""

    jobs: list[JobRecord]
    unread: list[str]


def _place() -> Path:
    return user_folder("cache") / "jobs"


def known_jobs() -> KnownJobs:
    """Return the jobs started on this machine, newest first."""
    found, unread = [], []
    for file in _place().glob("*.json"):
        try:
            found.append(msgspec.json.decode(file.read_bytes(), type=JobRecord))
        except FileNotFoundError:  # removed in between
            continue
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            unread.append(f"{file} cannot be read ({error}); the data set itself is not affected")
    found.sort(key=lambda one: one.at, reverse=True)
    return KnownJobs(found[:_MOST_KNOWN], sorted(unread))


def find_job(job_id: str) -> JobRecord | None:
    """Return the job with this id; None where there is none, or its file is damaged."""
    if _ID.fullmatch(job_id) is None:
        return None
    with contextlib.suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode((_place() / f"{job_id}.json").read_bytes(), type=JobRecord)
    return None


def state_of(record: JobRecord) -> JobState:
    """Return the state of a job that any process may carry out, or none any more."""
    if is_held(_hold_file(record.id)):
        return "running"
    now_known = find_job(record.id) or record  # it may have ended since the record was read
    return "resumable" if now_known.state in {"running", "paused"} else now_known.state


def _hold_file(job_id: str) -> Path:
    return _place() / f"{job_id}.lock"


class RunJob:
    """One run; its methods may be called by any thread."""

    def __init__(self, record: JobRecord, base: Config) -> None:
        """Prepare a run. Raise UsageError where the request cannot be carried out."""
        self.config = configured(record.request, base)
        self.queries = queries_of(record.request, self.config)
        self.record = record
        self.progress = JobProgress()
        self.report: Report | None = None
        self._closing = False
        self._hold = JobHold(_hold_file(record.id))
        self._thread = threading.Thread(target=self._work, name=f"job-{record.id}", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._begun = threading.Event()

    @classmethod
    def new(cls, request: JobRequest, base: Config) -> RunJob:
        """Return a job that has an id of its own. Raise UsageError."""
        path = str(Path(request.folder).expanduser().absolute())
        return cls(JobRecord(id=secrets.token_hex(6), path=path, at=now(), request=request), base)

    @property
    def state(self) -> JobState:
        """The state: paused and running ones are at work."""
        if self.record.state == "running" and self.progress.paused:
            return "paused"
        return self.record.state

    @property
    def is_at_work(self) -> bool:
        """Whether the run has not ended."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin the run, and keep what was asked for. Raise StorageError: it is at work already."""
        self._hold.take()
        self._keep("running")
        self._thread.start()

    def cancel(self, *, closing: bool = False) -> None:
        """End the run gracefully; with `closing` the job stays one that can go on."""
        self._closing = self._closing or closing
        self._begun.wait(_END_S)
        if self._loop is not None and self._task is not None:
            with contextlib.suppress(RuntimeError):  # it has just ended
                self._loop.call_soon_threadsafe(self._task.cancel)

    def join(self, timeout_s: float = _END_S) -> None:
        """Wait for the end of the run."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _work(self) -> None:
        try:
            self.report = asyncio.run(self._run(self.progress))
        except BaseException as error:  # noqa: BLE001 - shown in the list of jobs
            self._failed(error)
        else:
            if not self.report.interrupted:
                self._keep("done", short=tuple(shortfalls(self.report)))
            else:
                self._keep("resumable" if self._closing else "stopped")
        finally:
            self._hold.release()
            self._begun.set()

    async def _run(self, listener: Callable[[Event], None]) -> Report:
        from pixtrawl.pipeline.feeders.run import run

        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._begun.set()
        return await run(self.queries, self.config, listener=listener)

    def _failed(self, error: BaseException) -> None:
        cause = innermost(error) if isinstance(error, BaseExceptionGroup) else error
        if isinstance(cause, asyncio.CancelledError):
            self._keep("resumable" if self._closing else "stopped")
        elif isinstance(cause, PixtrawlError):
            self._keep("failed", error=str(cause))
        else:
            self._keep("failed", error=f"an error of pixtrawl itself: {cause!r}")

    def _keep(self, state: JobState, *, error: str = "", short: Any = ()) -> None:
        self.record = msgspec.structs.replace(self.record, state=state, error=error, short=short)
        keep(self.record)
        self.progress.changes += 1


def keep(record: JobRecord) -> None:
    """Write the file of a job; where that fails, the job is only not found again."""
    file = _place() / f"{record.id}.json"
    part = file.with_suffix(".tmp")
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(msgspec.json.encode(record))
        part.replace(file)
