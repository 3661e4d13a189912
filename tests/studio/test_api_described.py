"""The description of the API is true of every answer, whatever is sent (schemathesis)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies
from starlette.routing import Route

import pixtrawl
from pixtrawl.studio.http.openapi import OPERATIONS
from pixtrawl.studio.serve import StudioServer
from tests.matrices import slow
from tests.optional import needs
from tests.studio.client import Client, client_of, studio_on

needs("schemathesis", reason="schemathesis is not installed")
EXAMPLES = int(os.environ.get("STUDIO_API_EXAMPLES", "3"))
ENDLESS = ("get", "/api/events")
PROBES = ("post", "/api/estimate")  # waits for sources that are not there
MODES = ("positive", "negative")
# What can be sent wrongly, a body or a query, is sent rightly and wrongly in turn.
KEPT = [MODES[at % 2 if row.body or row.query else 0] for at, row in enumerate(OPERATIONS)]
ASKED = [
    slow(row.method, row.path, mode)
    if (row.method, row.path) == PROBES or mode != kept
    else (row.method, row.path, mode)
    for row, kept in zip(OPERATIONS, KEPT, strict=True)
    if (row.method, row.path) != ENDLESS
    for mode in MODES
]
pytestmark = [
    pytest.mark.timeout(60 + 4 * EXAMPLES),
    pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning"),
]


@pytest.fixture(scope="module")
def asked(
    tmp_path_factory: pytest.TempPathFactory, original: Path
) -> Iterator[tuple[Client, dict[str, str]]]:
    """A studio whose runs find no source, and ids that are there."""
    from pixtrawl.config.load import change, registered_sources

    dead = {"set": ["bing.base_url=http://127.0.0.1:9"], "allow_address": ["127.0.0.0/8"]}
    config = change(pixtrawl.Config(), dead, known=registered_sources(), place="test")
    place = tmp_path_factory.mktemp("asked")
    shutil.copytree(original, place / "set")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)  # new data sets of random names go there
        patch.setenv("HOME", str(place))
        patch.setenv("XDG_CACHE_HOME", str(place / "cache"))
        with StudioServer(place / "set", config=config).start() as server:
            client = client_of(server)
            view = client.view()
            there = {
                "set": client.set_id, "view": view["view"], "image": client.items(view)[0]["id"],
                "job": f"shell-{client.set_id}", "name": "nothing",
            }  # fmt: skip
            yield client, there


@pytest.fixture(scope="module")
def schema(asked: tuple[Client, dict[str, str]]) -> Any:
    import schemathesis

    return schemathesis.openapi.from_dict(asked[0].get("/api/openapi.json").json())


def checks() -> list[Any]:
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks as known

    return [
        not_a_server_error, known.status_code_conformance, known.content_type_conformance,
        known.response_schema_conformance, known.negative_data_rejection,
    ]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "mode"), ASKED)
def test_answers_are_as_described_whatever_is_sent(
    schema: Any, asked: tuple[Client, dict[str, str]], method: str, path: str, mode: str
) -> None:
    client, there = asked
    operation = schema[path][method]
    if mode == "negative" and not (operation.body or operation.query):
        pytest.skip("nothing of this request can be wrong but its address")
    import schemathesis

    wanted = schemathesis.GenerationMode(mode)
    own = {name: value for name, value in there.items() if f"{{{name}}}" in path}
    made = operation.as_strategy(generation_mode=wanted, path_parameters=own or None)
    if mode == "positive" and own:  # also of addresses where nothing is
        made = strategies.one_of(made, made, operation.as_strategy(generation_mode=wanted))

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=EXAMPLES < 10,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=made)
    def send(case: Any) -> None:
        response = case.call(
            base_url=f"http://127.0.0.1:{client.port}",
            headers={"Cookie": client.cookie},
            timeout=60,
        )
        case.validate_response(response, checks=checks())

    send()


def test_every_route_is_described_and_nothing_else() -> None:
    from pixtrawl.studio.http.app import studio_app

    class Nobody:
        pass

    routes = {
        (method.lower(), route.path)
        for route in studio_app(Nobody()).routes  # type: ignore[arg-type]
        if isinstance(route, Route) and route.path.startswith("/api/")
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert routes == {(one.method, one.path) for one in OPERATIONS}


def test_the_description_is_for_the_holder_of_the_cookie(root: Path) -> None:
    with studio_on(root) as client:
        reply = client.get("/api/openapi.json")
        assert reply.headers["content-type"] == "application/json"
        assert reply.json()["components"]["schemas"]["DecisionRequest"]["properties"]["action"]
        assert client.get("/api/openapi.json", headers={"Cookie": None}).status == 401
