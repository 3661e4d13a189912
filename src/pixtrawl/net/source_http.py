"""The network as a search source sees it: any answer is an answer, at the source's own pace."""

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
from pixtrawl.net.interface import Request, Response
from pixtrawl.net.redirects import follow

__all__ = ["SourceHttp"]

_TIMEOUT_S: Final = 30.0
_MAX_BYTES: Final = 16 * 2**20
_MAX_REDIRECTS: Final = 10
_AGAIN_AFTER_S: Final = 0.5


class Guard(Protocol):
    """Decides when a source may be asked, and whether again after a failure."""

    async def send(self, once: Callable[[Callable[[], None]], Awaitable[Response]]) -> Response:
        """The answer. `once` asks once and calls what it is given before its request is sent."""
        ...


class SourceHttp:
    """`net.interface.Http` over the one client, for one source.

    Redirects are followed, robots.txt is not asked (asking a search source is the user's own act).
    What follows a failure is the guard's to say; without one, only a failure of the network is
    tried once more: a refusal never.
    """

    def __init__(
        self,
        client: Client,
        *,
        delay_s: float = 0.0,
        timeout_s: float = _TIMEOUT_S,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`delay_s` lies between the starts of two requests; `headers` go with each of them."""
        self._client = client
        self._delay_s = delay_s
        self._timeout_s = timeout_s
        self._headers = dict(headers or {})
        self._pace = asyncio.Lock()
        self._next_at = 0.0
        self.guard: Guard | None = None
        self._cookies = CookieJar()  # a consent page's answer is a cookie, set on a redirect

    async def get(
        self,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
    ) -> Response:
        """GET. Raises FetchError."""
        if params:
            url += ("&" if "?" in url else "?") + urlencode(params)
        return await self._ask(self._request(url, headers, max_bytes=max_bytes))

    async def post(
        self, url: str, *, body: bytes, headers: Mapping[str, str] | None = None
    ) -> Response:
        """POST. Raises FetchError."""
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
        if self.guard is not None:
            return await self.guard.send(partial(self._once, request))
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
                return await follow(request, self.hop, _MAX_REDIRECTS)
        except TimeoutError:
            raise FetchError(Reason.DEADLINE, f"no answer in {self._timeout_s:g} s") from None

    async def hop(self, request: Request) -> Response:
        """One request, no redirect followed. Raises FetchError."""
        given = next((v for n, v in request.headers.items() if n.lower() == "cookie"), "")
        if cookies := self._cookies.header(request.url, given):
            others = {n: v for n, v in request.headers.items() if n.lower() != "cookie"}
            request = replace(request, headers={**others, "Cookie": cookies})
        response = await self._client.transfer(request)
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
        """Holds nothing of its own; the client stays its owner's."""
