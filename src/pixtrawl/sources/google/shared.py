"""What the queries of one run have in common when they ask Google."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from msgspec import Struct, field


class Shared(Struct):
    """What all queries of a run share: pace, the person at the screen, numbers of evidence."""

    pace: Callable[[], Awaitable[None]]
    visible: Callable[[], bool]
    person: asyncio.Lock = field(default_factory=asyncio.Lock)
    solved: int = 0
    numbers: dict[str, int] = field(default_factory=dict)
    useless: set[str] = field(default_factory=set)  # ways of `Probe` that a click had to replace


class Limits(Struct, frozen=True):
    """How far one query goes. Times in seconds; `patience_s` of None: 120 when visible."""

    scroll_passes: int
    click_limit: int
    patience_s: float | None
