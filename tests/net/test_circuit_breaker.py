"""Rests of a server in trouble; the clock is a number."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from pixtrawl.net.circuit_breaker import (
    BASE_S,
    CAP_S,
    UNKNOWN_PATIENCE_S,
    CircuitBreaker,
    FailureVerdict,
)


def circuit(
    patience_s: float = 900.0, *, has_answered: bool = True, jitter: float = 0.0
) -> CircuitBreaker:
    return CircuitBreaker(patience_s, has_answered=has_answered, jitter=lambda: jitter)


def outage(tried: CircuitBreaker, jitter: float = 0.0) -> list[float]:
    """A server that never answers, asked as soon as it may be: the rests until it is given up."""
    now = 100.0
    rests: list[float] = []
    while True:
        wait_s = tried.wait_s(now)
        assert wait_s is not None
        now += wait_s
        probe, started_at = tried.begin(), now
        now += 0.5
        if tried.bad(now, started_at=started_at, probe=probe) is not FailureVerdict.REST:
            return rests
        rests.append(tried.rest_until - now)


def test_rests_double_up_to_a_cap_and_the_patience_ends_them() -> None:
    rests = outage(circuit())
    assert rests[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert max(rests) == CAP_S
    assert 880 < sum(rests) < 900


def test_a_server_that_never_answered_gets_half_a_minute() -> None:
    rests = outage(circuit(has_answered=False))
    assert sum(rests) + 0.5 * (len(rests) + 1) == pytest.approx(UNKNOWN_PATIENCE_S, abs=0.6)
    assert outage(circuit(5.0, has_answered=False))[-1] < 5
    assert outage(circuit(0.0)) == []


@given(st.floats(1, 5000), st.floats(0, 1), st.booleans())
def test_whatever_the_jitter_rests_never_shrink_but_for_the_last_and_end(
    patience_s: float, jitter: float, known: bool
) -> None:
    rests = outage(circuit(patience_s, has_answered=known, jitter=jitter))
    assert all(first <= second + 1e-6 for first, second in pairwise(rests[:-1]))
    assert all(0 <= rest <= CAP_S + 1e-6 for rest in rests)
    assert sum(rests) <= patience_s + 1e-6


def test_a_good_answer_begins_everything_anew() -> None:
    tried = circuit()
    tried.bad(0.5, started_at=0)
    tried.begin()
    tried.bad(5, started_at=4, probe=True)
    assert tried.good(9) == 9
    assert tried.wait_s(9) == 0
    tried.bad(20, started_at=19)
    assert tried.rest_until == 20 + BASE_S
    assert tried.since == 19


def test_what_failed_together_is_one_round() -> None:
    tried = circuit()
    for _ in range(30):
        tried.bad(8, started_at=0)
    assert tried.wait_s(8) == BASE_S


def test_a_request_older_than_the_last_good_answer_opens_nothing() -> None:
    tried = circuit()
    tried.good(10)
    assert tried.bad(18, started_at=9) is FailureVerdict.REST
    assert not tried.is_open


def test_a_stated_pause_is_kept_and_one_beyond_the_patience_is_not_waited_for() -> None:
    tried = circuit()
    assert tried.bad(1, started_at=0, pause_s=43) is FailureVerdict.REST
    assert tried.wait_s(1) == 43
    assert tried.bad(2, started_at=0, pause_s=100) is FailureVerdict.REST
    assert tried.wait_s(2) == 100
    other = circuit()
    assert other.bad(1, started_at=0, pause_s=3600) is FailureVerdict.TOO_LONG
    assert circuit(60).bad(1, started_at=0, pause_s=61) is FailureVerdict.TOO_LONG


def test_pauses_stated_again_and_again_end_with_the_patience() -> None:
    tried, now, asked = circuit(100), 0.0, 0
    while tried.bad(now, started_at=now, probe=tried.begin(), pause_s=3) is FailureVerdict.REST:
        now, asked = tried.rest_until, asked + 1
    assert asked == 33


def test_one_that_was_given_up_is_tried_once_in_each_further_rest() -> None:
    tried = circuit(10)
    outage(tried)
    assert tried.over
    again = tried.rest_until
    assert tried.wait_s(again) == 0
    assert tried.begin()
    assert tried.wait_s(again) is None
    assert tried.good(again + 1) is not None
    assert not tried.over


STEPS = st.lists(st.sampled_from(["ask", "good", "bad", "told", "drop", "later"]), max_size=200)


@given(STEPS, st.floats(0, 100))
def test_never_more_than_one_probe_is_under_way(steps: list[str], patience_s: float) -> None:
    tried, now = circuit(patience_s), 0.0
    under_way: list[tuple[float, bool]] = []
    for step in steps:
        now += 0.25
        if step == "later":
            now += 7
        elif step == "ask":
            if tried.wait_s(now) == 0:
                under_way.append((now, tried.begin()))
        elif under_way:
            started_at, probe = under_way.pop(0)
            if step == "good":
                tried.good(now)
            elif step == "drop":
                if probe:
                    tried.dropped()
            else:
                tried.bad(
                    now, started_at=started_at, probe=probe, pause_s=5 if step == "told" else None
                )
        if tried.is_open:
            assert sum(probe for _, probe in under_way) <= 1
