"""The HTTP interface of the studio: routes, and how answers and errors are written."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial, wraps
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from pixtrawl.errors import PixtrawlError, UsageError
from pixtrawl.studio.http import looking
from pixtrawl.studio.http.access import json_error
from pixtrawl.studio.http.bodies import answer, read_body
from pixtrawl.studio.http.details import charts, detail, empty_quarantine, groups, progress
from pixtrawl.studio.http.job_routes import job_routes
from pixtrawl.studio.http.pictures import evidence, picture, thumb
from pixtrawl.studio.http.static import ENTER, page_file
from pixtrawl.studio.messages import (
    DecisionRequest,
    EmptyRequest,
    SetPathRequest,
    StudioError,
    ViewRequest,
)
from pixtrawl.studio.sets import decisions
from pixtrawl.studio.studio import Studio

__all__ = ["studio_app"]

T = TypeVar("T")
Endpoint = Callable[[Request], Awaitable[Response]]


def studio_app(studio: Studio) -> Starlette:
    """Return the application, without the checks of `access`."""
    one = "/api/sets/{set}"
    routes = [
        *_page_routes(),
        _get("/api/openapi.json", _openapi),
        _get("/api/state", _state),
        _post("/api/sets", _open),
        _get(one, _summary),
        _get(f"{one}/progress", _progress),
        _post(f"{one}/views", _view),
        _get(f"{one}/views/{{view}}", _items),
        _get(f"{one}/views/{{view}}/find", _find),
        _get(f"{one}/thumbs/{{image}}", thumb),
        _get(f"{one}/pictures/{{image}}", picture),
        _get(f"{one}/images/{{image}}", _detail),
        _post(f"{one}/decisions", _decide),
        _post(f"{one}/undo", partial(_undo, redo=False)),
        _post(f"{one}/redo", partial(_undo, redo=True)),
        _get(f"{one}/groups/{{view}}", _groups),
        _get(f"{one}/charts", _charts),
        _get(f"{one}/check", _check),
        _post(f"{one}/check/stop", _stop_check),
        _get(f"{one}/map", _map),
        _post(f"{one}/quarantine/empty", _empty),
        _get(f"{one}/evidence/{{name}}", evidence),
        _get("/api/events", _events),
        *job_routes(_get, _post),
    ]

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await studio.begin()
        try:
            yield
        finally:
            await studio.aclose()

    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers=_HANDLERS)
    app.state.studio = studio
    return app


def _page_routes() -> list[Route]:
    async def index(request: Request) -> Response:
        return page_file("index.html")

    async def enter(request: Request) -> Response:
        return Response(ENTER, media_type="text/javascript")

    async def static(request: Request) -> Response:
        return page_file(request.path_params["path"])

    return [_get("/", index), _get("/enter.js", enter), _get("/static/{path:path}", static)]


def _get(path: str, endpoint: Endpoint) -> Route:
    return Route(path, _with_error_answers(endpoint), methods=["GET"])


def _post(path: str, endpoint: Endpoint) -> Route:
    return Route(path, _with_error_answers(endpoint), methods=["POST"])


def _with_error_answers(endpoint: Endpoint) -> Endpoint:
    """Turn errors on purpose into answers with one sentence."""

    @wraps(endpoint)
    async def checked(request: Request) -> Response:
        try:
            return await endpoint(request)
        except StudioError as problem:
            return json_error(problem.status, problem.sentence, **problem.more)
        except UsageError as error:
            return json_error(400, str(error))
        except PixtrawlError as error:
            return json_error(503, str(error))

    return checked


async def _not_found(request: Request, error: Exception) -> Response:
    return json_error(404, "there is nothing at this address")


async def _wrong_method(request: Request, error: Exception) -> Response:
    return json_error(405, "this address does not take that method")


async def _failed(request: Request, error: Exception) -> Response:
    return json_error(500, f"an error of pixtrawl itself, please report it: {error!r}")


_HANDLERS: Final = {404: _not_found, 405: _wrong_method, 500: _failed}


def _number(request: Request, name: str, default: int, most: int = 2**31) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 12 and int(text) <= most):
        raise StudioError(400, f"{name} is a whole number up to {most}")
    return int(text)


def _studio(request: Request) -> Studio:
    found: Studio = request.app.state.studio
    return found


async def _openapi(request: Request) -> Response:
    from pixtrawl.studio.http.openapi import description

    return Response(description(), media_type="application/json")


async def _state(request: Request) -> Response:
    studio = _studio(request)
    return answer(await studio.run(studio.state))


async def _open(request: Request) -> Response:
    given = await read_body(request, SetPathRequest)
    if not given.path.strip() or "\0" in given.path:
        raise StudioError(400, "name the folder of a data set")
    studio = _studio(request)
    found = await studio.run(lambda: studio.open(Path(given.path).expanduser()))
    return answer({"id": found.id})


async def _summary(request: Request) -> Response:
    studio = _studio(request)
    return answer(
        await studio.run(lambda: looking.summary(studio.require(request.path_params["set"])))
    )


async def _view(request: Request) -> Response:
    studio = _studio(request)
    wanted = await read_body(request, ViewRequest)
    key = request.path_params["set"]
    return answer(await studio.run(lambda: looking.view(studio.require(key), wanted)))


async def _items(request: Request) -> Response:
    start, count = _number(request, "start", 0), _number(request, "count", 100, looking.MOST_ITEMS)
    return answer(await _of_view(request, lambda one, v: looking.page(one, v, start, count)))


async def _find(request: Request) -> Response:
    number = _number(request, "number", 0)
    index = await _of_view(request, lambda one, view: looking.index_of(one, view, number))
    if index is None:
        raise StudioError(404, f"no image {number} in this view")
    return answer({"index": index})


async def _groups(request: Request) -> Response:
    start, count = _number(request, "start", 0), _number(request, "count", 20, looking.MOST_ITEMS)
    return answer(await _of_view(request, lambda one, view: groups(one, view, start, count)))


async def _of_view(request: Request, work: Callable[..., T]) -> T:
    studio = _studio(request)
    key, view = request.path_params["set"], request.path_params["view"]

    def read() -> T:
        data_set = studio.require(key)
        return work(data_set, data_set.views.require(view))

    return await studio.run(read)


async def _detail(request: Request) -> Response:
    studio = _studio(request)
    key, image = request.path_params["set"], request.path_params["image"]
    return answer(await studio.run(lambda: detail(studio.require(key), image)))


async def _charts(request: Request) -> Response:
    studio = _studio(request)
    return answer(await studio.run(lambda: charts(studio.require(request.path_params["set"]))))


async def _check(request: Request) -> Response:
    from pixtrawl.studio.sets.checks import check_answer

    studio = _studio(request)
    again = request.query_params.get("again") == "1"
    key = request.path_params["set"]
    return answer(await studio.run(lambda: check_answer(studio.require(key), again=again)))


async def _progress(request: Request) -> Response:
    studio, key = _studio(request), request.path_params["set"]
    return answer(await studio.run(lambda: progress(studio.require(key))))


async def _stop_check(request: Request) -> Response:
    from pixtrawl.studio.sets.checks import stop_check

    studio = _studio(request)
    key = request.path_params["set"]
    await read_body(request, dict[str, msgspec.Raw])
    return answer(await studio.run(lambda: stop_check(studio.require(key))))


async def _map(request: Request) -> Response:
    from pixtrawl.studio.similarity.maps import map_answer

    studio = _studio(request)
    key, view = request.path_params["set"], request.query_params.get("view", "")
    return answer(await studio.run(lambda: map_answer(studio.require(key), view)))


async def _decide(request: Request) -> Response:
    studio = _studio(request)
    wanted = await read_body(request, DecisionRequest)
    key = request.path_params["set"]
    return answer(await studio.run(lambda: decisions.decide(studio.require(key), wanted)))


async def _undo(request: Request, *, redo: bool) -> Response:
    studio = _studio(request)
    await read_body(request, dict[str, msgspec.Raw])
    key = request.path_params["set"]
    return answer(await studio.run(lambda: decisions.undo(studio.require(key), redo=redo)))


async def _empty(request: Request) -> Response:
    studio = _studio(request)
    wanted = await read_body(request, EmptyRequest)
    key = request.path_params["set"]
    return answer(await studio.run(lambda: empty_quarantine(studio.require(key), wanted)))


async def _events(request: Request) -> Response:
    studio = _studio(request)
    given = request.headers.get("last-event-id", "")
    last = int(given) if given.isascii() and given.isdigit() and len(given) < 16 else None
    data_set = request.query_params.get("set", "")
    if data_set:
        await studio.run(lambda: studio.require(data_set))
    return StreamingResponse(studio.events.stream(data_set, last), media_type="text/event-stream")
