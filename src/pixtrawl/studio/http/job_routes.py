"""The HTTP interface of jobs: sources, estimate, start, list, steer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pixtrawl.operations.job_request import JobRequest, configured, queries_of
from pixtrawl.operations.source_choice import source_choices
from pixtrawl.studio.http.bodies import answer, read_body
from pixtrawl.studio.jobs import Steering
from pixtrawl.studio.messages import SteerRequest
from pixtrawl.studio.studio import Studio

__all__ = ["job_routes"]

Endpoint = Callable[[Request], Awaitable[Response]]
MakeRoute = Callable[[str, Endpoint], Route]
_STEERING: tuple[Steering, ...] = ("pause", "resume", "stop", "more")


def job_routes(get: MakeRoute, post: MakeRoute) -> list[Route]:
    """Return the routes, made by the functions that also turn errors into answers."""
    return [
        get("/api/sources", _sources),
        post("/api/estimate", _estimate),
        get("/api/jobs", _jobs),
        post("/api/jobs", _start),
        *(post(f"/api/jobs/{{job}}/{one}", partial(_steer, action=one)) for one in _STEERING),
    ]


def _studio(request: Request) -> Studio:
    found: Studio = request.app.state.studio
    return found


async def _sources(request: Request) -> Response:
    studio = _studio(request)
    found = await studio.run(lambda: source_choices(studio.jobs.base.sources))
    return answer({"sources": found})


async def _estimate(request: Request) -> Response:
    from pixtrawl.operations.probe import forecast

    studio = _studio(request)
    wanted = await read_body(request, JobRequest)

    def prepared() -> tuple[list[object], object]:
        config = configured(wanted, studio.jobs.base)
        return list(queries_of(wanted, config)), config

    queries, config = await studio.run(prepared)
    return answer(await studio.run(lambda: forecast(queries, config)))  # type: ignore[arg-type]


async def _jobs(request: Request) -> Response:
    studio = _studio(request)
    found = await studio.run(lambda: studio.jobs.listed(studio.open_sets()))
    return answer({"jobs": found, "unread": await studio.run(studio.jobs.unread)})


async def _start(request: Request) -> Response:
    studio = _studio(request)
    wanted = await read_body(request, JobRequest)
    job = await studio.run(lambda: studio.jobs.start(wanted, studio.known()))
    opened = await studio.run(lambda: studio.open(Path(job.record.path)))
    return answer({"job": job.record.id, "set": opened.id})


async def _steer(request: Request, *, action: Steering) -> Response:
    studio = _studio(request)
    wanted = await read_body(request, SteerRequest)
    key = request.path_params["job"]
    done = await studio.run(lambda: studio.jobs.steer(key, action, wanted, studio.open_sets()))
    return answer(done)
