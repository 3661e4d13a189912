"""Find originals that the page does not carry, by hovering over tiles or clicking on them.

Each method is tried on a few tiles first and dropped for the query if it finds nothing there, so
that a page on which nothing works costs seconds, not minutes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import urlsplit

from pixtrawl.browser.failure import BrowserFailure, BrowserTrouble
from pixtrawl.browser.tab import Placed, Tab
from pixtrawl.sources.google.grid import Grid

TRIAL: Final = 4  # tiles on which a method has to find something
HOVER_S: Final = 0.3  # until links appear after hovering
DWELL_S: Final = 0.12  # for a page that reacts only to a resting mouse
CLICK_S: Final = 3.5  # until a click shows its picture
USUAL_S: Final = 1.2  # minimum of it once the delay of this page is known
STILL_S: Final = 0.6  # until the page changes at all after a click
MISS_S: Final = 1.0  # total, after three consecutive clicks without a result
MAX_MISSES: Final = 5
CLICKS_AT_ONCE: Final = 5  # clicks per batch of candidates: each may take seconds
# An image shown in the page is better evidence than a bare request, which may preload the image of
# a neighbouring tile.
GRACE_S: Final = 0.25
BARE_GRACE_S: Final = 0.03  # if this page only ever gives requests
BARE_ENOUGH: Final = 3


Way = Callable[[Placed, list[str]], Awaitable[None]]


class Probe:
    """Hovers and clicks for one query.

    Args:
        tab: shows the result page.
        look: adds the present content of the page to `grid`.
        grid: everything known so far.
        click_limit: maximum number of clicks.
        useless: names of methods that found nothing where a click did; shared by all queries.
    """

    def __init__(
        self,
        tab: Tab,
        look: Callable[[], Awaitable[None]],
        grid: Grid,
        click_limit: int,
        useless: set[str],
    ) -> None:
        self._tab = tab
        self._look = look
        self._grid = grid
        self._clicks_left = click_limit
        self._useless = useless
        ways: dict[str, Way] = {"hover": self._hover, "dwell": self._dwell, "touch": self._touch}
        self._ways = [(name, way) for name, way in ways.items() if name not in useless]
        self._given_up: set[str] = set()
        self._proven = False  # the first method has found something
        self._tried: set[str] = set()
        self._clicked: set[str] = set()
        self._misses = 0
        self._slowest_s = 0.0  # of the clicks that found something
        self._shows = False  # the page has shown the picture of a click
        self._bare = 0  # consecutive clicks answered by a request only

    async def try_tiles(self, reader: Placed, batch: int) -> bool:
        """Try up to `batch` tiles; return False when none is left to try."""
        lacking = self._grid.lacking()
        try:
            fresh = [key for key in lacking if key not in self._tried]
            if fresh and self._ways:
                await self._try_hovering(reader, fresh[:batch])
                return True
            unclicked = [key for key in lacking if key not in self._clicked]
            if unclicked and self._clicks_left > 0 and self._misses < MAX_MISSES:
                await self._click_all(reader, unclicked[: min(batch, CLICKS_AT_ONCE)])
                return True
        except BrowserFailure as failure:
            if failure.trouble is not BrowserTrouble.MOVED:
                raise
            await self._look()
        return False

    async def _try_hovering(self, reader: Placed, keys: list[str]) -> None:
        if self._proven:
            self._tried.update(keys)
            await self._ways[0][1](reader, keys)
            return
        trial = keys[:TRIAL]
        while self._ways:
            await self._ways[0][1](reader, trial)
            if len(self._still(trial)) < len(trial):
                self._proven = True
                self._tried.update(trial)
                return
            self._given_up.add(self._ways.pop(0)[0])
        self._tried.update(trial)

    def _still(self, keys: list[str]) -> list[str]:
        lacking = set(self._grid.lacking())
        return [key for key in keys if key in lacking]

    async def _hover(self, reader: Placed, keys: list[str], dwell_s: float = 0.0) -> None:
        left = list(keys)
        while left:
            view = await reader.call("bring", left)
            points = view.get("points") or []
            if not points:
                break  # no longer in the page: a virtualised grid
            for _, (x, y) in points:
                await self._tab.move_mouse(x, y)
                if dwell_s:
                    await asyncio.sleep(dwell_s)
            done = {key for key, _ in points}
            left = [key for key in left if key not in done]
        await self._wait_for_links(keys)

    async def _dwell(self, reader: Placed, keys: list[str]) -> None:
        await self._hover(reader, keys, DWELL_S)

    async def _touch(self, reader: Placed, keys: list[str]) -> None:
        await reader.call("touch", keys)
        await self._wait_for_links(keys)

    async def _wait_for_links(self, keys: list[str]) -> None:
        until = time.monotonic() + HOVER_S
        await self._look()
        while self._still(keys) and time.monotonic() < until:
            await asyncio.sleep(0.03)
            await self._look()

    async def _click_all(self, reader: Placed, keys: list[str]) -> None:
        try:
            for key in keys:
                if self._clicks_left <= 0 or self._misses >= MAX_MISSES:
                    break
                self._clicked.add(key)
                if self._still([key]):  # the previous click may have found it too
                    await self._click(reader, key)
        finally:
            await reader.call("disarm")

    async def _click(self, reader: Placed, key: str) -> None:
        armed = await reader.call("arm", key)
        if armed.get("there") is not True:
            return
        self._clicks_left -= 1
        self._tab.take_image_requests()
        point = armed.get("point")
        if point:
            await self._tab.click(point[0], point[1])
        else:
            await reader.call("press", key)
        found = await self._answer(reader, key, armed.get("changes"))
        self._misses = 0 if found else self._misses + 1
        if found:
            self._useless |= self._given_up

    async def _answer(self, reader: Placed, key: str, changes: Any) -> bool:
        """Wait for the URL of the picture that the click on tile `key` loads."""
        began = time.monotonic()
        limit_s = self._limit_s()
        grace_s = BARE_GRACE_S if self._bare >= BARE_ENOUGH else GRACE_S
        if self._shows:
            grace_s = limit_s  # use a bare request only if nothing was shown
        requested: list[str] = []
        hidden: list[Any] = []
        first_hint_s = 0.0
        stirred = False
        while (waited_s := time.monotonic() - began) < (limit_s if stirred else STILL_S):
            noted = await reader.call("noted")
            if self._take_noted(noted, key):
                self._bare, self._shows = 0, True
                self._slowest_s = max(self._slowest_s, waited_s)
                return True
            stirred = stirred or self._tab.busy or noted.get("changes") != changes
            hidden += [image for image in noted.get("images") or () if not image["shown"]]
            requested += filter(_may_be_original, self._tab.take_image_requests())
            if requested or hidden:
                first_hint_s = first_hint_s or waited_s
                if waited_s - first_hint_s >= grace_s and self._take_hints(key, hidden, requested):
                    self._bare += 1
                    self._slowest_s = max(self._slowest_s, waited_s)
                    return True
            await asyncio.sleep(0.015)
        return self._take_hints(key, hidden, requested)

    def _limit_s(self) -> float:
        if self._misses >= 3:
            return MISS_S
        return max(USUAL_S, 2.5 * self._slowest_s) if self._slowest_s else CLICK_S

    def _take_noted(self, noted: Any, key: str) -> bool:
        self._grid.add_links(noted.get("links") or ())
        tile = self._grid.tiles.get(key)
        if tile is not None and tile.record is not None:
            return True
        return any(
            self._grid.add_clicked(key, image["url"], image["page"], image["title"])
            for image in noted.get("images") or ()
            if image["shown"]
        )

    def _take_hints(self, key: str, hidden: list[Any], requested: list[str]) -> bool:
        return any(
            self._grid.add_clicked(key, image["url"], image["page"], image["title"])
            for image in hidden
        ) or any(self._grid.add_clicked(key, url) for url in requested)


def _may_be_original(url: str) -> bool:
    path = urlsplit(url).path.lower()
    return "favicon" not in path and not path.endswith((".ico", "/s.gif", "/gen_204"))
