"""One query in one tab: open, pass consent pages and walls, then read, scroll, hover and click.

In order of cost: records that the page already carries (no cost); links that appear on hovering
over a tile (some milliseconds each); requests caused by a click (tens of milliseconds). Nothing
waits for the network to be idle: on such a page it never is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from importlib.resources import files
from typing import Any, Final

from pixtrawl.browser.failure import BrowserFailure, BrowserTrouble
from pixtrawl.browser.tab import Placed, Tab
from pixtrawl.errors import SourceStop
from pixtrawl.events import Notice
from pixtrawl.model import Query
from pixtrawl.sources.base import Page, SourceContext
from pixtrawl.sources.google.grid import Grid
from pixtrawl.sources.google.outcome import ONLY_THUMBNAILS, evidence_name, stop_for
from pixtrawl.sources.google.probe import Probe
from pixtrawl.sources.google.records import deferred_thumbnails, records_in
from pixtrawl.sources.google.request import search_url
from pixtrawl.sources.google.shared import Limits, Shared
from pixtrawl.sources.google.state import (
    BLOCKED,
    MORE_WORDS,
    PASSING,
    REJECT_WORDS,
    State,
    classify,
)

LOAD_TIMEOUT_S: Final = 30.0
SETTLE_S: Final = 8.0  # until a page is in a known state
QUIET_S: Final = 0.6  # without a change, the page counts as settled
NEWS_S: Final = 0.7  # after a scroll to the end; longer while responses are outstanding
BUSY_S: Final = 4.0
BUTTON_S: Final = 0.15  # at the end of a quiet page, before searching for a button
QUERY_S: Final = 300.0  # per query, without the time that the caller takes
GRID_TILES: Final = 4
MAX_IDLE: Final = 2  # consecutive looks at the end of the page without new results
MAX_PRESSES: Final = 25  # of "more results"
MAX_MOVES: Final = 6  # navigations waited for


def _script(name: str) -> str:
    return files("pixtrawl.sources.google").joinpath(name).read_text("utf-8")


READER: Final = _script("reader.js")
FACTS: Final = _script("facts.js")
REJECT: Final = _script("reject.js")


class GoogleSearch:
    """One query in one tab. `paused_s` is the time that the caller takes."""

    def __init__(
        self, base_url: str, query: Query, context: SourceContext, limits: Limits, shared: Shared
    ) -> None:
        self._base_url = base_url
        self._query = query
        self._context = context
        self._limits = limits
        self._shared = shared
        self._tab: Tab
        self._reader: Placed | None = None
        self._changes = -1
        self._moved = False
        self._consented = False
        self._idle = self._presses = 0
        self._size_pressed = (-1, -1)  # of the page when a button for more was pressed last
        self._started = time.monotonic()
        self.paused_s = 0.0
        self.grid = Grid(query, "google")

    async def pages(self, tab: Tab) -> AsyncGenerator[Page, None]:
        """Yield candidates as they become known. Raises SourceStop, BrowserFailure."""
        self._tab = tab
        await self._open()
        probe = Probe(tab, self._look, self.grid, self._limits.click_limit, self._shared.useless)
        for _ in range(self._limits.scroll_passes):
            for page in self._page():
                yield page
            while self.grid.lacking() and await probe.try_tiles(self._reader_now(), self._batch()):
                for page in self._page():
                    yield page
            await self._still_results()
            if self._is_overtime() or not await self._go_on():
                break
        for page in (*self._page(), *await self._rest()):
            yield page
        if not self.grid.originals:
            raise await self._stop(
                State.UNKNOWN, message=ONLY_THUMBNAILS if self.grid.given else ""
            )

    # -- opening the page ------------------------------------------------------------------------

    async def _open(self) -> None:
        state = State.UNKNOWN
        notes: tuple[str, ...] = ()
        # Google answers 5-10 % of valid queries with an empty page: retry once, then in the older
        # form, before the page counts as changed.
        for old_form in (False, False, True):
            url, notes = search_url(
                self._base_url, self._query.text, self._query.filters, old_form=old_form
            )
            state = await self._load(url)
            if state is not State.UNKNOWN:
                break
        for note in notes:
            self._context.emit(Notice(note, "warning"))
        if state is not State.GRID:
            raise await self._stop(state)

    async def _load(self, url: str) -> State:
        await self._shared.pace()
        self._reader = None
        await self._tab.goto(url, LOAD_TIMEOUT_S)
        solved = self._shared.solved
        state = await self._settle()
        if state is State.CONSENT and not self._consented:
            state = await self._reject_all(url)
        if state in (State.CAPTCHA, State.CONSENT, State.LOGIN) and self._patience() > 0:
            state = await self._wait_for_person(url, solved)
        return state

    async def _settle(self, leave: State | None = None, limit_s: float = SETTLE_S) -> State:
        """Wait until the page is in a known state; `leave` is the state that it should leave."""
        began = last_change = time.monotonic()
        changes = -1
        while True:
            await self._look()
            facts = await self._safely(lambda: self._tab.evaluate(FACTS))
            state = classify(
                self._tab.url, self._tab.status, facts, records=self.grid.known_originals
            )
            if state is State.UNKNOWN and len(self.grid.tiles) >= GRID_TILES:
                state = State.GRID  # many pictures of one shape, whatever their names
            now = time.monotonic()
            if state not in PASSING and state is not leave:
                return state
            if self._changes != changes:
                changes, last_change = self._changes, now
            ready = isinstance(facts, dict) and facts.get("ready") == "complete"
            quiet = ready and not self._tab.busy and now - last_change > QUIET_S
            if now - began > limit_s or (quiet and (leave is None or self._moved)):
                return state
            await asyncio.sleep(0.08)

    async def _reject_all(self, url: str) -> State:
        self._consented, self._moved = True, False
        clicked = await self._safely(lambda: self._tab.evaluate(REJECT, REJECT_WORDS))
        if clicked is not True:
            return State.CONSENT
        state = await self._settle(State.CONSENT, 6.0)
        if state is State.UNKNOWN:  # it did not lead back to the results
            return await self._load(url)
        return state

    def _patience(self) -> float:
        if self._limits.patience_s is not None:
            return self._limits.patience_s
        return 120.0 if self._shared.visible() else 0.0

    async def _wait_for_person(self, url: str, solved: int) -> State:
        async with self._shared.person:  # one window at a time
            if self._shared.solved != solved:
                return await self._load(url)
            patience = self._patience()
            self._context.emit(
                Notice(
                    f"google wants to see a person: please answer it in the browser window "
                    f"({patience:.0f} s)",
                    "warning",
                )
            )
            await self._tab.block_images(False)
            state = State.CAPTCHA
            until = time.monotonic() + patience
            while time.monotonic() < until:
                await asyncio.sleep(0.3)
                state = await self._settle(limit_s=1.0)
                if state in (State.GRID, State.NO_RESULTS):
                    self._shared.solved += 1
                    break
            await self._tab.block_images(True)
            return state

    # -- reading ------------------------------------------------------------------------------

    async def _look(self) -> None:
        """Add everything that the page shows and carries now."""
        news = await self._safely(self._read)
        for text in (*news.get("texts", ()), *await self._tab.take_bodies()):
            if isinstance(text, str):
                self.grid.add_records(records_in(text))
                self.grid.add_deferred(deferred_thumbnails(text))
        self.grid.add_tiles(news.get("tiles", ()))
        self.grid.add_links(news.get("links", ()))
        self._changes = news.get("changes", 0)

    async def _read(self) -> Any:
        if self._reader is None:
            self._reader = await self._tab.place(READER)
        news = await self._reader.call("read")
        return news if isinstance(news, dict) else {}

    async def _safely(self, work: Callable[[], Awaitable[Any]]) -> Any:
        """Run the work, again after each navigation that destroys the page under it."""
        for attempt in range(MAX_MOVES):
            try:
                return await work()
            except BrowserFailure as failure:
                if failure.trouble is not BrowserTrouble.MOVED or attempt == MAX_MOVES - 1:
                    raise
                self._reader, self._moved = None, True
                await asyncio.sleep(0.05)
                await self._tab.parsed(10)
        raise AssertionError("the loop returns or raises")

    def _reader_now(self) -> Placed:
        assert self._reader is not None
        return self._reader

    def _page(self) -> list[Page]:
        fresh = self.grid.news()
        return [Page(fresh, position={"rank": self.grid.last_rank})] if fresh else []

    def _batch(self) -> int:
        wanted = self._context.wanted
        return 25 if wanted is None else max(10, min(50, wanted - self.grid.given))

    # -- more results -----------------------------------------------------------------------------

    async def _go_on(self) -> bool:
        """Scroll or press a button for more; return False when the page has no more."""
        if await self._scroll_on():
            self._idle = 0
            return True
        self._idle += 1
        if self._idle < MAX_IDLE:
            return True
        if not await self._press_more():
            return False
        self._idle = 0
        return True

    async def _scroll_on(self) -> bool:
        """Scroll one step; return True if it brought something or there is more below."""
        before = self._size()
        try:
            step = await self._reader_now().call("scroll", False)
        except BrowserFailure as failure:
            if failure.trouble is not BrowserTrouble.MOVED:
                raise
            await self._look()
            return True
        at_end = step.get("end") is True or step.get("moved") is not True
        may_press = at_end and before != self._size_pressed  # the last press brought something
        began = time.monotonic()
        while True:
            await asyncio.sleep(0.05)
            await self._look()
            waited = time.monotonic() - began
            if self._size() != before:
                return True
            if may_press and not self._tab.busy and waited > BUTTON_S:
                may_press = False
                if await self._press_more():
                    return True
            if not at_end and not self._tab.busy and waited > 0.1:
                return True
            if waited > (BUSY_S if self._tab.busy else NEWS_S):
                return not at_end

    def _size(self) -> tuple[int, int]:
        return len(self.grid.tiles), self.grid.known_originals

    async def _press_more(self) -> bool:
        if self._presses >= MAX_PRESSES:
            return False
        point = await self._safely(self._more)
        if point is None:
            return False
        self._presses, self._size_pressed = self._presses + 1, self._size()
        if point[0] >= 0:
            await self._tab.click(point[0], point[1])
        await self._look()
        return True

    async def _more(self) -> Any:
        if self._reader is None:
            self._reader = await self._tab.place(READER)
        return await self._reader.call("more", MORE_WORDS)

    async def _still_results(self) -> None:
        """Raise SourceStop after a refusal, or a move to a block, consent or error page."""
        if self._tab.refused:
            status, url = self._tab.refused
            raise await self._stop(classify(url, status, None), status)
        if "/sorry/" not in self._tab.url and not self._moved:
            return
        self._moved = False
        state = await self._settle()
        if state in BLOCKED or state in (State.CONSENT, State.SERVER_ERROR):
            raise await self._stop(state)

    def _is_overtime(self) -> bool:
        return time.monotonic() - self._started - self.paused_s > QUERY_S

    async def _rest(self) -> list[Page]:
        """Return the thumbnails of results whose original was not found."""
        pictures: dict[str, str] = {}
        for key in self.grid.lacking():
            tile = self.grid.tiles[key]
            if tile.inline and not tile.thumb_url and self._reader is not None:
                picture = await self._reader.call("picture", key)
                pictures[key] = picture if isinstance(picture, str) else ""
        rest = self.grid.leftovers(pictures)
        return [Page(rest, position={"rank": self.grid.last_rank})] if rest else []

    async def _stop(self, state: State, http_status: int = 0, *, message: str = "") -> SourceStop:
        return stop_for(
            state,
            visible=self._shared.visible(),
            http_status=http_status or self._tab.status,
            message=message,
            evidence=await self._evidence(),
        )

    async def _evidence(self) -> tuple[str, ...]:
        """Save the page and a screenshot; skip either if it cannot be had."""
        base = evidence_name(self._query.text, 0)[:-2]
        number = self._shared.numbers[base] = self._shared.numbers.get(base, 0) + 1
        name = evidence_name(self._query.text, number)
        saved: list[str] = []
        for ending, get in (("html", self._tab.html), ("png", self._tab.screenshot)):
            try:
                content = await get()
            except BrowserFailure as failure:
                self._context.emit(Notice(f"google: no {ending} of the page: {failure}"))
                continue
            saved.append(self._context.evidence.save(f"{name}.{ending}", content))
        return tuple(filter(None, saved))
