"""The pause that a refusal states, in every form that servers use."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from pixtrawl.net.stated_pause import retry_after_s, stated_pause_s

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
EPOCH = int(NOW.timestamp())


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Sun, 22 Nov 2026 12:00:30 GMT", 30.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("99999999999999999999", 1e9),
        ("-1", None),
        ("soon", None),
        ("", None),
        ("١٢", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after_s(value, NOW) == seconds


@given(st.text())
def test_any_retry_after_gets_an_answer(value: str) -> None:
    found = retry_after_s(value, NOW)
    assert found is None or found >= 0


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"retry-after": "3"}, "", 3),
        ({"retry-after": "3"}, "available in 40 seconds", 3),
        ({}, '{"detail": "Request was throttled. Expected available in 3600 seconds."}', 3600),
        ({}, "Expected available in 1 second.", 1),
        ({}, "Rate limit reached. Please try again in 5 minutes.", 300),
        ({}, "slow down: retry after 30s", 30),
        ({}, "Please wait 10 seconds before the next request", 10),
        ({}, "try again in 250 ms", 0.25),
        ({}, "10 requests per 60 seconds are allowed, try again later", None),
        ({}, "too many requests", None),
        ({"ratelimit-reset": "7", "ratelimit-remaining": "0"}, "", 7),
        ({"x-ratelimit-reset": str(EPOCH + 50)}, "", 50),
        ({"x-ratelimit-reset": str((EPOCH + 50) * 1000)}, "", 50),
        ({"x-ratelimit-reset": "12", "x-ratelimit-remaining": "4999"}, "", None),
        ({"x-rate-limit-reset": "9", "x-rate-limit-remaining": "0"}, "", 9),
        ({"x-ratelimit-reset-after": "1.5"}, "", 1.5),
        ({"ratelimit": '"burst";r=0;t=21'}, "", 21),
        ({"ratelimit": "limit=10, remaining=0, reset=21"}, "", 21),
        ({"ratelimit": '"day";r=5;t=21'}, "", None),
        ({"x-ratelimit-limit-burst": "20/min", "x-ratelimit-available-burst": "0"}, "", 60),
        ({"x-ratelimit-limit-burst": "20/min", "x-ratelimit-available-burst": "3"}, "", None),
        (
            {
                "x-ratelimit-limit-burst": "20/min", "x-ratelimit-available-burst": "0",
                "x-ratelimit-limit-day": "200/day", "x-ratelimit-available-day": "0",
            },
            "", 86_400,
        ),
        ({}, "", None),
    ],
)  # fmt: skip
def test_what_a_refusal_states(headers: dict[str, str], body: str, seconds: float | None) -> None:
    for status in (429, 503):
        assert stated_pause_s(status, headers, body.encode(), NOW) == seconds
    assert stated_pause_s(403, headers, body.encode(), NOW) is None
    assert stated_pause_s(200, headers, body.encode(), NOW) is None


@given(st.dictionaries(st.sampled_from(["retry-after", "ratelimit", "x-ratelimit-reset",
                                        "x-ratelimit-limit-a", "x-ratelimit-available-a"]),
                       st.text(max_size=30)), st.binary(max_size=200))  # fmt: skip
def test_any_refusal_gets_an_answer(headers: dict[str, str], body: bytes) -> None:
    found = stated_pause_s(429, headers, body)
    assert found is None or found >= 0
