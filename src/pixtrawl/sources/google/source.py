"""Google Images through a real Chrome: `pixtrawl run queries.csv -s google`.

Data that the page already carries is read first; hovering and clicking are the last resort. One
browser serves all queries of a run. Google's terms forbid automated access, so this source is used
only when it is named, keeps a slow pace and stops at the first refusal.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import ClassVar, Final

from msgspec import Struct
from msgspec.structs import replace

from pixtrawl.browser.chrome import Chrome
from pixtrawl.browser.failure import BrowserFailure, BrowserTrouble
from pixtrawl.browser.options import ChromeOptions
from pixtrawl.config import parse
from pixtrawl.config.groups import Fetch
from pixtrawl.errors import SourceStop, UsageError
from pixtrawl.model import Candidate, Query, SourceOutcome
from pixtrawl.net.proxy import Proxies
from pixtrawl.sources.base import Page, SourceContext, SourceInfo, SourceSetting
from pixtrawl.sources.google.outcome import stop_after
from pixtrawl.sources.google.request import FILTERS
from pixtrawl.sources.google.search import GoogleSearch
from pixtrawl.sources.google.shared import Limits, Shared
from pixtrawl.sources.settings import read_settings, setting

BASE_URL: Final = "https://www.google.com"
DELAY_S: Final = 7.0  # between page loads, with the built-in base URL

SETTINGS: Final = (
    SourceSetting("base_url", BASE_URL, "server that is asked"),
    SourceSetting("enabled", "false", "lets `-s auto` use this source"),
    SourceSetting("headless", "auto", "auto (a window where there is a display), true or false"),
    SourceSetting("profile", "", "folder in which the browser keeps its cookies between runs"),
    SourceSetting("pages", "3", "tabs at once"),
    SourceSetting("proxy", "", "proxy of the browser (that of --proxy)"),
    SourceSetting("delay_s", "", "seconds between page loads (7; 0 with another base_url)"),
    SourceSetting("scroll_passes", "60", "steps down a page at most"),
    SourceSetting("click_limit", "100", "clicks a query, where nothing else gives originals"),
    SourceSetting("patience_s", "", "wait for a person to solve a captcha (120 in a window)"),
)


class GoogleSettings(Struct, frozen=True):
    """The source's settings, read from text. Times in seconds."""

    base_url: str
    delay_s: float
    chrome: ChromeOptions
    limits: Limits

    @classmethod
    def read(cls, given: Mapping[str, str]) -> GoogleSettings:
        """Read the settings from text. Raises UsageError, naming the setting."""
        name = Google.name
        own = read_settings(name, Google.info, given)
        headless = given.get("headless") or "auto"
        visible = None
        if headless != "auto":
            visible = not setting(name, given, "headless", parse.boolean, default=True)
        return cls(
            base_url=own.base_url,
            delay_s=own.delay_s,
            chrome=ChromeOptions(
                visible=visible,
                profile=given.get("profile") or None,
                pages=setting(name, given, "pages", parse.positive, default=3),
                proxy=_proxy(given),
            ),
            limits=Limits(
                scroll_passes=setting(name, given, "scroll_passes", parse.positive, default=60),
                click_limit=setting(name, given, "click_limit", parse.count, default=100),
                patience_s=_seconds(given, "patience_s"),
            ),
        )


def _proxy(given: Mapping[str, str]) -> str | None:
    """Return the setting `proxy`. Raises UsageError, without its password, if it is no proxy."""
    url = given.get("proxy") or None
    if url is not None:
        try:
            Proxies(url)
        except UsageError as error:
            raise UsageError(str(error).replace("--proxy", "google.proxy", 1)) from None
    return url


def _seconds(given: Mapping[str, str], key: str) -> float | None:
    if not given.get(key, "").strip():
        return None
    return setting(Google.name, given, key, parse.seconds, default=0.0)


class Google:
    """Google Images through a real Chrome."""

    name: ClassVar[str] = "google"
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Google Images, through a real Chrome",
        base_url=BASE_URL,
        sentence="Opens the result page in a browser and reads the originals it carries.",
        verified="recorded",
        needs=("browser",),
        filters=FILTERS,
        settings=SETTINGS,
        delay_s=DELAY_S,
        limit="about 800 a query",
        terms="Google's terms forbid automated access and its robots.txt disallows /search; used "
        "only when named with -s google, or switched on with google.enabled=true. The browser is "
        "behind the address guard, whatever the page asks for.",
    )

    def __init__(self, settings: Mapping[str, str], *, chrome: Chrome | None = None) -> None:
        """Read the settings. `chrome` is a browser to share; its owner closes it."""
        self._settings = GoogleSettings.read(settings)
        self._chrome = chrome or Chrome(self._settings.chrome)
        self._is_shared = chrome is not None
        self._shared = Shared(pace=self._pace, visible=lambda: self._chrome.visible)
        self._turn = asyncio.Lock()
        self._next_load = 0.0
        self._refusal: SourceStop | None = None

    @classmethod
    def read_saved(cls, page: str, query: Query) -> tuple[tuple[Candidate, ...], SourceStop | None]:
        """Read a saved page without a browser: records in scripts and links, else thumbnails."""
        from pixtrawl.sources.google.saved import read  # only replays need it

        return read(page, query, cls.name)

    def set_network(self, fetch: Fetch) -> None:
        """Let the browser reach what the run may reach, by its proxy unless it has its own."""
        if not self._is_shared:
            own = self._settings.chrome
            self._chrome = Chrome(
                replace(own, proxy=own.proxy or fetch.proxy, allow_address=fetch.allow_address)
            )

    def begin(self, queries: int) -> None:
        """Start the browser before the first query arrives."""
        self._chrome.begin(queries)

    async def discover(self, query: Query, context: SourceContext) -> AsyncGenerator[Page, None]:
        """Yield pages of candidates as the result page gives them. Raises SourceStop."""
        for last_try in (False, True):
            self._check_refusal()
            search = GoogleSearch(
                self._settings.base_url, query, context, self._settings.limits, self._shared
            )
            try:
                async with (
                    self._chrome.tab() as tab,
                    aclosing(search.pages(tab)) as pages,
                ):
                    async for page in pages:
                        given_at = time.monotonic()
                        yield page
                        search.paused_s += time.monotonic() - given_at
                return
            except BrowserFailure as failure:
                # Restart a browser that was killed, once.
                again = failure.trouble is BrowserTrouble.GONE and not search.grid.given
                if last_try or not again:
                    raise stop_after(failure) from failure
            except SourceStop as stop:
                self._remember(stop)
                raise

    async def aclose(self) -> None:
        """End the browser."""
        if not self._is_shared:
            await self._chrome.aclose()

    def _remember(self, stop: SourceStop) -> None:
        # After its first refusal the live source is not asked again in this run; a server of
        # the user's own is asked for every query.
        live = self._settings.base_url.rstrip("/") == BASE_URL
        if live and stop.outcome is SourceOutcome.BLOCKED:
            self._refusal = stop

    async def _pace(self) -> None:
        async with self._turn:
            await asyncio.sleep(max(0.0, self._next_load - time.monotonic()))
            self._check_refusal()  # another query may have been refused meanwhile
            self._next_load = time.monotonic() + self._settings.delay_s

    def _check_refusal(self) -> None:
        if self._refusal is not None:
            raise SourceStop(self._refusal.outcome, **self._refusal.detail)
