"""One Chrome for a whole run, driven by `devtools` or, where that cannot, by Playwright.

The only module that imports Playwright. Both talk to the browser over a pipe: when we die, by
whatever signal, the pipe closes, the browser ends and its temporary profile is removed (measured:
0 left after SIGKILL; with tools that use a port, all are left). Images are blocked with
`Network.setBlockedURLs`, which costs nothing per request; Playwright's `route()` is 2.5 times
slower. The browser shows its own User-Agent and hides nothing about being automated.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from pixtrawl.browser.devtools import Browser
from pixtrawl.browser.devtools_page import Page
from pixtrawl.browser.executable import (
    BrowserFound,
    can_drive,
    find_browser,
    install_command,
    missing_message,
)
from pixtrawl.browser.failure import (
    BrowserFailure,
    Trouble,
    first_line,
    timeout_errors,
    translated,
)
from pixtrawl.browser.options import (
    BLOCKED,
    VIEWPORT_PX,
    ChromeOptions,
    arguments,
    compile_cache,
    look_options,
    shows_window,
    start_options,
)
from pixtrawl.browser.traffic import Traffic


class Chrome:
    """A browser that starts on first use, or a little before, and serves all queries of a run.

    A tab is handed on to the next query that waits: a new one costs 60 ms of two cores' time.
    """

    def __init__(self, options: ChromeOptions) -> None:
        self._options = options
        self._lock = asyncio.Lock()
        self._tabs = asyncio.Semaphore(options.pages)
        self._driver: Any = None
        self._context: Any = None
        self._alive = False
        self._tasks: set[asyncio.Future[Any]] = set()
        self._early: asyncio.Task[None] | None = None
        self._waiting = 0  # for a tab
        self._spare: list[Tab] = []
        self.visible = False

    def begin(self, tabs: int) -> None:
        """Starts the browser and some tabs in the background, for queries that will come.

        What fails here is told to the query that needs it.
        """
        if self._early is None:
            early = asyncio.ensure_future(self._begin(min(tabs, self._options.pages)))
            early.add_done_callback(lambda task: task.cancelled() or task.exception())
            self._early = early
            self._tasks.add(early)  # also when nobody waits for it any more
            early.add_done_callback(self._tasks.discard)

    @contextlib.asynccontextmanager
    async def tab(self) -> AsyncIterator[Tab]:
        """A tab for the caller alone; it may still show another query. Raises BrowserFailure."""
        self._waiting += 1
        try:
            await self._tabs.acquire()
        finally:
            self._waiting -= 1
        try:
            tab = await self._free_tab()
            try:
                yield tab
            except GeneratorExit:  # the caller has enough
                await self._give_back(tab)
                raise
            except BaseException:  # who knows what it is up to
                await tab.close()
                raise
            await self._give_back(tab)
        finally:
            self._tabs.release()

    async def aclose(self) -> None:
        """Ends the browser; also when it is gone already, or was never started."""
        for task in tuple(self._tasks):
            task.cancel()
        async with self._lock:
            await self._stop()

    async def _begin(self, tabs: int) -> None:
        context = await self._started()
        self._spare.append(await self._new_tab(context))  # the first query need not wait for more
        for _ in range(tabs - 1):
            self._in_background(self._add_spare(context))

    async def _add_spare(self, context: Any) -> None:
        self._spare.append(await self._new_tab(context))

    async def _free_tab(self) -> Tab:
        early, self._early = self._early, None
        if early is not None:
            await asyncio.shield(early)
        context = await self._started()
        while self._spare:
            tab = self._spare.pop()
            if tab.context is context:  # and not of a browser that crashed since
                return tab
        return await self._new_tab(context)

    async def _new_tab(self, context: Any) -> Tab:
        with translated():
            tab = Tab(await context.new_page())
        try:
            await tab.prepare()
        except BaseException:
            await tab.close()
            raise
        return tab

    async def _give_back(self, tab: Tab) -> None:
        """To the next one who waits; a tab that nobody waits for would only take memory."""
        if self._waiting > len(self._spare) and self._alive:
            self._spare.append(tab)
        else:
            await tab.close()

    async def _started(self) -> Any:
        async with self._lock:
            if self._context is None or not self._alive:
                await self._stop()  # what a crashed browser left of itself
                try:
                    await self._start()
                except BaseException:
                    await self._stop()
                    raise
            return self._context

    async def _start(self) -> None:
        found = find_browser()
        if found is None:
            raise BrowserFailure(Trouble.MISSING, missing_message(), install_command())
        self.visible = shows_window(self._options, found)
        alone = not self.visible and not self._options.profile and not self._options.proxy
        try:
            await (self._drive_alone(found) if alone and can_drive() else self._launch(found))
        except BrowserFailure:
            raise
        except Exception as error:
            raise BrowserFailure(
                Trouble.MISSING,
                f"{found.path} does not start: {first_line(error)}",
                "check that it runs by hand, or name another one with PIXTRAWL_CHROME",
            ) from error
        self._alive = True

    async def _drive_alone(self, found: BrowserFound) -> None:
        browser = self._context = Browser(VIEWPORT_PX)
        browser.on_end = self._note_end
        await browser.start(found.path, arguments(self._options))

    async def _launch(self, found: BrowserFound) -> None:
        try:
            from playwright.async_api import async_playwright
        except ImportError:
            raise BrowserFailure(
                Trouble.MISSING,
                "driving a browser needs the package playwright",
                "pip install 'pixtrawl[browser]'",
            ) from None
        with compile_cache():
            self._driver = await async_playwright().start()
        self._context = await self._context_of(found)
        self._context.on("close", self._note_end)
        self._context.on("page", self._close_stranger)

    async def _context_of(self, found: BrowserFound) -> Any:
        chromium = self._driver.chromium
        start = start_options(self._options, found.path, visible=self.visible)
        look = look_options(visible=self.visible)
        if self._options.profile:
            return await chromium.launch_persistent_context(self._options.profile, **start, **look)
        browser = await chromium.launch(**start)
        browser.on("disconnected", self._note_end)
        return await browser.new_context(**look)

    async def _stop(self) -> None:
        self._alive = False
        context, self._context = self._context, None
        driver, self._driver = self._driver, None
        self._spare.clear()
        if context is not None:
            await _quietly((getattr(context, "browser", None) or context).close(), 10)
        if driver is not None:
            await _quietly(driver.stop(), 10)

    def _note_end(self, _: Any) -> None:
        self._alive = False

    def _close_stranger(self, page: Any) -> None:
        # A window that a click opened; our own tabs are told apart by having no opener.
        async def close_if_opened() -> None:
            if await page.opener() is not None:
                await page.close()

        self._in_background(close_if_opened())

    def _in_background(self, work: Any) -> None:
        task = asyncio.ensure_future(_quietly(work, 10))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Tab:
    """One page of the browser. Every method may raise BrowserFailure."""

    def __init__(self, page: Any) -> None:
        self._page = page
        self._cdp: Any = None
        self._traffic: Traffic

    @property
    def context(self) -> Any:
        """What the tab belongs to: another one after a restart of the browser."""
        return self._page.context

    async def prepare(self) -> None:
        """Listeners and image blocking; once, before the first page."""
        with translated():
            if isinstance(self._page, Page):
                self._cdp = self._page.session
            else:
                self._cdp = await self._page.context.new_cdp_session(self._page)
            target = await self._cdp.send("Target.getTargetInfo")
            self._traffic = Traffic(self._cdp, target["targetInfo"]["targetId"])
            await self._cdp.send("Network.enable")
        await self.block_images(True)

    async def block_images(self, blocked: bool) -> None:
        """Switches image loading; a person who solves a captcha has to see its pictures."""
        with translated():
            await self._cdp.send(
                "Network.setBlockedURLs", {"urls": list(BLOCKED if blocked else ())}
            )

    async def goto(self, url: str, timeout_s: float) -> None:
        """Loads a page up to its DOM; `status` then tells how it was answered."""
        self._traffic.leave()
        with translated():
            await self._page.goto(url, wait_until="commit", timeout=timeout_s * 1000)
        await self.parsed(timeout_s)

    async def parsed(self, timeout_s: float) -> None:
        """Waits until the document is parsed; a script that hangs is no reason to fail."""
        with translated(), contextlib.suppress(*timeout_errors()):
            await self._page.wait_for_load_state("domcontentloaded", timeout=timeout_s * 1000)

    @property
    def url(self) -> str:
        return str(self._page.url)

    @property
    def status(self) -> int:
        """HTTP status of the last document in the main frame."""
        return self._traffic.status

    @property
    def refused(self) -> tuple[int, str] | None:
        """Status 403 or 429, and URL, of an answer to the page's scripts."""
        return self._traffic.refused

    @property
    def busy(self) -> bool:
        """True while the page waits for answers that may hold results."""
        return self._traffic.busy

    async def evaluate(self, script: str, argument: Any = None) -> Any:
        """The value of a JavaScript function in the page."""
        with translated():
            return await self._page.evaluate(script, argument)

    async def place(self, script: str) -> Placed:
        """Calls a JavaScript function in the page and keeps the object it gives."""
        with translated():
            return Placed(await self._page.evaluate_handle(script))

    async def take_bodies(self) -> list[str]:
        """Texts of answers that arrived since the last call; each is given once."""
        return await self._traffic.take_bodies()

    def take_image_requests(self) -> list[str]:
        """URLs of images that the page asked for since the last call, blocked ones included."""
        return self._traffic.take_images()

    async def move_mouse(self, x: float, y: float) -> None:
        with translated():
            await self._page.mouse.move(x, y)

    async def click(self, x: float, y: float) -> None:
        with translated():
            await self._page.mouse.click(x, y)

    async def html(self) -> str:
        with translated():
            return str(await self._page.content())

    async def screenshot(self) -> bytes:
        with translated():
            return bytes(await self._page.screenshot(timeout=5000, animations="disabled"))

    async def close(self) -> None:
        await _quietly(self._page.close(), 10)


class Placed:
    """An object that lives in the page; ends with it."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    async def call(self, method: str, argument: Any = None) -> Any:
        """Calls a method of it with one plain JSON value."""
        with translated():
            return await self._handle.evaluate(f"(it, value) => it.{method}(value)", argument)


async def _quietly(work: Any, timeout_s: float) -> None:
    """Closing what may be gone already: the only place where a failure says nothing of interest."""
    with contextlib.suppress(Exception):
        await asyncio.wait_for(work, timeout_s)
