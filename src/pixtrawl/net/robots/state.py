"""The robots.txt of one origin as a value, which goes along when a host changes hands."""

from __future__ import annotations

from msgspec import Struct

from pixtrawl.model import Reason

__all__ = ["RobotsState"]


class RobotsState(Struct, frozen=True, kw_only=True):
    """The robots.txt of one origin as far as known: its rules packed, none, or why it failed."""

    origin: str
    rules: bytes = b""  # `AgentRules.packed`; empty: everything is allowed, or `reason`
    file: bytes = b""  # the file itself, by zlib
    reason: Reason | None = None  # it forbids everything, or cannot be had, for the whole run
    detail: str = ""
    http_status: int = 0
