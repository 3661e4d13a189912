"""Hosts on loopback that note each request when it arrives, and what they had told before."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pixtrawl
from tests.pipeline.pictures import jpeg, scene

ROBOTS = "/robots.txt"
# What is read once a host before its files: the owner's rules.
RULES = {ROBOTS, "/.well-known/tdmrep.json"}
# Requests that were on their way when the host told its pause arrive a little later, on a busy
# machine two seconds later; there are no more of them than the other transfers that a host may have.
# A pause must be longer, for a request in it to be told from those.
ON_ITS_WAY_S = 3.0
ON_THEIR_WAY = 7


@dataclass
class Seen:
    """One request. Times are seconds of a monotonic clock."""

    at: float
    host: str  # as the client wrote it
    path: str
    status: int = 0
    answered_at: float = 0.0
    told_s: float | None = None


Answer = tuple[int, Mapping[str, str], bytes]
Rule = Callable[["Recorder", Seen], Answer]


class Recorder(ThreadingHTTPServer):
    """One host. `rule` answers; pictures differ by path and host."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, rule: Rule, address: str) -> None:
        super().__init__((address, 0), _Handler)
        self.rule = rule
        self.seen: list[Seen] = []
        self.lock = threading.Lock()
        self.now_open = self.high_water = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, path: str, host: str = "") -> str:
        address, port = self.server_address[:2]
        return f"http://{host or str(address)}:{port}{path}"

    def asked(self, path: str) -> list[Seen]:
        return [one for one in self.seen if one.path == path]

    def files(self) -> list[Seen]:
        return [one for one in self.seen if one.path not in RULES]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Recorder

    def do_GET(self) -> None:
        seen = Seen(time.monotonic(), self.headers.get("Host", ""), self.path)
        server = self.server
        with server.lock:
            server.seen.append(seen)
            server.now_open += 1
            server.high_water = max(server.high_water, server.now_open)
        try:
            status, headers, body = server.rule(server, seen)
        finally:
            with server.lock:
                server.now_open -= 1
        seen.status, seen.answered_at = status, time.monotonic()
        told = headers.get("Retry-After")
        seen.told_s = float(told) if told is not None else None
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


_pictures: dict[str, bytes] = {}


def picture(host: Recorder, seen: Seen) -> Answer:
    key = f"{host.server_address}{seen.path}"
    if key not in _pictures:
        _pictures[key] = jpeg(scene(len(_pictures)))
    return 200, {"Content-Type": "image/jpeg"}, _pictures[key]


def nothing() -> Answer:
    return 404, {}, b""


def healthy(host: Recorder, seen: Seen) -> Answer:
    return nothing() if seen.path in RULES else picture(host, seen)


@contextmanager
def hosts(*rules: Rule) -> Iterator[list[Recorder]]:
    """A host of its own address for each rule."""
    made = [Recorder(rule, f"127.0.{7 + n // 200}.{1 + n % 200}") for n, rule in enumerate(rules)]
    try:
        yield made
    finally:
        for host in made:
            host.shutdown()
            host.server_close()


def download(urls: list[str], folder: Path, **options: Any) -> dict[str, str]:
    """Download them in one run; return the reason of each."""
    listed = folder / "list.jsonl"
    folder.mkdir(parents=True, exist_ok=True)
    listed.write_text("".join(json.dumps({"url": u, "query": "x"}) + "\n" for u in urls), "utf-8")
    options = {"allow_address": "127.0.0.0/8", "dedup": "off", "progress": False, **options}
    pixtrawl.download(listed, output=folder / "out", **options)
    with sqlite3.connect(folder / "out" / ".pixtrawl-catalog.sqlite3") as db:
        return dict(db.execute("SELECT url, reason FROM candidate").fetchall())


def in_told_pauses(host: Recorder, first_rest_s: float = 10.0) -> list[str]:
    """Requests that a host got although it had asked for a pause, by the rule of the docs.

    The refused URL is held for all of the pause. The host rests for it, or for ten seconds where
    it is longer; then one other URL is tried, and where that is refused, the host rests for all of
    the pause that it states then.
    """
    wrong: list[str] = []
    held: dict[str, float] = {}
    rest_until, rests_since, rounds, late = 0.0, 0.0, 0, 0
    for one in sorted(host.seen, key=lambda seen: seen.at):
        in_rest = one.at < rest_until - 0.02
        late = late + 1 if in_rest else 0
        if in_rest and (late > ON_THEIR_WAY or one.at > rests_since + ON_ITS_WAY_S):
            wrong.append(f"{one.path} {rest_until - one.at:.2f} s before the rest was over")
        if one.at < held.get(one.path, 0.0) - 0.02:
            wrong.append(f"{one.path} {held[one.path] - one.at:.2f} s before its pause was over")
        if one.told_s is None:
            rounds = 0 if one.status == 200 else rounds
            continue
        if one.path not in held and one.at > rest_until:
            rounds += 1
        held[one.path] = one.answered_at + one.told_s
        if one.at > rest_until:
            pause_s = (
                one.told_s if rounds > 1 or one.path == ROBOTS else min(one.told_s, first_rest_s)
            )
            rests_since, rest_until = one.answered_at, one.answered_at + pause_s
    return wrong


def assert_paced(times: list[float], delay_s: float) -> None:
    """The first request was answered before the second was sent, and each later one waited.

    Counted from the first, which is noted before its answer: a server that notes late on a busy
    machine can only make the others later. Differences of neighbours would shrink.
    """
    early = [
        f"request {number} after {at - times[0]:.2f} s"
        for number, at in enumerate(times[1:], 1)
        if at - times[0] < (number - 1) * delay_s - 0.02
    ]
    assert early == []
