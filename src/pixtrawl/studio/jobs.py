"""The jobs of a studio: start, list, steer; runs begun at the shell are listed beside them."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final, Literal

from msgspec import structs

from pixtrawl.catalog import queries as stored
from pixtrawl.catalog.database import connect
from pixtrawl.catalog.views import progress as look_progress
from pixtrawl.config.groups import Config
from pixtrawl.errors import UsageError
from pixtrawl.folder.dataset_folder import Folder, in_use
from pixtrawl.operations.job import JobRecord, RunJob, keep, known_jobs, state_of
from pixtrawl.operations.job_request import JobQuery, JobRequest, require_place
from pixtrawl.pipeline.curating import deciding
from pixtrawl.studio.messages import SteerRequest, StudioError
from pixtrawl.studio.sets import known_sets
from pixtrawl.studio.sets.open_set import OpenSet

__all__ = ["SHELL", "Jobs", "addressed"]

SHELL: Final = "shell-"  # begins the id of a run that another process carries out
_APPEAR_S: Final = 20.0  # until a new data set has its catalog: decoders start first
_NEWEST: Final = 24
_LOOK_S: Final = 0.05

Steering = Literal["pause", "resume", "stop", "more"]


class Jobs:
    """The jobs of this process and those that are known; its methods may block."""

    def __init__(self, base: Config, roots: Sequence[Path] = ()) -> None:
        self.base = base
        self._roots = tuple(roots)
        self._jobs: dict[str, RunJob] = {}
        self._starting = threading.Lock()

    def start(self, request: JobRequest, open_paths: Sequence[Path]) -> RunJob:
        """Begin a run, and wait until its data set can be looked at. Raise StudioError."""
        if not request.folder.strip() or "\0" in request.folder:
            raise StudioError(400, "name the folder of the data set in `path`")
        folder = _same(Path(request.folder).expanduser().absolute(), open_paths)
        require_place(folder, self._places(open_paths))
        request = structs.replace(request, path=str(folder), set="")
        return self._begin(RunJob.new(request, self.base))

    def _places(self, open_paths: Sequence[Path]) -> list[Path]:
        places = [Path.cwd(), Path(tempfile.gettempdir()), *self._roots]
        with suppress(RuntimeError):  # a service without a home
            places.append(Path.home())
        return [*places, *(path.parent for path in open_paths), *open_paths]

    def _begin(self, job: RunJob) -> RunJob:
        folder = Folder(job.record.path)
        with self._starting:
            if in_use(folder):
                raise StudioError(409, f"a run is at work on {folder.root}; wait for its end")
            self._jobs[job.record.id] = job
            job.start()
            deadline = time.monotonic() + _APPEAR_S
            while time.monotonic() < deadline and job.is_at_work:
                if in_use(folder) and folder.exists():
                    break
                time.sleep(_LOOK_S)
        if job.record.state == "failed" and not folder.exists():
            raise StudioError(400, job.record.error)
        return job

    def listed(self, data_sets: Sequence[OpenSet]) -> list[dict[str, Any]]:
        """Return all jobs, newest first, and the runs of other processes."""
        own = {one.path for one in (job.record for job in self._jobs.values() if job.is_at_work)}
        lines = [self._shell_line(one) for one in data_sets if str(one.folder.root) not in own]
        shell = [one for one in lines if one is not None]
        listed = {one["path"] for one in shell}
        found = [self._line(record) for record in self._records()]
        # a job of another process: its run is there already, with its progress
        return shell + [
            one for one in found if one["holder"] != "shell" or one["path"] not in listed
        ]

    def unread(self) -> list[str]:
        """Return a sentence for each known job whose file cannot be read."""
        return known_jobs().unread

    def _records(self) -> list[JobRecord]:
        known = {one.id: one for one in known_jobs().jobs}
        known |= {name: job.record for name, job in self._jobs.items()}
        return sorted(known.values(), key=lambda one: one.at, reverse=True)

    def _line(self, record: JobRecord) -> dict[str, Any]:
        job = self._jobs.get(record.id)
        state = job.state if job is not None else state_of(record)
        elsewhere = job is None and state == "running"
        return {
            "id": record.id, "set": known_sets.set_id(Path(record.path)), "path": record.path,
            "holder": "shell" if elsewhere else "studio", "state": state, "since": record.at,
            "queries": [one.text for one in record.request.queries], "error": record.error,
            "short": list(record.short),
            "blocked": [] if job is None else blocked_lines(job, record.path),
        }  # fmt: skip

    def _shell_line(self, data_set: OpenSet) -> dict[str, Any] | None:
        run = data_set.run_line()
        if run is None:
            return None
        return {
            "id": f"{SHELL}{data_set.id}", "set": data_set.id, "path": str(data_set.folder.root),
            "holder": "shell", "state": "paused" if run.paused else "running", "since": run.since,
            "queries": [], "error": "", "short": [], "blocked": [],
        }  # fmt: skip

    def steer(
        self, job_id: str, action: Steering, request: SteerRequest, data_sets: Sequence[OpenSet]
    ) -> Mapping[str, Any]:
        """Pause, resume, stop or enlarge a job or a run at the shell. Raise StudioError."""
        for one in data_sets:
            if job_id == f"{SHELL}{one.id}":
                steer_run(one.folder, action, request)
                return {"job": job_id, "set": one.id, "state": "running"}
        record = next((one for one in self._records() if one.id == job_id), None)
        if record is None:
            raise StudioError(404, "there is no such job")
        job = self._jobs.get(job_id)
        if job is None and state_of(record) == "running":  # in another process
            steer_run(Folder(record.path), action, request)
            set_id = known_sets.set_id(Path(record.path))
            return {"job": job_id, "set": set_id, "state": "running"}
        if job is None or not job.is_at_work:
            job = self._again(record, action, request)
        elif action == "stop" and not request.query:
            job.cancel()
        else:
            steer_run(Folder(record.path), action, request)
        return {"job": job_id, "set": known_sets.set_id(Path(record.path)), "state": job.state}

    def _again(self, record: JobRecord, action: Steering, request: SteerRequest) -> RunJob:
        """Go on with a job that has ended or whose process died."""
        if action not in {"resume", "more"}:
            raise StudioError(409, f"this job is not at work: there is nothing to {action}")
        if action == "more":
            record = _enlarged(record, request)
        folder = Folder(record.path)
        if in_use(folder):
            raise StudioError(409, f"a run is at work on {folder.root}; wait for its end")
        return self._begin(RunJob(record, self.base))

    def open_of(self, path: Path) -> int:
        """Return how many jobs of a data set are at work or can go on."""
        open_ = {"running", "paused", "resumable"}
        return sum(one.path == str(path) and one.state in open_ for one in self._records())

    def at_work(self) -> Iterator[RunJob]:
        """Yield the jobs that this process carries out or has just ended."""
        yield from list(self._jobs.values())

    def close(self) -> None:
        """End the runs gracefully; they are listed as resumable."""
        running = [one for one in self._jobs.values() if one.is_at_work]
        for one in running:
            one.cancel(closing=True)
        for one in running:
            one.join()


def steer_run(folder: Folder, action: Steering, request: SteerRequest) -> None:
    """Write a decision on the run at work on a folder. Raise StudioError where none can take it."""
    text = str(request.query or "")
    if isinstance(request.query, int):
        with closing(connect(folder.catalog, read_only=True)) as db:
            try:
                text = stored.one(db, request.query).text
            except LookupError as error:
                raise StudioError(404, str(error)) from error
    if action == "more" and request.number is None:
        raise StudioError(400, "`more` wants `number`: how many images of each query")
    try:
        deciding.steer(folder, action, who="web", query=text, limit=request.number)
    except UsageError as error:
        raise StudioError(409, str(error)) from error


def _enlarged(record: JobRecord, request: SteerRequest) -> JobRecord:
    if request.number is None:
        raise StudioError(400, "`more` wants `number`: how many images of each query")
    asked, number = record.request, request.number
    if request.query:
        name = request.query
        rows = tuple(
            structs.replace(one, number=number) if one.text == name else one
            for one in asked.queries
        )
        changed = structs.replace(asked, queries=rows)
        if changed == asked:
            raise StudioError(404, f"the job has no query {name!r} of which it wants fewer")
    else:
        rows = tuple(JobQuery(one.text, one.label) for one in asked.queries)
        changed = structs.replace(asked, queries=rows, number=number)
    found = structs.replace(record, request=changed)
    keep(found)
    return found


def progress_data(job: RunJob, data_set: OpenSet) -> dict[str, Any]:
    """Return the data of the event `progress` of a job."""
    numbers = job.progress.numbers()
    ids = data_set.read(look_progress.query_ids)
    for row in numbers["queries"]:
        row["id"] = ids.get(row["text"])
    return {"job": job.record.id, **numbers, "newest": newest(data_set)}


def shell_progress(data_set: OpenSet) -> dict[str, Any]:
    """Return the same of a run of another process, from the catalog; it has no rate."""
    rows = data_set.read(look_progress.rows)
    job = f"{SHELL}{data_set.id}"
    return {"job": job, "queries": rows, "rate": 0, "eta_s": None, "newest": newest(data_set)}


def newest(data_set: OpenSet) -> list[str]:
    """Return the ids of the newest images, newest first."""
    return [f"s{one}" for one in data_set.read(lambda db: look_progress.newest(db, _NEWEST))]


def blocked_lines(job: RunJob, path: str) -> list[dict[str, Any]]:
    """Return the sources in trouble, with addresses of what was kept of their answers."""
    return [addressed(structs.asdict(one), path) for one in job.progress.blocked.values()]


def addressed(blocked: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return a blocked source whose files have addresses in the studio."""
    base = f"/api/sets/{known_sets.set_id(Path(path))}/evidence/"
    found = dict(blocked)
    for name in ("evidence", "screenshot"):
        if found[name]:
            found[name] = base + found[name]
    return found


def _same(folder: Path, open_paths: Sequence[Path]) -> Path:
    """Return the path by which a data set is open already: locks go by that one name."""
    resolved = folder.resolve()
    return next((path for path in open_paths if path.resolve() == resolved), folder)
