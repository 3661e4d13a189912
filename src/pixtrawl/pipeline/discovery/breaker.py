"""The circuit breaker of one source, shared by all queries of a run.

A source that refuses is not asked again in this run. Queries run concurrently, so a check before
each request is not enough: twenty of them would pass it before the first is refused. Until a source
has answered once, one query probes it and the others wait; a request that waits for the rate limit
checks again before it is sent.

After trouble (no answer, 5xx) or a stated pause all requests of the source wait together;
`net.circuit_breaker` decides which may be sent when.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Final, TypeVar

from pixtrawl.errors import FetchError, SourceStop
from pixtrawl.model import REASONS, Reason, SourceOutcome
from pixtrawl.net.circuit_breaker import CircuitBreaker, FailureVerdict
from pixtrawl.net.interface import Response

__all__ = ["BREAKS", "Breaker"]

_PERMIT: Final = (
    "inner addresses are refused unless they are permitted: add --allow-address with a range of "
    "yours, such as 127.0.0.0/24"
)
_T = TypeVar("_T")

# Outcomes that concern every query: further requests would be refused, too.
BREAKS: Final = frozenset({
    SourceOutcome.BLOCKED, SourceOutcome.CONSENT, SourceOutcome.QUOTA,
    SourceOutcome.BROWSER_MISSING,
})  # fmt: skip
# Outcomes that may be due to one query; `MAX_FAILURES` in a row are due to the source.
_FAILURES: Final = frozenset({SourceOutcome.CHANGED, SourceOutcome.NETWORK_ERROR})
MAX_FAILURES: Final = 5
REST_S: Final = 60.0  # pause after so many failures; then one query tries again
_PATIENCE_S: Final = 3.0  # longest wait for the query that probes, in case the host is silent
_OWN_FAILURES: Final = 3  # of one request while others are answered: the request is to blame
_FRESH_S: Final = 1.0  # a failure within this time says how the source is now
_LOOK_AGAIN_S: Final = 0.05  # polling interval while another request should be the probe
_FINAL_STATUSES: Final = frozenset({501, 505, 508})  # permanent 5xx: not waited out


class _RestsNowError(Exception):
    """The circuit opened while a request waited for the rate limit."""


class _Own:
    """Counts the failures of one request, to distinguish its own trouble from the source's.

    `answers` is the source's number of good answers to all requests.
    """

    def __init__(self, answers: int) -> None:
        self._answers = answers
        self._lone = 0  # failures while other requests were answered
        self._in_a_row = 0  # failures since the last good answer

    def fails(self, answers: int) -> bool:
        """Count a failure. Return whether the trouble is the request's own."""
        others = answers > self._answers
        self._lone += others
        self._in_a_row = 1 if others else self._in_a_row + 1
        self._answers = answers
        return self._lone >= _OWN_FAILURES

    def tried(self, answers: int) -> int:
        """Return how often it failed since the source's last good answer."""
        return self._in_a_row if answers == self._answers else 0


class Breaker:
    """Circuit breaker of one source for all queries of a run."""

    def __init__(
        self,
        now: Callable[[], float] = time.monotonic,
        *,
        patience_s: float = 0.0,
        stated_pause_s: Callable[[Response], float | None] = lambda _: None,
        on_rest: Callable[[float, str], None] = lambda seconds, why: None,
        on_resume: Callable[[float], None] = lambda lasted_s: None,
    ) -> None:
        """Set up a closed circuit. Times are in seconds.

        `now` has to be the clock of the event loop's timers for `send`. `stated_pause_s` returns
        the pause that an answer states, else None. `on_rest` is called with the length of a pause
        and its reason, `on_resume` with how long the trouble lasted.
        """
        self._now = now
        self._stop: SourceStop | None = None
        self._until = 0.0
        self._failures = 0
        self._answers = False
        self._trial: asyncio.Event | None = None
        self._circuit = CircuitBreaker(patience_s)
        self._on_rest = on_rest
        self._on_resume = on_resume
        self._stated_pause_s = stated_pause_s
        self._trouble: FetchError | None = None  # the last one
        self._too_long = False
        self._waiting: dict[_Own, None] = {}  # requests that wait until they may be sent
        self._changed = asyncio.Event()  # set and replaced to make waiting requests check again

    # -- refusals: for the rest of the run

    def check(self) -> None:
        """Raise SourceStop, with the source's last message, if it must not be asked now."""
        if self._stop is None:
            return
        if self._now() < self._until:
            message = self._stop.detail.get("message") or self._stop.outcome
            raise SourceStop(
                self._stop.outcome, **{**self._stop.detail, "message": f"not asked: {message}"}
            )
        self._stop = None
        self._failures = MAX_FAILURES - 1  # one more failure opens the circuit again
        self._answers = False

    async def enter(self) -> bool:
        """Wait until the source may be asked. Return True to the query that probes it.

        The probing query has to call `leave`. Raise SourceStop where the source refuses.
        """
        end = self._now() + _PATIENCE_S
        self.check()
        while self._trial is not None and not self._answers:
            try:
                async with asyncio.timeout(max(0.0, end - self._now())):
                    await self._trial.wait()
            except TimeoutError:
                break
            self.check()
        if self._answers or self._trial is not None:
            return False
        self._trial = asyncio.Event()
        return True

    def leave(self) -> None:
        """End the probe of a query, so that the next one may probe."""
        if self._trial is not None:
            self._trial.set()
            self._trial = None

    def answers(self) -> None:
        """Note that the source gave a page or said that it has none; release waiting queries."""
        self._answers = True
        self._failures = 0
        if self._trial is not None:
            self._trial.set()

    def note(self, stop: SourceStop, *, found: int) -> None:
        """Note how a query ended at the source after `found` results, if it did not end well."""
        if stop.outcome in BREAKS:
            self._open(stop, float("inf"))
        elif stop.outcome in _FAILURES and not found:
            self._failures += 1
            if self._failures >= MAX_FAILURES:
                self._open(stop, self._now() + REST_S)
        elif stop.outcome is SourceOutcome.NO_RESULTS:
            self.answers()

    def _open(self, stop: SourceStop, until: float) -> None:
        if self._stop is None:
            self._stop, self._until = stop, until
        self._wake()

    # -- trouble: requests wait and are retried

    @property
    def rests(self) -> bool:
        """Whether the circuit is open: no request is sent, or only a probe."""
        return self._circuit.is_open

    @property
    def trouble(self) -> FetchError | None:
        """The last failure while the circuit is open, else None."""
        return self._trouble if self._circuit.is_open else None

    def explain(self, error: FetchError) -> dict[str, str]:
        """Return message and next step for a query that ends with this failure."""
        message = str(error)
        if self._circuit.over:
            message += f"; no answer for {self._now() - self._circuit.since:,.0f} s"
        if self._circuit.has_answered:
            return {"message": message, "next_step": "run the same command again: it asks again"}
        if error.reason is Reason.ADDRESS_REFUSED:
            return {"message": message, "next_step": _PERMIT}
        message += ", and none since the start" if self._circuit.over else ""
        step = "check the way to it with `pixtrawl doctor`; then run the same again"
        return {"message": message, "next_step": step}

    async def send(self, once: Callable[[Callable[[], None]], Awaitable[_T]]) -> _T:
        """Return the result of `once`, retried after each pause until the patience is used up.

        Args:
            once: sends the request once. It has to call its argument when the rate limit lets the
                request pass, to check the circuit again.

        The result may be an answer that is trouble: one that states a pause longer than the
        patience, or the last 5xx. Raise SourceStop where the source refuses meanwhile, else what
        `once` raised last.
        """
        own = _Own(self._circuit.answers)
        while True:
            probe, started_at = await self._turn(own), self._now()
            try:
                result = await once(partial(self._look_again, probe))
            except _RestsNowError:
                continue
            except (FetchError, SourceStop) as error:
                trouble = _trouble_of(error)
                if trouble is None or not self._goes_on(own, trouble, started_at, probe):
                    self._drop(probe and trouble is None)
                    raise
                continue
            except BaseException:
                self._drop(probe)
                raise
            pause_s = self._stated_pause_s(result) if isinstance(result, Response) else None
            trouble = _trouble_in(result, pause_s)
            if trouble is None:
                self._good()
                return result
            if not self._goes_on(own, trouble, started_at, probe, pause_s):
                return result

    def ended(self) -> None:
        """End a query at the source; after a pause too long to wait for, release all others."""
        if self._too_long:
            self._too_long = False
            self._circuit.over = True
            self._wake()

    def _look_again(self, probe: bool) -> None:
        self.check()
        if self._circuit.is_open and not probe:
            raise _RestsNowError

    def _goes_on(
        self,
        own: _Own,
        trouble: FetchError,
        started_at: float,
        probe: bool,
        pause_s: float | None = None,
    ) -> bool:
        """Note a failure. Return whether the request is to be sent again after the pause."""
        lasting = own.fails(self._circuit.answers)
        verdict = self._bad(trouble, started_at, probe, pause_s)
        return verdict is FailureVerdict.REST and not lasting

    def _drop(self, probe: bool) -> None:
        if probe:
            self._circuit.dropped()
            self._wake()

    async def _turn(self, own: _Own) -> bool:
        """Wait until a request may be sent. Return True if it is the probe of an open circuit."""
        self._waiting[own] = None
        try:
            while True:
                self.check()
                wait_s = self._circuit.wait_s(self._now())
                if wait_s == 0 and not self._is_behind_others(own):
                    return self._circuit.begin()
                if self._circuit.over and wait_s != 0 and self._trouble is not None:
                    raise FetchError(self._trouble.reason, f"not asked: {self._trouble.detail}")
                changed = self._changed
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_AGAIN_S if wait_s == 0 else wait_s):
                        await changed.wait()
        finally:
            del self._waiting[own]

    def _is_behind_others(self, own: _Own) -> bool:
        """Whether a request with fewer failures waits, too; it should be the probe instead."""
        answers = self._circuit.answers
        tried = own.tried(answers)
        return tried > 0 and any(other.tried(answers) < tried for other in self._waiting)

    def _good(self) -> None:
        lasted_s = self._circuit.good(self._now())
        if lasted_s is not None:
            self._wake()
            self._on_resume(lasted_s)

    def _bad(
        self, trouble: FetchError, started_at: float, probe: bool, pause_s: float | None
    ) -> FailureVerdict:
        now = self._now()
        if trouble.http_status or now - started_at < _FRESH_S:
            started_at = now  # a prompt failure counts as current, despite answers meanwhile
        before = self._circuit.rest_until if self._circuit.is_open else now
        verdict = self._circuit.bad(now, started_at=started_at, probe=probe, pause_s=pause_s)
        self._trouble = trouble
        if verdict is FailureVerdict.TOO_LONG:
            self._too_long = True  # `ended` releases all waiting requests
            return verdict
        if self._circuit.is_open:
            self._wake()
        if verdict is FailureVerdict.REST and self._circuit.rest_until > max(before, now):
            why = "it asks for the pause" if pause_s is not None else _words(trouble)
            self._on_rest(self._circuit.rest_until - now, why)
        return verdict

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _trouble_in(result: object, pause_s: float | None) -> FetchError | None:
    """Return the failure for an answer that states a pause or is a temporary 5xx, else None."""
    if not isinstance(result, Response):
        return None
    status = result.status
    if pause_s is not None or (status >= 500 and status not in _FINAL_STATUSES):
        return FetchError(Reason.SERVER_ERROR, f"status {status}", http_status=status)
    return None


def _trouble_of(error: FetchError | SourceStop) -> FetchError | None:
    """Return the network failure behind an exception; None for every other exception."""
    if isinstance(error, SourceStop):
        if error.outcome is not SourceOutcome.NETWORK_ERROR:
            return None
        return FetchError(Reason.CONNECT_FAILED, str(error.detail.get("message", "")))
    return error if REASONS[error.reason].transient and not error.http_status else None


def _words(trouble: FetchError) -> str:
    if trouble.http_status:
        return f"status {trouble.http_status}"
    return str(trouble.reason).replace("_", " ")
