"""A web of one process for the soak: any number of hosts by name, good and bad ones.

`python -m bench.soak_web` says its port and that of a black hole, and serves
`KIND-NUMBER.localhost`: the kind says how a host behaves (`bench.soak.KINDS`). libcurl takes every
name below `localhost` for loopback.
"""

from __future__ import annotations

import asyncio
import io
import socket
import sys
from collections.abc import Callable
from typing import Final

from PIL import Image

_LENGTH: Final = "Content-Length: "
_HOSTILE_ROBOTS: Final = (
    "User-agent: *\n" + "".join(f"Disallow: *~{n}\n" for n in range(40_000))
).encode()[: 500 * 1024]
_FLOOD: Final = b"HTTP/1.1 200 OK\r\n" + b"X-Pad: x\r\n" * 20_000


def _base() -> bytes:
    image = Image.radial_gradient("L").resize((64, 64)).convert("RGB")
    out = io.BytesIO()
    image.save(out, "JPEG", quality=60)
    return out.getvalue()


_JPEG: Final = _base()


def picture(name: bytes) -> bytes:
    """The same small JPEG with the name in a comment: other bytes for each address."""
    return _JPEG[:2] + b"\xff\xfe" + (len(name) + 2).to_bytes(2, "big") + name + _JPEG[2:]


def answer(status: int, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} x", *headers, _LENGTH + str(len(body)), "", ""]
    return "\r\n".join(lines).encode() + body


def _robots(kind: str) -> bytes:
    match kind:
        case "rules":
            return answer(200, _HOSTILE_ROBOTS)
        case "busy":
            return answer(429, b"", "Retry-After: 1")
        case "slow":
            return answer(200, b"User-agent: *\nCrawl-delay: 86400\n")
        case "closed":
            return answer(200, b"User-agent: *\nDisallow: /\n")
        case "broken":
            return answer(500)
        case _:
            return answer(404)


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._buffer[:end])
            del self._buffer[: end + 4]
            self._serve(head)

    def _serve(self, head: bytes) -> None:
        path = head.split(b" ", 2)[1]
        at = head.lower().find(b"\r\nhost:")
        host = head[at + 7 :].split(b"\r\n", 1)[0].strip().decode("latin-1")
        kind = host.partition("-")[0]
        if path == b"/robots.txt":
            self._transport.write(_robots(kind))
        elif kind == "gone":
            self._transport.write(answer(404))
        elif kind == "flood":
            self._transport.write(_FLOOD)
            self._transport.close()
        else:
            body = picture(host.encode() + path)
            self._transport.write(answer(200, body, "Content-Type: image/jpeg"))


def black_hole() -> tuple[int, list[socket.socket]]:
    """Return a port on loopback that takes no connection and refuses none."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen(0)
    kept = [sock]
    for _ in range(4):  # the queue is full then, and further connections get no answer
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(sock.getsockname())
        kept.append(filler)
    return int(sock.getsockname()[1]), kept


async def _main(tell: Callable[[str], object]) -> None:
    hole, kept = black_hole()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Connection, "127.0.0.1", 0, backlog=1024)
    tell(f"{server.sockets[0].getsockname()[1]} {hole}\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()
    del kept


if __name__ == "__main__":
    asyncio.run(_main(sys.stdout.write))
