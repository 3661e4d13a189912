"""A browser driven by Playwright: with a window or a kept profile, and on Windows.

The only module that imports Playwright.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pixtrawl.browser.devtools import short_folder
from pixtrawl.browser.driver import nothing, quietly
from pixtrawl.browser.executable import BrowserFound
from pixtrawl.browser.failure import BrowserFailure, BrowserTrouble
from pixtrawl.browser.options import ChromeOptions, compile_cache, look_options, start_options

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, CDPSession, JSHandle, Page, Playwright

_CLOSING_S: Final = 10.0


class PlaywrightDriver:
    """One browser with one context."""

    def __init__(self) -> None:
        self._home = ""  # a temporary folder, unless a profile is kept
        self._playwright: Playwright | None = None
        self._context: BrowserContext | None = None
        self._tasks: set[asyncio.Future[None]] = set()
        self.on_end: Callable[[], None] = nothing

    async def start(
        self, found: BrowserFound, options: ChromeOptions, gateway: list[str], *, visible: bool
    ) -> None:
        """Start the browser; `gateway` are the arguments for it. Raises BrowserFailure without
        Playwright, and Playwright's errors.
        """
        try:
            from playwright.async_api import async_playwright
        except ImportError:
            raise BrowserFailure(
                BrowserTrouble.MISSING,
                "driving a browser needs the package playwright",
                "pip install 'pixtrawl[browser]'",
            ) from None
        with compile_cache():
            self._playwright = await async_playwright().start()
        chromium = self._playwright.chromium
        if not options.profile:
            self._home = tempfile.mkdtemp(prefix="pixtrawl-profile-", dir=short_folder())
        home = Path(options.profile or self._home) / "home"
        start = start_options(options, found.path, gateway, home, visible=visible)
        look = look_options(visible=visible)
        if options.profile:
            context = await chromium.launch_persistent_context(options.profile, **start, **look)
        else:
            browser = await chromium.launch(**start)
            browser.on("disconnected", lambda _: self.on_end())
            context = await browser.new_context(**look)
        self._context = context
        context.on("close", lambda _: self.on_end())
        context.on("page", self._close_popup)

    async def new_page(self) -> PlaywrightPage:
        """Open a blank page."""
        if self._context is None:
            raise AssertionError("the browser was not started")
        return PlaywrightPage(await self._context.new_page())

    async def close(self) -> None:
        """End the browser and Playwright's driver."""
        for task in tuple(self._tasks):
            task.cancel()
        if self._context is not None:
            await quietly((self._context.browser or self._context).close(), _CLOSING_S)
        if self._playwright is not None:
            await quietly(self._playwright.stop(), _CLOSING_S)
        if self._home:
            shutil.rmtree(self._home, ignore_errors=True)

    def _close_popup(self, page: Page) -> None:
        # A window that a click opened; pages of ours have no opener.
        async def close_if_opened() -> None:
            if await page.opener() is not None:
                await page.close()

        task: asyncio.Future[None] = asyncio.ensure_future(quietly(close_if_opened(), _CLOSING_S))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class PlaywrightCommands:
    """A DevTools session of Playwright."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session

    def send(self, method: str, params: dict[str, Any] | None = None) -> Awaitable[Any]:
        """Send a command and return its result."""
        return self._session.send(method, params)

    def on(self, event: str, listener: Callable[[Any], None]) -> None:
        """Call `listener` with the parameters of each such event."""
        self._session.on(event, listener)


class PlaywrightObject:
    """An object in the page."""

    def __init__(self, handle: JSHandle) -> None:
        self._handle = handle

    async def call(self, method: str, argument: Any = None) -> Any:
        """Call a method of it with one JSON value."""
        return await self._handle.evaluate(f"(it, value) => it.{method}(value)", argument)


class PlaywrightPage:
    """One page. Times in seconds, which Playwright counts in milliseconds."""

    def __init__(self, page: Page) -> None:
        self._page = page

    @property
    def url(self) -> str:
        return self._page.url

    async def commands(self) -> PlaywrightCommands:
        """Open a DevTools session."""
        return PlaywrightCommands(await self._page.context.new_cdp_session(self._page))

    async def goto(self, url: str, timeout_s: float) -> None:
        """Load a page until it is committed."""
        await self._page.goto(url, wait_until="commit", timeout=timeout_s * 1000)

    async def parsed(self, timeout_s: float) -> None:
        """Wait until the document is parsed."""
        await self._page.wait_for_load_state("domcontentloaded", timeout=timeout_s * 1000)

    async def evaluate(self, function: str, argument: Any = None) -> Any:
        """Call a JavaScript function with one JSON value."""
        return await self._page.evaluate(function, argument)

    async def keep(self, function: str) -> PlaywrightObject:
        """Call a JavaScript function and keep the object that it returns."""
        return PlaywrightObject(await self._page.evaluate_handle(function))

    async def html(self) -> str:
        """Return the document as it is now."""
        return await self._page.content()

    async def screenshot(self, timeout_s: float) -> bytes:
        """Return a PNG of what is visible."""
        return await self._page.screenshot(timeout=timeout_s * 1000, animations="disabled")

    async def move_mouse(self, x: float, y: float) -> None:
        """Move the pointer."""
        await self._page.mouse.move(x, y)

    async def click(self, x: float, y: float) -> None:
        """Press and release the left button."""
        await self._page.mouse.click(x, y)

    async def close(self) -> None:
        """Close the page."""
        await self._page.close()
