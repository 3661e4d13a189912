"""Judges a job over workers that were killed: by the server's log, and by the set of shards.

The server is nginx at every address of 127.0.0.0/8; each address is a host. Its log has the time,
the host, the path and the client's port of each request, in the order of their ends.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from bench.servers import RunningNginx, free_port
from pixtrawl.cluster.commits import Commits
from pixtrawl.cluster.outcome_tables import read_outcomes
from pixtrawl.cluster.store import Store
from pixtrawl.cluster.upkeep import sweep

_WINDOW_DELAYS: Final = 10  # of this many delays: the window in which requests are counted
_CONF: Final = """
worker_processes 1; daemon off; pid {work}/pid; error_log {work}/error.log;
events {{ worker_connections 4096; }}
http {{
  log_format asked '$msec $server_addr $remote_port $request_uri';
  access_log {work}/access.log asked;
  sendfile on; keepalive_requests 1000000; keepalive_timeout 75s;
  types {{ image/jpeg jpg; }}
  client_body_temp_path {work}/b; proxy_temp_path {work}/p; fastcgi_temp_path {work}/f;
  uwsgi_temp_path {work}/u; scgi_temp_path {work}/s;
  server {{ listen 0.0.0.0:{port}; root {root}; }}
}}
"""


class Request(NamedTuple):
    """A request for a picture."""

    at: float  # seconds since 1970
    host: str
    port: int  # of the client
    path: str


class LoggedWeb(RunningNginx):
    """nginx with a log, while inside the block."""

    def __init__(self, work: Path, root: Path) -> None:
        work.mkdir(parents=True, exist_ok=True)
        self.work, self.http = work, free_port()
        (work / "access.log").unlink(missing_ok=True)
        (work / "nginx.conf").write_text(_CONF.format(work=work, root=root, port=self.http))

    def requests(self) -> list[Request]:
        """Return all requests for pictures so far, by time."""
        found = []
        with (self.work / "access.log").open() as file:
            for line in file:
                at, host, port, path = line.rstrip("\n").split(" ", 3)
                if path.endswith(".jpg"):
                    found.append(Request(float(at), host, int(port), path))
        return sorted(found)


def ports_of(pid: int) -> set[int]:
    """Return the local ports of a process's TCP connections."""
    inodes = set()
    with suppress(OSError):
        for entry in os.scandir(f"/proc/{pid}/fd"):
            with suppress(OSError):
                target = str(Path(entry.path).readlink())
                inodes.add(target.removeprefix("socket:[").removesuffix("]"))
    ports = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if words[9] in inodes:
            ports.add(int(words[1].rpartition(":")[2], 16))
    return ports


def most_in_window(requests: Iterable[Request], delay_s: float) -> tuple[int, Counter[int]]:
    """Return the most requests to one host within ten delays, and how often each number came."""
    by_host: dict[str, list[float]] = defaultdict(list)
    for request in requests:
        by_host[request.host].append(request.at)
    counts: Counter[int] = Counter()
    for times in by_host.values():
        times.sort()
        for place, at in enumerate(times):
            end = bisect_right(times, at + _WINDOW_DELAYS * delay_s - 1e-6)
            counts[end - place] += 1
    return max(counts, default=0), counts


def allowed_in_window() -> int:
    """Return how many one holder may send within the window, and one more for a late arrival.

    Ten delays hold ten starts. The server notes the end of a request, and one that was held up by a
    busy machine may end after the window of its start has begun.
    """
    return _WINDOW_DELAYS + 1


def judge_set(store: Store, urls: set[str]) -> dict[str, Any]:
    """Compare the set with the list, row for row and byte for byte; sweep what no commit names."""
    rows = list(_rows(store))
    seen = Counter(row["url"] for row in rows)
    saved = [row for row in rows if row["reason"] == "saved"]
    wrong = sum(1 for name, digest in _members(store) if name != digest)
    members = sum(1 for _ in _members(store))
    orphans = sweep(store, older_s=0.0)
    named = {entry.name for commit in Commits(store).all() for entry in commit.objects}
    there = {e.name for folder in ("data", "outcomes", "looks") for e in store.entries(folder)}
    return {
        "rows": len(rows), "saved": len(saved), "lost": len(urls - set(seen)),
        "doubled": sum(count - 1 for count in seen.values()), "pictures": members,
        "pictures_with_other_bytes": wrong,
        "orphans_swept": orphans.removed, "orphans_left": len(there - named),
        "named_but_gone": len(named - there),
    }  # fmt: skip


def _rows(store: Store) -> Iterator[dict[str, Any]]:
    for commit in Commits(store).all():
        yield from read_outcomes(Path(store.url) / commit.outcomes.name)


def _members(store: Store) -> Iterator[tuple[str, str]]:
    """Yield the hash that the outcome tables say, and that of the bytes in the tar."""
    for commit in Commits(store).all():
        digests = {
            row["key"]: row["sha256"]
            for row in read_outcomes(Path(store.url) / commit.outcomes.name)
            if row["key"]
        }
        for entry in commit.data:
            with tarfile.open(Path(store.url) / entry.name) as tar:
                for member in tar:
                    if member.name.endswith(".jpg"):
                        data = tar.extractfile(member)
                        told = hashlib.sha256(data.read() if data else b"").hexdigest()
                        yield digests.get(member.name.removesuffix(".jpg"), ""), told
