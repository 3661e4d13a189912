"""A small HTTP/2 server over TLS that misbehaves as it is told. Frames by hand, no HPACK state."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADERS, RST_STREAM, SETTINGS, CONTINUATION = 1, 3, 4, 9
END_HEADERS = 4


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def status(code: int) -> bytes:
    """`:status` as a literal that enters no table."""
    return b"\x08\x03" + str(code).encode()


class Http2Server:
    """Calls `answer(send, stream)` for each request; counts requests and bytes sent."""

    def __init__(self, certificate: Path, answer: Callable[[Callable[[bytes], None], int], None]):
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._context.set_alpn_protocols(["h2"])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._answer = answer
        self.requests = 0
        self.sent_bytes = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, path: str = "/a") -> str:
        return f"https://127.0.0.1:{self._listener.getsockname()[1]}{path}"

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        with suppress(OSError), self._context.wrap_socket(plain, server_side=True) as sock:

            def send(data: bytes) -> None:
                sock.sendall(data)
                self.sent_bytes += len(data)

            reader = sock.makefile("rb")
            assert reader.read(len(PREFACE)) == PREFACE
            send(frame(SETTINGS, 0, 0))
            while head := reader.read(9):
                size, (kind, flags, stream) = (
                    int.from_bytes(head[:3], "big"), struct.unpack(">BBI", head[3:]),
                )  # fmt: skip
                reader.read(size)
                if kind == SETTINGS and not flags & 1:
                    send(frame(SETTINGS, 1, 0))
                elif kind == HEADERS:
                    self.requests += 1
                    self._answer(send, stream)

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
