"""Fetching politely: robots, slots, redirects, retries and one deadline around the client.

On every hop, first to last: scheme, excluded hosts, robots.txt, the host's slot, the connection's
address. Waiting (for a slot, for the next attempt) holds nothing that another transfer could use.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Final

from msgspec import Struct

from pixtrawl import urls
from pixtrawl.config.groups import Fetch, Politeness
from pixtrawl.errors import FetchError
from pixtrawl.model import Reason
from pixtrawl.net.client import Client
from pixtrawl.net.concurrency import AdaptiveLimit, most_at_once
from pixtrawl.net.gate import Gate
from pixtrawl.net.hosts import HostSlots, HostTable
from pixtrawl.net.interface import Request, Response
from pixtrawl.net.redirects import follow
from pixtrawl.net.retry import RetryPolicy, retry_after_s
from pixtrawl.net.robots import ROBOTS_MAX_BYTES, opts_out
from pixtrawl.net.robots_cache import RobotsCache

__all__ = ["FetchFailedError", "Fetched", "Fetcher", "status_error"]

_OVERLOAD: Final = frozenset({Reason.FIRST_BYTE_TIMEOUT, Reason.TOO_SLOW, Reason.DEADLINE})
# A few hundred bytes each, and every file of a host waits for them: they do not queue behind files.
_ROBOTS_AT_ONCE: Final = 128
_HOLD_S: Final = 1.0  # after a 429 or 503 that names no time


class Fetched(Struct, frozen=True):
    """A usable answer and how many attempts it took."""

    response: Response
    attempts: int


class FetchFailedError(FetchError):
    """The last attempt's failure, with how many there were and where it happened."""

    def __init__(self, error: FetchError, attempts: int, final_url: str) -> None:
        super().__init__(
            error.reason,
            error.detail,
            http_status=error.http_status,
            retry_after_s=error.retry_after_s,
        )
        self.error = error
        self.attempts = attempts
        self.final_url = final_url

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.error, self.attempts, self.final_url)


class _Task(Struct):
    """One fetch on its way: what it has used up, where it stands."""

    stage_as: str | None
    robots: bool
    left_s: float
    url: str


class Fetcher:
    """Fetches images, and pages that are crawled, for one run."""

    def __init__(self, client: Client, politeness: Politeness, fetch: Fetch) -> None:
        """Needs a running event loop. The client stays its owner's to close."""
        now = asyncio.get_running_loop().time
        self._client = client
        self._fetch_settings = fetch
        self._politeness = politeness
        self._now = now
        self._policy = RetryPolicy(retries=fetch.retries)
        self._slots = HostSlots(HostTable(politeness.per_host, politeness.delay_s), now)
        most = most_at_once(fetch.concurrency, fetch.limit_rate_bytes_s)
        self._gate = Gate(AdaptiveLimit(most, fetch.timeout_s, now()), now)
        self._robots = RobotsCache(self._send_robots)
        self._robots_places = asyncio.Semaphore(min(_ROBOTS_AT_ONCE, fetch.concurrency))

    async def fetch(
        self, request: Request, *, stage_as: str | None = None, robots: bool = True
    ) -> Fetched:
        """The body of a 2xx answer, staged as `stage_as` or in memory.

        Args:
            request: its `timeout_s` (default: the settings') is for all attempts together, time
                spent waiting for a slot not counted.
            stage_as: plain file name in the client's staging folder.
            robots: whether robots.txt and opt-out headers govern this request.

        Raises FetchFailedError: any status but 2xx is a failure, and so is an empty body.
        """
        timeout_s = self._fetch_settings.timeout_s
        task = _Task(
            stage_as=stage_as,
            robots=robots and not self._politeness.ignore_robots,
            left_s=timeout_s if request.timeout_s is None else request.timeout_s,
            url=request.url,
        )
        attempts = 0
        while True:
            attempts += 1
            try:
                return Fetched(await self._attempt(request, task), attempts)
            except FetchError as error:
                wait_s = self._policy.wait_s(error, attempts, task.left_s)
                if wait_s is None:
                    raise FetchFailedError(error, attempts, task.url) from error
            task.left_s -= wait_s
            await asyncio.sleep(wait_s)

    async def _attempt(self, request: Request, task: _Task) -> Response:
        reason = urls.check(request.url)
        if reason is not None:
            raise FetchError(reason, request.url[:200])
        if urls.scheme_of(request.url) == "data":
            response = await self._client.transfer(request, stage_as=task.stage_as)
        else:
            response = await follow(
                request, lambda hop: self._hop(hop, task), self._fetch_settings.max_redirects
            )
        error = status_error(response)
        if error is not None:
            raise error
        return response

    async def _hop(self, request: Request, task: _Task) -> Response:
        task.url = request.url
        self._check_excluded(request.url)
        if task.robots:
            await self._robots.check(request.url)
        if task.left_s <= 0:
            raise FetchError(Reason.DEADLINE, "no time is left for another request")
        return await self._in_slot(request, task)

    async def _in_slot(self, request: Request, task: _Task) -> Response:
        host = urls.host_of(request.url)
        async with self._slots.slot(host), self._gate.passage(host):
            started_at = self._now()
            try:
                response = await self._client.transfer(
                    request,
                    timeout_s=task.left_s,
                    stage_as=task.stage_as,
                    admit=_admit if task.robots else None,
                    answered=partial(self._begun, host),
                )
            except FetchError as error:
                self._note_failure(host, error, started_at)
                raise
            finally:
                task.left_s -= self._now() - started_at
            self._note_answer(host, response)
            self._slots.table.transferred(host, response.size_bytes, started_at)
        return response

    async def _send_robots(self, request: Request) -> Response:
        """One request for a robots.txt: the host's slot, but no time and no place of a file's."""
        self._check_excluded(request.url)
        host = urls.host_of(request.url)
        async with self._slots.slot(host), self._robots_places:
            started_at = self._now()
            try:
                response = await self._client.transfer(request, cut_at=ROBOTS_MAX_BYTES)
            except FetchError as error:
                self._note_failure(host, error, started_at)
                raise
            self._slots.table.answered(host)
        return response

    # -- what is learned from answers --------------------------------------------------------

    def _begun(self, host: str, waited_s: float) -> None:
        self._slots.begun(host)
        self._gate.answered(waited_s, self._client.received_bytes)

    def _note_failure(self, host: str, error: FetchError, started_at: float) -> None:
        if error.http_status:
            self._slots.table.answered(host)
        self._slots.failed(host, error.reason, started_at)
        self._gate.ended(
            size_bytes=0,
            elapsed_s=self._now() - started_at,
            timed_out=error.reason in _OVERLOAD,
        )

    def _note_answer(self, host: str, response: Response) -> None:
        self._slots.table.answered(host)
        if response.status in {429, 503}:
            asked_s = retry_after_s(response.headers.get("retry-after", ""))
            self._slots.hold(host, _HOLD_S if asked_s is None else asked_s)
        self._gate.ended(
            size_bytes=response.size_bytes, elapsed_s=response.elapsed_s, timed_out=False
        )

    def _check_excluded(self, url: str) -> None:
        if not self._politeness.exclude_host:
            return
        host = urls.host_of(url)
        for parent in self._politeness.exclude_host:
            if urls.same_or_subdomain(host, parent):
                raise FetchError(Reason.HOST_EXCLUDED, host)

    # -- for those who plan ------------------------------------------------------------------

    def has_room(self, host: str) -> bool:
        """Would a request to this host (as of `urls.host_of`) start at once?"""
        return self._gate.has_room and (not host or self._slots.has_room(host))

    @property
    def concurrency(self) -> int:
        """Transfers at once that are worth having now; between the adaptive start and the cap."""
        return self._gate.limit.limit

    def statistics(self) -> Mapping[str, Mapping[str, object]]:
        """By host: requests, active, waiting, out."""
        return self._slots.table.statistics()

    async def aclose(self) -> None:
        """Ends what it fetches for itself; not the client."""
        await self._robots.aclose()
        self._slots.close()


def _admit(headers: Mapping[str, str]) -> Reason | None:
    value = headers.get("x-robots-tag")
    return Reason.ROBOTS_HEADER if value and opts_out(value.split("\n")) else None


def status_error(response: Response) -> FetchError | None:
    """The failure that an answer stands for when a file was wanted; None for a usable one."""
    status = response.status
    if 200 <= status < 300:
        if response.size_bytes:
            return None
        return FetchError(Reason.EMPTY_BODY, http_status=status)
    if status in {404, 410}:
        reason = Reason.NOT_FOUND
    elif status in {401, 403, 451}:
        reason = Reason.FORBIDDEN
    elif status == 429:
        reason = Reason.RATE_LIMITED
    elif status >= 500:
        reason = Reason.SERVER_ERROR
    elif status >= 400:
        reason = Reason.CLIENT_ERROR
    else:
        reason = Reason.PROTOCOL_ERROR
    asked_s = retry_after_s(response.headers.get("retry-after", ""))
    return FetchError(reason, f"HTTP {status}", http_status=status, retry_after_s=asked_s)
