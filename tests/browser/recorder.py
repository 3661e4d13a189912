"""Whoever reaches an inner address is written down here, by TCP or UDP, on every local address."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from typing import Final

_WAY: Final = re.compile(rb"/inner/([a-z0-9-]+)")
_ANSWER: Final = (
    b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Type: text/html\r\n"
    b"Content-Length: 2\r\nConnection: close\r\n\r\nhi"
)


class InnerRecorder:
    """One port on all addresses of this computer. `hits`: protocol and the way that led here."""

    def __init__(self) -> None:
        self.hits: list[str] = []
        self._stopped = threading.Event()
        self._tcp, self._udp = _pair()
        self.port = self._tcp.getsockname()[1]
        self._threads = [
            threading.Thread(target=work, daemon=True) for work in (self._streams, self._packets)
        ]
        for thread in self._threads:
            thread.start()

    def _streams(self) -> None:
        while not self._stopped.is_set():
            try:
                conn, _ = self._tcp.accept()
            except TimeoutError:
                continue
            threading.Thread(target=self._stream, args=(conn,), daemon=True).start()

    def _stream(self, conn: socket.socket) -> None:
        to = conn.getsockname()[0].removeprefix("::ffff:")
        conn.settimeout(2)
        try:
            data = conn.recv(4096)
        except OSError:
            data = b""
        found = _WAY.search(data)
        way = (
            found[1].decode()
            if found
            else "tls"
            if data[:1] == b"\x16"
            else data[:12].hex() or "bare"
        )
        self.hits.append(f"{to} {way}")
        with contextlib.suppress(OSError):
            conn.sendall(_ANSWER)
        conn.close()

    def _packets(self) -> None:
        while not self._stopped.is_set():
            try:
                data, _ = self._udp.recvfrom(2048)
            except TimeoutError:
                continue
            self.hits.append(f"udp {data[:2].hex()}")

    def close(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        self._tcp.close()
        self._udp.close()


def _pair() -> tuple[socket.socket, socket.socket]:
    """A TCP and a UDP socket on one port of all addresses, IPv6 too where there is any."""
    for _ in range(20):
        family, wild = (socket.AF_INET6, "::") if socket.has_ipv6 else (socket.AF_INET, "")
        tcp, udp = (socket.socket(family, kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM))
        try:
            for one in (tcp, udp):
                if family == socket.AF_INET6:
                    one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
                one.settimeout(0.2)
            tcp.bind((wild, 0))
            udp.bind((wild, tcp.getsockname()[1]))
            tcp.listen(512)
        except OSError:
            tcp.close()
            udp.close()
            continue
        return tcp, udp
    raise OSError("no port that is free for TCP and UDP")
