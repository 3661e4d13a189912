"""Which sockets libcurl waits for: watched by one epoll of our own, or by the event loop.

libcurl starts and stops watching a socket with every transfer on it. The event loop's own way
makes and breaks a handle each time (uvloop: 20 us); epoll's is a system call of 1 us, the loop
watches nothing but the epoll itself, and a socket stays in it from one transfer to the next.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

import pycurl

__all__ = ["Watcher", "watcher"]

Act = Callable[[int, int], None]
"""Told a descriptor and what it is ready for, as `pycurl.CSELECT_IN | CSELECT_OUT`."""

_AT_ONCE: Final = 256  # sockets a turn of the loop; the rest are ready still
_IN: Final = 1  # EPOLLIN, EPOLLOUT: `select` has the names on Linux only
_OUT: Final = 4
_EVENTS: Final = {
    pycurl.POLL_IN: _IN, pycurl.POLL_OUT: _OUT, pycurl.POLL_INOUT: _IN | _OUT
}  # fmt: skip


class Watcher(Protocol):
    """Watches descriptors that somebody else owns."""

    def watch(self, fd: int, what: int) -> None:
        """From now on for `what`: `pycurl.POLL_NONE`, or `POLL_IN` and `POLL_OUT` together."""
        ...

    def close(self) -> None:
        """Watches nothing any more."""
        ...


def watcher(loop: asyncio.AbstractEventLoop, act: Act) -> Watcher:
    """The best there is on this system."""
    if hasattr(select, "epoll"):
        return _EpollWatcher(loop, act)
    return _LoopWatcher(loop, act)


class _LoopWatcher:
    """The event loop's readers and writers."""

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
        for fd, events in self._epoll.poll(0, _AT_ONCE):
            if fd in self._watched:
                self._act(fd, _ready(events))
            else:  # ended by an earlier one, or a resting connection that its server closes
                self._leave(fd)

    def _leave(self, fd: int) -> None:
        self._entered.discard(fd)
        with suppress(OSError):  # closed meanwhile
            self._epoll.unregister(fd)

    def close(self) -> None:
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()
        self._watched.clear()


def _ready(events: int) -> int:
    """In libcurl's words. An error or a hang-up shows when the socket is read or written."""
    if events & ~(_IN | _OUT):
        events |= _IN | _OUT
    return (pycurl.CSELECT_IN if events & _IN else 0) | (pycurl.CSELECT_OUT if events & _OUT else 0)
