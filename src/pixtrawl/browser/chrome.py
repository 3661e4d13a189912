"""One Chrome for a whole run, driven by `devtools` or, where that cannot, by Playwright.

Both are a `Driver` and talk to the browser over a pipe. When this process ends, even by SIGKILL,
the pipe closes, the browser exits and its temporary profile is removed (measured after SIGKILL:
none left; with a debugging port, all are left). Images are blocked with `Network.setBlockedURLs`,
which costs nothing per request; Playwright's `route()` is 2.5 times slower. The browser shows its
own User-Agent and hides nothing about being automated.

Its only way to the network is a `net.gateway` of its own, which applies the address guard; the
user's proxies stand behind that.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable

from pixtrawl.browser.devtools import Browser
from pixtrawl.browser.driver import Driver, quietly
from pixtrawl.browser.executable import (
    BrowserFound,
    can_drive,
    find_browser,
    install_command,
    missing_message,
)
from pixtrawl.browser.failure import (
    BrowserFailure,
    BrowserTrouble,
    first_line,
    translated,
)
from pixtrawl.browser.login import give_login
from pixtrawl.browser.options import (
    VIEWPORT_PX,
    ChromeOptions,
    arguments,
    gateway_arguments,
    shows_window,
)
from pixtrawl.browser.tab import Tab
from pixtrawl.net.address import AddressGuard
from pixtrawl.net.gateway.server import Gateway
from pixtrawl.net.proxy import Proxies


class Chrome:
    """A browser that starts on first use, or a little before, and serves all queries of a run.

    A tab is reused by the next waiting query: a new one costs 60 ms on two cores.
    """

    def __init__(self, options: ChromeOptions) -> None:
        self._options = options
        self._lock = asyncio.Lock()
        self._tabs = asyncio.Semaphore(options.pages)
        self._driver: Driver | None = None
        self._gateway: Gateway | None = None
        self._alive = False
        self._tasks: set[asyncio.Future[None]] = set()
        self._early: asyncio.Task[None] | None = None
        self._waiting = 0  # queries that wait for a tab
        self._spare: list[Tab] = []
        self.visible = False

    def begin(self, tabs: int) -> None:
        """Start the browser and some tabs in the background, for later queries.

        A failure is raised in the query that needs the browser.
        """
        if self._early is None:
            early = asyncio.ensure_future(self._begin(min(tabs, self._options.pages)))
            early.add_done_callback(lambda task: task.cancelled() or task.exception())
            self._early = early
            self._tasks.add(early)  # even if no query awaits it any more
            early.add_done_callback(self._tasks.discard)

    @contextlib.asynccontextmanager
    async def tab(self) -> AsyncIterator[Tab]:
        """Lend a tab; it may still show another query's page. Raises BrowserFailure."""
        self._waiting += 1
        try:
            await self._tabs.acquire()
        finally:
            self._waiting -= 1
        try:
            tab = await self._free_tab()
            try:
                yield tab
            except GeneratorExit:  # the caller stopped iterating
                await self._give_back(tab)
                raise
            except BaseException:  # the state of the tab is unknown
                await tab.close()
                raise
            await self._give_back(tab)
        finally:
            self._tabs.release()

    async def aclose(self) -> None:
        """Close the browser; safe if it has crashed or never started."""
        for task in tuple(self._tasks):
            task.cancel()
        async with self._lock:
            await self._stop()

    async def _begin(self, tabs: int) -> None:
        driver = await self._started()  # with a tab: the first query needs no more
        for _ in range(tabs - 1):
            self._in_background(self._add_spare(driver))

    async def _add_spare(self, driver: Driver) -> None:
        self._spare.append(await self._new_tab(driver))

    async def _free_tab(self) -> Tab:
        early, self._early = self._early, None
        if early is not None:
            await asyncio.shield(early)
        driver = await self._started()
        while self._spare:
            tab = self._spare.pop()
            if tab.driver is driver:  # else its browser has crashed meanwhile
                return tab
        return await self._new_tab(driver)

    async def _new_tab(self, driver: Driver) -> Tab:
        with translated():
            tab = Tab(await driver.new_page(), driver, self._has_refused)
        return await self._prepared(tab)

    async def _prepared(self, tab: Tab) -> Tab:
        try:
            await tab.prepare()
        except BaseException:
            await tab.close()
            raise
        return tab

    async def _give_back(self, tab: Tab) -> None:
        """Hand the tab to the next waiting query; close it if none waits, to save memory."""
        if self._waiting > len(self._spare) and self._alive:
            self._spare.append(tab)
        else:
            await tab.close()

    async def _started(self) -> Driver:
        async with self._lock:
            if self._driver is None or not self._alive:
                await self._stop()  # remains of a crashed browser
                try:
                    return await self._start()
                except BaseException:
                    await self._stop()
                    raise
            return self._driver

    async def _start(self) -> Driver:
        found = find_browser()
        if found is None:
            raise BrowserFailure(BrowserTrouble.MISSING, missing_message(), install_command())
        self.visible = shows_window(self._options, found)
        gateway = Gateway(AddressGuard(self._options.allow_address), Proxies(self._options.proxy))
        self._gateway = gateway
        await gateway.start()
        try:
            driver = await self._drive(found, gateway_arguments(gateway.host, gateway.port))
            await self._enter(driver, gateway)
        except BrowserFailure:
            raise
        except Exception as error:
            raise BrowserFailure(
                BrowserTrouble.MISSING,
                f"{found.path} does not start: {first_line(error)}",
                "check that it runs by hand, or name another one with PIXTRAWL_CHROME",
            ) from error
        self._alive = True
        return driver

    async def _enter(self, driver: Driver, gateway: Gateway) -> None:
        """Make the first tab, and give the browser the gateway's password with it."""
        with translated():
            page = await driver.new_page()
            await give_login(page, gateway)
        self._spare.append(await self._prepared(Tab(page, driver, self._has_refused)))

    async def _drive(self, found: BrowserFound, gateway: list[str]) -> Driver:
        alone = not self.visible and not self._options.profile
        if alone and can_drive():
            browser = Browser(VIEWPORT_PX)
            self._watch(browser)
            await browser.start(found.path, [*arguments(self._options), *gateway])
            return browser
        from pixtrawl.browser.playwright_driver import PlaywrightDriver  # rarely needed

        playwright = PlaywrightDriver()
        self._watch(playwright)
        await playwright.start(found, self._options, gateway, visible=self.visible)
        return playwright

    def _watch(self, driver: Driver) -> None:
        driver.on_end = self._note_end
        self._driver = driver

    async def _stop(self) -> None:
        self._alive = False
        driver, self._driver = self._driver, None
        self._spare.clear()
        if driver is not None:
            await quietly(driver.close(), 10)
        gateway, self._gateway = self._gateway, None
        if gateway is not None:
            await gateway.aclose()

    def _has_refused(self, host: str) -> bool:
        return self._gateway is not None and self._gateway.has_refused(host)

    def _note_end(self) -> None:
        self._alive = False

    def _in_background(self, work: Awaitable[None]) -> None:
        task: asyncio.Future[None] = asyncio.ensure_future(quietly(work, 10))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
