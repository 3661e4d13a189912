"""Bodies are hashed and written beside the event loop: both let go of the interpreter's lock.

On one thread, in the order handed over. The loop is woken once for all that is done by then: an
executor's future costs four times as much (measured: 45 us a file, this 10).
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import suppress
from queue import SimpleQueue
from typing import Final

from pixtrawl.net.body import StagedBody

__all__ = ["BodyWriter"]

_AT_ONCE_BYTES: Final = 8 * 1024  # so little is done sooner than handed over
_LOOK_S: Final = 0.001  # how often a cancelled caller looks whether it may leave


class BodyWriter:
    """Finishes bodies on a thread of its own, which starts with the first. Bound to one loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._bodies: SimpleQueue[tuple[StagedBody, asyncio.Future[None]] | None] = SimpleQueue()
        self._done: deque[tuple[asyncio.Future[None], Exception | None]] = deque()
        self._told = False
        self._thread: threading.Thread | None = None

    async def finish(self, body: StagedBody) -> None:
        """As `body.finish()`. A caller that is cancelled leaves when the body is at rest.

        Raises OSError.
        """
        if body.held_bytes <= _AT_ONCE_BYTES:
            body.finish()
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="bodies", daemon=True)
            self._thread.start()
        written: asyncio.Future[None] = self._loop.create_future()
        self._bodies.put((body, written))
        try:
            await written
        except asyncio.CancelledError:
            await _at_rest(body)  # else its descriptor is closed, and given anew, under the thread
            raise

    def _work(self) -> None:
        while (job := self._bodies.get()) is not None:
            body, written = job
            failure: Exception | None = None
            try:
                body.finish()
            except Exception as error:  # noqa: BLE001 - raised where it is waited for
                failure = error
            self._done.append((written, failure))
            if not self._told:
                self._told = True
                self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        self._told = False  # before the look: what is done after it tells again
        while self._done:
            written, failure = self._done.popleft()
            if written.done():
                continue
            if failure is None:
                written.set_result(None)
            else:
                written.set_exception(failure)

    def close(self) -> None:
        """Waits for what has been handed over."""
        if self._thread is not None:
            self._bodies.put(None)
            self._thread.join()
            self._thread = None


async def _at_rest(body: StagedBody) -> None:
    while not body.at_rest:
        with suppress(asyncio.CancelledError):  # asked once more: the answer is the same
            await asyncio.sleep(_LOOK_S)
