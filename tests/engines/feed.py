"""A feed over a list of tasks, and a server whose addresses stand for hosts."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from pixtrawl import urls
from pixtrawl.model import Candidate, Outcome, Reason, Task

PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8ff"
    "ff3f0005fe02fea735815b0000000049454e44ae426082"
)


class ListFeed:
    """Gives tasks in order; over when each has its outcome."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self.changed = asyncio.Event()
        self.outcomes: dict[int, list[Outcome]] = {}
        self.waiting = list(tasks)
        self._left = len(self.waiting)

    def next(self) -> Task | None:
        return self.waiting.pop(0) if self.waiting else None

    def settled(self, task: Task, outcome: Outcome) -> None:
        self.outcomes.setdefault(task.id, []).append(outcome)
        self._left -= outcome.reason is not Reason.INTERRUPTED
        self.changed.set()

    @property
    def over(self) -> bool:
        return not self._left


def task(number: int, url: str) -> Task:
    candidate = Candidate(url=url, query="q", label="q", source="list")
    return Task(number, 1, urls.host_of(url), candidate)


class Hosts:
    """A server at every address of 127.0.0.0/8; `log` has arrival time, host and path."""

    def __init__(self, answer: Callable[[str, str], str | float | None]) -> None:
        """`answer` of host and path: where to redirect, seconds to wait, or None for a picture."""
        self.log: list[tuple[float, str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                host = self.headers["Host"].partition(":")[0]
                outer.log.append((time.monotonic(), host, self.path))
                if self.path.endswith((".txt", ".json")):
                    self._answer(404, b"")
                    return
                told = answer(host, self.path)
                if isinstance(told, str):
                    self._answer(302, b"", told)
                    return
                time.sleep(told or 0.0)
                self._answer(200, PICTURE + self.path.encode())

            def _answer(self, status: int, body: bytes, location: str = "") -> None:
                self.send_response(status)
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("0.0.0.0", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def url(self, number: int, path: str) -> str:
        return f"http://127.0.7.{number}:{self.port}/{path}"

    def files(self) -> list[tuple[float, str, str]]:
        return [one for one in self.log if not one[2].endswith((".txt", ".json"))]
