"""HTTP for sources that crawl pages: robots.txt and excluded hosts are checked on every hop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from pixtrawl import urls
from pixtrawl.errors import FetchError
from pixtrawl.net.curl.transfer import MaySend
from pixtrawl.net.hosts.accounts import HostAccounts
from pixtrawl.net.interface import NotSentError, Request, Response
from pixtrawl.net.redirects import follow
from pixtrawl.net.source_http import MAX_REDIRECTS, SourceHttp

__all__ = ["CrawlHttp"]

_MAX_HOSTS: Final = 10_000  # whose next turn is remembered


class CrawlHttp(SourceHttp):
    """`net.interface.Http` for pages of any site, as opposed to a chosen search source.

    Each hop is asked of the host's robots.txt first (unless the user ignores them), hosts that the
    user excludes are never asked, and pages wait for a slot of their host beside its files.
    """

    def __init__(self, hosts: HostAccounts, *, delay_s: float = 0.0) -> None:
        """`delay_s` lies between the starts of two requests for pages of one host.

        `hosts` are the accounts that the run keeps for files, too; they stay their owner's.
        """
        super().__init__(hosts.client)
        self._hosts = hosts
        self._page_delay_s = delay_s
        self._turns: dict[str, float] = {}
        self._robots = None if hosts.politeness.ignore_robots else hosts.robots

    async def _once(self, request: Request, before: Callable[[], None] = lambda: None) -> Response:
        """As the method it overrides, but time spent waiting for a slot does not count."""
        before()
        if self._robots is not None and urlsplit(request.url).path == "/robots.txt":
            return await self._robots.answer(request.url)
        return await follow(request, self.hop, MAX_REDIRECTS)

    async def hop(self, request: Request, may_send: MaySend | None = None) -> Response:
        """Send one hop within robots.txt, exclusions and pace of its host. Raise FetchError."""
        self._hosts.check_excluded(request.url)
        if urls.scheme_of(request.url) not in {"http", "https"}:
            return await super().hop(request, may_send)
        if self._robots is not None:
            await self._robots.check(request.url)
        host = urls.account_of(request.url)
        await self._page_turn(host)
        while True:
            async with self._hosts.slots.slot(host, request.url) as slot:
                if not self._hosts.slots.may_send(slot):
                    continue
                started_at = asyncio.get_running_loop().time()
                try:
                    may_send = partial(self._hosts.slots.still_may_send, slot)
                    response = await super().hop(request, may_send)
                except NotSentError:
                    continue
                except FetchError as error:
                    self._hosts.note_failure(slot, error, started_at)
                    raise
                self._hosts.slots.begun(host)
                self._hosts.note_answer(slot, response)
                return response

    async def _page_turn(self, host: str) -> None:
        if not self._page_delay_s:
            return
        now = asyncio.get_running_loop().time()
        turn = max(now, self._turns.pop(host, now))
        self._turns[host] = turn + self._page_delay_s
        if len(self._turns) > _MAX_HOSTS:
            del self._turns[next(iter(self._turns))]
        await asyncio.sleep(turn - now)
