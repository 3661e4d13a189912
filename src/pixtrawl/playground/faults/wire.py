"""Faults around the body: heads that are cut or never end, bytes that belong to no picture."""

from __future__ import annotations

from typing import ClassVar

from pixtrawl.playground.faults.base import Case, Fault
from pixtrawl.playground.faults.transfer import ENDLESS_BYTES
from pixtrawl.playground.messages import Answer, Raw


class OtherProtocol(Fault):
    """101 Switching Protocols without a request for it, then the picture."""

    name, reason = "other-protocol", "protocol_error"

    def answer(self, case: Case) -> Answer:
        case.connection.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\n\r\n")
        case.connection.write(case.picture)
        case.connection.close()
        return Raw()


class CutHeader(Fault):
    """The connection is closed in the second line of the head."""

    name, reason, also = "cut-header", "protocol_error", ("body_incomplete",)

    def answer(self, case: Case) -> Answer:
        case.connection.write(b"HTTP/1.1 200 OK\r\nContent-Le")
        case.connection.close()
        return Raw()


class _Flood(Fault):
    """The same bytes for ever, as fast as the client reads, between two others."""

    before: ClassVar[bytes]
    block: ClassVar[bytes]

    async def answer(self, case: Case) -> Answer:
        case.connection.write(self.before)
        sent = 0
        while sent < ENDLESS_BYTES and case.connection.transport is not None:
            case.connection.write(self.block)
            sent += len(self.block)
            await case.wait(0)
            await case.connection.drain()
        case.connection.close()
        return Raw()


class ChunkExtension(_Flood):
    """A chunked body whose first chunk has an extension that never ends."""

    name, reason, also = "chunk-extension", "too_many_bytes", ("too_slow", "deadline")
    before = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a="
    block = b"a" * 65_536


class ChunkExtensions(_Flood):
    """A chunked body of single bytes, each with an extension of 4 KiB."""

    name, reason, also = "chunk-extensions", "too_many_bytes", ("too_slow", "deadline")
    before = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    block = (b"1;" + b"a" * 4096 + b"\r\nx\r\n") * 16


class EndlessHeaders(_Flood):
    """Headers for ever."""

    name, reason, also = "endless-headers", "protocol_error", ("too_many_bytes",)
    before = b"HTTP/1.1 200 OK\r\n"
    block = b"X-Pad: x\r\n" * 4096


class EndlessTrailers(_Flood):
    """A small body, and headers behind it for ever."""

    name, reason, also = "endless-trailers", "protocol_error", ("too_many_bytes",)
    before = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"
    block = b"X-Pad: x\r\n" * 4096


class EndlessContinue(_Flood):
    """100 Continue for ever, and no answer."""

    name, reason, also = "endless-continue", "protocol_error", ("too_many_bytes",)
    before = b""
    block = b"HTTP/1.1 100 Continue\r\n\r\n" * 2048
