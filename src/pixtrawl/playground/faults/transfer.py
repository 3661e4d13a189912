"""Faults of the transfer: bodies that are cut, drip, never end, lie or explode."""

from __future__ import annotations

import gzip
import zlib
from functools import lru_cache
from typing import Final

from pixtrawl.playground.faults.base import Case, Fault
from pixtrawl.playground.messages import Answer, Raw, ServerResponse

_BLOCK: Final = bytes(64 * 1024)
ENDLESS_BYTES: Final = 1 << 40  # bytes after which even the endless body ends


class ShortBody(Fault):
    """Half of what Content-Length promises, then the connection is closed."""

    name, reason, common = "short-body", "body_incomplete", True

    def answer(self, case: Case) -> Answer:
        case.connection.write(case.head(len(case.picture)) + case.picture[: len(case.picture) // 2])
        case.connection.close()
        return Raw()


class ChunkedCut(Fault):
    """A chunked body that ends without its last chunk."""

    name, reason, also = "chunked-cut", "body_incomplete", ("protocol_error",)

    def answer(self, case: Case) -> Answer:
        half = case.picture[: len(case.picture) // 2]
        head = case.head(None, "Transfer-Encoding: chunked")
        case.connection.write(head + b"%x\r\n" % len(half) + half + b"\r\n")
        case.connection.close()
        return Raw()


class BadChunk(Fault):
    """A chunk whose length is no number."""

    name, reason, also = "bad-chunk", "protocol_error", ("body_incomplete",)

    def answer(self, case: Case) -> Answer:
        head = case.head(None, "Transfer-Encoding: chunked")
        case.connection.write(head + b"zz\r\n" + case.picture[:100] + b"\r\n0\r\n\r\n")
        case.connection.close()
        return Raw()


class Chunked(Fault):
    """A sound picture in many small chunks, without Content-Length."""

    name, reason = "chunked", "saved"

    def answer(self, case: Case) -> Answer:
        parts = [case.picture[i : i + 997] for i in range(0, len(case.picture), 997)]
        body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
        head = case.head(None, "Transfer-Encoding: chunked")
        case.connection.write(head + body + b"0\r\n\r\n")
        return Raw()


class UntilClose(Fault):
    """A sound picture without any length; the end of the connection ends it (HTTP/1.0 style)."""

    name, reason = "until-close", "saved"

    def answer(self, case: Case) -> Answer:
        case.connection.write(case.head(None, "Connection: close") + case.picture)
        case.connection.close()
        return Raw()


class LyingLength(Fault):
    """Content-Length names fewer bytes than the picture has; the client sees a cut file."""

    name, reason, also = "lying-length", "truncated", ("body_incomplete", "protocol_error")

    def answer(self, case: Case) -> Answer:
        case.connection.write(case.head(len(case.picture) * 2 // 3) + case.picture)
        case.connection.close()
        return Raw()


class Drip(Fault):
    """One byte a second, for ever."""

    name, reason, also, waits = "drip", "too_slow", ("deadline",), True

    async def answer(self, case: Case) -> Answer:
        case.connection.write(case.head(len(case.picture)))
        for byte in case.picture:
            case.connection.write(bytes((byte,)))
            await case.wait(1.0)
        return Raw()


class Stall(Fault):
    """Half of the picture at once, and then nothing more on an open connection."""

    name, reason, also, waits = "stall", "too_slow", ("deadline",), True

    async def answer(self, case: Case) -> Answer:
        case.connection.write(case.head(len(case.picture)) + case.picture[: len(case.picture) // 2])
        await case.wait(3600.0)
        return Raw()


class Endless(Fault):
    """A picture that never ends, as fast as the client reads, without Content-Length."""

    name, reason = "endless", "too_many_bytes"

    async def answer(self, case: Case) -> Answer:
        case.connection.write(case.head(None, "Connection: close") + case.picture)
        sent = 0
        while sent < ENDLESS_BYTES and case.connection.transport is not None:
            case.connection.write(_BLOCK)
            sent += len(_BLOCK)
            await case.wait(0)
            await case.connection.drain()
        case.connection.close()
        return Raw()


class HugeLength(Fault):
    """Content-Length of 10 GiB, announced honestly, body never sent."""

    name, reason, waits = "huge-length", "too_many_bytes", True
    also = ("too_slow", "deadline")

    async def answer(self, case: Case) -> Answer:
        case.connection.write(case.head(10 << 30) + case.picture)
        await case.wait(3600.0)
        return Raw()


@lru_cache(maxsize=1)
def gzip_bomb() -> bytes:
    """Return 1 GiB of zeros in about 1 MB."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    block = bytes(1 << 20)
    packed = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    # After a full flush every block packs to the same bytes: pack one, repeat it (RFC 1951 3.2).
    return packed + again * 1023


class GzipBomb(Fault):
    """5 MB of gzip as Content-Encoding that unfold to 1 GiB; the checksum never comes."""

    name, reason, also = "gzip-bomb", "too_many_bytes", ("not_an_image", "protocol_error")

    def answer(self, case: Case) -> Answer:
        return ServerResponse(gzip_bomb(), 200, "image/jpeg", [("Content-Encoding", "gzip")])


class UnaskedGzip(Fault):
    """A sound picture with Content-Encoding: gzip, which was not requested."""

    name, reason, common = "unasked-gzip", "saved", True

    def answer(self, case: Case) -> Answer:
        packed = gzip.compress(case.picture, 1)
        return ServerResponse(packed, 200, "image/jpeg", [("Content-Encoding", "gzip")])


class ResetAtOnce(Fault):
    """A TCP reset in place of an answer."""

    name, reason = "reset", "body_incomplete"
    also = ("protocol_error", "connect_failed")

    def answer(self, case: Case) -> Answer:
        case.connection.reset()
        return Raw()


class ResetInBody(Fault):
    """A TCP reset in the middle of the body."""

    name, reason, also = "reset-in-body", "body_incomplete", ("protocol_error", "connect_failed")

    async def answer(self, case: Case) -> Answer:
        case.connection.write(case.head(len(case.picture)) + case.picture[: len(case.picture) // 2])
        await case.connection.drain()
        await case.wait(0.05)
        case.connection.reset()
        return Raw()


class DroppedConnection(Fault):
    """The connection is closed without a single byte."""

    name, reason, also = "dropped", "body_incomplete", ("protocol_error", "connect_failed")

    def answer(self, case: Case) -> Answer:
        case.connection.close()
        return Raw()


class HugeHeaders(Fault):
    """512 KiB of headers."""

    name, reason, also = "huge-headers", "protocol_error", ("too_many_bytes", "body_incomplete")

    def answer(self, case: Case) -> Answer:
        lines = [f"X-Pad-{number}: {'p' * 1000}" for number in range(512)]
        case.connection.write(case.head(len(case.picture), *lines) + case.picture)
        return Raw()


class NotHttp(Fault):
    """Answers in another protocol."""

    name, reason, also = "not-http", "protocol_error", ("body_incomplete",)

    def answer(self, case: Case) -> Answer:
        case.connection.write(b"SSH-2.0-OpenSSH_9.2p1 playground\r\n")
        case.connection.close()
        return Raw()
