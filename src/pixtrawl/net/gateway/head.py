"""Heads of requests to `gateway` and of the answers: read, and written for the next hop. Pure."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

__all__ = ["ProxyRequest", "answer_head", "read_request_head"]

# For one connection only, hence never passed on; the login is for the gateway alone.
_HOP: Final = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"proxy-authorization", b"upgrade",
     b"proxy-authenticate", b"proxy-authentication-info", b"te"}
)  # fmt: skip
_MAX_BODY_BYTES: Final = 2**40
_LOGIN_STATUS: Final = 407
_PATH: Final = re.compile(rb"^[^/]*//[^/?#]*")  # what stands before it


class ProxyRequest(Struct):
    """A request to a proxy."""

    method: bytes
    target: bytes
    host: str  # lower case, without brackets
    port: int
    fields: list[bytes]  # header lines to pass on
    login: bytes = b""
    body_bytes: int = 0

    @property
    def is_tunnel(self) -> bool:
        return self.method == b"CONNECT"

    def head(self, authorization: bytes, *, absolute: bool) -> bytes:
        """Return the head for the next hop: the host itself, or a proxy (`absolute`)."""
        target = self.target if absolute else _PATH.sub(b"", self.target) or b"/"
        if target.startswith(b"?"):
            target = b"/" + target
        lines = [self.method + b" " + target + b" HTTP/1.1", *self.fields, b"Connection: close"]
        return b"\r\n".join(lines) + b"\r\n" + authorization + b"\r\n"


def read_request_head(head: bytes) -> ProxyRequest:
    """Read the head of a request to a proxy. Raises ValueError."""
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    method, target, version = first.split(b" ")
    if not version.startswith(b"HTTP/1."):
        raise ValueError("no HTTP/1 request")
    text = target.decode("ascii")
    parts = urlsplit(f"//{text}" if method == b"CONNECT" else text)
    tunnel = method == b"CONNECT"
    port = parts.port or (0 if tunnel else 80)
    if not parts.hostname or not port or (not tunnel and parts.scheme != "http"):
        raise ValueError("no target of a proxy")
    request = ProxyRequest(method, target, parts.hostname, port, _passed_on(lines))
    for line in lines:
        name, _, value = line.partition(b":")
        match name.strip().lower():
            case b"proxy-authorization":
                request.login = value.strip()
            case b"content-length":
                request.body_bytes = int(value)
            case b"transfer-encoding":  # of unknown length: until the answer is there
                request.body_bytes = _MAX_BODY_BYTES
            case _:
                pass
    if not 0 <= request.body_bytes <= _MAX_BODY_BYTES:
        raise ValueError("no length of a body")
    return request


def answer_head(head: bytes) -> tuple[int, bytes]:
    """Return the status of an answer, and its head for the browser: for one answer only.

    Raises ValueError for what is no answer of HTTP/1, and for one that asks for a proxy's login:
    that would make the browser forget the login of the gateway.
    """
    first, *lines = head.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n")
    words = first.split(maxsplit=2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].isdigit():
        raise ValueError("no answer of HTTP/1")
    status = int(words[1])
    if status == _LOGIN_STATUS:
        raise ValueError("asks for the login of a proxy")
    kept = [first, *_passed_on(lines)]
    if status >= 200:
        kept.append(b"Connection: close")
    return status, b"\r\n".join(kept) + b"\r\n\r\n"


def _passed_on(lines: list[bytes]) -> list[bytes]:
    kept: list[bytes] = []
    passing = True
    for line in lines:
        if line[:1] not in b" \t" or not line:  # else it continues the line before
            passing = line.partition(b":")[0].strip().lower() not in _HOP
        if passing:
            kept.append(line)
    return kept
