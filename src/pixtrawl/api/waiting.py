"""Waiting for a coroutine from a function: in scripts, and where an event loop runs already."""

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
    """Runs a coroutine to its end, also where an event loop is running in this thread.

    Ctrl-C cancels the run, waits until the data set is in order, and raises StoppedError, a
    KeyboardInterrupt.
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
    """In a thread of its own: this one's event loop is busy with the caller."""
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

    # With the caller's context, by which a notebook knows whose cell an output belongs to.
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(target,), name="pixtrawl")
    thread.start()
    try:
        while thread.is_alive():  # in pieces: on Windows nothing interrupts a wait
            thread.join(_LOOK_S)
    except KeyboardInterrupt:
        started.wait()
        with suppress(RuntimeError):  # its loop is closed: it has just ended by itself
            inner["loop"].call_soon_threadsafe(inner["task"].cancel)
        thread.join()
        raise StoppedError(_STOPPED) from None
    if failure:
        raise failure[0]
    return result[0]
