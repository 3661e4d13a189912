"""The browser's only way to the network: a proxy on loopback that applies the address guard.

Plain HTTP and CONNECT, which carries TLS and WebSockets; TLS passes unopened. Whoever asks must
know a random password, so that no other program of this computer can use it. Connections, heads
and times are bounded. A refused or failed connection looks the same to a page: no answer.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hmac
import random
import secrets
import socket
import struct
from collections.abc import Coroutine
from typing import Any, Final

from pixtrawl.net.address import AddressGuard
from pixtrawl.net.gateway.dial import BUFFER_BYTES, Dialler, OpenConnection
from pixtrawl.net.gateway.head import ProxyRequest, answer_head, read_request_head
from pixtrawl.net.proxy import Proxies
from pixtrawl.net.resolver import AddressRefusedError

__all__ = ["GREETING_HOST", "Gateway"]

GREETING_HOST: Final = "gateway.invalid"  # answered here: the browser gives the password for it
_MAX_CONNECTIONS: Final = 256  # a browser has 32 to a proxy; WebSockets come on top
_IDLE_S: Final = 120.0  # without a byte either way; also for the first head
_PIECE_BYTES: Final = 64 * 1024
_HEAD_BYTES: Final = 256 * 1024  # of an answer, as much as browsers take
_MAX_INTERIM: Final = 8  # 1xx answers before the answer
_SWITCHING: Final = 101
_MAX_REFUSED: Final = 100  # hosts remembered
_USER: Final = "pixtrawl"
_LOGIN_WANTED: Final = (
    b"HTTP/1.1 407 Proxy Authentication Required\r\n"
    b'Proxy-Authenticate: Basic realm="pixtrawl"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
)
_GREETED: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nCache-Control: no-store\r\n"
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)
_NO_TUNNEL: Final = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_OPEN: Final = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Gateway:
    """A proxy for one browser, on the running event loop. Close it with `aclose`."""

    def __init__(self, guard: AddressGuard, proxies: Proxies) -> None:
        """`proxies` are the user's, behind which it stands."""
        self._dialler = Dialler(guard, proxies)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._refused: dict[str, None] = {}
        self.user, self.password = _USER, secrets.token_urlsafe(24)
        pair = base64.b64encode(f"{self.user}:{self.password}".encode())
        self._expected = b"Basic " + pair
        self.host, self.port = "", 0
        self.greeted = False  # whether the browser has come by with the password

    async def start(self) -> None:
        """Listen. Raises OSError."""
        listening = _bound()
        self.host, self.port = listening.getsockname()
        self._server = await asyncio.start_server(
            self._accept, sock=listening, limit=BUFFER_BYTES, backlog=_MAX_CONNECTIONS,
            start_serving=False,  # does not wait: nothing is lost if this is cancelled
        )  # fmt: skip
        await self._server.start_serving()

    async def aclose(self) -> None:
        """End all connections and stop listening."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._dialler.close()

    def has_refused(self, host: str) -> bool:
        """Return whether the guard refused a connection to the host."""
        return host.strip("[]").lower() in self._refused

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._tasks) >= _MAX_CONNECTIONS or self._server is None:
            writer.close()
            return
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_IDLE_S) as limit:
                await self._answer(reader, writer, limit)
        except (OSError, TimeoutError, ValueError, EOFError, asyncio.LimitOverrunError):
            _reset(writer)  # the browser must not take a part for the whole
        finally:
            writer.close()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: asyncio.Timeout
    ) -> None:
        request = read_request_head(await reader.readuntil(b"\r\n\r\n"))
        if not hmac.compare_digest(request.login, self._expected):
            writer.write(_LOGIN_WANTED)
        elif request.host == GREETING_HOST and not self.greeted:  # a page may ask for it later
            self.greeted = True
            writer.write(_GREETED)
        elif request.is_tunnel:
            await self._tunnel(request, reader, writer, limit)
        else:
            line = await self._dial(request)
            try:
                line.writer.write(request.head(line.authorization, absolute=line.forward))
                await _run(
                    _request_body(reader, line, request, limit),
                    _relayed_answer(line, writer, limit),
                    until=asyncio.FIRST_COMPLETED,
                )
            finally:
                line.writer.close()
        await writer.drain()

    async def _tunnel(
        self,
        request: ProxyRequest,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        limit: asyncio.Timeout,
    ) -> None:
        try:
            line = await self._dial(request)
        except (OSError, TimeoutError, EOFError, asyncio.LimitOverrunError):
            writer.write(_NO_TUNNEL)
            return
        try:
            writer.write(_OPEN)
            await _run(
                _copy(reader, line.writer, limit),
                _copy(line.reader, writer, limit),
                until=asyncio.FIRST_EXCEPTION,
            )
        finally:
            line.writer.close()

    async def _dial(self, request: ProxyRequest) -> OpenConnection:
        if request.host == self.host:  # itself
            raise ConnectionError("a gateway does not ask itself")
        try:
            return await self._dialler.dial(request.host, request.port, tunnel=request.is_tunnel)
        except AddressRefusedError:
            if len(self._refused) < _MAX_REFUSED:
                self._refused[request.host] = None
            raise


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: asyncio.Timeout
) -> None:
    loop = asyncio.get_running_loop()
    while data := await reader.read(_PIECE_BYTES):
        limit.reschedule(loop.time() + _IDLE_S)
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
    else:  # TLS, to a proxy of the user's, cannot be closed by half
        writer.close()


async def _request_body(
    reader: asyncio.StreamReader,
    line: OpenConnection,
    request: ProxyRequest,
    limit: asyncio.Timeout,
) -> None:
    """Pass on the body of a request, then wait until the browser is gone."""
    loop = asyncio.get_running_loop()
    left = request.body_bytes
    while left:
        data = await reader.read(min(left, _PIECE_BYTES))
        if not data:
            return
        limit.reschedule(loop.time() + _IDLE_S)
        left -= len(data)
        line.writer.write(data)
        try:
            await line.writer.drain()
        except OSError:  # the server has heard enough; its answer may be there
            break
    while await reader.read(_PIECE_BYTES):  # a further request has to come on its own connection
        pass


async def _relayed_answer(
    line: OpenConnection, writer: asyncio.StreamWriter, limit: asyncio.Timeout
) -> None:
    for _ in range(_MAX_INTERIM):
        status, head = answer_head(await _head(line.reader))
        writer.write(head)
        if status >= 200 or status == _SWITCHING:
            break
    await _copy(line.reader, writer, limit)


async def _head(reader: asyncio.StreamReader) -> bytes:
    """Read up to an empty line, which servers end in either way."""
    lines: list[bytes] = []
    size = 0
    while True:
        line = await reader.readline()
        size += len(line)
        if not line or size > _HEAD_BYTES:
            raise ValueError("a head without an end")
        if line in {b"\r\n", b"\n"}:
            return b"".join(lines)
        lines.append(line)


async def _run(*work: Coroutine[Any, Any, None], until: str) -> None:
    """Run until the first has ended, or the first has failed; end the others."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=until)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection by a TCP reset (SO_LINGER of 0 s)."""
    one = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _bound() -> socket.socket:
    """Return a socket on a random loopback address, or on 127.0.0.1 where there are no others.

    It is the one address that the browser may still resolve: best one where nothing else listens.
    """
    numbers = [random.randrange(2, 255) for _ in range(3)]
    for address in ("127.{}.{}.{}".format(*numbers), "127.0.0.1"):
        listening = socket.socket(socket.AF_INET)
        try:
            listening.bind((address, 0))
        except OSError:
            listening.close()
            if address == "127.0.0.1":
                raise
        else:
            return listening
    raise AssertionError("the loop returns or raises")
