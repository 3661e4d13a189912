"""Read the pause that a server states with a refusal (429, 503), from headers or body. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

__all__ = ["REFUSALS", "retry_after_s", "stated_pause_s"]

REFUSALS: Final = frozenset({429, 503})
_LONGEST_S: Final = 1e9
_EPOCH_S: Final = 1e9  # a larger number is a point in time (seconds since the epoch)
_EPOCH_MS: Final = 1e11
_PERIODS_S: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_WORDS: Final = re.compile(
    r"(?:available|again|retry|wait(?:ing)?|reset\w*)\b[^.\d]{0,60}?\b(?:in|after|for|at least)?\s*"
    r"(\d{1,9}(?:\.\d{1,6})?)\s*(milliseconds?|ms|s|secs?|seconds?|m|mins?|minutes?|h|hours?|d|days?)\b",
    re.IGNORECASE,
)
_READ: Final = 4096  # bytes of the body that are searched
_NUMBER: Final = re.compile(r"\d{1,15}(?:\.\d{1,9})?")
_LEFT: Final = re.compile(r"\br=(\d{1,9})\b")
_UNTIL: Final = re.compile(r"\b(?:t|reset)=(\d{1,9})\b")
# Headers with the time of the next quota reset, each with the header of what is left of the quota.
_RESETS: Final = (
    "x-ratelimit-reset-after", "ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset",
    "x-ratelimit-retry-after", "x-retry-after",
)  # fmt: skip
_LEFT_OVERS: Final = (
    "ratelimit-remaining", "x-ratelimit-remaining", "x-rate-limit-remaining",
)  # fmt: skip


def retry_after_s(value: str, now: datetime | None = None) -> float | None:
    """Return the seconds of a `Retry-After` header (seconds or HTTP date); None if unreadable."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text) if len(text) < 10 else _LONGEST_S
    from email.utils import parsedate_to_datetime  # 15 ms, and dates are rare

    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, (at - (now or datetime.now(UTC))).total_seconds())


def stated_pause_s(
    status: int, headers: Mapping[str, str], body: bytes = b"", now: datetime | None = None
) -> float | None:
    """Return the seconds that a refusal asks to wait; None for other answers and without a time.

    Reads `Retry-After`, then the body ("Expected available in 40 seconds"), then headers with the
    reset time of an exhausted quota.
    """
    if status not in REFUSALS:
        return None
    asked_s = retry_after_s(headers.get("retry-after", ""), now)
    if asked_s is None and body:
        asked_s = _of_words(body[:_READ].decode("utf-8", "replace"))
    if asked_s is None:
        asked_s = _of_reset(headers, now or datetime.now(UTC))
    return _of_windows(headers) if asked_s is None else asked_s


def _of_words(text: str) -> float | None:
    match = _WORDS.search(text)
    if match is None:
        return None
    unit = match[2].lower()
    return float(match[1]) * (0.001 if unit.startswith(("ms", "milli")) else _PERIODS_S[unit[0]])


def _of_reset(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds until the reset header's time; None while some quota is left."""
    policy = headers.get("ratelimit", "")
    left = [headers[name] for name in _LEFT_OVERS if name in headers] + _LEFT.findall(policy)
    if any(_number(one) for one in left):
        return None
    for name in _RESETS:
        value = _number(headers.get(name, ""))
        if value is None:
            continue
        if value >= _EPOCH_MS:
            value /= 1000
        return max(0.0, value - now.timestamp()) if value >= _EPOCH_S else value
    until = _UNTIL.search(policy)
    return float(until[1]) if until else None


def _of_windows(headers: Mapping[str, str]) -> float | None:
    """Return the longest exhausted window: `x-ratelimit-limit-NAME: 20/min`, `-available-NAME: 0`.

    The header gives only the window's length, which is always long enough.
    """
    used_up = []
    for name, value in headers.items():
        before, limit, window = name.partition("ratelimit-limit")
        count, slash, period = value.partition("/")
        if not (limit and slash and count.strip().isdigit() and period.strip()):
            continue
        left = (
            headers.get(f"{before}ratelimit-{word}{window}") for word in ("available", "remaining")
        )
        if any(text is not None and _number(text) == 0 for text in left):
            length_s = _PERIODS_S.get(period.strip()[0].lower())
            if length_s is not None:
                used_up.append(length_s)
    return max(used_up, default=None)


def _number(text: str) -> float | None:
    match = _NUMBER.match(text.strip())
    return float(match[0]) if match else None
