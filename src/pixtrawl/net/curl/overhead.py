"""Bytes that a connection carries beside the bodies: headers, chunk extensions, interim answers.

libcurl hands over header lines and bodies; what lies around the pieces of a chunked body it drops
without a word. The system counts what the connection has received, where it can (Linux).
"""

from __future__ import annotations

import socket
import struct
import sys
from typing import Any, Final

import pycurl

__all__ = ["HEADER_BYTES", "HEADER_LINES", "Overhead"]

# Of all headers of one request, interim answers and trailers included: well above the 8 to 64 KiB
# that servers allow themselves, and so little that hundreds of transfers may have it at once.
HEADER_BYTES: Final = 128 * 1024
HEADER_LINES: Final = 1000
_FREE_BYTES: Final = 2**20  # around the pieces of a chunked body, however small it is
_SHARE: Final = 8  # and so many times the body: pieces of one byte need five
_HTTP_1: Final = frozenset({pycurl.CURL_HTTP_VERSION_1_0, pycurl.CURL_HTTP_VERSION_1_1})
_RECEIVED_AT: Final = 128  # of tcpi_bytes_received in struct tcp_info (Linux 4.1)


class Overhead:
    """Compares what a connection received since the first look with the body's share of it."""

    __slots__ = ("_body_bytes", "_received_bytes")

    def __init__(self) -> None:
        self._received_bytes = -1  # at the first look
        self._body_bytes = 0

    def excess_bytes(self, curl: Any, body_bytes: int) -> int:
        """Return the bytes beside the body where they are too many, else 0.

        Only for HTTP/1, where a connection carries one transfer. `body_bytes` are those received
        of the body so far, as they came.
        """
        if curl.getinfo(pycurl.INFO_HTTP_VERSION) not in _HTTP_1:
            return 0
        fd = curl.getinfo(pycurl.ACTIVESOCKET)
        received_bytes = _taken_bytes(fd) if fd >= 0 else -1
        if received_bytes < 0:
            return 0
        if self._received_bytes < 0:
            self._received_bytes, self._body_bytes = received_bytes, body_bytes
            return 0
        body = body_bytes - self._body_bytes
        beside = received_bytes - self._received_bytes - body
        return beside if beside > _FREE_BYTES + _SHARE * body else 0


def _taken_bytes(fd: int) -> int:
    """Return the bytes that were read from a socket since it was opened; -1 where unknown."""
    if sys.platform != "linux":
        return -1
    from fcntl import ioctl
    from termios import FIONREAD

    try:
        with socket.socket(fileno=fd) as borrowed:
            try:
                info = borrowed.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 136)
            finally:
                borrowed.detach()  # it is libcurl's
        waiting = struct.unpack("i", ioctl(fd, FIONREAD, b"\0" * 4))[0]
    except OSError:  # closed meanwhile
        return -1
    if len(info) < _RECEIVED_AT + 8:
        return -1
    return int(struct.unpack_from("Q", info, _RECEIVED_AT)[0]) - int(waiting)
