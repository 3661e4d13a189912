"""Cache of robots.txt: asked once per origin and run, with the consequences of a missing one.

What a run keeps is bounded: rules ready for use up to some MiB, all others packed in
`net.robots.store`. Files and checks that would hold up the event loop go to a thread.
"""

from __future__ import annotations

import asyncio
import random
import time
import zlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Final

from msgspec import Struct

from pixtrawl import urls
from pixtrawl.errors import FetchError
from pixtrawl.model import Reason
from pixtrawl.net.circuit_breaker import growing_s
from pixtrawl.net.interface import Request, Response
from pixtrawl.net.redirects import follow
from pixtrawl.net.robots.failures import copied, is_worth_another_try, unavailable
from pixtrawl.net.robots.reading import RobotsReading, read_answer
from pixtrawl.net.robots.rules import AgentRules, Line
from pixtrawl.net.robots.state import RobotsState
from pixtrawl.net.robots.store import RobotsStore
from pixtrawl.net.side_thread import SideThread
from pixtrawl.net.stated_pause import stated_pause_s

__all__ = ["ReadAnswer", "RobotsCache"]

_MAX_REDIRECTS: Final = 5  # RFC 9309 2.3.1.2
_ALLOW_ALL: Final = AgentRules()
_AGAIN_AFTER_S: Final = 0.5
_READY_BYTES: Final = 12 * 2**20  # of rules ready for use
_AT_ONCE_S: Final = 0.003  # a check that takes longer is made beside the event loop
_HOST_CHECKS_S: Final = 10.0  # for the long checks of one host: its owner can make them endless

# Not fetched again in this run.
_OF_THE_RUN: Final = frozenset({Reason.ROBOTS_TXT, Reason.ROBOTS_UNAVAILABLE, Reason.STORE_FAILED})

Verdict = AgentRules | FetchError
ReadAnswer = Callable[[Response], Awaitable[Response]]


class _Hold(Struct):
    """A robots.txt that answered 429: the error for requests until its pause is over."""

    error: FetchError
    until: float
    rounds: int


class RobotsCache:
    """The cache of one run. Bound to one event loop.

    `send` makes one request, with slot and guard, without redirects, and awaits its second
    argument with the answer before it lets another request begin: so that bodies do not pile up.
    It returns what that returns.
    """

    def __init__(
        self,
        send: Callable[[Request, ReadAnswer], Awaitable[Response]],
        store: RobotsStore,
        *,
        max_crawl_delay_s: float,
        paced: Callable[[str, float], None],
    ) -> None:
        """`paced` receives the account of a host and the seconds it wants between requests."""
        self._send = send
        self._store = store
        self._max_crawl_delay_s = max_crawl_delay_s
        self._paced = paced
        self._verdicts: dict[str, Verdict | None] = {}  # None: the rules lie in the store
        self._ready: OrderedDict[str, AgentRules] = OrderedDict()  # the latest of these
        self._ready_bytes = 0
        self._fetching: dict[str, asyncio.Task[Verdict]] = {}
        self._holds: dict[str, _Hold] = {}
        self._beside = SideThread("robots")
        self._turn = asyncio.Lock()  # of the thread, for checks
        self._checking: dict[str, asyncio.Lock] = {}
        self._checked_s: dict[str, float] = {}

    async def check(self, url: str) -> tuple[Line, ...]:
        """Return the owner's preferences (name, value of each line) if the URL may be fetched.

        The rules are not returned: hundreds of callers may hold the result while they wait.

        Raises FetchError: `ROBOTS_TXT` where the rules forbid it; `ROBOTS_UNAVAILABLE` where the
        server fails to give them (5xx: complete disallow, for this run); `CRAWL_DELAY` where it
        wants more time between requests than the settings allow; the network's own reason where
        the host is not reached, or asks to slow down.
        """
        origin = urls.origin_of(url)
        rules = await self._rules(origin)
        if rules.rules:
            address = urls.canonical(url)
            if rules.cost_s(address) <= _AT_ONCE_S:
                allowed = rules.allows(address)
            else:
                del rules  # up to half a megabyte, and hundreds may wait for their turn
                allowed = await self._allows_beside(origin, address)
                rules = await self._rules(origin)
            if not allowed:
                raise FetchError(Reason.ROBOTS_TXT, f"{origin}/robots.txt")
        if rules.crawl_delay_s > self._max_crawl_delay_s:
            detail = (
                f"robots.txt asks for {rules.crawl_delay_s:g} s between requests, more than "
                f"--max-crawl-delay {self._max_crawl_delay_s:g}"
            )
            raise FetchError(Reason.CRAWL_DELAY, detail)
        return rules.records

    async def answer(self, url: str) -> Response:
        """Return the robots.txt of the URL's origin; empty with status 404 if it has none.

        Raises FetchError where the host was not reached or fails to give it.
        """
        origin = urls.origin_of(url)
        await self._rules(origin)
        packed = self._stored(_file_key(origin))
        if packed is None:
            return Response(url=f"{origin}/robots.txt", status=404, headers={})
        body = zlib.decompress(packed)
        return Response(
            url=f"{origin}/robots.txt", status=200, headers={}, body=body, size_bytes=len(body)
        )

    # -- the rules of an origin -------------------------------------------------------------------

    async def _rules(self, origin: str) -> AgentRules:
        rules = self._ready.get(origin)
        if rules is not None:
            self._ready.move_to_end(origin)
            return rules
        verdict = self._known(origin)
        if verdict is None:
            task = self._fetching.get(origin)
            if task is None:
                self._check_hold(origin)
                task = asyncio.create_task(self._fetch(origin))
                self._fetching[origin] = task
            # A cancelled caller must not cancel the request that others wait for.
            verdict = await asyncio.shield(task)
        if isinstance(verdict, FetchError):
            raise copied(verdict)
        return verdict

    def _known(self, origin: str) -> Verdict | None:
        """Return the stored verdict on an origin; None if unknown. Raise FetchError (the disk)."""
        if origin not in self._verdicts:
            return None
        verdict = self._verdicts[origin]
        if verdict is not None:
            return verdict
        packed = self._stored(origin)
        assert packed is not None, "rules are dropped with their verdict only"
        rules = AgentRules.unpacked(packed)
        self._make_ready(origin, rules)
        return rules

    def _stored(self, key: str) -> bytes | None:
        try:
            return self._store.get(key)
        except OSError as error:
            raise FetchError(Reason.STORE_FAILED, f"rules of robots.txt: {error}") from None

    def _make_ready(self, origin: str, rules: AgentRules) -> None:
        self._ready[origin] = rules
        self._ready_bytes += rules.size_bytes
        while self._ready_bytes > _READY_BYTES and len(self._ready) > 1:
            _, oldest = self._ready.popitem(last=False)
            self._ready_bytes -= oldest.size_bytes

    def _check_hold(self, origin: str) -> None:
        hold = self._holds.get(origin)
        left_s = hold.until - asyncio.get_running_loop().time() if hold is not None else 0.0
        if hold is not None and left_s > 0:
            error = copied(hold.error)
            error.retry_after_s = left_s
            raise error

    # -- handing a host over ----------------------------------------------------------------------

    def states(self, account: str) -> tuple[RobotsState, ...]:
        """Return what is known of the account's origins, for its next holder. Raise FetchError."""
        found = (self._state(origin) for origin in urls.origins_of(account))
        return tuple(state for state in found if state is not None)

    def _state(self, origin: str) -> RobotsState | None:
        if origin not in self._verdicts:
            return None
        verdict = self._verdicts[origin]
        if isinstance(verdict, FetchError):
            return RobotsState(
                origin=origin, reason=verdict.reason, detail=verdict.detail,
                http_status=verdict.http_status,
            )  # fmt: skip
        if verdict is not None:
            return RobotsState(origin=origin)
        file = self._stored(_file_key(origin)) or b""
        return RobotsState(origin=origin, rules=self._stored(origin) or b"", file=file)

    def restore(self, states: Iterable[RobotsState]) -> None:
        """Restore the state that the last holder of a host returned."""
        for state in states:
            if state.reason is not None:
                self._verdicts[state.origin] = FetchError(
                    state.reason, state.detail, http_status=state.http_status
                )
            elif not state.rules:
                self._verdicts[state.origin] = _ALLOW_ALL
            else:
                rules = AgentRules.unpacked(state.rules)
                self._keep(state.origin, RobotsReading(rules, state.rules, state.file))

    def forget(self, account: str) -> None:
        """Forget the account's origins, once the host is done or another process holds it."""
        for origin in urls.origins_of(account):
            self._verdicts.pop(origin, None)
            self._holds.pop(origin, None)
            self._checking.pop(origin, None)
            self._checked_s.pop(origin, None)
            rules = self._ready.pop(origin, None)
            self._ready_bytes -= rules.size_bytes if rules is not None else 0
            self._store.drop(origin)
            self._store.drop(_file_key(origin))

    # -- asking -----------------------------------------------------------------------------------

    async def _fetch(self, origin: str) -> Verdict:
        try:
            verdict = await self._ask(origin)
            if is_worth_another_try(verdict):
                await asyncio.sleep(_AGAIN_AFTER_S)
                # Where the host stated a pause, `send` waits for its end.
                verdict = await self._ask(origin)
            self._note(origin, verdict)
            return verdict
        finally:
            del self._fetching[origin]

    def _note(self, origin: str, verdict: Verdict) -> None:
        if isinstance(verdict, AgentRules):
            self._holds.pop(origin, None)
            if 0 < verdict.crawl_delay_s <= self._max_crawl_delay_s:
                self._paced(urls.account_of(origin), verdict.crawl_delay_s)
        elif verdict.http_status == 429:
            before = self._holds.get(origin)
            rounds = 1 if before is None else before.rounds + 1
            pause_s = max(verdict.retry_after_s or 0.0, growing_s(rounds, random.random()))
            verdict.retry_after_s = pause_s
            until = asyncio.get_running_loop().time() + pause_s
            self._holds[origin] = _Hold(copied(verdict), until, rounds)
        elif verdict.reason in _OF_THE_RUN:
            self._verdicts[origin] = verdict
        # A host that was not reached may be tried again by the next caller.

    async def _ask(self, origin: str) -> Verdict:
        request = Request(url=f"{origin}/robots.txt")
        reading = RobotsReading()

        async def send(hop: Request) -> Response:
            return await self._send(hop, partial(read_answer, reading, self._beside))

        try:
            response = await follow(request, send, _MAX_REDIRECTS)
        except FetchError as error:
            return unavailable(error)
        status = response.status
        if status == 429 or status >= 500:
            reason = Reason.RATE_LIMITED if status == 429 else Reason.ROBOTS_UNAVAILABLE
            pause_s = stated_pause_s(status, response.headers)
            detail = f"robots.txt answers {status}"
            return FetchError(reason, detail, http_status=status, retry_after_s=pause_s)
        if not 200 <= status < 300 or not response.size_bytes:
            self._verdicts[origin] = _ALLOW_ALL  # "unavailable", RFC 9309 2.3.1.3
            return _ALLOW_ALL
        return self._keep(origin, reading)

    def _keep(self, origin: str, reading: RobotsReading) -> Verdict:
        assert reading.rules is not None
        try:
            kept = self._store.put(origin, reading.packed) and self._store.put(
                _file_key(origin), reading.file
            )
        except OSError as error:
            return FetchError(Reason.STORE_FAILED, f"rules of robots.txt: {error}")
        if not kept:
            detail = (
                "robots.txt: no room for more rules in this run; a smaller list of hosts has it"
            )
            return FetchError(Reason.ROBOTS_UNAVAILABLE, detail)
        self._verdicts[origin] = None
        self._make_ready(origin, reading.rules)
        return reading.rules

    # -- beside the event loop --------------------------------------------------------------------

    async def _allows_beside(self, origin: str, address: str) -> bool:
        """Match in a thread, one URL of a host at a time, so that no host delays the others."""
        async with self._checking.setdefault(origin, asyncio.Lock()):
            if self._checked_s.get(origin, 0.0) > _HOST_CHECKS_S:
                detail = "robots.txt: its rules take too long to check"
                raise FetchError(Reason.ROBOTS_UNAVAILABLE, detail)
            async with self._turn:
                rules = await self._rules(origin)
                allowed, took_s = await self._beside.run(_timed_check, rules, address)
            self._checked_s[origin] = self._checked_s.get(origin, 0.0) + took_s
            return allowed

    async def aclose(self) -> None:
        """Cancel requests in flight, end the thread and give up what was kept."""
        tasks = list(self._fetching.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._beside.close()
        self._store.close()


def _file_key(origin: str) -> str:
    return f"{origin} file"


def _timed_check(rules: AgentRules, address: str) -> tuple[bool, float]:
    began = time.thread_time()
    return rules.allows(address), time.thread_time() - began
