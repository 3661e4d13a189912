"""A server whose addresses stand for hosts, and which notes who asked what and when."""

from __future__ import annotations

import io
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple, Self

from PIL import Image


class Asked(NamedTuple):
    """A request for a picture."""

    at: float
    host: str
    path: str
    agent: str


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: workers are killed here."""


class LoggedHosts:
    """Answers at every address of 127.0.0.0/8 with a picture of its own for each path."""

    def __init__(self, wait_s: float = 0.0) -> None:
        self.log: list[Asked] = []
        self.wait_s = wait_s
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                host = self.headers["Host"].partition(":")[0]
                body = b""
                if self.path.startswith("/pictures/"):
                    agent = self.headers["User-Agent"]
                    outer.log.append(Asked(time.monotonic(), host, self.path, agent))
                    time.sleep(outer.wait_s)
                    body = b"" if self.path.endswith("missing") else picture(self.path)
                self.send_response(200 if body else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Server(("", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def url(self, host: str, number: int | str) -> str:
        return f"http://{host}:{self._server.server_address[1]}/pictures/{number}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def picture(path: str) -> bytes:
    """A small noisy JPEG that differs for each path."""
    seed = sum(map(ord, path)) * 7919
    image = Image.frombytes("L", (48, 48), bytes((seed * (n + 3) >> 5) % 256 for n in range(2304)))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
