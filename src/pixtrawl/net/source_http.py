"""HTTP for search sources: answers of any status, at the source's own rate."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final, Protocol
from urllib.parse import urlencode

from msgspec.structs import replace

from pixtrawl.errors import FetchError
from pixtrawl.model import REASONS, Reason
from pixtrawl.net.client import Client
from pixtrawl.net.cookie_jar import CookieJar
from pixtrawl.net.curl.transfer import MaySend
from pixtrawl.net.interface import Request, Response
from pixtrawl.net.redirects import follow

__all__ = ["MAX_REDIRECTS", "SourceHttp"]

_TIMEOUT_S: Final = 30.0
_MAX_BYTES: Final = 16 * 2**20
MAX_REDIRECTS: Final = 10
_AGAIN_AFTER_S: Final = 0.5


class Guard(Protocol):
    """Decides when a source may send a request, and whether to repeat a failed one."""

    async def send(self, once: Callable[[Callable[[], None]], Awaitable[Response]]) -> Response:
        """Return the answer. `once` makes one attempt and calls its argument before sending."""
        ...


class SourceHttp:
    """`net.interface.Http` over the shared client, for one source.

    Follows redirects; does not check robots.txt (the user chose the source). The guard decides on
    retries; without one, a network failure is retried once and a refusal never.
    """

    def __init__(
        self,
        client: Client,
        *,
        delay_s: float = 0.0,
        timeout_s: float = _TIMEOUT_S,
        headers: Mapping[str, str] | None = None,
        guard: Guard | None = None,
    ) -> None:
        """`delay_s` is the least time between two requests; `headers` are sent with each."""
        self._client = client
        self._delay_s = delay_s
        self._timeout_s = timeout_s
        self._headers = dict(headers or {})
        self._pace = asyncio.Lock()
        self._next_at = 0.0
        self._guard = guard
        self._cookies = CookieJar()  # consent pages set their cookie on a redirect

    async def get(
        self,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
    ) -> Response:
        """Send a GET. Raises FetchError."""
        if params:
            url += ("&" if "?" in url else "?") + urlencode(params)
        return await self._ask(self._request(url, headers, max_bytes=max_bytes))

    async def post(
        self, url: str, *, body: bytes, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Send a POST. Raises FetchError."""
        return await self._ask(replace(self._request(url, headers), method="POST", body=body))

    def _request(
        self, url: str, headers: Mapping[str, str] | None, max_bytes: int | None = None
    ) -> Request:
        return Request(
            url=url,
            headers={**self._headers, **(headers or {})},
            max_bytes=max_bytes or _MAX_BYTES,
            timeout_s=self._timeout_s,
        )

    async def _ask(self, request: Request) -> Response:
        if self._guard is not None:
            return await self._guard.send(partial(self._once, request))
        try:
            return await self._once(request)
        except FetchError as error:
            if error.http_status or not REASONS[error.reason].transient:
                raise
        await asyncio.sleep(_AGAIN_AFTER_S)
        return await self._once(request)

    async def _once(self, request: Request, before: Callable[[], None] = lambda: None) -> Response:
        await self._wait_turn()
        before()
        try:
            async with asyncio.timeout(self._timeout_s):
                return await follow(request, self.hop, MAX_REDIRECTS)
        except TimeoutError:
            raise FetchError(Reason.DEADLINE, f"no answer in {self._timeout_s:g} s") from None

    async def hop(self, request: Request, may_send: MaySend | None = None) -> Response:
        """Send one request, without following redirects; `may_send` as of the client.

        Raises FetchError.
        """
        given = next((v for n, v in request.headers.items() if n.lower() == "cookie"), "")
        if cookies := self._cookies.header(request.url, given):
            others = {n: v for n, v in request.headers.items() if n.lower() != "cookie"}
            request = replace(request, headers={**others, "Cookie": cookies})
        response = await self._client.transfer(request, may_send=may_send)
        if set_cookie := response.headers.get("set-cookie"):
            self._cookies.take(request.url, set_cookie)
        return response

    async def _wait_turn(self) -> None:
        if not self._delay_s:
            return
        clock = asyncio.get_running_loop().time
        async with self._pace:
            await asyncio.sleep(max(0.0, self._next_at - clock()))
            self._next_at = clock() + self._delay_s

    async def aclose(self) -> None:
        """Do nothing: the client belongs to the caller."""
