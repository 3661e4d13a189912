"""What some hosts of pictures ask of programs, beyond what is due to every host. Pure.

Kept whatever the settings say: they can make it less, never more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

__all__ = ["HOST_LIMITS", "HostLimit", "connections"]


class HostLimit(Struct, frozen=True):
    """Connections at once, and bytes a second on average."""

    connections: int
    bytes_s: float


# Wikimedia's robot policy: two connections and 25 Mbit/s for its media.
_WIKIMEDIA: Final = HostLimit(2, 25e6 / 8)

HOST_LIMITS: Final[Mapping[str, HostLimit]] = {
    "upload.wikimedia.org": _WIKIMEDIA,
    "thumb.wikimedia.org": _WIKIMEDIA,
}


def connections(host: str, per_host: int, limits: Mapping[str, HostLimit] = HOST_LIMITS) -> int:
    """Transfers at once from a host, where `per_host` are allowed for any."""
    limit = limits.get(host)
    return per_host if limit is None else min(per_host, limit.connections)
