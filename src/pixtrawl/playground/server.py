"""A small HTTP/1.1 server on asyncio: fast where it behaves, and free to misbehave.

One `Connection` per client answers one request after the other (keep-alive, pipelining), by a
handler as described in `messages`. Every request is recorded with its host and the number of
requests in progress there, so that tests can assert how polite a client is.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
import traceback
from collections import Counter, deque
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, cast

from pixtrawl.playground.messages import Answer, Handler, Raw, Ready, ServerRequest, ServerResponse

MAX_HEAD: Final = 256 * 1024  # bytes of request line and headers
MAX_LOG: Final = 500_000  # requests remembered
_TLS: Final = b"\x16\x03"  # a handshake record (RFC 8446, 5.1): no request will ever come


class RequestRecord(NamedTuple):
    """One line of the log: `time` is time.monotonic() in seconds, `host` is address:port."""

    time: float
    host: str
    method: str
    target: str  # path and query as sent
    headers: Mapping[str, str]  # names in lower case
    in_progress: int  # requests in progress at the host, this one included

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


@dataclass(slots=True)
class ListeningAddress:
    """One listening address with its log."""

    host: str  # address:port
    handler: Handler
    log: RequestLog
    latency_s: float = 0.0  # before every answer
    server: asyncio.Server | None = None


@dataclass
class RequestLog:
    """The requests to all hosts. `high_water`: the most concurrent requests, by host."""

    records: deque[RequestRecord] = field(default_factory=lambda: deque(maxlen=MAX_LOG))
    in_progress: Counter[str] = field(default_factory=Counter)
    high_water: Counter[str] = field(default_factory=Counter)
    connections: Counter[str] = field(default_factory=Counter)  # opened ever, by host
    errors: list[Exception] = field(default_factory=list)  # of our own handlers
    enabled: bool = True

    def begin(self, host: str, method: str, target: str, headers: dict[str, str]) -> None:
        """Note a request that has arrived."""
        self.in_progress[host] += 1
        now = self.in_progress[host]
        if now > self.high_water[host]:
            self.high_water[host] = now
        if self.enabled:
            self.records.append(RequestRecord(time.monotonic(), host, method, target, headers, now))

    def end(self, host: str) -> None:
        """Note that its answer is out, or that its connection is gone."""
        self.in_progress[host] -= 1


class Connection(asyncio.Protocol):
    """One client. Handlers of misbehaviour use `write`, `drain`, `close`, `reset` directly."""

    def __init__(
        self, listener: ListeningAddress, tasks: set[asyncio.Task[None]], open_: set[Connection]
    ):
        self.listener = listener
        self._tasks = tasks
        self._open = open_
        self._buffer = bytearray()
        self._request: ServerRequest | None = None
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._writable: asyncio.Future[None] | None = None
        self.transport: asyncio.Transport | None = None
        self.loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A cast, no isinstance: uvloop's transports are not of asyncio's class.
        self.transport = cast("asyncio.Transport", transport)
        self._open.add(self)
        self.listener.log.connections[self.listener.host] += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self)
        self.transport = None
        self._finish_request()
        if self._task is not None:
            self._task.cancel()
        if self._timer is not None:
            self._timer.cancel()
        self.resume_writing()

    def pause_writing(self) -> None:
        self._writable = self.loop.create_future()

    def resume_writing(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._serve()

    def _serve(self) -> None:
        while self._request is None and self.transport is not None:
            request = self._parse()
            if request is None:
                return
            self._request = request
            log = self.listener.log
            log.begin(self.listener.host, request.method, request.target, request.headers)
            try:
                answer = self.listener.handler(request)
            except Exception as error:  # noqa: BLE001 - a bug of a handler must show
                answer = self._broken(error)
            if isinstance(answer, Awaitable):
                self._task = self.loop.create_task(self._answer_later(answer))
                self._tasks.add(self._task)
                self._task.add_done_callback(self._tasks.discard)
            else:
                self._send(answer)

    def _parse(self) -> ServerRequest | None:
        """Return the next whole request in the buffer."""
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if self._buffer.startswith(_TLS):
                self._refuse(400)
            elif len(self._buffer) > MAX_HEAD:
                self._refuse(431)
            return None
        first, *lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        length = headers.get("content-length", "0")
        words = first.split(" ")
        if len(words) != 3 or not length.isdigit():
            self._refuse(400)
            return None
        whole = end + 4 + int(length)
        if len(self._buffer) < whole:
            return None
        body = bytes(self._buffer[end + 4 : whole])
        del self._buffer[:whole]
        return ServerRequest(words[0], words[1], headers, body, self)

    def _refuse(self, status: int) -> None:
        self.write(ServerResponse(status=status, headers=[("Connection", "close")]).head())
        self.close()

    async def _answer_later(self, answer: Awaitable[Answer]) -> None:
        try:
            result = await answer
        except Exception as error:  # noqa: BLE001 - a bug of a handler must show
            result = self._broken(error)
        self._task = None
        self._send(result)
        self._serve()

    def _broken(self, error: Exception) -> ServerResponse:
        self.listener.log.errors.append(error)
        text = "".join(traceback.format_exception(error)).encode()
        return ServerResponse(text, 500, "text/plain; charset=utf-8")

    def _send(self, answer: Answer) -> None:
        latency = self.listener.latency_s
        if latency > 0 and not isinstance(answer, Raw):
            self._timer = self.loop.call_later(latency, self._send_later, answer)
        else:
            self._send_now(answer)

    def _send_later(self, answer: Answer) -> None:
        self._timer = None
        self._send_now(answer)
        self._serve()

    def _send_now(self, answer: Answer) -> None:
        request = self._request
        if isinstance(answer, Raw) or request is None:
            self._finish_request()
            if request is not None and request.headers.get("connection", "").lower() == "close":
                self.close()
            return
        if isinstance(answer, Ready):
            head, blank, _ = answer.partition(b"\r\n\r\n")
            self.write(head + blank if request.method == "HEAD" else answer)
        else:
            self.write(answer.head() + (b"" if request.method == "HEAD" else answer.body))
        self._finish_request()
        asked = request.headers.get("connection", "").lower() == "close"
        if asked or (isinstance(answer, ServerResponse) and answer.close):
            self.close()

    def _finish_request(self) -> None:
        if self._request is not None:
            self._request = None
            self.listener.log.end(self.listener.host)

    # What handlers of misbehaviour use.

    def write(self, data: bytes) -> None:
        """Send `data`, or nothing when the client is gone."""
        if self.transport is not None:
            self.transport.write(data)

    async def drain(self) -> None:
        """Wait until the client has taken what was written."""
        if self._writable is not None:
            await self._writable

    def close(self) -> None:
        """Close after everything written is sent."""
        if self.transport is not None:
            self.transport.close()

    def reset(self) -> None:
        """Close with a TCP reset (SO_LINGER of 0 s)."""
        if self.transport is None:
            return
        sock = self.transport.get_extra_info("socket")
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


class Server:
    """Several listeners on one event loop that share one log."""

    def __init__(self, log: RequestLog, latency_s: float = 0.0) -> None:
        self.log = log
        self.latency_s = latency_s
        self._listeners: list[ListeningAddress] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._connections: set[Connection] = set()
        self._sockets: list[socket.socket] = []

    async def listen(self, address: str, port: int, handler: Handler) -> ListeningAddress:
        """Listen on `address` (`port` 0: any free one). Raises OSError where it cannot."""
        sock = bound(address, port)
        host = "{}:{}".format(*sock.getsockname()[:2])
        listener = ListeningAddress(host, handler, self.log, self.latency_s)
        loop = asyncio.get_running_loop()

        def connect() -> Connection:
            return Connection(listener, self._tasks, self._connections)

        listener.server = await loop.create_server(connect, sock=sock, backlog=1024)
        self._listeners.append(listener)
        return listener

    def hold(self, address: str, mode: Literal["refused", "full"]) -> str:
        """Hold a port that refuses connections, or whose queue is full; return address:port."""
        sock = bound(address, 0)
        self._sockets.append(sock)
        if mode == "full":
            sock.listen(0)
            for _ in range(4):  # Linux takes backlog + 1, and drops every further SYN
                filler = socket.socket(sock.family)
                filler.setblocking(False)
                filler.connect_ex(sock.getsockname())
                self._sockets.append(filler)
        return "{}:{}".format(*sock.getsockname()[:2])

    async def aclose(self) -> None:
        """Stop listening, end all connections and free every socket."""
        for listener in self._listeners:
            if listener.server is not None:
                listener.server.close()
        for _ in range(4):  # a client just accepted becomes a Connection some turns later
            await asyncio.sleep(0)
        for connection in list(self._connections):
            if connection.transport is not None:
                connection.transport.abort()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for sock in self._sockets:
            sock.close()
        await asyncio.sleep(0)


def bound(address: str, port: int) -> socket.socket:
    """Return a TCP socket bound to `address`. Raises OSError."""
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
    except OSError:
        sock.close()
        raise
    return sock
