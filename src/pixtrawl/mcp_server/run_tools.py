"""Tools about runs: sources, estimate, start_job, job_status, stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from mcp.server.mcpserver import Context, Elicit, ElicitationResult, Resolve
from mcp.server.mcpserver.exceptions import ToolError
from msgspec import Struct
from pydantic import Field

from pixtrawl.amounts import size
from pixtrawl.catalog.database import connect
from pixtrawl.catalog.views import progress as look_progress
from pixtrawl.config.groups import Config
from pixtrawl.errors import UsageError
from pixtrawl.folder.dataset_folder import Folder, in_use
from pixtrawl.mcp_server.consent import Consent, ask, refusal
from pixtrawl.mcp_server.server_state import ServerState, as_tool_errors, state_of_call
from pixtrawl.mcp_server.untrusted import NOTE, capped, marked
from pixtrawl.model import Query
from pixtrawl.operations.detached_job import start_detached
from pixtrawl.operations.job import JobRecord, find_job, state_of
from pixtrawl.operations.job_request import (
    FILTERS,
    JobQuery,
    JobRequest,
    configured,
    queries_of,
    require_place,
)
from pixtrawl.operations.source_choice import source_choices
from pixtrawl.pipeline.curating import deciding

__all__ = ["estimate", "job_status", "sources", "start_job", "stop"]

MOST_WAIT_S: Final = 50  # clients give a call up after a minute
_MOST_JOBS_TOLD: Final = 20
_MOST_QUERIES: Final = 200
_LOOK_S: Final = 0.25
_COUNT_S: Final = 2.0
_STOP_S: Final = 20.0  # a run that has just begun cannot be stopped before its catalog is there

Queries = Annotated[list[str], Field(description="Search words, one query each; also the labels")]
CsvList = Annotated[
    str, Field(description="Instead of queries: the text of a CSV list (query,label,limit)")
]
Sources = Annotated[
    list[str], Field(description="Names from the tool `sources`, or groups; empty: the default")
]
Number = Annotated[int, Field(ge=1, description="Images wanted for each query")]
Purpose = Literal["train", "search"]
FilterTable = Annotated[
    dict[str, str], Field(description=f"Any of {', '.join(sorted(FILTERS))}; min_size as WxH")
]
FolderName = Annotated[
    str, Field(description="Folder of the data set, in the folders of this server")
]


@as_tool_errors
def sources(ctx: Context[Any, Any]) -> dict[str, Any]:
    """List where pictures can be searched for: what each source needs, may and costs."""
    rows = source_choices(state_of_call(ctx).config.sources)
    shown = ("name", "title", "sentence", "ready", "missing", "groups", "may", "costs", "filters")
    ready = [one for one in rows if one["ready"]]
    lacking = [one for one in rows if not one["ready"]]
    return {
        "sources": [{name: one[name] for name in shown if one[name]} for one in ready],
        "not_ready": [{"name": one["name"], "missing": one["missing"]} for one in lacking],
    }


class StartPlan(Struct, frozen=True):
    """A checked request: what would be run, where, and for how many images."""

    request: JobRequest
    config: Config
    queries: tuple[Query, ...]
    images: int


def _checked(state: ServerState, request: JobRequest) -> StartPlan:
    """Check a request against the limits. Raise UsageError."""
    limits = state.limits
    base = state.config.job
    most_bytes = min(base.max_total_bytes or limits.most_bytes, limits.most_bytes)
    config = replace(state.config, job=replace(base, max_total_bytes=most_bytes))
    queries = queries_of(request, configured(request, config))
    if any(one.limit is None for one in queries):
        raise UsageError("each query needs a number of images; 'all' is not possible here")
    images = sum(one.limit or 0 for one in queries)
    if images > limits.most_images or len(queries) > _MOST_QUERIES:
        raise UsageError(
            f"this asks for {images:,} images by {len(queries):,} queries; the limit of this "
            f"server is {limits.most_images:,} images and {_MOST_QUERIES} queries for a job: ask "
            "for fewer, or have the person start it with --most-images N"
        )
    return StartPlan(request, config, tuple(queries), images)


def _request(
    queries: Sequence[str], number: int, given: dict[str, Any], path: str = ""
) -> JobRequest:
    rows = tuple(JobQuery(one) for one in queries)
    return JobRequest(queries=rows, number=number, path=path, **given)


@as_tool_errors
def estimate(  # noqa: PLR0913 - arguments of a tool
    *,
    queries: Queries = [],  # noqa: B006 - read only; its schema shows the default
    csv: CsvList = "",
    number: Number = 100,
    sources: Sources = [],  # noqa: B006
    filters: FilterTable = {},  # noqa: B006
    folder: FolderName = "",
    ctx: Context[Any, Any],
) -> dict[str, Any]:
    """Estimate time, bytes, requests by host and yield of a run, without downloading a picture.

    Asks the sources of the first query for some 20 results, or takes earlier runs on the folder.
    """
    from pixtrawl.operations.probe import forecast

    state = state_of_call(ctx)
    path = str(state.limits.path(folder)) if folder else ""
    given = {"csv": csv, "sources": tuple(sources), "filters": filters}
    plan = _checked(state, _request(queries, number, given, path))
    found = forecast(plan.queries, configured(plan.request, plan.config))
    return {**found, "limits": _limits(state)}


def _limits(state: ServerState) -> dict[str, Any]:
    limits = state.limits
    return {
        "images_a_job": limits.most_images, "bytes_a_job": limits.most_bytes,
        "jobs_at_once": limits.most_jobs, "folders": [str(one) for one in limits.roots],
    }  # fmt: skip


@as_tool_errors
def plan_start(  # noqa: PLR0913
    queries: list[str],
    csv: str,
    number: int,
    folder: str,
    sources: list[str],
    filters: dict[str, str],
    purpose: str,
    ctx: Context[Any, Any],
) -> StartPlan:
    """Check the request of `start_job`. Raise ToolError."""
    state = state_of_call(ctx)
    path = state.limits.path(folder)
    require_place(path, state.limits.roots)
    given = {
        "csv": csv, "sources": tuple(sources), "filters": filters, "purpose": purpose,
    }  # fmt: skip
    plan = _checked(state, _request(queries, number, given, str(path)))
    if in_use(Folder(path)):
        raise UsageError(f"a run is at work on {path}; see job_status")
    return plan


def ask_start(
    plan: Annotated[StartPlan, Resolve(plan_start)], ctx: Context[Any, Any]
) -> Elicit[Consent] | Consent | str:
    """Ask whether the run may start."""
    words = ", ".join(f'"{capped(one.text, 60)}"' for one in plan.queries[:5])
    more = f" and {len(plan.queries) - 5} more" if len(plan.queries) > 5 else ""
    asked = ", ".join(plan.request.sources) or "the default sources"
    most = size(float(plan.config.job.max_total_bytes or 0))
    return ask(
        ctx,
        f"Download up to {plan.images:,} images (at most {most}) for {words}{more} from {asked} "
        f"into {plan.request.path}?",
    )


@as_tool_errors
def start_job(  # noqa: PLR0913 - arguments of a tool
    *,
    folder: FolderName,
    queries: Queries = [],  # noqa: B006
    csv: CsvList = "",
    number: Number = 100,
    sources: Sources = [],  # noqa: B006
    filters: FilterTable = {},  # noqa: B006
    purpose: Annotated[
        Purpose, Field(description="The use of the pictures that owners' preferences are read for")
    ] = "train",
    plan: Annotated[StartPlan, Resolve(plan_start)],
    consent: Annotated[ElicitationResult[Consent], Resolve(ask_start)],
    ctx: Context[Any, Any],
) -> dict[str, Any]:
    """Start finding and downloading images into a data set folder, and return at once.

    The person is asked first. The job goes on when this client ends; job_status finds it again. The
    same call on the same folder goes on with what is not complete.
    """
    no = refusal(consent)
    if no is not None:
        return no
    state = state_of_call(ctx)
    with state.starting:
        state.started = [one for one in state.started if not one.has_ended]
        at_work = [one for one in state.limits.jobs() if state_of(one) == "running"]
        if len(at_work) >= state.limits.most_jobs:
            raise UsageError(
                f"{len(at_work)} jobs are at work, which is the limit of this server: wait for one "
                f"(job_status) or stop one: {', '.join(one.id for one in at_work)}"
            )
        job = start_detached(plan.request, plan.config)
        state.started.append(job)
    return {
        "done": True, "job": job.record.id, "folder": job.record.path, "state": "running",
        "wanted": plan.images,
        "next_step": f"call job_status with job={job.record.id!r} and wait_s=30 now and then",
    }  # fmt: skip


async def job_status(
    *,
    job: Annotated[str, Field(description="Id of a job; empty: list the jobs of all clients")] = "",
    wait_s: Annotated[
        int, Field(ge=0, le=MOST_WAIT_S, description="Seconds to wait for the end of the job")
    ] = 20,
    ctx: Context[Any, Any],
) -> dict[str, Any]:
    """Tell how far a job is, after waiting up to wait_s seconds (50 at most) for its end."""
    state = state_of_call(ctx)
    if not job:
        found = await asyncio.to_thread(lambda: state.limits.jobs()[:_MOST_JOBS_TOLD])
        return {"jobs": [_line(one) for one in found]}
    record = _job(state, job)
    deadline = time.monotonic() + min(max(wait_s, 0), MOST_WAIT_S)
    counted_at = reported = 0.0
    while (left := deadline - time.monotonic()) > 0:
        if await asyncio.to_thread(state_of, record) != "running":
            break
        if time.monotonic() - counted_at >= _COUNT_S:
            rows = await asyncio.to_thread(_rows, record)
            saved = sum(one["saved"] for one in rows)
            if saved > reported:  # progress may only grow
                reported = saved
                await ctx.report_progress(saved, sum(one["wanted"] or 0 for one in rows) or None)
            counted_at = time.monotonic()
        await asyncio.sleep(min(_LOOK_S, left))
    return await asyncio.to_thread(_status, record)


def _job(state: ServerState, job_id: str) -> JobRecord:
    record = find_job(job_id)
    if record is None or not state.limits.allows(Path(record.path)):
        raise ToolError(
            f"there is no job {capped(job_id, 40)!r}; job_status without one lists them"
        )
    return record


def _line(record: JobRecord) -> dict[str, Any]:
    queries = [capped(one.text, 60) for one in record.request.queries[:5]]
    return {
        "job": record.id, "folder": record.path, "state": state_of(record), "since": record.at,
        "queries": queries,
    }  # fmt: skip


def _rows(record: JobRecord) -> list[dict[str, Any]]:
    """Return the counts of each query; none where the data set has no catalog yet."""
    folder = Folder(record.path)
    if not folder.exists():
        return []
    with closing(connect(folder.catalog, read_only=True)) as db:
        return look_progress.rows(db)


def _status(record: JobRecord) -> dict[str, Any]:
    state = state_of(record)
    record = find_job(record.id) or record
    counts = ("wanted", "saved", "found", "duplicates", "refused", "failed")
    status: dict[str, Any] = {
        **_line(record), "state": state,
        "queries": [
            {"query": capped(one["text"], 60), **{name: one[name] for name in counts}}
            for one in _rows(record)[:_MOST_QUERIES]
        ],
    }  # fmt: skip
    if record.short and state != "running":
        status["short"] = [
            {"query": capped(one["query"], 60), **marked(why=one["why"]),
             "next_step": capped(one["next_step"])}
            for one in record.short[:_MOST_QUERIES]
        ]  # fmt: skip
        status["note"] = NOTE
    if record.error:
        status["error"] = capped(record.error, 500)
    status["next_step"] = _NEXT[state]
    return status


_NEXT: Final = {
    "running": "call job_status again, or look at what is there already",
    "paused": "call job_status again",
    "done": "look at the images and reject what does not belong; start_job again refills; export",
    "stopped": "start_job with the same folder and queries goes on",
    "resumable": "its process ended before it was done: start_job with the same folder and queries "
    "goes on",
    "failed": "read `error`; start_job with the same folder and queries tries again",
}


@as_tool_errors
def stop(
    *, job: Annotated[str, Field(description="Id of a job")], ctx: Context[Any, Any]
) -> dict[str, Any]:
    """Stop a job. What was saved stays, and start_job with the same arguments goes on."""
    record = _job(state_of_call(ctx), job)
    deadline = time.monotonic() + _STOP_S
    while state_of(record) == "running":
        try:
            deciding.steer(Folder(record.path), "stop", who="mcp")
        except UsageError:  # it has not begun yet, or has just ended
            if time.monotonic() > deadline:
                raise
            time.sleep(_LOOK_S)
            continue
        return {"done": True, "job": job, "next_step": "call job_status to see it end"}
    return {"done": False, "job": job, "state": state_of(record), "next_step": "it is not at work"}
