"""An event loop whose clock jumps to the next timer: hours of waiting in a moment, for any code."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")


class _JumpingLoop(asyncio.SelectorEventLoop):
    """Never sleeps; nothing but timers may wake it."""

    def __init__(self) -> None:
        super().__init__()
        self._seconds = 0.0
        selector: Any = self._selector  # type: ignore[attr-defined]
        select = selector.select

        def jump(timeout: float | None) -> Any:
            events = select(0)
            if not events:
                assert timeout is not None, "everybody waits, and no timer is set"
                self._seconds += max(0.0, timeout)
            return events

        selector.select = jump

    def time(self) -> float:
        return self._seconds


def run_jumping(main: Coroutine[Any, Any, _T]) -> _T:
    """The result of a coroutine that waits for timers only."""
    with asyncio.Runner(loop_factory=_JumpingLoop) as runner:
        return runner.run(main)
