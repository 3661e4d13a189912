"""Serves the studio's page, with a `FakeStudio` behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pixtrawl
from tests.loopback import answered_by
from tests.studio.fake_studio import FakeStudio, picture

WEB = Path(pixtrawl.__file__).parent / "studio" / "web"
KINDS = {"html": "text/html", "js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    studio: FakeStudio

    def do_GET(self) -> None:
        self.respond(None)

    def do_POST(self) -> None:
        self.respond(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def respond(self, body: Any) -> None:
        split = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(split.query).items()}
        self.studio.requests.append(f"{self.command} {self.path}")
        if body is not None:
            self.studio.bodies.append(body)
        if split.path == "/api/events":
            return self.events()
        if "/thumbs/" in split.path or "/pictures/" in split.path:
            number = int(split.path.rpartition("/")[2][1:])
            return self.send(200, picture(number % 97, int(query.get("px", 800))), "image/png")
        if split.path.startswith("/api/"):
            answer = self.studio.answer(self.command, split.path, query, body)
            status, said = answer if isinstance(answer, tuple) else (200, answer)
            if said is None:
                status, said = 404, {"error": "there is no such thing"}
            return self.send(status, json.dumps(said).encode(), "application/json")
        name = "index.html" if split.path == "/" else split.path.removeprefix("/static/")
        file = WEB / name
        if not file.is_file():
            return self.send(404, b"{}", "application/json")
        return self.send(200, file.read_bytes(), KINDS[file.suffix[1:]])

    def send(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        if kind == "image/png":
            self.send_header("Cache-Control", "private, max-age=3600, immutable")
        self.end_headers()
        with suppress(ConnectionError):  # scrolled on, and no longer wanted
            self.wfile.write(content)

    def events(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        studio, seen = self.studio, self.studio.revision
        self.wfile.write(b": here\n\n")
        while True:
            with studio.changed:
                studio.changed.wait_for(lambda: studio.revision != seen, timeout=0.5)  # noqa: B023
                now = studio.revision
            try:
                if now != seen:
                    data = json.dumps({"set": "one", "revision": now})
                    self.wfile.write(f"id: {now}\nevent: revision\ndata: {data}\n\n".encode())
                if studio.progress:
                    self.wfile.write(
                        f"event: progress\ndata: {json.dumps(studio.progress)}\n\n".encode()
                    )
                self.wfile.write(b": still here\n\n")
                self.wfile.flush()
            except OSError:  # the page was closed
                return
            seen = now

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def fake_studio(total: int) -> Iterator[FakeStudio]:
    """Serve `total` invented images on a free loopback port."""
    studio = FakeStudio(total)
    with answered_by(type("StudioHandler", (Handler,), {"studio": studio})) as url:
        studio.url = f"{url}/"
        yield studio
