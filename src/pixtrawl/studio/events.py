"""Server-sent events: a bounded ring, from which a reader resumes by the last number it saw."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec
from msgspec import Struct

__all__ = ["EventRing", "StudioEvent"]

_MOST_EVENTS: Final = 2000
_KEEP_ALIVE_S: Final = 15.0


class StudioEvent(Struct, frozen=True):
    """One event; `set` is the data set it is about, "" for all readers."""

    number: int
    name: str
    set: str
    data: bytes  # JSON


class EventRing:
    """The newest events; bound to one event loop."""

    def __init__(self) -> None:
        self._events: deque[StudioEvent] = deque(maxlen=_MOST_EVENTS)
        self._last = 0
        self._changed = asyncio.Event()
        self._closed = False
        self.readers = 0

    def publish(self, name: str, data: Any, *, data_set: str = "") -> None:
        """Add an event; call it in the event loop."""
        self._last += 1
        self._events.append(StudioEvent(self._last, name, data_set, msgspec.json.encode(data)))
        self._wake()

    def close(self) -> None:
        """End all streams."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def stream(self, data_set: str, last_seen: int | None) -> AsyncIterator[bytes]:
        """Yield events as `text/event-stream`, from the one after `last_seen`.

        The first is `reset` where events after `last_seen` are lost, or are of another process: the
        reader then asks for everything anew.
        """
        self.readers += 1
        try:
            at = self._last if last_seen is None else last_seen
            first = self._events[0].number if self._events else self._last + 1
            if at > self._last or at < first - 1:
                at = self._last
                yield _encoded(at, "reset", b"{}")
            else:
                yield b": the stream begins\n\n"
            while not self._closed:
                changed = self._changed
                for one in self._after(at):
                    at = one.number
                    if one.set in {"", data_set} or not data_set:
                        yield _encoded(one.number, one.name, one.data)
                if at < self._last:  # published while a reader took the former ones
                    continue
                try:
                    await asyncio.wait_for(changed.wait(), _KEEP_ALIVE_S)
                except TimeoutError:
                    yield b": still here\n\n"
        finally:
            self.readers -= 1

    def _after(self, number: int) -> list[StudioEvent]:
        return [one for one in self._events if one.number > number]


def _encoded(number: int, name: str, data: bytes) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (number, name.encode(), data)
