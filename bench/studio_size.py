"""What a person in the studio waits for, by the size of the data set; over HTTP, warm and cold.

    .venv/bin/python -m bench.studio_size 10000 100000

The sets are those of `bench.dataset_size`, with thumbnails and colours that differ. Times are in
milliseconds, by the clock and of the server's processor time (with what it does in the background
meanwhile): "cold" is a request on a studio that was opened just now, others are medians of several
rounds with a filter or image of their own each, so that no held view answers. A studio answers a
question that takes long in parts; what is "first" here lasts until the whole is there. Memory is
that of the studio's process (RSS, MB): after each kind of work, one after the other in one studio,
and at most meanwhile. Of the page in Chromium there are the first paint and the frames while one
scrolls.
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
from bench.studio_page import page_costs
from pixtrawl.catalog.database import Catalog, connect
from pixtrawl.catalog.scores import columns as scores, embeddings
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.scoring.models.interface import to_bytes, unit

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


Cost = tuple[float, float]  # milliseconds by the clock, and of the server's processor time


def cpu_s(pid: int) -> float:
    """Processor time of all threads of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cost(pid: int, work: Callable[[], object], count: int = 1) -> Cost:
    """The median of several rounds by the clock, and the mean of the server's processor time."""
    before = cpu_s(pid)
    taken_ms = rounds(work, count)
    return taken_ms, (cpu_s(pid) - before) * 1000 / count


def memory_mb(pid: int, name: str = "VmRSS") -> float:
    with Path(f"/proc/{pid}/status").open() as file:
        line = next(one for one in file if one.startswith(name))
    return int(line.split()[1]) / 1024


def memory_of(pid: int, work: Callable[[], object]) -> tuple[float, float, float]:
    """Memory after some work, that of it which is not shared with files, and the most meanwhile."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # proc(5): the peak begins anew
    work()
    return memory_mb(pid), memory_mb(pid, "RssAnon"), memory_mb(pid, "VmHWM")


def wait_until_quiet(pid: int) -> None:
    """Wait until the process has taken no processor time for some seconds."""
    deadline, before, quiet_s = time.monotonic() + QUIET_S, -1.0, 0
    while time.monotonic() < deadline:
        now = cpu_s(pid)
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


def measure(root: Path) -> dict[str, Cost]:
    """What a person waits for on one data set."""
    found = {}
    with studio(root) as (client, pid):
        found["first page of the grid, cold"] = cost(
            pid, lambda: client.items(client.view(), 0, 100)
        )
        found["filter, cold"] = cost(pid, Turns(client).filter)
        turns = Turns(client)
        found["first answer of likeness, cold"] = cost(pid, turns.similar)
        found["first answer of a colour, cold"] = cost(pid, turns.colour)
    with studio(root) as (client, pid):
        wait_until_quiet(pid)
        turns = Turns(client)
        for name, work in {
            "filter by measure": turns.filter, "filter by text": turns.text,
            "sort by a measure": turns.sort, "filter by colour": turns.colour,
            "similar": turns.similar,
        }.items():  # fmt: skip
            found[name] = cost(pid, work, ROUNDS)
        found["charts"] = cost(pid, lambda: client.get(client.of_set("/charts")))
        view = client.view()
        found["last page of the grid"] = cost(
            pid, lambda: client.items(view, view["total"] - 100, 100), ROUNDS
        )
        numbers = iter(range(1000, 2000, 7))
        found["decision"] = cost(pid, lambda: client.decide("keep", [f"s{next(numbers)}"]), ROUNDS)
        found["filter after it"] = cost(pid, turns.filter)
        found["decision seen by another window"] = (seen_by_the_other_window(client), 0)
        found["memory, MB"] = (memory_mb(pid), 0)
    with studio(root) as (client, pid):
        address = f"http://127.0.0.1:{client.port}/?token={client.token}"
        found |= {name: (value, 0) for name, value in page_costs(address).items()}
    return found


def whole_map(client: Client) -> None:
    while client.get(client.of_set("/map")).json()["state"] != "ready":
        time.sleep(0.2)


def measure_models(root: Path) -> dict[str, Cost]:
    """Measure what needs embeddings: the map, a lasso, the class check."""
    found = {}
    with studio(root) as (client, pid):
        wait_until_quiet(pid)
        found["map, first"] = cost(pid, lambda: whole_map(client))
        found["map"] = cost(pid, lambda: whole_map(client), ROUNDS)
        box = [[10_000, 10_000], [50_000, 10_000], [50_000, 50_000 + 1], [10_000, 50_000]]
        found["lasso"] = cost(pid, lambda: client.view(lasso=[box]))
        turns = Turns(client)
        found["similar, by embeddings"] = cost(pid, turns.similar, ROUNDS)
    with studio(root) as (client, pid):
        wait_until_quiet(pid)
        found["map, in a studio opened again"] = cost(pid, lambda: whole_map(client))
        found["class check, first"] = cost(pid, client.checked)
        found["class check"] = cost(pid, client.checked)
    return found


def outliers(client: Client) -> None:
    while "done" in client.view(sort={"by": "outlier"}):
        time.sleep(0.2)


def measure_memory(root: Path) -> dict[str, tuple[float, float, float]]:
    """Measure the memory of one studio, in which one thing is done after the other."""
    with studio(root) as (client, pid):
        turns = Turns(client)

        def looks() -> None:
            for work in (turns.filter, turns.text, turns.sort, turns.colour):
                work()
            client.get(client.of_set("/charts"))

        return {
            "opened": memory_of(pid, client.summary),
            "prepared in the background": memory_of(pid, lambda: wait_until_quiet(pid)),
            "filters, sorts, a colour, charts": memory_of(pid, looks),
            "likeness by embeddings": memory_of(pid, turns.similar),
            "map": memory_of(pid, lambda: whole_map(client)),
            "class check": memory_of(pid, client.checked),
            "outliers": memory_of(pid, lambda: outliers(client)),
        }


def shown(cost: Cost) -> str:
    wall, cpu = cost
    return f"{wall:,.0f} / {cpu:,.0f}" if cpu else f"{wall:,.0f}"


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
            memory = measure_memory(root)  # before the map is kept in a file
            found[-1] |= measure_models(root)
            print(json.dumps({"images": size, **found[-1], "memory": memory}), file=sys.stderr)
    print(f"| | {' | '.join(f'{size:,}' for size in sizes)} |")
    print(f"| --- |{' ---: |' * len(sizes)}")
    for name in found[0]:
        print(f"| {name} | {' | '.join(shown(one[name]) for one in found)} |")
    print(f"\n| memory at {sizes[-1]:,}, MB | after it (not of files) | at most |")
    print("| --- | ---: | ---: |")
    for name, (after, own, most) in memory.items():
        print(f"| {name} | {after:.0f} ({own:.0f}) | {most:.0f} |")
    print(f"\nload average: {', '.join(f'{one:.1f}' for one in os.getloadavg())}")


if __name__ == "__main__":
    main()
