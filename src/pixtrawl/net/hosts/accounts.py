"""One account per host for everything that a run asks of it: files, crawled pages, robots.txt.

Pace, rests, connections at once, robots.txt and exclusions are kept here and nowhere else, so that
a host that is both crawled and downloaded from is asked at one pace and its robots.txt once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from pixtrawl import urls
from pixtrawl.config.groups import Fetch, Politeness
from pixtrawl.errors import FetchError
from pixtrawl.events import Event, ignore
from pixtrawl.model import Reason
from pixtrawl.net.client import Client
from pixtrawl.net.concurrency import AdaptiveLimit, most_at_once
from pixtrawl.net.hosts.holds import HostHolds
from pixtrawl.net.hosts.politeness import HostTable
from pixtrawl.net.hosts.slots import HostSlots, Slot
from pixtrawl.net.hosts.state import HostState
from pixtrawl.net.interface import NotSentError, Request, Response
from pixtrawl.net.robots.cache import ReadAnswer, RobotsCache
from pixtrawl.net.robots.exclusion import ROBOTS_MAX_BYTES
from pixtrawl.net.robots.owners import TDMREP_MAX_BYTES, OwnerStatements
from pixtrawl.net.robots.store import RobotsStore
from pixtrawl.net.semaphore import AdaptiveSemaphore
from pixtrawl.net.stated_pause import REFUSALS, stated_pause_s

__all__ = ["HostAccounts"]

_OVERLOAD: Final = frozenset({Reason.FIRST_BYTE_TIMEOUT, Reason.TOO_SLOW, Reason.DEADLINE})
# A server that answers for pictures, but hangs for a file that it does not know, is not in trouble.
_NO_ANSWER: Final = frozenset({*_OVERLOAD, Reason.PROTOCOL_ERROR, Reason.BODY_INCOMPLETE})
# Small, and every file of the host waits for them: they do not queue behind files.
_ROBOTS_AT_ONCE: Final = 128


class HostAccounts:
    """State and limits of every host of a run. Bound to one event loop."""

    def __init__(  # noqa: PLR0913 - what accounts are made of
        self,
        client: Client,
        politeness: Politeness,
        fetch: Fetch,
        emit: Callable[[Event], None] = ignore,
        *,
        scratch: Path | None = None,
        holds: HostHolds | None = None,
        is_silent: Callable[[], bool] | None = None,
    ) -> None:
        """Needs a running event loop. The caller closes the client.

        `emit` receives an event when a host rests or resumes. `scratch` is the folder for what of
        robots.txt exceeds the memory meant for it (None: the system's for temporary files).
        `holds` and `is_silent` are as in `HostSlots`, for processes that share hosts.
        """
        now = asyncio.get_running_loop().time
        self.client = client
        self.politeness = politeness
        table = HostTable(politeness.per_host, politeness.delay_s, patience_s=politeness.patience_s)
        self.slots = HostSlots(table, now, emit, holds=holds, is_silent=is_silent)
        self._holds = holds
        if holds is not None:
            holds.bind(self)
        most = most_at_once(fetch.concurrency, fetch.limit_rate_bytes_s)
        self.semaphore = AdaptiveSemaphore(AdaptiveLimit(most, fetch.timeout_s, now()), now)
        self.robots = RobotsCache(
            self._send_robots,
            RobotsStore(scratch),
            max_crawl_delay_s=politeness.max_crawl_delay_s,
            paced=lambda account, delay_s: table.set_delay(account, delay_s, now()),
        )
        self.owners = OwnerStatements(self.robots, self._send_tdmrep, politeness)
        self._now = now
        self._robots_places = asyncio.Semaphore(min(_ROBOTS_AT_ONCE, fetch.concurrency))

    def check_excluded(self, url: str) -> None:
        """Raise FetchError `HOST_EXCLUDED` if the user excludes the host of the URL."""
        if not self.politeness.exclude_host:
            return
        host = urls.host_of(url)
        for parent in self.politeness.exclude_host:
            if urls.same_or_subdomain(host, parent):
                raise FetchError(Reason.HOST_EXCLUDED, host)

    async def hold(self, url: str) -> None:
        """Wait until this process holds the host of the URL, where several share hosts."""
        if self._holds is not None:
            await self._holds.hold(urls.account_of(url))

    def restore(self, state: HostState) -> None:
        """Take over a host as its last holder left it. Raise FetchError (the disk)."""
        self.slots.table.restore(state, self._now())
        self.robots.restore(state.robots)
        self.owners.restore(state.tdmrep)

    def postpone(self, host: str, wait_s: float) -> None:
        """Let the next request to a host wait for so many seconds at least."""
        self.slots.table.postpone(host, self._now() + wait_s)

    def hand_over(self, host: str) -> HostState | None:
        """Forget a host and return its state; None while requests to it are in progress.

        One that requests wait for is remembered all the same.
        """
        self.slots.moved(host)
        if self.slots.table[host].active:
            return None
        state = replace(
            self.slots.table.state(host, self._now()),
            robots=self.robots.states(host),
            tdmrep=self.owners.states(host),
        )
        if not self.slots.table[host].waiting:
            self.slots.table.forget(host)
            self.robots.forget(host)
            self.owners.forget(host)
        return state

    def note_failure(self, slot: Slot, error: FetchError, started_at: float) -> None:
        """Record a failed transfer that began at `started_at` (seconds of the loop's clock)."""
        if error.http_status:
            self.slots.good(slot)
        self.slots.failed(slot, error.reason, started_at)

    def note_answer(self, slot: Slot, response: Response, *, everything: bool = False) -> None:
        """Record an answer; a refusal pauses its address, or with `everything` the host."""
        if response.status in REFUSALS:
            pause_s = stated_pause_s(response.status, response.headers)
            self.slots.refused(slot, pause_s, everything=everything)
        else:
            self.slots.good(slot)

    def note_overload(self, error: FetchError, started_at: float) -> None:
        """Report a failed transfer to the limit of concurrent transfers."""
        self.semaphore.ended(
            size_bytes=0,
            elapsed_s=self._now() - started_at,
            timed_out=error.reason in _OVERLOAD,
        )

    async def _send_robots(self, request: Request, read: ReadAnswer) -> Response:
        """Send one robots.txt request: with the host's slot, but outside the transfer limit.

        The answer is read before its place is free for another: bodies wait nowhere.
        """
        self.check_excluded(request.url)
        host = urls.account_of(request.url)
        while True:
            async with self.slots.slot(host) as slot, self._robots_places:
                if self.slots.may_send(slot):
                    with suppress(NotSentError):
                        return await read(await self._transfer_robots(request, slot))

    async def _transfer_robots(self, request: Request, slot: Slot) -> Response:
        started_at = self._now()
        try:
            response = await self.client.transfer(
                request,
                cut_at=ROBOTS_MAX_BYTES,
                may_send=partial(self.slots.still_may_send, slot),
            )
        except NotSentError:
            raise
        except FetchError as error:
            self.note_failure(slot, error, started_at)
            self.note_overload(error, started_at)
            raise
        # Nothing else may be asked for without it: a refusal holds the whole host.
        self.note_answer(slot, response, everything=True)
        return response

    async def _send_tdmrep(self, request: Request) -> Response:
        """Send one request for tdmrep.json, as for robots.txt; a refusal holds its address only."""
        self.check_excluded(request.url)
        host = urls.account_of(request.url)
        while True:
            async with self.slots.slot(host, request.url) as slot, self._robots_places:
                if not self.slots.may_send(slot):
                    continue
                with suppress(NotSentError):
                    return await self._transfer_tdmrep(request, slot)

    async def _transfer_tdmrep(self, request: Request, slot: Slot) -> Response:
        started_at = self._now()
        try:
            response = await self.client.transfer(
                request,
                cut_at=TDMREP_MAX_BYTES,
                may_send=partial(self.slots.still_may_send, slot),
            )
        except NotSentError:
            raise
        except FetchError as error:
            if error.reason not in _NO_ANSWER:
                self.note_failure(slot, error, started_at)
            raise
        self.slots.begun(slot.host)
        self.note_answer(slot, response)
        return response

    async def aclose(self) -> None:
        """Cancel fetches of robots.txt and the like and stop the timers; leave the client open."""
        await self.owners.aclose()
        await self.robots.aclose()
        self.slots.close()
