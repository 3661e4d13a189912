"""The state of one host as a value: what its next holder has to know to stay polite.

A host is contacted by one process at a time. Its pace, rests, failures and robots.txt pass to the
next holder, so that a host that is out is not tried again and its robots.txt is fetched once. All
times are durations from the moment of handing over: processes share no clock.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from pixtrawl.model import Reason
from pixtrawl.net.robots.rules import PathText
from pixtrawl.net.robots.state import RobotsState

__all__ = ["HostState", "TroubleState"]


class TroubleState(Struct, frozen=True, kw_only=True):
    """A host that refused: its rest, and the URLs that it put on hold (seconds left, by URL)."""

    is_open: bool = False
    over: bool = False
    since_s: float = 0.0  # how long ago the trouble began
    rest_s: float = 0.0  # left of the rest
    rounds: int = 0
    proven: int = 0
    vain: int = 0
    held_s: Mapping[str, float] = field(default_factory=dict)


class HostState(Struct, frozen=True, kw_only=True):
    """State of one host between two holders; the defaults are those of an unknown host."""

    host: str  # the account, as `urls.account_of`
    out: Reason | None = None  # no more requests in this run
    wait_s: float = 0.0  # before the next request may start
    delay_s: float = 0.0  # between two requests, as its robots.txt asks
    failed_rounds: int = 0
    requests: int = 0
    answers: int = 0
    trouble: TroubleState | None = None
    robots: tuple[RobotsState, ...] = ()
    tdmrep: Mapping[str, tuple[PathText, ...]] = field(default_factory=dict)  # by origin
