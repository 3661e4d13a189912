"""A double of the model hub on the loopback: `/<repository>/resolve/main/<path>`, by ranges."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from tests.loopback import answered_by


class LocalHub:
    """Files by path. `cut_after` ends answers after so many bytes, `ranges` may be switched off."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)
        self.cut_after: int | None = None
        self.ranges = True
        self.redirect = False
        self.revision = ""  # of all repositories; files are there by it, too
        self.asked: list[tuple[str, str]] = []  # path, Range
        self.url = ""


@contextmanager
def serving(files: Mapping[str, bytes]) -> Iterator[LocalHub]:
    """Serve a hub on a free port."""
    hub = LocalHub(files)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            given = self.headers.get("Range", "")
            hub.asked.append((self.path, given))
            if hub.redirect and not self.path.startswith("/cdn"):
                self.send_response(302)
                self.send_header("Location", f"/cdn{self.path}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            path = self.path.removeprefix("/cdn").lstrip("/")
            if hub.revision:
                path = path.replace(f"/resolve/{hub.revision}/", "/resolve/main/")
            body = hub.files.get(path)
            if body is None:
                self.send_error(404)
                return
            found = re.fullmatch(r"bytes=(\d+)-(\d+)", given) if hub.ranges else None
            status, part = 200, body
            if found is not None:
                start = int(found[1])
                status, part = (
                    (206, body[start : int(found[2]) + 1]) if start < len(body) else (416, b"")
                )
            self.send_response(status)
            if status == 206 and found is not None:
                start = int(found[1])
                self.send_header(
                    "Content-Range", f"bytes {start}-{start + len(part) - 1}/{len(body)}"
                )
            self.send_header("Content-Length", str(len(part)))
            if hub.revision:
                self.send_header("X-Repo-Commit", hub.revision)
            self.end_headers()
            if hub.cut_after is not None and len(part) > hub.cut_after:
                self.wfile.write(part[: hub.cut_after])
                self.close_connection = True
                return
            self.wfile.write(part)

    with answered_by(Handler) as hub.url:
        yield hub
