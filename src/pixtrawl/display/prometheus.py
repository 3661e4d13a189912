"""Metrics in the text format of Prometheus, served on a port or written to a file.

The port may serve a page for people, too.

https://prometheus.io/docs/instrumenting/exposition_formats/: a few lines, hence no package for it.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, NamedTuple

from pixtrawl import __version__, events
from pixtrawl.display.screen import note
from pixtrawl.errors import StorageError, UsageError
from pixtrawl.folder.files import write_whole
from pixtrawl.model import REASONS, Outcome, Reason

__all__ = ["Metric", "RunMetrics", "exposed", "rendered"]

_HERE: Final = "127.0.0.1"
_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_HTML: Final = "text/html; charset=utf-8"
_FILE_EVERY_S: Final = 5.0
_SUFFIX: Final = ".prom"  # as node_exporter's textfile collector wants it
_FETCH_SECONDS: Final = "From begin to outcome of each URL, waits for its host included."
_LAST_URL: Final = "When the last URL got its outcome, by Unix time; 0: none yet."

Labels = tuple[tuple[str, str], ...]


class Metric(NamedTuple):
    """A metric with its values by labels."""

    name: str
    kind: str  # counter | gauge
    help: str
    values: Mapping[Labels, float]


class RunMetrics:
    """A Listener that counts the events of a run or worker."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started_s = time.time()
        self._urls: Counter[Reason] = Counter()
        self._found: Counter[str] = Counter()
        self._answers: Counter[tuple[str, str]] = Counter()
        self._rests: Counter[str] = Counter()
        self._bytes = self._shards = self._warnings = 0
        self._fetch_s = 0.0
        self._settled_s = 0.0
        self._ended = False

    def __call__(self, event: events.Event, /) -> None:
        """Count one event."""
        with self._lock:
            self._count(event)

    def _count(self, event: events.Event) -> None:
        match event:
            case events.CandidateSettled() | events.RowSettled():
                self._outcome(event.outcome)
            case events.ShardCommitted():
                self._shard(event)
            case events.CandidatesFound() | events.SourceFinished() | events.SourceRests():
                self._source(event)
            case events.HostRests():
                self._rests["host"] += 1
            case events.Notice(level="warning"):
                self._warnings += 1
            case events.RunFinished():
                self._ended = True
            case _:
                pass

    def _source(
        self, event: events.CandidatesFound | events.SourceFinished | events.SourceRests
    ) -> None:
        if isinstance(event, events.CandidatesFound):
            self._found[event.source] += event.count
        elif isinstance(event, events.SourceFinished):
            self._answers[event.source, str(event.outcome)] += 1
        else:
            self._rests["source"] += 1

    def _shard(self, event: events.ShardCommitted) -> None:
        self._shards += 1
        if not event.rows_reported:
            self._bytes += event.fetched_bytes
            self._settled_s = time.time()
            for reason, count in event.reasons.items():
                self._urls[Reason(reason)] += count

    def _outcome(self, outcome: Outcome) -> None:
        if outcome.reason is None or outcome.reason is Reason.INTERRUPTED:
            return
        self._urls[outcome.reason] += 1
        self._bytes += outcome.size_bytes
        self._fetch_s += outcome.elapsed_s
        self._settled_s = time.time()

    def read(self) -> list[Metric]:
        """Return all metrics as they stand."""
        with self._lock:
            urls: dict[Labels, float] = {
                (("status", REASONS[reason].status.value), ("reason", reason.value)): float(count)
                for reason, count in self._urls.items()
            }
            answers: dict[Labels, float] = {
                (("source", source), ("outcome", outcome)): float(count)
                for (source, outcome), count in self._answers.items()
            }
            return [
                Metric(
                    "build_info",
                    "gauge",
                    "1, labelled with the version of pixtrawl.",
                    {(("version", __version__),): 1},
                ),
                _single(
                    "start_time_seconds", "gauge", "When it started, by Unix time.", self._started_s
                ),
                Metric("urls_total", "counter", "URLs that got an outcome.", urls),
                _single(
                    "fetched_bytes_total", "counter", "Bytes fetched of all URLs.", self._bytes
                ),
                _single("fetch_seconds_total", "counter", _FETCH_SECONDS, self._fetch_s),
                _single("last_url_timestamp_seconds", "gauge", _LAST_URL, self._settled_s),
                _labelled(
                    "candidates_total",
                    "Candidates that search sources gave.",
                    "source",
                    self._found,
                ),
                Metric(
                    "source_answers_total", "counter", "Queries that a source has ended.", answers
                ),
                _labelled(
                    "rests_total",
                    "Rests that hosts and sources in trouble got.",
                    "kind",
                    self._rests,
                ),
                _single("warnings_total", "counter", "Warnings that were shown.", self._warnings),
                _single(
                    "shards_committed_total",
                    "counter",
                    "Shards of a job that it committed.",
                    self._shards,
                ),
                _single("finished", "gauge", "1: the run is over.", float(self._ended)),
            ]


def _single(name: str, kind: str, text: str, value: float) -> Metric:
    return Metric(name, kind, text, {(): value})


def _labelled(name: str, text: str, label: str, counts: Mapping[str, int]) -> Metric:
    return Metric(name, "counter", text, {((label, key),): float(n) for key, n in counts.items()})


def rendered(metrics: Iterable[Metric]) -> bytes:
    """Return metrics as text; those without a value are left out."""
    lines: list[str] = []
    for one in metrics:
        if not one.values:
            continue
        name = f"pixtrawl_{one.name}"
        lines += [f"# HELP {name} {one.help}", f"# TYPE {name} {one.kind}"]
        for labels, value in sorted(one.values.items()):
            inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
            shown = str(int(value)) if float(value).is_integer() else repr(float(value))
            lines.append(f"{name}{{{inside}}} {shown}" if inside else f"{name} {shown}")
    return ("\n".join(lines) + "\n").encode()


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


@contextmanager
def exposed(
    place: str, read: Callable[[], Iterable[Metric]], page: Callable[[], str] | None = None
) -> Iterator[None]:
    """Expose metrics while the block runs: `PORT`, `HOST:PORT`, or a file that ends with .prom.

    A port serves the HTML of `page` at its root, where given.

    Raises:
        UsageError: the port cannot be had.
        StorageError: the file cannot be written.
    """
    if place.endswith(_SUFFIX):
        with _written(Path(place), read):
            yield
        return
    host, _, port = place.rpartition(":")
    try:
        server = _MetricsServer((host.strip("[]") or _HERE, int(port)), read, page)
    except (ValueError, OverflowError):
        raise UsageError(f"--metrics: {place!r} is no PORT, HOST:PORT or FILE.prom") from None
    except OSError as error:
        raise UsageError(f"--metrics {place}: {error.strerror or error}") from None
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    at = f"http://{server.server_name_shown}"
    note(f"metrics: {at}/metrics" if page is None else f"page: {at}/, metrics: {at}/metrics")
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _MetricsServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self,
        place: tuple[str, int],
        read: Callable[[], Iterable[Metric]],
        page: Callable[[], str] | None,
    ) -> None:
        self.read = read
        self.page = page
        super().__init__(place, _MetricsHandler)
        self.server_name_shown = f"{place[0]}:{self.socket.getsockname()[1]}"


class _MetricsHandler(BaseHTTPRequestHandler):
    server: _MetricsServer

    def do_GET(self) -> None:
        path, page = self.path.partition("?")[0], self.server.page
        found = path in {"/", "/metrics"}
        if path == "/" and page is not None:
            kind, body = _HTML, page().encode("utf-8", "replace")
        else:
            kind, body = _TYPE, rendered(self.server.read()) if found else b"see /metrics\n"
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Write nothing: stderr is the display's."""


@contextmanager
def _written(path: Path, read: Callable[[], Iterable[Metric]]) -> Iterator[None]:
    """Write the file now, every few seconds, and at the end; a reader never sees half of one."""

    def put(part: Path) -> None:
        part.write_bytes(rendered(read()))

    def write() -> None:
        write_whole(path, put, synced=False)

    write()
    over = threading.Event()

    def repeat() -> None:
        while not over.wait(_FILE_EVERY_S):
            try:
                write()
            except StorageError as error:
                note(f"warning: --metrics: {error}; no more are written")
                return

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        write()
