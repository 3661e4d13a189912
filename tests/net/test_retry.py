"""What follows a failed attempt."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from pixtrawl.errors import FetchError
from pixtrawl.model import REASONS, Reason, Status
from pixtrawl.net.retry import RetryPolicy

POLICY = RetryPolicy(retries=3, jitter=lambda: 1.0)


def after(reason: Reason, attempts: int = 1, left_s: float = 30.0, **more: float) -> float | None:
    return POLICY.wait_s(FetchError(reason, **more), attempts, left_s)  # type: ignore[arg-type]


@pytest.mark.parametrize("reason", [r for r in Reason if REASONS[r].status is Status.REJECTED])
def test_a_permanent_refusal_is_never_asked_twice(reason: Reason) -> None:
    assert after(reason) is None


@pytest.mark.parametrize("reason", [Reason.NOT_FOUND, Reason.FORBIDDEN, Reason.TLS_FAILED])
def test_neither_is_what_the_host_said_for_good(reason: Reason) -> None:
    assert after(reason) is None


@pytest.mark.parametrize("reason", [Reason.CONNECT_FAILED, Reason.CONNECT_TIMEOUT])
def test_a_connect_failure_is_tried_once_more(reason: Reason) -> None:
    assert after(reason, 1) == 0.5
    assert after(reason, 2) is None


def test_waits_double_up_to_a_cap() -> None:
    policy = RetryPolicy(retries=9, jitter=lambda: 1.0, cap_s=3.0)
    error = FetchError(Reason.SERVER_ERROR)
    assert [policy.wait_s(error, n, 99) for n in range(1, 5)] == [0.5, 1.0, 2.0, 3.0]


def test_no_wait_goes_beyond_the_deadline() -> None:
    assert after(Reason.SERVER_ERROR, left_s=0.4) is None
    assert after(Reason.RATE_LIMITED, left_s=10, retry_after_s=60) is None
    wait_s = after(Reason.RATE_LIMITED, left_s=10, retry_after_s=6)
    assert wait_s is not None
    assert 6 <= wait_s < 7


@given(st.floats(0, 1), st.integers(1, 50))
def test_jitter_spreads_over_the_whole_wait(jitter: float, attempts: int) -> None:
    policy = RetryPolicy(retries=99, jitter=lambda: jitter)
    wait_s = policy.wait_s(FetchError(Reason.SERVER_ERROR), attempts, 1e9)
    assert wait_s is None or 0 <= wait_s <= 10
