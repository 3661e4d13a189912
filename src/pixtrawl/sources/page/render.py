"""Render a page in a browser and scroll until nothing new comes."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from pixtrawl import urls
from pixtrawl.browser.chrome import Chrome
from pixtrawl.browser.failure import BrowserFailure, BrowserTrouble
from pixtrawl.browser.options import ChromeOptions
from pixtrawl.browser.tab import Tab
from pixtrawl.config.groups import Fetch
from pixtrawl.net.interface import Response

__all__ = ["PageRenderer", "RenderLimits"]

_POLL_S: Final = 0.1
_SCROLL: Final = """() => {
  window.scrollBy(0, Math.max(400, window.innerHeight * 0.9));
  // At the bottom nothing moves any more (pictures are not loaded and have no height).
  window.dispatchEvent(new Event('scroll'));
  const more = [...document.querySelectorAll('button, a[role=button], [data-next-url] ~ button')]
    .find(one => /^(load|show|see|view) more\\b/i.test((one.textContent || '').trim()));
  const bottom = window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 4;
  if (bottom && more && !more.disabled) more.click();
  return {bottom, height: document.documentElement.scrollHeight,
          count: document.querySelectorAll('img, picture, [style*="url("], a[href]').length};
}"""
_TO_TOP: Final = "() => window.scrollTo(0, 0)"


class RenderLimits(Struct, frozen=True):
    """Limits of scrolling a page. Times in seconds."""

    load_s: float = 20.0
    passes: int = 200
    quiet_s: float = 1.2  # without anything new at the bottom: the end
    total_s: float = 60.0


class PageRenderer:
    """A browser that starts when the first page is rendered. Methods raise BrowserFailure."""

    def __init__(self, limits: RenderLimits | None = None, *, chrome: Chrome | None = None) -> None:
        """`chrome` is a browser to share; its owner closes it."""
        self._limits = limits or RenderLimits()
        self._chrome = chrome or Chrome(ChromeOptions(visible=False))
        self._is_shared = chrome is not None

    def set_network(self, fetch: Fetch) -> None:
        """Let the browser reach what the run may reach; call it before the first page."""
        if not self._is_shared:
            self._chrome = Chrome(
                ChromeOptions(visible=False, proxy=fetch.proxy, allow_address=fetch.allow_address)
            )

    async def render(self, response: Response) -> Response:
        """Return the page with the body that its scripts made."""
        async with self._chrome.tab() as tab:
            await tab.goto(response.url, self._limits.load_s)
            await self._scroll(tab)
            if urls.host_of(tab.url) != urls.host_of(response.url):
                # For another URL neither robots.txt nor the guard of private addresses was checked.
                raise BrowserFailure(
                    BrowserTrouble.MOVED, f"the page's scripts went to {tab.url[:200]}"
                )
            body = (await tab.html()).encode("utf-8", "replace")
            kind = {"content-type": "text/html; charset=utf-8"}
            return replace(response, url=tab.url, body=body, headers={**response.headers, **kind})

    async def _scroll(self, tab: Tab) -> None:
        """Scroll down step by step, to trigger lazy loaders and endless lists."""
        limits = self._limits
        end = time.monotonic() + limits.total_s
        seen: tuple[object, object] | None = None
        changed_at = time.monotonic()
        for _ in range(limits.passes):
            state = await tab.evaluate(_SCROLL)
            now = time.monotonic()
            current = (state.get("height"), state.get("count"))
            if current != seen or not state.get("bottom") or tab.busy:
                seen, changed_at = current, now
            if now - changed_at >= limits.quiet_s or now >= end:
                break
            await asyncio.sleep(_POLL_S)
        await tab.evaluate(_TO_TOP)

    async def aclose(self) -> None:
        """End the browser, unless it is shared."""
        if self._is_shared:
            return
        await self._chrome.aclose()
