"""libcurl's multi interface on the running asyncio event loop: one transfer, one future.

libcurl reports which sockets to watch and when its timer is due; `net.curl.watch` watches
the sockets, the event loop runs the timer. No thread and no polling, except on a loop
without `add_reader` (Windows' ProactorEventLoop), where a timer drives the same handles
every 10 ms.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any, Final

import pycurl

from pixtrawl.net.curl.watch import watcher

__all__ = ["CurlLoop"]

_CLOSE_S: Final = 1.0  # how long closing waits at most; a millisecond is usual
_POLL_S: Final = 0.01  # polling interval on a loop that cannot watch sockets


class CurlLoop:
    """Runs easy handles on one multi handle. Bound to the event loop it is created on."""

    def __init__(self, *, connections: int) -> None:
        """`connections` is the size of the connection cache. Needs a running loop."""
        self._loop = asyncio.get_running_loop()
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, connections)
        self._multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        self._running: dict[Any, asyncio.Future[tuple[int, str]]] = {}
        self._timer: asyncio.Handle | None = None
        self._closed = self._left_behind = False
        self._polling = not _can_watch(self._loop)
        if not self._polling:
            self._watcher = watcher(self._loop, self._act)
            self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
            self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)

    def start(self, curl: Any) -> asyncio.Future[tuple[int, str]]:
        """Start a transfer; the future resolves to libcurl's error code (0: none) and message."""
        future: asyncio.Future[tuple[int, str]] = self._loop.create_future()
        self._running[curl] = future
        try:
            self._multi.add_handle(curl)
        except pycurl.error:
            del self._running[curl]
            raise
        if self._polling and self._timer is None:
            self._timer = self._loop.call_soon(self._poll)
        return future

    def stop(self, curl: Any, result: tuple[int, str] | None = None) -> None:
        """Remove a transfer in whatever state it is; a finished one is left alone.

        Its future resolves to `result`.
        """
        future = self._running.pop(curl, None)
        if future is None or self._closed:
            return
        self._multi.remove_handle(curl)
        if result is not None and not future.done():
            future.set_result(result)

    def close(self) -> None:
        """End every transfer (its future is cancelled) and every connection."""
        if self._closed:
            return
        for curl, future in list(self._running.items()):
            self.stop(curl)
            future.cancel()
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        # libcurl waits here for its threads that look names up, as long as a name server is silent
        # (minutes, by resolv.conf), and has no way to be told otherwise. It also sends TLS's
        # close_notify, so the socket callback is still called, while this thread waits.
        closing = threading.Thread(target=self._multi.close, name="curl-close", daemon=True)
        closing.start()
        closing.join(_CLOSE_S)
        self._left_behind = closing.is_alive()
        if not self._polling:
            self._watcher.close()

    # -- what libcurl asks for ---------------------------------------------------------------

    def _on_socket(self, what: int, fd: int, _multi: Any, _data: Any) -> None:
        if self._left_behind:
            return  # called from another thread, long after
        self._watcher.watch(fd, pycurl.POLL_NONE if what == pycurl.POLL_REMOVE else what)

    def _on_timer(self, timeout_ms: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._closed:
            return
        if timeout_ms == 0:  # libcurl must not be called from its own callbacks
            self._timer = self._loop.call_soon(self._on_timeout)
        elif timeout_ms > 0:
            self._timer = self._loop.call_later(timeout_ms / 1000, self._on_timeout)

    # -- what asyncio calls ------------------------------------------------------------------

    def _on_timeout(self) -> None:
        self._timer = None
        self._act(pycurl.SOCKET_TIMEOUT, 0)

    def _act(self, fd: int, events: int) -> None:
        if self._closed:
            return
        _, running = self._multi.socket_action(fd, events)
        if running < len(self._running):
            self._reap()

    def _poll(self) -> None:
        self._timer = None
        if self._closed:
            return
        self._multi.perform()
        self._reap()
        if self._running:
            self._timer = self._loop.call_later(_POLL_S, self._poll)

    def _reap(self) -> None:
        left = 1
        while left:
            left, done, failed = self._multi.info_read()
            for curl in done:
                self._finish(curl, 0, "")
            for curl, code, message in failed:
                self._finish(curl, code, message)

    def _finish(self, curl: Any, code: int, message: str) -> None:
        future = self._running.pop(curl, None)
        if future is None:
            return
        self._multi.remove_handle(curl)
        if not future.done():
            future.set_result((code, message))


def _can_watch(loop: asyncio.AbstractEventLoop) -> bool:
    probe = socket.socket()
    try:
        loop.add_reader(probe, int)
        loop.remove_reader(probe)
    except NotImplementedError:
        return False
    finally:
        probe.close()
    return True
