"""One libcurl easy handle: its options, callbacks, and limits while bytes arrive.

A handle is set up once and serves one transfer after another. Its callbacks run on the event loop
thread, inside libcurl: they record state or return an error code, and never raise.
"""

from __future__ import annotations

import socket
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import pycurl
from msgspec import Struct, field

from pixtrawl.config.groups import Fetch
from pixtrawl.errors import FetchError
from pixtrawl.model import Reason
from pixtrawl.net.address import AddressGuard
from pixtrawl.net.body import MemoryBody, Sink, StagedBody, Staging
from pixtrawl.net.coding import Coding, coding_of, is_foreign
from pixtrawl.net.curl.dns_cache import DnsCache
from pixtrawl.net.curl.options import header_line, lasting_options
from pixtrawl.net.curl.overhead import HEADER_BYTES, HEADER_LINES, Overhead
from pixtrawl.net.headers import Headers, status_of
from pixtrawl.net.open_files import OpenSocket
from pixtrawl.net.token_bucket import TokenBucket
from pixtrawl.net.trust import Trust

__all__ = ["Admit", "Answered", "MaySend", "SharedState", "Transfer"]

REFUSED_BODY_BYTES: Final = 64 * 1024  # read at most of an answer that will not be staged
_ABORT: Final = -1
_MOST_SENDS: Final = 2  # of one request: again on a dead connection, or where HTTP/2 refuses it
_LIBCURL_UNPACKS: Final = "brotli" in pycurl.version or "zstd" in pycurl.version
_OTHER_PROTOCOL: Final = 101  # is not asked for, and no answer follows it

Admit = Callable[[Mapping[str, str]], FetchError | None]
Answered = Callable[[float], None]
MaySend = Callable[[], bool]


class SharedState(Struct, kw_only=True):
    """State shared by all transfers of one client."""

    fetch: Fetch
    guard: AddressGuard
    trust: Trust | None
    staging: Staging | None = None
    rate: TokenBucket | None = None
    cookies: Any = None  # a CurlShare that holds them
    dns_cache: DnsCache = field(default_factory=DnsCache)
    received_bytes: int = 0  # sum over all bodies, and of floods beside them


class Transfer:
    """A reusable easy handle with the state of the transfer it is on."""

    def __init__(self, shared: SharedState, clock: Callable[[], float]) -> None:
        self._shared = shared
        self._clock = clock
        self.curl = pycurl.Curl()
        self._set_constants()
        self._proxy: str | None = None
        self._custom = False
        self._native = False  # libcurl decodes this answer's content encoding
        self.reset()

    def reset(self) -> None:
        """Clear the state of the last transfer."""
        if self._native:
            self.curl.setopt(pycurl.HTTP_CONTENT_DECODING, 0)
            self._native = False
        self.error: FetchError | None = None
        self.enough = False  # stopped on purpose: the part read is the whole answer
        self.first_byte = False
        self.answered = False  # the final headers have arrived
        self.started_at = 0.0
        self.sent_at = 0.0  # when the connection was open and the request was sent
        self.proxied = False
        self.sink: Sink | None = None
        self.stage_as: str | None = None
        self.max_bytes = 0
        self.timeout_s = 0.0
        self.size_bytes = 0
        self.headers: Mapping[str, str] = {}
        self.cut_at: int | None = None
        self.admit: Admit | None = None
        self.on_answer: Answered | None = None
        self.wire_bytes = 0  # of the body, as they came
        self.overhead = Overhead()
        self._begin_headers()
        self._sends = 0
        self.may_send: MaySend | None = None
        self.held_back = False  # not sent: `may_send` said no
        self.coding: Coding | None = None
        self.foreign = False  # a coding that only libcurl decodes: to be requested again
        self._refused = ""
        self._opened = False

    def _begin_headers(self) -> None:
        self._lines: list[bytes] = []
        self._header_bytes = self._header_lines = 0

    # -- options -----------------------------------------------------------------------------

    def _set_constants(self) -> None:
        shared, curl = self._shared, self.curl
        options = lasting_options(shared.fetch, shared.trust, shared.cookies)
        options |= {
            pycurl.OPENSOCKETFUNCTION: self._on_open,
            pycurl.PREREQFUNCTION: self._on_send,
            pycurl.HEADERFUNCTION: self._on_header,
            pycurl.WRITEFUNCTION: self._on_body,
        }
        for option, value in options.items():
            curl.setopt(option, value)

    def prepare(self, url: str, *, proxy: str) -> None:
        """Set the options that differ between transfers."""
        curl = self.curl
        curl.setopt(pycurl.URL, url)
        curl.setopt(pycurl.TIMEOUT_MS, max(1, int(self.timeout_s * 1000)))
        # Cap on compressed bytes, announced or not; `_on_body` caps the decompressed ones.
        curl.setopt(pycurl.MAXFILESIZE_LARGE, self.max_bytes)
        curl.setopt(pycurl.DNS_CACHE_TIMEOUT, self._shared.dns_cache.lifetime_s(self._clock()))
        self.proxied = bool(proxy)
        if proxy != (self._proxy or ""):
            curl.setopt(pycurl.PROXY, proxy.encode())  # as text libcurl takes ASCII only
            self._proxy = proxy

    def set_request(self, method: str, headers: Mapping[str, str], body: bytes | None) -> None:
        """Set method, headers and body, and unset those of the last transfer."""
        curl = self.curl
        if self._custom:
            curl.unsetopt(pycurl.HTTPHEADER)
            curl.setopt(pycurl.HTTPGET, 1)
            curl.unsetopt(pycurl.CUSTOMREQUEST)
        self._custom = bool(headers) or method != "GET" or body is not None
        if headers:
            curl.setopt(pycurl.HTTPHEADER, [header_line(*item) for item in headers.items()])
        if body is not None:
            curl.setopt(pycurl.POST, 1)
            curl.setopt(pycurl.POSTFIELDSIZE_LARGE, len(body))
            curl.setopt(pycurl.COPYPOSTFIELDS, body)
        if method == "HEAD":
            curl.setopt(pycurl.NOBODY, 1)
        elif method != ("POST" if body is not None else "GET"):
            curl.setopt(pycurl.CUSTOMREQUEST, method)

    def close(self) -> None:
        self.curl.close()

    # -- callbacks ---------------------------------------------------------------------------

    def _on_open(self, _purpose: int, address: Any) -> object:
        """Open the socket, unless the SSRF guard refuses the resolved address."""
        if not self.proxied:
            inet = address.family in {socket.AF_INET, socket.AF_INET6}
            text = address.addr[0] if inet else str(address.addr)
            if isinstance(text, bytes):
                text = text.decode("ascii", "replace")
            if self._shared.guard.refuses(text):
                self._refused = text
                return pycurl.SOCKET_BAD
        self._opened = True
        try:
            return OpenSocket(address.family, address.socktype, address.protocol)
        except OSError:
            return pycurl.SOCKET_BAD

    def _on_send(self, *_connection: object) -> int:
        """Handle libcurl's call before each request, its own repetitions included."""
        if self.may_send is not None and not self.may_send():
            self.held_back = True
            return int(pycurl.PREREQFUNC_ABORT)
        self._sends += 1
        if self._sends > _MOST_SENDS:
            self.error = FetchError(Reason.PROTOCOL_ERROR, "the server takes no request")
            return int(pycurl.PREREQFUNC_ABORT)
        self.sent_at = self._clock()
        return int(pycurl.PREREQFUNC_OK)

    def _on_header(self, line: bytes) -> int | None:
        self.first_byte = True
        self._header_bytes += len(line)
        self._header_lines += 1
        if self._header_bytes > HEADER_BYTES or self._header_lines > HEADER_LINES:
            return self._too_many_headers()
        if self.answered:  # trailers
            return None
        self._lines.append(line)
        if line in {b"\r\n", b"\n"}:
            return self._on_headers_end()
        return None

    def _on_headers_end(self) -> int | None:
        status = status_of(self._lines[0])  # 1xx or a proxy's to CONNECT: the final one follows
        if status and (not self.sent_at or (status < 200 and status != _OTHER_PROTOCOL)):
            self._lines = []
            return None
        if status < 200:
            self.error = FetchError(Reason.PROTOCOL_ERROR, repr(self._lines[0][:40]))
            return _ABORT
        return self._on_answer(status)

    def _on_answer(self, status: int) -> int | None:
        self.answered = True
        self.headers = Headers(self._lines[1:])
        if self.on_answer is not None:
            self.on_answer(self._clock() - self.sent_at)
        if (named := self.headers.get("content-encoding")) and not self._set_coding(named):
            return _ABORT
        staged = self.stage_as is not None
        if not 200 <= status < 300:
            if staged:
                self.cut_at = REFUSED_BODY_BYTES
            self.sink = MemoryBody()
            return None
        if self.admit is not None:
            self.error = self.admit(self.headers)
            if self.error is not None:
                self.error.http_status = status
                return _ABORT
        if not staged:
            self.sink = MemoryBody()
        return None

    def _too_many_headers(self) -> int:
        self._shared.received_bytes += self._header_bytes
        detail = f"more than {HEADER_BYTES // 1024} KiB or {HEADER_LINES:,} lines of headers"
        self.error = FetchError(Reason.PROTOCOL_ERROR, detail)
        return _ABORT

    def check_overhead(self) -> bool:
        """Return whether the transfer goes on: bytes beside the body are bounded, too."""
        excess_bytes = self.overhead.excess_bytes(self.curl, self.wire_bytes)
        if excess_bytes:
            self._shared.received_bytes += excess_bytes
            detail = f"{excess_bytes:,} bytes beside the {self.wire_bytes:,} of the body"
            self.error = FetchError(Reason.TOO_MANY_BYTES, detail)
        return not excess_bytes

    def _set_coding(self, named: str) -> bool:
        """Set up decoding; return whether the transfer goes on."""
        if self._native:
            return True
        if is_foreign(named) and _LIBCURL_UNPACKS:
            self.foreign = True
            return False
        try:
            self.coding = coding_of(named)
        except ValueError as error:
            self.error = FetchError(Reason.PROTOCOL_ERROR, str(error))
            return False
        return True

    def unpack_natively(self, *, now: float) -> None:
        """Prepare the same request again, with libcurl decoding the answer."""
        left_s = self.timeout_s - (now - self.started_at)
        self.curl.setopt(pycurl.TIMEOUT_MS, max(1, int(left_s * 1000)))
        self.curl.setopt(pycurl.HTTP_CONTENT_DECODING, 1)
        self._native, self.foreign = True, False
        self.first_byte = self.answered = self._opened = False
        self.sent_at, self._sends, self.wire_bytes = 0.0, 0, 0
        self.overhead = Overhead()
        self._begin_headers()

    def _on_body(self, piece: bytes) -> int | None:
        rate = self._shared.rate
        if rate is not None and not rate.take(len(piece)):
            rate.wait(self._unpause)
            return int(pycurl.WRITEFUNC_PAUSE)
        if not self.answered:  # a body without an answer before it
            self.error = FetchError(Reason.PROTOCOL_ERROR, "a body without an answer")
            return _ABORT
        self.wire_bytes += len(piece)
        self._shared.received_bytes += len(piece)
        if self.coding is None:
            return self._take(piece)
        return self._take_all(self.coding.feed(piece))

    def _take_all(self, parts: Iterator[bytes]) -> int | None:
        try:
            for part in parts:
                if (ended := self._take(part)) is not None:
                    return ended
        except zlib.error as error:
            self.error = FetchError(Reason.PROTOCOL_ERROR, f"body cannot be decoded: {error}")
            return _ABORT
        return None

    def end_body(self) -> None:
        """Complete the body with the bytes that the decoder still holds."""
        if self.coding is not None and self.error is None and not self.enough:
            self._take_all(self.coding.finish())

    def _take(self, piece: bytes) -> int | None:
        """Store a decoded piece of the body."""
        self.size_bytes += len(piece)
        if self.cut_at is not None and self.size_bytes >= self.cut_at:
            return self._cut(piece, self.cut_at)
        if self.size_bytes > self.max_bytes:
            return self._too_many_bytes()
        try:
            if self.sink is None:
                self.sink = self._open_sink()
            self.sink.write(piece)
        except OSError as error:
            self.error = FetchError(Reason.STORE_FAILED, str(error))
            return _ABORT
        return None

    def _open_sink(self) -> Sink:
        if self.stage_as is None or self._shared.staging is None:
            return MemoryBody()
        return StagedBody(self._shared.staging, self.stage_as)

    def _cut(self, piece: bytes, at: int) -> int | None:
        """Store the piece up to the cut, and end the transfer."""
        over = self.size_bytes - at
        if self.sink is not None:
            self.sink.write(piece[: len(piece) - over])
        self.size_bytes = at
        self.enough = True
        return _ABORT

    def _too_many_bytes(self) -> int:
        self.error = FetchError(
            Reason.TOO_MANY_BYTES,
            f"more than {self.max_bytes} bytes received",
            http_status=status_of(self._lines[0]) if self._lines else 0,
        )
        return _ABORT

    def _unpause(self) -> None:
        if self.started_at:  # still on the transfer that was paused
            self.curl.pause(pycurl.PAUSE_CONT)

    # -- afterwards --------------------------------------------------------------------------

    @property
    def refused(self) -> str:
        """Return the address refused by the SSRF guard, or an empty string."""
        return "" if self._opened else self._refused
