"""Polite fetching: robots, slots, redirects, retries and one deadline around the client.

On every hop, first to last: scheme, excluded hosts, robots.txt, the host's slot, the connection's
address. Waiting (for a slot, for the next attempt) occupies nothing that another transfer needs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from msgspec import Struct, field

from pixtrawl import urls
from pixtrawl.config.groups import Fetch, Politeness
from pixtrawl.errors import FetchError
from pixtrawl.events import Event, ignore
from pixtrawl.model import Reason
from pixtrawl.net.client import Client
from pixtrawl.net.hosts.accounts import HostAccounts
from pixtrawl.net.hosts.slots import Slot
from pixtrawl.net.interface import NotSentError, Request, Response
from pixtrawl.net.redirects import follow
from pixtrawl.net.retry import RetryPolicy
from pixtrawl.net.robots.exclusion import opts_out
from pixtrawl.net.robots.rules import Line
from pixtrawl.net.stated_pause import REFUSALS, retry_after_s, stated_pause_s
from pixtrawl.preferences import Statement, now_utc
from pixtrawl.preferences.vocabulary import in_headers

__all__ = ["FetchFailedError", "Fetched", "Fetcher", "status_error"]

# Longest total wait of one file for pauses that its host states. Beyond it the file is left to a
# later run, so that a few URLs refused for hours cannot delay the end of this one.
_LONGEST_HOLD_S: Final = 120.0


class Fetched(Struct, frozen=True):
    """A usable answer and the number of attempts it took."""

    response: Response
    attempts: int
    statements: tuple[Statement, ...] = ()  # by the owner, on the use of the file


class FetchFailedError(FetchError):
    """The last attempt's failure, with the number of attempts and the URL it happened at."""

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


class _FetchState(Struct):
    """State of one fetch in progress: time used, current URL."""

    stage_as: str | None
    governed: bool  # by its owner: robots.txt, opt-out headers, AI preferences
    left_s: float
    held_left_s: float  # left for pauses that the host states
    url: str
    statements: list[Statement] = field(default_factory=list)  # in the last attempt, over its hops


class Fetcher:
    """Fetches images and crawled pages for one run."""

    def __init__(
        self,
        client: Client,
        politeness: Politeness,
        fetch: Fetch,
        emit: Callable[[Event], None] = ignore,
        *,
        hosts: HostAccounts | None = None,
    ) -> None:
        """Needs a running event loop. The caller closes the client, and `hosts` where given.

        `emit` receives an event when a host rests or resumes. `hosts` are the accounts shared with
        crawls; without them the fetcher keeps accounts of its own.
        """
        self._client = client
        self._fetch_settings = fetch
        self._politeness = politeness
        self._preferences = politeness.preferences
        self._now = asyncio.get_running_loop().time
        self._policy = RetryPolicy(retries=fetch.retries)
        self._owns_hosts = hosts is None
        self._hosts = hosts or HostAccounts(client, politeness, fetch, emit)
        self._slots = self._hosts.slots
        self._semaphore = self._hosts.semaphore

    async def fetch(
        self, request: Request, *, stage_as: str | None = None, robots: bool = True
    ) -> Fetched:
        """Fetch a URL and return its 2xx answer, the body staged as `stage_as` or in memory.

        Args:
            request: its `timeout_s` (default: the settings') is for all attempts together, time
                spent waiting for a slot not counted.
            stage_as: plain file name in the client's staging folder.
            robots: whether the owner governs this request: by robots.txt, opt-out headers and AI
                preferences, as far as the user does not ignore them.

        Raises FetchFailedError: any status but 2xx is a failure, and so is an empty body.
        """
        timeout_s = self._fetch_settings.timeout_s
        task = _FetchState(
            stage_as=stage_as,
            governed=robots,
            left_s=timeout_s if request.timeout_s is None else request.timeout_s,
            held_left_s=min(_LONGEST_HOLD_S, self._politeness.patience_s),
            url=request.url,
        )
        attempts = 0
        while True:
            attempts += 1
            try:
                return Fetched(await self._attempt(request, task), attempts, tuple(task.statements))
            except FetchError as error:
                wait_s = self._wait_s(error, attempts, task)
                if wait_s is None:
                    raise FetchFailedError(error, attempts, task.url) from error
            await asyncio.sleep(wait_s)

    def _wait_s(self, error: FetchError, attempts: int, task: _FetchState) -> float | None:
        """Return the seconds until the next attempt, and deduct them; None: give up.

        A pause that the host states is not deducted from the transfer's own time.
        """
        if error.retry_after_s is None or error.http_status not in REFUSALS:
            wait_s = self._policy.wait_s(error, attempts, task.left_s)
            task.left_s -= wait_s or 0
            return wait_s
        if not self._slots.table.is_worth_waiting(urls.account_of(task.url)):
            return None
        wait_s = self._policy.wait_s(error, attempts, task.held_left_s)
        task.held_left_s -= wait_s or 0
        return wait_s

    async def _attempt(self, request: Request, task: _FetchState) -> Response:
        task.statements.clear()
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

    async def _hop(self, request: Request, task: _FetchState) -> Response:
        task.url = request.url
        self._hosts.check_excluded(request.url)
        await self._hosts.hold(request.url)
        if task.governed:
            records: Sequence[Line] = ()
            if not self._politeness.ignore_robots:
                records = await self._hosts.robots.check(request.url)
            task.statements += await self._hosts.owners.statements_of(request.url, records)
            if (error := self._objection(task)) is not None:
                raise error
        if task.left_s <= 0:
            raise FetchError(Reason.DEADLINE, "no time left for another request")
        return await self._in_slot(request, task)

    async def _in_slot(self, request: Request, task: _FetchState) -> Response:
        host = urls.account_of(request.url)
        while True:
            async with self._slots.slot(host, request.url) as slot, self._semaphore.permit(host):
                if self._slots.may_send(slot):
                    with suppress(NotSentError):
                        return await self._transfer(request, task, slot)

    async def _transfer(self, request: Request, task: _FetchState, slot: Slot) -> Response:
        started_at = self._now()
        try:
            response = await self._client.transfer(
                request,
                timeout_s=task.left_s,
                stage_as=task.stage_as,
                admit=partial(self._admit, task) if task.governed else None,
                answered=partial(self._begun, slot.host),
                may_send=partial(self._slots.still_may_send, slot),
            )
        except NotSentError:
            raise
        except FetchError as error:
            self._hosts.note_failure(slot, error, started_at)
            self._hosts.note_overload(error, started_at)
            raise
        finally:
            task.left_s -= self._now() - started_at
        self._note_answer(slot, response)
        self._slots.table.transferred(slot.host, response.size_bytes, started_at)
        return response

    def _admit(self, task: _FetchState, headers: Mapping[str, str]) -> FetchError | None:
        """Return the error of an answer that opts out; its body is then not taken."""
        value = headers.get("x-robots-tag")
        if value and not self._politeness.ignore_robots:
            directive = opts_out(value.split("\n"), purpose=self._politeness.purpose)
            if directive:
                return FetchError(Reason.ROBOTS_HEADER, f"X-Robots-Tag: {directive}")
        statements = in_headers(headers, now_utc())
        task.statements += statements
        return self._objection(task) if statements else None

    def _objection(self, task: _FetchState) -> FetchError | None:
        statement = self._preferences.objection(task.statements)
        return None if statement is None else FetchError(Reason.OPTED_OUT, str(statement))

    # -- what is learned from answers --------------------------------------------------------

    def _begun(self, host: str, waited_s: float) -> None:
        self._slots.begun(host)
        self._semaphore.answered(waited_s, self._client.received_bytes)

    def _note_answer(self, slot: Slot, response: Response) -> None:
        self._hosts.note_answer(slot, response)
        self._semaphore.ended(
            size_bytes=response.size_bytes, elapsed_s=response.elapsed_s, timed_out=False
        )

    async def aclose(self) -> None:
        """Close the accounts that it made itself; leaves the client open."""
        if self._owns_hosts:
            await self._hosts.aclose()


def status_error(response: Response) -> FetchError | None:
    """Return the error that an answer means for a file download; None for a usable answer."""
    status = response.status
    if 200 <= status < 300:
        if response.size_bytes:
            return None
        return FetchError(Reason.EMPTY_BODY, http_status=status)
    if status in {404, 410}:
        reason = Reason.NOT_FOUND
    elif status in {401, 403, 451}:
        reason = Reason.FORBIDDEN
    elif status == 407:
        detail = "the proxy asks for a login: http://USER:PASSWORD@HOST:PORT (% in it as %25)"
        return FetchError(Reason.PROXY_FAILED, f"HTTP 407, {detail}", http_status=status)
    elif status == 429:
        reason = Reason.RATE_LIMITED
    elif status >= 500:
        reason = Reason.SERVER_ERROR
    elif status >= 400:
        reason = Reason.CLIENT_ERROR
    else:
        reason = Reason.PROTOCOL_ERROR
    if status in REFUSALS:
        asked_s = stated_pause_s(status, response.headers)
    else:
        asked_s = retry_after_s(response.headers.get("retry-after", ""))
    detail = (
        f"HTTP {status}" if asked_s is None else f"HTTP {status}, asks to wait {asked_s:,.0f} s"
    )
    return FetchError(reason, detail, http_status=status, retry_after_s=asked_s)
