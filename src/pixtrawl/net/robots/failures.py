"""The consequences for an origin whose robots.txt could not be fetched (RFC 9309, 2.3.1)."""

from __future__ import annotations

from typing import Final

from pixtrawl.errors import FetchError
from pixtrawl.model import Reason
from pixtrawl.net.robots.rules import AgentRules

__all__ = ["copied", "is_worth_another_try", "unavailable"]

# A robots.txt redirected to a refused target is unreachable: complete disallow (RFC 9309 2.3.1.4).
_DISALLOW_REASONS: Final = frozenset({
    Reason.ADDRESS_REFUSED, Reason.SCHEME_REFUSED, Reason.HOST_EXCLUDED,
})  # fmt: skip


def copied(error: FetchError) -> FetchError:
    """Copy a failure for another request: a re-raised exception collects the traces of all."""
    return FetchError(
        error.reason, error.detail, http_status=error.http_status,
        retry_after_s=error.retry_after_s,
    )  # fmt: skip


def unavailable(error: FetchError) -> AgentRules | FetchError:
    """Return the verdict on a robots.txt that could not be fetched."""
    if error.reason is Reason.TOO_MANY_REDIRECTS:
        return AgentRules()  # RFC 9309 2.3.1.2: may be taken as unavailable
    redirected = error.http_status >= 300
    if error.reason in _DISALLOW_REASONS and redirected:
        return FetchError(Reason.ROBOTS_TXT, f"robots.txt: bad redirect: {error}")
    return FetchError(
        error.reason, f"robots.txt: {error.detail}", http_status=error.http_status,
        retry_after_s=error.retry_after_s,
    )  # fmt: skip


def is_worth_another_try(verdict: AgentRules | FetchError) -> bool:
    """Return whether robots.txt is asked for once more, soon."""
    if not isinstance(verdict, FetchError) or verdict.http_status == 429:
        return False
    broken = verdict.reason in {Reason.BODY_INCOMPLETE, Reason.PROTOCOL_ERROR}
    return broken or verdict.http_status >= 500 or verdict.retry_after_s is not None
