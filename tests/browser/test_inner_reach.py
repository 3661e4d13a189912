"""A hostile page in a real browser reaches nothing inside, whatever way it tries."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from tests.browser.recorder import InnerRecorder
from tests.browser.test_drivers import processes_of
from tests.matrices import slow
from tests.sources.google.conftest import SHELL, Kept

from pixtrawl.browser.chrome import Chrome
from pixtrawl.browser.failure import BrowserFailure
from pixtrawl.browser.options import ChromeOptions
from pixtrawl.browser.tab import Tab
from pixtrawl.errors import SourceStop
from pixtrawl.model import Query
from pixtrawl.net import resolver
from pixtrawl.net.address import AddressGuard
from pixtrawl.net.gateway.server import Gateway
from pixtrawl.net.interface import Response as Got
from pixtrawl.net.proxy import Proxies
from pixtrawl.playground.faults.browser import WAYS, HostilePage
from pixtrawl.playground.messages import ServerResponse
from pixtrawl.playground.server import RequestLog, Server
from pixtrawl.sources.base import SourceContext
from pixtrawl.sources.google.source import Google
from pixtrawl.sources.page.render import PageRenderer, RenderLimits

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(SHELL is None, reason="no Chromium on this computer"),
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs 127.0.0.0/8 and /proc"),
]
SITE: Final = "127.77.0.1"
ALSO_ALLOWED: Final = "127.78.0.1"  # where the same ways do lead to
SPELLINGS: Final = (
    "127.0.0.2", "127.0.0.1", "localhost", "x.localhost", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]",
    "2130706433", "0x7f.1", "0177.0.0.1", "127.1",
)  # fmt: skip
# Ways that bring nothing even where they may: they need HTTPS, a click or a browser with a window.
SELDOM: Final = 25
AFTERWARDS_S: Final = 0.5  # for requests that a page leaves behind


class Scene:
    """A site with the hostile page, a recorder, and one browser for all tests."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.recorder = InnerRecorder()
        self.chrome = self.browser()
        self.log = RequestLog()
        self._server = Server(self.log)
        page = HostilePage()
        listener = self.runner.run(
            self._server.listen(
                SITE, 0, lambda one: page.answer(one, one.path) or ServerResponse(status=404)
            )
        )
        self.origin = f"http://{listener.host}"

    def browser(self) -> Chrome:
        allowed = (f"{SITE}/32", f"{ALSO_ALLOWED}/32")
        return Chrome(ChromeOptions(visible=False, allow_address=allowed))

    def url(self, *inner: str, page: str = "gallery") -> str:
        hosts = ",".join(f"{host}:{self.recorder.port}" for host in inner)
        return f"{self.origin}/hostile/{hosts}/{page}"

    def render(self, url: str, chrome: Chrome | None = None, *, total_s: float = 2.5) -> str:
        """As `page.render=true` does it; returns the page's text or the failure."""
        limits = RenderLimits(quiet_s=0.5, total_s=total_s)
        renderer = PageRenderer(limits, chrome=chrome or self.chrome)
        got = Got(url=url, status=200, headers={})

        async def work() -> str:
            try:
                shown = (await renderer.render(got)).text
            except BrowserFailure as failure:
                shown = str(failure)
            await asyncio.sleep(AFTERWARDS_S)
            return shown

        return self.runner.run(work())

    def render_until(
        self, url: str, enough: Callable[[], bool], chrome: Chrome | None = None
    ) -> str:
        """Render a page, again and longer where the machine is slow, until `enough`."""
        for total_s in (2.5, 10.0, 30.0):
            shown = self.render(url, chrome, total_s=total_s)
            if enough():
                return shown
        pytest.fail(f"the page's own requests are missing: {sorted(self.recorder.hits)}")

    def close(self) -> None:
        self.runner.run(self.chrome.aclose())
        self.runner.run(self._server.aclose())
        self.runner.close()
        self.recorder.close()


async def _show_images(_tab: Tab, _blocked: bool) -> None:
    """Stand in for `Tab.block_images`."""


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIXTRAWL_CHROME", SHELL or "")
        patch.setenv("SOME_API_KEY", "must-not-be-seen")
        # Pictures are asked for, as while a person solves a captcha: the guard alone must hold.
        patch.setattr(Tab, "block_images", _show_images)
        made = Scene()
        try:
            yield made
        finally:
            made.close()


@pytest.mark.parametrize("spellings", [SPELLINGS[::6], slow(SPELLINGS)], ids=["some", "all"])
def test_no_way_leads_inside_from_a_rendered_page(scene: Scene, spellings: tuple[str, ...]) -> None:
    shown = scene.render_until(
        scene.url(*spellings),
        lambda: len([one for one in scene.log.records if one.path.endswith("/to")]) >= 10,
    )
    assert "own.png" in shown  # the page itself was read
    assert scene.recorder.hits == []


@pytest.mark.parametrize("way", ["move-location", "move-refresh", "move-redirect"])
def test_a_page_that_moves_inside_arrives_nowhere(scene: Scene, way: str) -> None:
    shown = scene.render(scene.url("127.0.0.2", page=way), total_s=1.0)
    assert "hi" not in shown.split()
    assert scene.recorder.hits == []


@pytest.mark.slow  # the guard stands before any page
def test_no_way_leads_inside_from_a_result_page_or_its_evidence(
    scene: Scene,
) -> None:
    # Its pictures look like results: they are hovered over and clicked, too.
    bounds = {"scroll_passes": "1", "click_limit": "1"}
    base = scene.url("127.0.0.2", page="r")
    google = Google({"base_url": base, **bounds}, chrome=scene.chrome)
    evidence = Kept()
    context: Any = SourceContext(http=None, evidence=evidence, wanted=5)  # type: ignore[arg-type]

    async def ask() -> None:
        async for _ in google.discover(Query("tabby cat", "x"), context):
            pass

    with pytest.raises(SourceStop):
        scene.runner.run(ask())
    assert {Path(name).suffix for name in evidence.files} == {".html", ".png"}
    assert scene.recorder.hits == []


def test_names_that_change_their_address_lead_nowhere_inside(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolver, "_KEPT_S", -1.0)  # each connection looks the name up again
    lookups: list[str] = []

    def rebinding(name: str, *_rest: object, **_more: object) -> list[tuple[object, ...]]:
        lookups.append(name)
        address = ALSO_ALLOWED if lookups.count(name) % 2 else "127.0.0.2"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    scene.render_until(scene.url("rebind.test"), lambda: lookups.count("rebind.test") > 10)
    hits, scene.recorder.hits = scene.recorder.hits, []
    assert {hit.split()[0] for hit in hits} == {ALSO_ALLOWED}


def test_the_environment_of_the_browser_holds_no_secret(scene: Scene) -> None:
    async def profile() -> str:
        async with scene.chrome.tab() as tab:
            return str(tab.driver._profile)  # type: ignore[attr-defined]

    folder = scene.runner.run(profile())
    pids = processes_of(folder)
    assert len(pids) >= 2
    for pid in pids:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        assert b"must-not-be-seen" not in environment
        if b"PATH=" in environment:  # zygotes overwrite theirs
            assert f"HOME={folder}/home".encode() in environment


OFFER: Final = """async () => {
  const one = new RTCPeerConnection({iceServers: [{urls: 'stun:127.0.0.2:PORT'}]}), found = [];
  one.createDataChannel('x');
  const end = new Promise(done => one.onicecandidate = event => {
    if (event.candidate && event.candidate.candidate) found.push(event.candidate.candidate);
    else done();
  });
  await one.setLocalDescription(await one.createOffer());
  await end;
  return found;
}"""


def test_a_page_does_not_learn_the_addresses_of_this_computer(scene: Scene) -> None:
    async def candidates() -> object:
        async with scene.chrome.tab() as tab:
            await tab.goto(scene.url("127.0.0.2", page="own.png"), 10)
            return await tab.evaluate(OFFER.replace("PORT", str(scene.recorder.port)))

    assert scene.runner.run(candidates()) == []
    assert scene.recorder.hits == []


def test_a_refused_page_says_how_to_allow_it(scene: Scene) -> None:
    shown = scene.render(f"http://127.0.0.2:{scene.recorder.port}/")
    assert "127.0.0.2 leads to an inner address" in shown
    assert scene.recorder.hits == []


def test_the_same_ways_do_lead_to_an_address_that_is_allowed(scene: Scene) -> None:
    def reached() -> set[str]:
        return {hit.split()[1] for hit in scene.recorder.hits} & set(WAYS)

    for way in ("move-location", "move-redirect"):
        scene.render(scene.url(ALSO_ALLOWED, page=way), total_s=0.5)
    scene.render_until(scene.url(ALSO_ALLOWED), lambda: len(reached()) >= len(WAYS) - SELDOM)
    hits, scene.recorder.hits = scene.recorder.hits, []
    assert {hit.split()[0] for hit in hits} == {ALSO_ALLOWED}  # no UDP either


@pytest.mark.slow  # the guard stands before either driver
@pytest.mark.parametrize("also_allowed", [False, slow(True)])
def test_a_browser_driven_by_playwright_is_behind_the_guard_as_well(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, also_allowed: bool
) -> None:
    monkeypatch.setattr("pixtrawl.browser.chrome.can_drive", lambda: False)
    chrome = scene.browser()
    try:
        assert "own.png" in scene.render(scene.url("127.0.0.2", "[::1]"), chrome)
        assert scene.recorder.hits == []
        if also_allowed:
            scene.render_until(
                scene.url(ALSO_ALLOWED),
                lambda: len({hit for hit in scene.recorder.hits if ALSO_ALLOWED in hit}) > 20,
                chrome,
            )
    finally:
        scene.recorder.hits = []
        scene.runner.run(chrome.aclose())


@pytest.mark.slow  # tests/net/test_proxy.py has proxies
def test_a_proxy_of_the_user_stands_behind_the_gateway(scene: Scene) -> None:
    """A second gateway plays the user's proxy, with a login, and would connect to anything."""

    async def chained() -> tuple[str, str]:
        theirs = Gateway(AddressGuard(["127.0.0.0/8", "::1/128"]), Proxies(None, {}))
        await theirs.start()
        proxy = f"http://{theirs.user}:{theirs.password}@{theirs.host}:{theirs.port}"
        page = ""
        chrome = Chrome(ChromeOptions(visible=False, proxy=proxy, allow_address=(f"{SITE}/32",)))
        try:
            async with chrome.tab() as tab:
                await tab.goto(scene.url(*SPELLINGS), 20)
                await asyncio.sleep(2)
                page = await tab.html()
                await tab.goto(f"http://some.localhost:{scene.recorder.port}/inner/img", 10)
        except BrowserFailure as failure:
            return page, str(failure)
        finally:
            await chrome.aclose()
            await theirs.aclose()
        return page, ""

    page, failure = scene.runner.run(chained())
    assert "own.png" in page
    assert "leads to an inner address" in failure
    assert scene.recorder.hits == []
