"""Cache of robots.txt: fetched once per origin, with the consequences of a missing one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from pixtrawl import urls
from pixtrawl.errors import FetchError
from pixtrawl.model import Reason
from pixtrawl.net.interface import Request, Response
from pixtrawl.net.redirects import follow
from pixtrawl.net.robots import RobotsRules, parse_robots
from pixtrawl.net.stated_pause import stated_pause_s

__all__ = ["RobotsCache"]

_MAX_REDIRECTS: Final = 5  # RFC 9309 2.3.1.2
_ALLOW_ALL: Final = RobotsRules()
_AGAIN_AFTER_S: Final = 0.5
_KEPT_ANSWERS: Final = 16  # of up to half a MiB each; a crawl reads one right after it came

# A robots.txt redirected to a refused target is unreachable: complete disallow (RFC 9309 2.3.1.4).
_DISALLOW_REASONS: Final = frozenset({
    Reason.ADDRESS_REFUSED, Reason.SCHEME_REFUSED, Reason.HOST_EXCLUDED,
})  # fmt: skip
# Not fetched again in this run.
_OF_THE_RUN: Final = frozenset({Reason.ROBOTS_TXT, Reason.ROBOTS_UNAVAILABLE})

Verdict = RobotsRules | FetchError


class RobotsCache:
    """The cache of one run. `send` makes one request, with slot and guard, without redirects."""

    def __init__(self, send: Callable[[Request], Awaitable[Response]]) -> None:
        self._send = send
        self._known: dict[str, Verdict] = {}
        self._fetching: dict[str, asyncio.Task[Verdict]] = {}
        self._answers: dict[str, Response] = {}  # the latest, for who reads sitemaps out of them

    async def check(self, url: str) -> None:
        """Return when the URL may be fetched.

        Raises FetchError: `ROBOTS_TXT` where the rules forbid it; `ROBOTS_UNAVAILABLE` where the
        server fails to give them (5xx: complete disallow, for this run); the network's own reason
        where the host is not reached, or asks to slow down.
        """
        verdict = await self._verdict(url)
        if isinstance(verdict, FetchError):
            raise _again(verdict)
        if not verdict.allows(urls.canonical(url)):
            raise FetchError(Reason.ROBOTS_TXT, f"{_origin(url)}/robots.txt")

    async def answer(self, url: str) -> Response | None:
        """The robots.txt of this URL's origin as it came; None where it is not at hand.

        Raises FetchError where the host was not reached.
        """
        verdict = await self._verdict(url)
        known = self._answers.get(_origin(url))
        if known is None and isinstance(verdict, FetchError):
            raise _again(verdict)
        return known

    async def _verdict(self, url: str) -> Verdict:
        origin = _origin(url)
        known = self._known.get(origin)
        if known is not None:
            return known
        task = self._fetching.get(origin)
        if task is None:
            task = asyncio.create_task(self._fetch(origin))
            self._fetching[origin] = task
        # A cancelled caller must not cancel the request that others wait for.
        return await asyncio.shield(task)

    async def _fetch(self, origin: str) -> Verdict:
        try:
            verdict = await self._ask(origin)
            if _worth_another_try(verdict):
                await asyncio.sleep(_AGAIN_AFTER_S)
                # Where the host stated a pause, `send` waits for its end.
                verdict = await self._ask(origin)
            # A host that was not reached may be tried again by the next caller.
            if not isinstance(verdict, FetchError) or verdict.reason in _OF_THE_RUN:
                self._known[origin] = verdict
            return verdict
        finally:
            del self._fetching[origin]

    async def _ask(self, origin: str) -> Verdict:
        request = Request(url=f"{origin}/robots.txt")
        try:
            response = await follow(request, self._send, _MAX_REDIRECTS)
        except FetchError as error:
            return _unavailable(error)
        self._answers.pop(origin, None)
        self._answers[origin] = response
        if len(self._answers) > _KEPT_ANSWERS:
            del self._answers[next(iter(self._answers))]
        status = response.status
        if status == 429 or status >= 500:
            reason = Reason.RATE_LIMITED if status == 429 else Reason.ROBOTS_UNAVAILABLE
            pause_s = stated_pause_s(status, response.headers)
            said = f"robots.txt answers {status}"
            return FetchError(reason, said, http_status=status, retry_after_s=pause_s)
        if not 200 <= status < 300:
            return _ALLOW_ALL  # "unavailable", RFC 9309 2.3.1.3
        return parse_robots(response.body)

    async def aclose(self) -> None:
        """Cancel requests in flight."""
        tasks = list(self._fetching.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _again(error: FetchError) -> FetchError:
    """The same failure for another request: a raised exception keeps the trace of each raise."""
    return FetchError(
        error.reason, error.detail, http_status=error.http_status,
        retry_after_s=error.retry_after_s,
    )  # fmt: skip


def _unavailable(error: FetchError) -> Verdict:
    if error.reason is Reason.TOO_MANY_REDIRECTS:
        return _ALLOW_ALL  # RFC 9309 2.3.1.2: may be taken as unavailable
    redirected = error.http_status >= 300
    if error.reason in _DISALLOW_REASONS and redirected:
        return FetchError(Reason.ROBOTS_TXT, f"robots.txt: bad redirect: {error}")
    return FetchError(
        error.reason, f"robots.txt: {error.detail}", http_status=error.http_status,
        retry_after_s=error.retry_after_s,
    )  # fmt: skip


def _worth_another_try(verdict: Verdict) -> bool:
    if not isinstance(verdict, FetchError):
        return False
    broken = verdict.reason in {Reason.BODY_INCOMPLETE, Reason.PROTOCOL_ERROR}
    return broken or verdict.http_status >= 500 or verdict.retry_after_s is not None


def _origin(url: str) -> str:
    return f"{urls.scheme_of(url)}://{urls.host_of(url)}"
