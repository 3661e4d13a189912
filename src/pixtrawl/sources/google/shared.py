"""State shared by all Google queries of one run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from msgspec import Struct, field


class Shared(Struct):
    """Pace, lock for visible windows and evidence numbers, shared by all queries of a run."""

    pace: Callable[[], Awaitable[None]]
    visible: Callable[[], bool]
    person: asyncio.Lock = field(default_factory=asyncio.Lock)
    solved: int = 0
    numbers: dict[str, int] = field(default_factory=dict)
    useless: set[str] = field(
        default_factory=set
    )  # methods of `Probe` that found nothing where a click did


class Limits(Struct, frozen=True):
    """Limits of one query. Times in seconds; `patience_s` None: 120 with a visible window."""

    scroll_passes: int
    click_limit: int
    patience_s: float | None
