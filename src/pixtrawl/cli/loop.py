"""Run a coroutine on the fastest event loop available, with a graceful Ctrl-C.

The first SIGINT or SIGTERM cancels the task, which leaves the data set resumable; the second ends
the process at once, also while the event loop is held up (files compared with the catalog, files
made from it written).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from types import FrameType
from typing import Any, Final, TypeVar

from pixtrawl.engines.event_loop import new_event_loop, tune_process
from pixtrawl.errors import EXIT_INTERRUPTED

T = TypeVar("T")

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Signal handler: the first signal cancels the task, the second ends the process."""

    def __init__(
        self,
        task: asyncio.Task[Any],
        leave: Callable[[int], object] = os._exit,
        on_stop: Callable[[], object] | None = None,
    ) -> None:
        self._task = task
        self._leave = leave
        self._on_stop = on_stop or _say_stopping
        self.asked = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Act on a signal: between two bytecodes of the main thread, whatever it is at."""
        if self.asked:
            # No clean-up on purpose: the catalog survives a kill, and the user has asked twice.
            self._leave(EXIT_INTERRUPTED)
            return
        self.asked = True
        self._task.get_loop().call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        self._on_stop()
        self._task.cancel()


def _say_stopping() -> None:
    sys.stderr.write("\npixtrawl: stopping; Ctrl-C again ends at once\n")
    sys.stderr.flush()


def run_loop(
    coroutine: Coroutine[Any, Any, T], *, on_stop: Callable[[], object] | None = None
) -> tuple[T, bool]:
    """Run the coroutine. `on_stop` is called at the first signal, instead of printing a line.

    Returns:
        its value, and whether a signal stopped it (the value is then partial).

    Raises:
        KeyboardInterrupt: a signal stopped it and it returned nothing.
    """
    tune_process()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        task = runner.get_loop().create_task(coroutine)
        stop = Stop(task, on_stop=on_stop)
        try:
            with _handled_by(stop):
                return runner.run(_wait(task)), stop.asked
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


async def _wait(task: asyncio.Task[T]) -> T:
    return await task


@contextlib.contextmanager
def _handled_by(stop: Stop) -> Iterator[None]:
    """Let `stop` handle the signals inside the block.

    Not by `loop.add_signal_handler`: that is called only once the loop is free.
    """
    before = [(number, signal.signal(number, stop)) for number in _SIGNALS]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
