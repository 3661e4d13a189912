"""How long libcurl keeps a host's addresses, and which transfers look for those that are too old.

At the end of a transfer libcurl goes through its whole DNS cache, unless that transfer's lifetime
of entries is "forever" (CURLOPT_DNS_CACHE_TIMEOUT -1). With 5,000 hosts in the cache this was 31 %
of the event loop's time, so one transfer in a few seconds does it for all.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import pycurl

__all__ = ["DnsCache"]

_LIFETIME_S: Final = 300
_FOREVER: Final = -1
_PRUNED_EVERY_S: Final = 5.0


class DnsCache:
    """Gives each transfer of one client its DNS_CACHE_TIMEOUT."""

    def __init__(self) -> None:
        self._pruned_at = -math.inf

    def lifetime_s(self, now: float) -> int:
        """Return the option's value for a transfer that begins `now` (monotonic, s).

        An entry serves for 5 minutes, and for the few seconds until the next transfer that prunes.
        """
        if now - self._pruned_at < _PRUNED_EVERY_S and _takes(_FOREVER):
            return _FOREVER
        self._pruned_at = now
        return _LIFETIME_S


@lru_cache(maxsize=1)
def _takes(lifetime_s: int) -> bool:
    """Return whether this libcurl takes the value: 8.16.0 refuses the documented -1."""
    try:
        pycurl.Curl().setopt(pycurl.DNS_CACHE_TIMEOUT, lifetime_s)
    except pycurl.error:
        return False
    return True
