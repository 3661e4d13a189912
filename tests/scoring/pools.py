"""A site of coloured pictures, and collecting the best of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pixtrawl
from pixtrawl.cli.main import main
from tests.scoring.conftest import GREEN, png
from tests.scoring.tiny import write_model


@contextmanager
def serving(pictures: list[bytes]) -> Iterator[list[str]]:
    """Serve pictures; give their URLs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            name = self.path.strip("/").partition(".")[0]
            known = name.isdigit()
            body = pictures[int(name)] if known else b""
            self.send_response(200 if known else 404)
            self.send_header("Content-Type", "image/png")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield [f"http://127.0.0.1:{server.server_port}/{at}.png" for at in range(len(pictures))]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def pictures(count: int) -> list[bytes]:
    """Every third one is green; the red ones become redder with their place."""
    return [png(GREEN if at % 3 == 2 else (220, 30, 190 - 5 * at), at) for at in range(count)]


class Collecting:
    """A list of pictures called "red", and runs over it."""

    def __init__(self, tmp_path: Path, urls: list[str]) -> None:
        self.folder = tmp_path / "images"
        self.list = tmp_path / "red.txt"
        self.list.write_text("\n".join(urls) + "\n")
        self.model = write_model(tmp_path / "tiny")

    def run(self, count: int, *more: str, model: Path | None = None) -> int:
        return main([
            "download", str(self.list), "-o", str(self.folder), "-n", str(count), "--dedup", "off",
            "--junk", "keep", "--allow-address", "127.0.0.0/8", "-q", "--relevant",
            "--model", str(model or self.model), *more,
        ])  # fmt: skip

    def first(self, count: int) -> int:
        """Take the first images, without a model."""
        return main([
            "download", str(self.list), "-o", str(self.folder), "-n", str(count), "--dedup", "off",
            "--junk", "keep", "--allow-address", "127.0.0.0/8", "-q",
        ])  # fmt: skip

    def places(self) -> list[int]:
        """Places in the list of the kept images."""
        found = pixtrawl.open(self.folder)
        return sorted(int(one.url.rpartition("/")[2].partition(".")[0]) for one in found)

    def reasons(self) -> dict[str, int]:
        return dict(pixtrawl.open(self.folder).report.reasons)
