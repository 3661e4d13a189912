"""Every registered source that speaks HTTP, against every kind of answer, over real sockets.

The answers are synthetic: they follow the documented form of each source.
"""

from __future__ import annotations

import asyncio
import socket

import pytest
from tests.matrices import crossed, sample
from tests.sources.conftest import Server
from tests.sources.synthetic_answers import ANSWERS

from pixtrawl import sources
from pixtrawl.config.groups import Fetch
from pixtrawl.model import Query, SourceOutcome
from pixtrawl.net import source_http
from pixtrawl.net.client import Client
from pixtrawl.net.source_http import SourceHttp
from pixtrawl.sources.base import Source
from pixtrawl.sources.contract import Ending, ask

# Not sources of an HTTP search: a browser, the user's own file, pages that the query names.
ELSEWHERE = {"google", "urls", "page"}
NAMES = sorted(
    name
    for name in sources.available()
    if name not in ELSEWHERE and sources.load(name).__module__.startswith("pixtrawl.")
)
WITH_QUOTA = [name for name in NAMES if getattr(sources.load(name), "has_quota", False)]


def made(name: str, base: str) -> Source:
    """The source, pointed to a server, with a key where it wants one."""
    cls = sources.load(name)
    keys = {setting.key for setting in cls.info.settings}
    given = {need: "key-for-tests-1234" for need in cls.info.needs if need in keys}
    given["url" if "url" in given else "base_url"] = base
    return cls(given)


def asked(name: str, base: str, text: str = "tabby cat") -> Ending:
    async def asking() -> Ending:
        client = Client(Fetch(allow_address=("127.0.0.0/8",)))
        source = made(name, base)
        try:
            return await ask(source, SourceHttp(client), Query(text, "cat", 100), max_pages=3)
        finally:
            await source.aclose()
            await client.aclose()

    return asyncio.run(asking())


@pytest.fixture(autouse=True)
def _no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_http, "_AGAIN_AFTER_S", 0.0)


def test_no_source_is_left_out() -> None:
    assert set(NAMES) == set(ANSWERS)


@pytest.mark.parametrize("name", NAMES)
def test_results_are_read(server: Server, name: str) -> None:
    ending = asked(name, f"{server.url}/ok/{name}")
    assert ending.outcome is SourceOutcome.OK
    assert len(ending.candidates) >= 1
    assert ending.candidates[0].source == name


@pytest.mark.parametrize("name", sample(NAMES, 2))
def test_nothing_found_is_no_results_only_when_the_source_says_so(
    server: Server, name: str
) -> None:
    ending = asked(name, f"{server.url}/nothing/{name}")
    assert ending.outcome is SourceOutcome.NO_RESULTS
    assert not ending.candidates


@pytest.mark.parametrize("name", sample(NAMES, 2, 1))
def test_a_page_that_nobody_knows_is_changed_and_kept(server: Server, name: str) -> None:
    ending = asked(name, f"{server.url}/changed/{name}")
    assert ending.outcome is SourceOutcome.CHANGED
    assert any(b"<figure>" in page for page in ending.evidence.values())


@pytest.mark.parametrize(("name", "kind"), crossed(NAMES, ["rate_limit", "forbidden"]))
def test_a_refusal_is_told_by_its_kind_after_one_request(
    server: Server, name: str, kind: str
) -> None:
    ending = asked(name, f"{server.url}/{kind}/{name}")
    assert ending.outcome is SourceOutcome.BLOCKED
    assert ending.stop is not None
    assert ending.stop.detail["kind"] == kind
    assert len(server.asked) == 1
    assert ending.evidence


@pytest.mark.parametrize("name", sample(NAMES, 2))
def test_a_failing_server_is_a_network_error(server: Server, name: str) -> None:
    assert asked(name, f"{server.url}/broken/{name}").outcome is SourceOutcome.NETWORK_ERROR


@pytest.mark.parametrize("name", sample(NAMES, 2, 1))
def test_a_server_that_is_not_there_is_a_network_error(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    ending = asked(name, f"http://127.0.0.1:{port}")
    assert ending.outcome is SourceOutcome.NETWORK_ERROR


@pytest.mark.parametrize("name", WITH_QUOTA)
def test_a_used_up_allowance_is_a_quota(server: Server, name: str) -> None:
    ending = asked(name, f"{server.url}/quota/{name}")
    assert ending.outcome is SourceOutcome.QUOTA
    assert ending.stop is not None
    assert ending.stop.detail["next_step"]


@pytest.mark.parametrize(
    ("name", "wall"), crossed(NAMES, ["captcha", "challenge", "login", "js_wall"])
)
def test_a_wall_is_a_block_of_its_kind_and_kept(server: Server, name: str, wall: str) -> None:
    ending = asked(name, f"{server.url}/{wall}/{name}")
    assert ending.outcome is SourceOutcome.BLOCKED
    assert ending.stop is not None
    assert ending.stop.detail["kind"] == ("captcha" if wall == "challenge" else wall)
    assert ending.evidence
