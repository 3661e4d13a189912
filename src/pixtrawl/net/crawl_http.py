"""HTTP for sources that crawl pages: robots.txt and excluded hosts are checked on every hop."""

from __future__ import annotations

import asyncio
from typing import Final

from pixtrawl import urls
from pixtrawl.config.groups import Politeness
from pixtrawl.errors import FetchError
from pixtrawl.model import Reason
from pixtrawl.net.client import Client
from pixtrawl.net.interface import Request, Response
from pixtrawl.net.robots_cache import RobotsCache
from pixtrawl.net.source_http import SourceHttp

__all__ = ["CrawlHttp"]

_MAX_HOSTS: Final = 10_000  # with a remembered earliest next request
_ROBOTS_BYTES: Final = 16 * 2**20  # read at most; `parse_robots` has its own limit


class CrawlHttp(SourceHttp):
    """`net.interface.Http` for pages of any site, as opposed to a chosen search source.

    Each hop needs the permission of the host's robots.txt (unless the user ignores robots),
    excluded hosts are never contacted, and the delay applies per host.
    """

    def __init__(self, client: Client, politeness: Politeness, *, delay_s: float = 0.0) -> None:
        """`delay_s` is the least time between the starts of two requests to one host."""
        super().__init__(client)
        self._excluded = politeness.exclude_host
        self._host_delay_s = delay_s
        self._turns: dict[str, float] = {}
        self._robots = None if politeness.ignore_robots else RobotsCache(self._send_robots)

    async def hop(self, request: Request) -> Response:
        """Send one request. Raises FetchError: `ROBOTS_TXT`, `HOST_EXCLUDED`, or the transfer's."""
        self._check_excluded(request.url)
        if self._robots is not None and urls.scheme_of(request.url) in {"http", "https"}:
            await self._robots.check(request.url)
        await self._host_turn(request.url)
        return await super().hop(request)

    async def _send_robots(self, request: Request) -> Response:
        self._check_excluded(request.url)
        sent = Request(url=request.url, max_bytes=_ROBOTS_BYTES, timeout_s=self._timeout_s)
        return await super().hop(sent)

    def _check_excluded(self, url: str) -> None:
        host = urls.host_of(url)
        for parent in self._excluded:
            if urls.same_or_subdomain(host, parent):
                raise FetchError(Reason.HOST_EXCLUDED, host)

    async def _host_turn(self, url: str) -> None:
        if not self._host_delay_s:
            return
        now = asyncio.get_running_loop().time()
        host = urls.host_of(url)
        turn = max(now, self._turns.pop(host, now))
        self._turns[host] = turn + self._host_delay_s
        if len(self._turns) > _MAX_HOSTS:
            del self._turns[next(iter(self._turns))]
        await asyncio.sleep(turn - now)

    async def aclose(self) -> None:
        """Cancel robots.txt requests in flight."""
        if self._robots is not None:
            await self._robots.aclose()
