"""What a person in the studio waits for, by the size of the data set; over HTTP, warm and cold.

    .venv/bin/python -m bench.studio_size 10000 100000

The sets are those of `bench.dataset_size`, with thumbnails and colours that differ. Times are in
milliseconds: "first" is the first request after the preparation in the background has ended, "cold"
a request on a studio that was opened just now; others are medians of several rounds with a filter
or image of their own each, so that no held view answers. Memory is that of the studio's process
(RSS, MB) at the end.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from tests.studio.client import Client, token_in

from bench.dataset_size import make, rounds
from pixtrawl.catalog import embeddings, scores
from pixtrawl.catalog.database import Catalog, connect
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.scoring.model import to_bytes, unit

ROUNDS = 9
QUIET_S = 300.0


def varied(root: Path, images: int) -> None:
    """Give each image a thumbnail, colours and bytes of its own."""
    chance = np.random.default_rng(7)
    with closing(connect(Folder(root).catalog)) as db:
        db.execute("BEGIN")
        for number in range(1, images + 1):
            small = chance.integers(0, 256, (8, 8), dtype=np.uint8)
            thumb = np.kron(small, np.ones((8, 8), np.uint8)).tobytes()
            chroma = chance.integers(-60, 60, (2, 4, 4), dtype=np.int8)
            cells = np.kron(chroma, np.ones((1, 4, 4), np.int8)).tobytes()
            db.execute(
                "UPDATE sample SET thumb = ?, chroma = ?, sha256 = ? WHERE id = ?",
                (thumb, cells, number.to_bytes(32), number),
            )
        db.execute("COMMIT")


def embedded(root: Path, images: int) -> None:
    """Give each image an embedding of 512 numbers, near that of its label."""
    chance = np.random.default_rng(8)
    catalog = Catalog(Folder(root).catalog)
    middles = chance.normal(size=(64, 512))
    model = catalog.write_now(lambda db: scores.note_model(db, "clip-b32@bench", {}))
    for start in range(1, images + 1, 5_000):
        ids = np.arange(start, min(start + 5_000, images + 1))
        vectors = unit(middles[ids % 64] + 1.2 * chance.normal(size=(len(ids), 512)))
        rows = list(zip(ids.tolist(), map(to_bytes, vectors), strict=True))
        catalog.write_now(lambda db: embeddings.store(db, model, rows))  # noqa: B023
    catalog.close()


@contextmanager
def studio(root: Path) -> Iterator[tuple[Client, int]]:
    """A studio in a process of its own; its client and its process id."""
    command = [sys.executable, "-m", "pixtrawl", "studio", str(root), "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = next(one for one in process.stdout if "token=" in one)
        port = int(line.partition("127.0.0.1:")[2].partition("/")[0])
        client = Client(port, token_in(line), timeout_s=600.0)
        opened = client.get(f"/?token={client.token}")
        client.cookie = opened.headers["set-cookie"].partition(";")[0]
        client.set_id = client.get("/api/state").json()["default"]
        try:
            yield client, process.pid
        finally:
            process.terminate()
            process.wait(60)


def ms(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def rss_mb(pid: int) -> float:
    with Path(f"/proc/{pid}/status").open() as file:
        line = next(one for one in file if one.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def wait_until_quiet(pid: int) -> None:
    """Wait until the process has taken no processor time for some seconds."""
    deadline, before, quiet_s = time.monotonic() + QUIET_S, -1.0, 0
    while time.monotonic() < deadline:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        now = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        quiet_s = quiet_s + 1 if now - before < 0.05 else 0
        if quiet_s >= 6:
            return
        before = now
        time.sleep(1)


class Turns:
    """Requests that no held view answers: each has a bound or an image of its own."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.turn = 0

    def filter(self, **more: Any) -> None:
        self.turn += 1
        ranges = {"width": [480 + self.turn, None]}
        self.client.view(filter={"ranges": ranges, **more})

    def text(self) -> None:
        self.filter(text="picture")

    def sort(self) -> None:
        self.turn += 1
        self.client.view(filter={"ranges": {"width": [480 + self.turn, None]}},
                         sort={"by": "sharpness", "descending": True})  # fmt: skip

    def colour(self) -> None:
        self.turn += 1
        self.client.view(filter={"colour": f"#{self.turn * 7 % 256:02x}5{self.turn % 10}80"})

    def similar(self) -> None:
        self.turn += 1
        self.client.view(sort={"by": "similar"}, similar_to=[f"s{self.turn * 11}"])


def seen_by_the_other_window(client: Client) -> float:
    """Milliseconds from a decision to the event that another window gets, the median."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=60)
    connection.request(
        "GET",
        f"/api/events?set={client.set_id}",
        headers={"Cookie": client.cookie, "Sec-Fetch-Site": "same-origin"},
    )
    stream, came = connection.getresponse(), threading.Semaphore(0)
    times: list[float] = []

    def listen() -> None:
        for line in stream:
            if line.startswith(b"event: revision"):
                times.append(time.perf_counter())
                came.release()

    threading.Thread(target=listen, daemon=True).start()
    found = []
    for number in range(1, ROUNDS + 1):
        time.sleep(1.0)
        while came.acquire(blocking=False):
            pass
        start = time.perf_counter()
        client.decide("keep", [f"s{number}"])
        came.acquire(timeout=30)
        found.append((times[-1] - start) * 1000)
    return sorted(found)[len(found) // 2]


def measure(root: Path) -> dict[str, float]:
    """What a person waits for on one data set."""
    found = {}
    with studio(root) as (client, _):
        found["first page of the grid, cold"] = ms(lambda: client.items(client.view(), 0, 100))
        found["filter, cold"] = ms(Turns(client).filter)
    with studio(root) as (client, pid):
        wait_until_quiet(pid)
        turns = Turns(client)
        found["filter, first"] = ms(turns.filter)
        found["filter by measure"] = rounds(turns.filter, ROUNDS)
        found["filter by text"] = rounds(turns.text, ROUNDS)
        found["sort by a measure"] = rounds(turns.sort, ROUNDS)
        found["filter by colour, first"] = ms(turns.colour)
        found["filter by colour"] = rounds(turns.colour, ROUNDS)
        found["similar, first"] = ms(turns.similar)
        found["similar"] = rounds(turns.similar, ROUNDS)
        view = client.view()
        found["last page of the grid"] = rounds(
            lambda: client.items(view, view["total"] - 100, 100), ROUNDS
        )
        found["decision seen by another window"] = seen_by_the_other_window(client)
        found["memory, MB"] = rss_mb(pid)
    return found


def whole_map(client: Client) -> None:
    while client.get(client.of_set("/map")).json()["state"] != "ready":
        time.sleep(0.2)


def measure_models(root: Path) -> dict[str, float]:
    """Measure what needs embeddings: the map, a lasso, the class check."""
    found = {}
    with studio(root) as (client, pid):
        wait_until_quiet(pid)
        found["map, first"] = ms(lambda: whole_map(client))
        found["map"] = rounds(lambda: whole_map(client), ROUNDS)
        box = [[10_000, 10_000], [50_000, 10_000], [50_000, 50_000 + 1], [10_000, 50_000]]
        found["lasso"] = ms(lambda: client.view(lasso=[box]))
        found["memory with the map, MB"] = rss_mb(pid)
    with studio(root) as (client, pid):
        wait_until_quiet(pid)
        found["class check, first"] = ms(lambda: checked(client))
        found["class check"] = ms(lambda: checked(client))
        found["memory with the class check, MB"] = rss_mb(pid)
    return found


def checked(client: Client) -> None:
    reply = client.get(client.of_set("/check"))
    assert reply.status == 200, reply.body


def main() -> None:
    """Measure the sizes given and print a table in Markdown."""
    sizes = [int(word) for word in sys.argv[1:]] or [10_000, 100_000]
    found = []
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="pixtrawl-bench-") as folder:
            root = Path(folder, "set")
            make(root, size)
            varied(root, size)
            found.append(measure(root))
            embedded(root, size)
            found[-1] |= measure_models(root)
            print(json.dumps({"images": size, **found[-1]}), file=sys.stderr)
    print(f"| | {' | '.join(f'{size:,}' for size in sizes)} |")
    print(f"| --- |{' ---: |' * len(sizes)}")
    for name in found[0]:
        print(f"| {name} | {' | '.join(f'{one[name]:.3g}' for one in found)} |")


if __name__ == "__main__":
    main()
