"""A host whose owner says something: in robots.txt, tdmrep.json, headers, or the file."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TDMREP = "/.well-known/tdmrep.json"


@dataclass(frozen=True)
class Owner:
    """The answers of one host; `pages` by path, everything else is the picture."""

    robots: str | None = None
    tdmrep: str | int | None = None  # a body, or a status
    headers: tuple[tuple[str, str], ...] = ()
    picture: bytes = b""
    pages: Mapping[str, str] = field(default_factory=dict)
    page_headers: tuple[tuple[str, str], ...] = ()


class Host(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, owner: Owner) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.owner = owner
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Host
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        owner = self.server.owner
        self.server.asked.append(self.path)
        if self.path == "/robots.txt":
            self._answer(owner.robots)
        elif self.path == TDMREP:
            self._answer(owner.tdmrep)
        elif self.path in owner.pages:
            headers = (("Content-Type", "text/html"), *owner.page_headers)
            self._send(200, owner.pages[self.path].encode(), headers)
        else:
            self._send(200, owner.picture, (("Content-Type", "image/jpeg"), *owner.headers))

    def _answer(self, body: str | int | None) -> None:
        if isinstance(body, str):
            self._send(200, body.encode(), ())
        else:
            self._send(body or 404, b"no", ())

    def _send(self, status: int, body: bytes, headers: tuple[tuple[str, str], ...]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keeps the test's output clean."""


@contextmanager
def hosts(owners: Mapping[str, Owner]) -> Iterator[dict[str, Host]]:
    """A server for each owner, each an origin of its own."""
    with ExitStack() as stack:
        found = {name: stack.enter_context(Host(owner)) for name, owner in owners.items()}
        for host in found.values():
            thread = threading.Thread(target=host.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            stack.callback(thread.join)
            stack.callback(host.shutdown)
        yield found
