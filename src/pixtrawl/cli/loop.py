"""Run a coroutine on the fastest event loop available, with a graceful Ctrl-C.

The first SIGINT or SIGTERM cancels the task, which leaves the data set resumable; the second ends
the process at once.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
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

    def __call__(self) -> None:
        if self.asked:
            # No clean-up on purpose: the catalog survives a kill, and the user has asked twice.
            self._leave(EXIT_INTERRUPTED)
            return
        self.asked = True
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
        loop = runner.get_loop()
        task = loop.create_task(coroutine)
        stop = Stop(task, on_stop=on_stop)
        _listen(loop, stop)
        try:
            return runner.run(_wait(task)), stop.asked
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


async def _wait(task: asyncio.Task[T]) -> T:
    return await task


def _listen(loop: asyncio.AbstractEventLoop, stop: Stop) -> None:
    for number in _SIGNALS:
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows; the handler runs between two bytecodes
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
