"""Run a coroutine from synchronous code, even if an event loop is running in this thread."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, TypeVar

from pixtrawl.errors import StoppedError

__all__ = ["wait"]

_LOOK_S: Final = 0.5
_STOPPED: Final = "the data set is in order; the same call goes on where it stopped"

T = TypeVar("T")


def wait(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end and return its result.

    If an event loop is running in this thread, the coroutine runs in another thread. Ctrl-C cancels
    it and waits for its clean-up.

    Raises:
        StoppedError: Ctrl-C; a KeyboardInterrupt.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        return _wait_beside(make)
    try:
        return asyncio.run(make())
    except KeyboardInterrupt:
        raise StoppedError(_STOPPED) from None


def _wait_beside(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run it in another thread, because this thread's event loop is busy with the caller."""
    result: list[T] = []
    failure: list[BaseException] = []
    started = threading.Event()
    inner: dict[str, Any] = {}

    async def main() -> None:
        inner["loop"], inner["task"] = asyncio.get_running_loop(), asyncio.current_task()
        started.set()
        result.append(await make())

    def target() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            failure.append(error)

    # Copy the caller's context: it decides which cell of a notebook the outputs go to.
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(target,), name="pixtrawl")
    thread.start()
    try:
        while thread.is_alive():  # with a timeout: on Windows Ctrl-C does not interrupt a join
            thread.join(_LOOK_S)
    except KeyboardInterrupt:
        started.wait()
        with suppress(RuntimeError):  # its loop is closed: the coroutine has just ended
            inner["loop"].call_soon_threadsafe(inner["task"].cancel)
        thread.join()
        raise StoppedError(_STOPPED) from None
    if failure:
        raise failure[0]
    return result[0]
