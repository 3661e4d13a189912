"""One thread for computations that would block the event loop."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

__all__ = ["SideThread"]

_T = TypeVar("_T")
# Every callback of libcurl takes the interpreter's lock, and waits for a whole turn of a thread
# that computes: 5 ms by default, which hundreds of callbacks a second cannot afford.
_TURN_S: Final = 0.0002


class SideThread:
    """Runs calls one after the other; the thread starts with the first. For one event loop."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._thread: ThreadPoolExecutor | None = None
        self._waiting = 0
        self._usual_turn_s = 0.0

    async def run(self, call: Callable[..., _T], *arguments: object) -> _T:
        """Return what the call returns, and raise what it raises."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix=self._name)
        if not self._waiting:
            self._usual_turn_s = sys.getswitchinterval()
            sys.setswitchinterval(min(_TURN_S, self._usual_turn_s))
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments)
        finally:
            self._waiting -= 1
            if not self._waiting:
                sys.setswitchinterval(self._usual_turn_s)

    def close(self) -> None:
        """Drop what has not begun, and end the thread."""
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)
