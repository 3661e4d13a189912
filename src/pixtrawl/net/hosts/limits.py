"""Published limits of some image hosts, stricter than those for any host. Pure.

Settings can lower these limits, never raise them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

__all__ = ["HOST_LIMITS", "HostLimit", "connections"]


class HostLimit(Struct, frozen=True):
    """Concurrent connections, and average bytes per second."""

    connections: int
    bytes_s: float


# Wikimedia's robot policy: two connections and 25 Mbit/s for its media.
_WIKIMEDIA: Final = HostLimit(2, 25e6 / 8)

HOST_LIMITS: Final[Mapping[str, HostLimit]] = {
    "upload.wikimedia.org": _WIKIMEDIA,
    "thumb.wikimedia.org": _WIKIMEDIA,
}


def connections(host: str, per_host: int, limits: Mapping[str, HostLimit] = HOST_LIMITS) -> int:
    """Return the concurrent transfers allowed from a host; `per_host` is the general limit."""
    limit = limits.get(host)
    return per_host if limit is None else min(per_host, limit.connections)
