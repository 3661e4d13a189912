"""Pictures on a server of loopback, by path, for tests of what is kept of them."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image, ImageDraw

import pixtrawl

Answer = bytes | str  # a picture, or where to go instead | Callable[[], bytes]


def scene(seed: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """A picture unlike that of any other seed."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)


def card(number: int) -> Image.Image:
    """A notice in a few tones, with other bytes each time; it has too much on it to be flat."""
    image = Image.new("RGB", (300, 300), (230, 230, 230))
    pen = ImageDraw.Draw(image)
    for at in range(0, 300, 60):
        pen.rectangle((at, at // 2, at + 40, 299 - at // 3), fill=(40, 40, 40))
    pen.ellipse((60, 60, 200, 180), fill=(230, 230, 230))
    image.putpixel((0, 0), (230, 230, 200 + number % 30))
    return image


def png(image: Image.Image) -> bytes:
    return encoded(image, "PNG")


def jpeg(image: Image.Image, **options: object) -> bytes:
    return encoded(image, "JPEG", **options)


# Encoders that are slow by default, at their fastest.
FASTEST: Final[dict[str, dict[str, object]]] = {"PNG": {"compress_level": 1}, "AVIF": {"speed": 10}}


def encoded(image: Image.Image, format_: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format_, **{**FASTEST.get(format_, {}), **options})
    return out.getvalue()


class Host(ThreadingHTTPServer):
    """Answers paths from `answers`, which a test may change; remembers what it was asked."""

    daemon_threads = True

    def __init__(self, answers: dict[str, Answer], address: str = "127.0.0.1") -> None:
        super().__init__((address, 0), _Handler)
        self.answers = answers
        self.asked: list[str] = []
        self.before: dict[str, Callable[[], object]] = {}  # called when a path is asked for
        self.more: dict[str, dict[str, str]] = {}  # headers of a path's answer

    @property
    def url(self) -> str:
        return f"http://{self.server_address[0]!s}:{self.server_port}"

    @property
    def asked_files(self) -> list[str]:
        """Paths asked for, but those where owners say what they allow."""
        return [one for one in self.asked if not one.startswith(("/robots.txt", "/.well-known/"))]


class _Handler(BaseHTTPRequestHandler):
    server: Host

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.before.get(self.path, bool)()
        answer = self.server.answers.get(self.path)
        if isinstance(answer, bytes):
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            for name, value in self.server.more.get(self.path, {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)
        elif isinstance(answer, str):
            self.send_response(302)
            self.send_header("Location", answer)
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        """Keeps the test's output clean."""


@contextmanager
def serving(answers: dict[str, Answer], address: str = "127.0.0.1") -> Iterator[Host]:
    with Host(answers, address) as host:
        thread = threading.Thread(target=host.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield host
        finally:
            host.shutdown()
            thread.join()


def manifest(path: Path, rows: list[tuple[str, str]], **columns: str) -> Path:
    """A URL manifest of (query, url) as sources would have found them."""
    facts = {"source": "bing", **columns}
    lines = [
        json.dumps({"query": query, "label": query, "url": url, "rank": rank, **facts})
        for rank, (query, url) in enumerate(rows, 1)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def fetch(manifest_: Path, output: Path, **settings: object) -> pixtrawl.Dataset:
    """Downloads it one by one, in its order.

    One decoder: of two, either may be done first, and which copy was there first decides the
    numbers and the reasons.
    """
    given: dict[str, Any] = {
        "per_host": 1,
        "concurrency": 1,
        "set": "images.decoders=1",
        "allow_address": ["127.0.0.0/8"],
        **settings,
    }
    return pixtrawl.download(manifest_, output=str(output), **given)


def saved(answers: Callable[[int], Image.Image], count: int) -> dict[str, Answer]:
    return {f"/{n}.png": _drawn(answers, n) for n in range(count)}


def fresh(host: Host) -> Host:
    """The shared host with thirty scenes, as if nobody had asked or changed it."""
    host.answers = saved(scene, 30)
    host.more.clear()
    host.asked.clear()
    return host


@lru_cache(maxsize=512)  # 30 ms each, and the same ones in many modules
def _drawn(answers: Callable[[int], Image.Image], number: int) -> bytes:
    return encoded(answers(number), "PNG", compress_level=1)
