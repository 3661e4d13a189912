"""One request over a plain socket, with everything that came back."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit


@dataclass
class Seen:
    """`raw`: all bytes; `ended`: how: closed, reset, timeout, or enough (`limit` reached)."""

    raw: bytes
    ended: str

    @property
    def status(self) -> int:
        return int(self.raw.split(b" ", 2)[1]) if self.raw.startswith(b"HTTP/1.1 ") else 0

    @property
    def headers(self) -> dict[str, str]:
        lines = self.raw.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
        pairs = (line.partition(": ")[::2] for line in lines)
        return {name.lower(): value for name, value in pairs}

    @property
    def body(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2]


def ask(
    url: str, *headers: str, timeout: float = 20.0, limit: int = 8 << 20, method: str = "GET"
) -> Seen:
    """Sends one request and reads until the end, `timeout` seconds or `limit` bytes."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    target = quote(parts.path, safe="/%,") + (f"?{parts.query}" if parts.query else "")
    lines = [f"{method} {target} HTTP/1.1", f"Host: {parts.netloc}", "Connection: close", *headers]
    raw = bytearray()
    end = time.monotonic() + timeout
    with socket.create_connection((parts.hostname, parts.port), timeout=timeout) as sock:
        sock.sendall("\r\n".join([*lines, "", ""]).encode())
        try:
            while data := sock.recv(1 << 16):
                raw += data
                if time.monotonic() > end:
                    return Seen(bytes(raw), "timeout")
                if len(raw) > limit:
                    return Seen(bytes(raw), "enough")
        except ConnectionResetError:
            return Seen(bytes(raw), "reset")
        except TimeoutError:
            return Seen(bytes(raw), "timeout")
    return Seen(bytes(raw), "closed")


def follow(url: str, *headers: str, hops: int = 5) -> tuple[Seen, str]:
    """Follows redirects with cookies; the last answer and its URL."""
    cookies: list[str] = []
    seen = Seen(b"", "closed")
    for _ in range(hops):
        seen = ask(url, *headers, *([f"Cookie: {'; '.join(cookies)}"] if cookies else []))
        if "set-cookie" in seen.headers:
            cookies.append(seen.headers["set-cookie"].partition(";")[0])
        if seen.status not in {301, 302, 303, 307, 308}:
            break
        url = urljoin(url, seen.headers["location"])
    return seen, url
