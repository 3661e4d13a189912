"""A tab of the browser: what sources do with a page."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Final

from pixtrawl.browser.driver import Commands, Driver, DriverPage, PageObject, quietly
from pixtrawl.browser.failure import BrowserFailure, BrowserTrouble, timeout_errors, translated
from pixtrawl.browser.options import BLOCKED, BLOCKED_KINDS
from pixtrawl.browser.traffic import Traffic
from pixtrawl.urls import host_name_of

__all__ = ["Placed", "Tab"]

_ALLOW: Final = "if it is meant, allow its range: --allow-address CIDR"
_CLOSING_S: Final = 10.0


class Tab:
    """One page of the browser. Every method may raise BrowserFailure."""

    def __init__(
        self, page: DriverPage, driver: Driver, has_refused: Callable[[str], bool]
    ) -> None:
        """`has_refused` returns whether the address guard refused a host."""
        self.page = page
        self._has_refused = has_refused
        self.driver = driver  # replaced when the browser is restarted
        self._commands: Commands
        self._traffic: Traffic
        self._failing: set[asyncio.Future[None]] = set()

    async def prepare(self) -> None:
        """Set up listeners and image blocking; call once, before the first page."""
        with translated():
            self._commands = await self.page.commands()
            target = await self._commands.send("Target.getTargetInfo")
            self._traffic = Traffic(self._commands, target["targetInfo"]["targetId"])
            await self._commands.send("Network.enable")
        self._commands.on("Fetch.requestPaused", self._fail_request)
        await self.block_images(True)

    async def block_images(self, blocked: bool) -> None:
        """Turn image loading off or on; on is needed while a person solves a captcha."""
        with translated():
            await self._commands.send(
                "Network.setBlockedURLs", {"urls": list(BLOCKED if blocked else ())}
            )
            # Whatever is an image by its use only: costs a message each, so after the names.
            if blocked:
                await self._commands.send("Fetch.enable", {"patterns": list(BLOCKED_KINDS)})
            else:
                await self._commands.send("Fetch.disable")

    def _fail_request(self, event: Any) -> None:
        if event.get("resourceType") not in {one["resourceType"] for one in BLOCKED_KINDS}:
            return  # of the gateway's login
        failing = asyncio.ensure_future(
            quietly(
                self._commands.send(
                    "Fetch.failRequest",
                    {"requestId": event["requestId"], "errorReason": "BlockedByClient"},
                ),
                _CLOSING_S,
            )
        )
        self._failing.add(failing)
        failing.add_done_callback(self._failing.discard)

    async def goto(self, url: str, timeout_s: float) -> None:
        """Load a page until its DOM is ready and set `status`."""
        self._traffic.leave()
        try:
            with translated():
                await self.page.goto(url, timeout_s)
        except BrowserFailure as failure:
            host = host_name_of(url)
            if failure.trouble is not BrowserTrouble.NETWORK or not self._has_refused(host):
                raise
            raise BrowserFailure(
                BrowserTrouble.NETWORK, f"{host} leads to an inner address: not asked", _ALLOW
            ) from failure
        await self.parsed(timeout_s)

    async def parsed(self, timeout_s: float) -> None:
        """Wait until the document is parsed; a hanging script does not raise."""
        with translated(), contextlib.suppress(*timeout_errors()):
            await self.page.parsed(timeout_s)

    @property
    def url(self) -> str:
        return self.page.url

    @property
    def status(self) -> int:
        """HTTP status of the last document in the main frame."""
        return self._traffic.status

    @property
    def refused(self) -> tuple[int, str] | None:
        """Status 403 or 429, and URL, of a response to the page's scripts; else None."""
        return self._traffic.refused

    @property
    def busy(self) -> bool:
        """Whether responses that may hold results are outstanding."""
        return self._traffic.busy

    async def evaluate(self, script: str, argument: Any = None) -> Any:
        """Call a JavaScript function in the page and return its value."""
        with translated():
            return await self.page.evaluate(script, argument)

    async def place(self, script: str) -> Placed:
        """Call a JavaScript function in the page and keep the object that it returns."""
        with translated():
            return Placed(await self.page.keep(script))

    async def take_bodies(self) -> list[str]:
        """Return the response bodies that arrived since the last call."""
        return await self._traffic.take_bodies()

    def take_image_requests(self) -> list[str]:
        """Return the image URLs requested since the last call, blocked ones included."""
        return self._traffic.take_images()

    async def move_mouse(self, x: float, y: float) -> None:
        with translated():
            await self.page.move_mouse(x, y)

    async def click(self, x: float, y: float) -> None:
        with translated():
            await self.page.click(x, y)

    async def html(self) -> str:
        with translated():
            return await self.page.html()

    async def screenshot(self) -> bytes:
        with translated():
            return await self.page.screenshot(5.0)

    async def close(self) -> None:
        await quietly(self.page.close(), _CLOSING_S)


class Placed:
    """An object in the page; it ends with the page."""

    def __init__(self, kept: PageObject) -> None:
        self._kept = kept

    async def call(self, method: str, argument: Any = None) -> Any:
        """Call a method of it with one plain JSON value."""
        with translated():
            return await self._kept.call(method, argument)
