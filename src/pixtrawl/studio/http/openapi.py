"""The description of the studio's API in the form of OpenAPI 3.1, made from its message types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

import msgspec
from msgspec import Struct

from pixtrawl import __version__
from pixtrawl.operations.job_request import JobRequest
from pixtrawl.studio import messages
from pixtrawl.studio.http import answers
from pixtrawl.studio.sets.thumbs import SIZES_PX

__all__ = ["OPERATIONS", "ApiOperation", "description"]

_WHOLE: Final = {"type": "integer", "minimum": 0, "maximum": 2**31}
_START: Final = {"start": _WHOLE}
_TEXT: Final = {"type": "string"}
_COUNT: Final = {"type": "integer", "minimum": 0, "maximum": 500}
_PATH_PATTERNS: Final = {
    "set": "^[0-9a-f]{12}$", "view": "^[0-9a-f]{16}$", "image": "^[sc][0-9]{1,10}$",
    "job": "^(shell-)?[0-9a-f]{12}$", "name": "^[^/]+$",
}  # fmt: skip
_ACCESS: Final = (
    "The API of one running studio, for its own page. Every request needs the cookie that the "
    "address with the token sets, and must name this server as its host and origin; bodies are "
    "application/json. It may change with each version."
)


class ApiOperation(Struct, frozen=True, kw_only=True):
    """One operation; `query` has the schema of each parameter, `media` the types of no JSON."""

    method: str
    path: str
    summary: str
    answer: Any = None
    body: Any = None
    query: Mapping[str, Mapping[str, Any]] = {}
    media: Sequence[str] = ()


def _get(path: str, summary: str, answer: Any = None, **more: Any) -> ApiOperation:
    return ApiOperation(method="get", path=path, summary=summary, answer=answer, **more)


def _post(path: str, summary: str, body: Any, answer: Any) -> ApiOperation:
    return ApiOperation(method="post", path=path, summary=summary, body=body, answer=answer)


_SET: Final = "/api/sets/{set}"
_PICTURE: Final = ("image/jpeg", "image/png", "image/webp", "image/gif", "image/avif")
_NOTHING: Final = Mapping[str, Any]
OPERATIONS: Final = (
    _get("/api/openapi.json", "This description", _NOTHING),
    _get("/api/state", "The known data sets", messages.StudioState),
    _get("/api/events", "Server-sent events", media=("text/event-stream",), query={"set": _TEXT}),
    _get("/api/sources", "Where can be searched", answers.SourcesAnswer),
    _get("/api/jobs", "All jobs, and runs of other processes", answers.JobsAnswer),
    _post("/api/estimate", "Estimate a run", JobRequest, answers.EstimateAnswer),
    _post("/api/jobs", "Start a run", JobRequest, answers.StartedJob),
    *(
        _post(f"/api/jobs/{{job}}/{one}", sentence, messages.SteerRequest, answers.SteeredJob)
        for one, sentence in (
            ("pause", "Pause a job or a query"), ("resume", "Go on"),
            ("stop", "Stop a job or a query"), ("more", "Find more images"),
        )
    ),
    _post("/api/sets", "Open a folder", messages.SetPathRequest, answers.OpenedSet),
    _get(_SET, "The summary of a data set", messages.SetSummary),
    _get(f"{_SET}/progress", "What became of what was found, by query", answers.ProgressAnswer),
    _post(f"{_SET}/views", "Make a view", messages.ViewRequest, messages.ViewAnswer),
    _get(
        f"{_SET}/views/{{view}}", "A range of a view", messages.ItemPage,
        query={**_START, "count": _COUNT},
    ),
    _get(
        f"{_SET}/views/{{view}}/find", "The place of a number in a view", answers.IndexAnswer,
        query={"number": _WHOLE},
    ),
    _get(
        f"{_SET}/groups/{{view}}", "Groups of like images", Sequence[answers.GroupAnswer],
        query={**_START, "count": _COUNT},
    ),
    _get(f"{_SET}/images/{{image}}", "Everything known of an image", answers.ImageAnswer),
    _get(
        f"{_SET}/thumbs/{{image}}", "A thumbnail", media=("image/webp",),
        query={"px": {"type": "integer", "enum": list(SIZES_PX[:2])}, "v": _TEXT},
    ),
    _get(f"{_SET}/pictures/{{image}}", "The picture", media=_PICTURE, query={"v": _TEXT}),
    _get(
        f"{_SET}/evidence/{{name}}", "What was kept of a source's answer",
        media=("text/plain", *_PICTURE),
    ),
    _get(f"{_SET}/charts", "Counts, with the filter of each bar", answers.SetCharts),
    _get(
        f"{_SET}/check", "The class check; again=1 makes it anew", answers.CheckAnswer,
        query={"again": _TEXT},
    ),
    _post(f"{_SET}/check/stop", "End the class check at work", _NOTHING, answers.CheckAnswer),
    _get(
        f"{_SET}/map", "Places of the images of a view on the map", answers.MapAnswer,
        query={"view": _TEXT},
    ),
    _post(
        f"{_SET}/decisions", "Decide on images", messages.DecisionRequest, messages.DecisionAnswer
    ),
    _post(f"{_SET}/undo", "Take the last decision back", _NOTHING, messages.DecisionAnswer),
    _post(f"{_SET}/redo", "Take the last undo back", _NOTHING, messages.DecisionAnswer),
    _post(
        f"{_SET}/quarantine/empty", "Delete what is kept aside", messages.EmptyRequest,
        answers.FreedAnswer,
    ),
)  # fmt: skip


@cache
def description() -> bytes:
    """Return the description as JSON."""
    types = [one for row in OPERATIONS for one in (row.answer, row.body) if one is not None]
    types.append(answers.ApiError)
    found, components = msgspec.json.schema_components(
        types, ref_template="#/components/schemas/{name}"
    )
    schemas = iter(found)
    paths: dict[str, dict[str, Any]] = {}
    for row in OPERATIONS:
        answer = next(schemas) if row.answer is not None else None
        body = next(schemas) if row.body is not None else None
        paths.setdefault(row.path, {})[row.method] = _operation(row, answer, body)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": "pixtrawl studio", "version": __version__, "description": _ACCESS},
            "paths": paths,
            "components": {"schemas": components},
        }
    )


def _operation(row: ApiOperation, answer: Any, body: Any) -> dict[str, Any]:
    content: dict[str, Any] = {kind: {} for kind in row.media}
    if answer is not None:
        content["application/json"] = {"schema": answer}
    refusal = {"schema": {"$ref": "#/components/schemas/ApiError"}}
    found: dict[str, Any] = {
        "summary": row.summary,
        "operationId": f"{row.method}{row.path.removeprefix('/api').replace('/', '_')}",
        "responses": {
            "200": {"description": row.summary, "content": content},
            "4XX": {"description": "Refused", "content": {"application/json": refusal}},
            "503": {"description": "Not possible now", "content": {"application/json": refusal}},
        },
    }
    parameters = [*_path_parameters(row.path), *_query_parameters(row)]
    if parameters:
        found["parameters"] = parameters
    if body is not None:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return found


def _path_parameters(path: str) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [
        {
            "name": name, "in": "path", "required": True,
            "schema": {"type": "string", "pattern": _PATH_PATTERNS[name]},
        }
        for name in names
    ]  # fmt: skip


def _query_parameters(row: ApiOperation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "required": False, "schema": schema}
        for name, schema in row.query.items()
    ]
