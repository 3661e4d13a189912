"""Which resources a tab does not load."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pixtrawl.playground.messages import ServerRequest, ServerResponse
from pixtrawl.playground.server import RequestLog, Server

if TYPE_CHECKING:
    from tests.sources.google.conftest import Desk

pytestmark = pytest.mark.browser
PAGE = b"""<!doctype html><img src=/named.jpg><img src=/unnamed><img srcset="/set 1x">
<video src=/film poster=/poster></video><div style="background:url(/behind)">x</div>
<script>fetch('/data'); const late = new Image(); late.onerror = () => document.title = 'failed';
late.src = '/late';</script>"""


def _site(request: ServerRequest) -> ServerResponse:
    if request.path == "/page":
        return ServerResponse(PAGE)
    return ServerResponse(b"x", 200, "application/octet-stream")


def test_pictures_and_films_are_not_loaded_whatever_their_names(desk: Desk) -> None:
    log = RequestLog()

    async def scene() -> tuple[set[str], list[str], set[str]]:
        server = Server(log)
        listener = await server.listen("127.0.0.1", 0, _site)
        url = f"http://{listener.host}/page"
        async with desk.chrome.tab() as tab:
            await tab.goto(url, 10)
            while await tab.evaluate("() => document.title") != "failed":
                pass
            blocked, named = _paths(log), tab.take_image_requests()
            await tab.block_images(False)
            await tab.goto(url + "?again", 10)
            while not {"/unnamed", "/late", "/poster"} <= _paths(log):
                await tab.evaluate("() => new Promise(done => setTimeout(done, 50))")
            await tab.block_images(True)
        await server.aclose()
        return blocked, named, _paths(log)

    blocked, named, shown = desk.runner.run(scene())
    assert blocked - {"/data"} == {"/page"}
    assert {url.rpartition("/")[2] for url in named} >= {"named.jpg", "unnamed", "set", "late"}
    assert "/named.jpg" in shown


def _paths(log: RequestLog) -> set[str]:
    return {one.path for one in log.records} - {"/favicon.ico"}
