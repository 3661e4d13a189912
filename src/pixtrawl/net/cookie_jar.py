"""Cookies that a source set during a run, sent back only to the origin that set them.

Stricter than RFC 6265: a cookie is bound to the scheme, host and port it came from, whatever its
Domain attribute, so that sources cannot share cookies. Nothing is kept after the run.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

__all__ = ["CookieJar"]

_MAX_COOKIES: Final = 50  # of one origin, as RFC 6265 6.1 asks for
_MAX_BYTES: Final = 4096  # of one cookie, likewise
_MAX_ORIGINS: Final = 1000

Origin = tuple[str, str, int]


class _Cookie(Struct, frozen=True):
    value: str
    path: str
    ends_at: float  # seconds since the epoch

    def matches(self, path: str) -> bool:
        """Return whether the cookie's path matches (RFC 6265, 5.1.4)."""
        if path == self.path or self.path == "/":
            return True
        return path.startswith(self.path if self.path.endswith("/") else f"{self.path}/")


class CookieJar:
    """Reads `Set-Cookie`, writes `Cookie`. `clock` returns seconds since the epoch."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._origins: dict[Origin, dict[str, _Cookie]] = {}

    def take(self, url: str, set_cookie: str) -> None:
        """Store the cookies set by an answer from `url`; `set_cookie` has one cookie per line."""
        for line in set_cookie.split("\n"):
            pair, _, rest = line.partition(";")
            name, equals, value = (part.strip() for part in pair.partition("="))
            if not equals or not name or len(pair) > _MAX_BYTES or not pair.isprintable():
                continue
            self._keep(url, name, value, _attributes(rest))

    def header(self, url: str, given: str = "") -> str:
        """Return the `Cookie` header for a request; a cookie in `given` wins over a stored one."""
        parts = urlsplit(url)
        kept = self._origins.get(_origin(url), {})
        now = self._clock()
        pairs = {
            name: cookie.value
            for name, cookie in kept.items()
            if cookie.ends_at > now and cookie.matches(parts.path or "/")
        }
        for pair in given.split(";"):
            name, equals, value = (part.strip() for part in pair.partition("="))
            if equals:
                pairs[name] = value
        return "; ".join(f"{name}={value}" for name, value in pairs.items())

    def _keep(self, url: str, name: str, value: str, attributes: dict[str, str]) -> None:
        origin = _origin(url)
        if "secure" in attributes and origin[0] != "https":
            return
        kept = self._origins.setdefault(origin, {})
        path = attributes.get("path", "")
        if not path.startswith("/"):
            path = (urlsplit(url).path or "/").rpartition("/")[0] or "/"
        kept.pop(name, None)
        ends_at = self._end_of(attributes)
        if ends_at > self._clock():
            kept[name] = _Cookie(value, path, ends_at)
        if len(kept) > _MAX_COOKIES:
            del kept[next(iter(kept))]
        if len(self._origins) > _MAX_ORIGINS:
            del self._origins[next(iter(self._origins))]

    def _end_of(self, attributes: dict[str, str]) -> float:
        try:
            if "max-age" in attributes:
                return self._clock() + int(attributes["max-age"])
            if "expires" in attributes:
                from email.utils import parsedate_to_datetime  # seldom, and slow to import

                return parsedate_to_datetime(attributes["expires"]).timestamp()
        except (ValueError, OverflowError):
            return float("inf")  # RFC 6265, 5.2.1: an unreadable date is ignored
        return float("inf")


def _attributes(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _origin(url: str) -> Origin:
    parts = urlsplit(url)
    port = parts.port or {"https": 443}.get(parts.scheme, 80)
    return parts.scheme, (parts.hostname or "").lower(), port
