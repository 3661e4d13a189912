"""Watch libcurl's sockets with one epoll of our own, or with the event loop.

libcurl starts and stops watching a socket with every transfer. The event loop creates a handle each
time (uvloop: 20 us); an epoll change is a system call of 1 us. The loop watches only the epoll,
and a socket stays in it from one transfer to the next.
"""

from __future__ import annotations

import asyncio
import select
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

import pycurl

__all__ = ["Watcher", "watcher"]

Act = Callable[[int, int], None]
"""Called with a descriptor and its readiness, as `pycurl.CSELECT_IN | CSELECT_OUT`."""

_AT_ONCE: Final = 8  # sockets for each look; those beyond it come first in the next one
_MOST: Final = 256  # per loop iteration; the others stay ready
_TURN_S: Final = 0.005  # and about so long: hostile heads take some milliseconds each
_IN: Final = 1  # EPOLLIN, EPOLLOUT: `select` has the names on Linux only
_OUT: Final = 4
_EVENTS: Final = {
    pycurl.POLL_IN: _IN, pycurl.POLL_OUT: _OUT, pycurl.POLL_INOUT: _IN | _OUT
}  # fmt: skip


class Watcher(Protocol):
    """Watches descriptors without owning them."""

    def watch(self, fd: int, what: int) -> None:
        """Watch for `what`: `pycurl.POLL_NONE`, or `POLL_IN` and `POLL_OUT` combined."""
        ...

    def close(self) -> None:
        """Stop watching."""
        ...


def watcher(loop: asyncio.AbstractEventLoop, act: Act) -> Watcher:
    """Return an epoll watcher where the system has epoll, else one of the event loop."""
    if hasattr(select, "epoll"):
        return _EpollWatcher(loop, act)
    return _LoopWatcher(loop, act)


class _LoopWatcher:
    """Watches with the event loop's readers and writers."""

    def __init__(self, loop: asyncio.AbstractEventLoop, act: Act) -> None:
        self._loop = loop
        self._act = act
        self._watched: dict[int, int] = {}

    def watch(self, fd: int, what: int) -> None:
        before = self._watched.pop(fd, pycurl.POLL_NONE)
        gone, new = before & ~what, what & ~before
        if gone & pycurl.POLL_IN:
            self._loop.remove_reader(fd)
        if gone & pycurl.POLL_OUT:
            self._loop.remove_writer(fd)
        if new & pycurl.POLL_IN:
            self._loop.add_reader(fd, self._act, fd, pycurl.CSELECT_IN)
        if new & pycurl.POLL_OUT:
            self._loop.add_writer(fd, self._act, fd, pycurl.CSELECT_OUT)
        if what:
            self._watched[fd] = what

    def close(self) -> None:
        for fd in list(self._watched):
            self.watch(fd, pycurl.POLL_NONE)


class _EpollWatcher:
    """One epoll for all sockets; the loop watches the epoll."""

    def __init__(self, loop: asyncio.AbstractEventLoop, act: Act) -> None:
        self._loop = loop
        self._act = act
        self._epoll = select.epoll()
        self._watched: set[int] = set()
        self._entered: set[int] = set()  # descriptors that are in the epoll, if still open
        self._left_over: list[tuple[int, int]] = []  # reported, but the turn ended before them
        loop.add_reader(self._epoll.fileno(), self._wake)

    def watch(self, fd: int, what: int) -> None:
        if not what:
            self._watched.discard(fd)
            return
        self._watched.add(fd)
        events = _EVENTS[what]
        if fd in self._entered:
            try:
                self._epoll.modify(fd, events)
            except FileNotFoundError:  # closed meanwhile, and with that out of the epoll
                pass
            else:
                return
        self._entered.add(fd)
        self._epoll.register(fd, events)

    def _wake(self) -> None:
        until_s = time.monotonic() + _TURN_S
        for _ in range(0, _MOST, _AT_ONCE):
            # The epoll puts those that it reported last: those left over come first here.
            ready = self._left_over or self._epoll.poll(0, _AT_ONCE)
            self._left_over = []
            for at, (fd, events) in enumerate(ready, 1):
                if fd in self._watched:
                    self._act(fd, _ready(events))
                else:  # ended by an earlier one, or a resting connection that its server closes
                    self._leave(fd)
                if time.monotonic() > until_s:
                    self._left_over = ready[at:]
                    return
            if len(ready) < _AT_ONCE:
                return

    def _leave(self, fd: int) -> None:
        self._entered.discard(fd)
        with suppress(OSError):  # closed meanwhile
            self._epoll.unregister(fd)

    def close(self) -> None:
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()
        self._watched.clear()


def _ready(events: int) -> int:
    """Translate epoll events for libcurl; it sees errors and hang-ups when it reads or writes."""
    if events & ~(_IN | _OUT):
        events |= _IN | _OUT
    return (pycurl.CSELECT_IN if events & _IN else 0) | (pycurl.CSELECT_OUT if events & _OUT else 0)
