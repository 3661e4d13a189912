"""Retry policy: decide whether and when to repeat a failed attempt. Pure.

Permanent answers (404, 403, an opt-out) are never retried. A failed connection is tried once more,
then its host is out for the run (`net.hosts`). The wait is exponential back-off with full jitter; a
pause that the host states is kept exactly, and ends the attempts where it exceeds the time left.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from pixtrawl.errors import FetchError
from pixtrawl.model import Reason

__all__ = ["RetryPolicy"]

# Most retries by reason; none for other reasons.
_WORTH: Final = {
    Reason.CONNECT_FAILED: 1,
    Reason.CONNECT_TIMEOUT: 1,
    Reason.DNS_FAILED: 1,
    Reason.FIRST_BYTE_TIMEOUT: 1,
    Reason.PROXY_FAILED: 1,
    Reason.PROTOCOL_ERROR: 2,
    Reason.BODY_INCOMPLETE: 5,
    Reason.SERVER_ERROR: 5,
    Reason.RATE_LIMITED: 5,
}
# Permanent in spite of their class: a proxy without its login, some of the 5xx.
_FINAL_STATUSES: Final = frozenset({407, 501, 505, 508})


class RetryPolicy(Struct, frozen=True, kw_only=True):
    """`retries` is the upper bound for every reason; times are in seconds."""

    retries: int = 2
    base_s: float = 0.5
    cap_s: float = 10.0
    jitter: Callable[[], float] = random.random

    def wait_s(self, error: FetchError, attempts: int, left_s: float) -> float | None:
        """Return the seconds to wait before the next attempt; None to stop.

        Args:
            error: of the attempt just made.
            attempts: made so far, this one included.
            left_s: what is left of the time for all attempts.
        """
        if attempts > min(self.retries, _WORTH.get(error.reason, 0)):
            return None
        if error.http_status in _FINAL_STATUSES or 300 <= error.http_status < 400:
            return None
        backoff_s = self.jitter() * min(self.cap_s, self.base_s * 2.0 ** (attempts - 1))
        wait_s = backoff_s
        if error.retry_after_s is not None:
            wait_s = error.retry_after_s + backoff_s * 0.1
        return wait_s if wait_s < left_s else None
