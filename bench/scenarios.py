"""What is measured: each scenario lays out URLs and says who runs."""

from __future__ import annotations

import random
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from bench import contenders, measure
from bench.contenders import Command, Place
from bench.measure import Result
from bench.rounds import Bench, Table, median
from bench.servers import free_port, held
from bench.web import slow, web
from pixtrawl.browser.executable import find_browser

_DRIVERS = Path(__file__).parent / "drivers"


def _fetch(bench: Bench, scheme: str, count: int) -> Table:
    port = bench.nginx.http if scheme == "http" else bench.nginx.https
    names = bench.names(count)
    urls = bench.urls(scheme, [f"{scheme}://127.0.0.1:{port}/img/{name}" for name in names])
    title = f"download only, {len(names)} pictures, loopback {scheme.upper()}"
    table = Table(scheme, title, len(names), bench.rounds)
    who = {**contenders.FETCH, **(contenders.HTTPS_ONLY if scheme == "https" else {})}
    return bench.compare(table, urls, who, good={bench.corpus.sha256[name] for name in names})


def http(bench: Bench) -> Table:
    return _fetch(bench, "http", 500 if bench.quick else 2000)


def https(bench: Bench) -> Table:
    return _fetch(bench, "https", 200 if bench.quick else 1000)


def full(bench: Bench) -> Table:
    names = bench.names(500 if bench.quick else 2000)
    base = f"http://127.0.0.1:{bench.nginx.http}/img"
    urls = bench.urls("full", [f"{base}/{name}" for name in names])
    table = Table("full", f"full check of {len(names)} pictures, HTTP", len(names), bench.rounds)
    good = {bench.corpus.sha256[name] for name in names}
    return bench.compare(table, urls, contenders.FULL, good=good)


def shards(bench: Bench) -> Table:
    """Pictures of 256x256 in tar files: the whole way in one pass, and the export by itself."""
    names = bench.names(500 if bench.quick else 2000)
    base = f"http://127.0.0.1:{bench.nginx.http}/img"
    urls = bench.urls("shards", [f"{base}/{name}" for name in names])
    images = measure.emptied(bench.work / "shards-from")
    place = Place(
        urls, images, bench.corpus, bench.peers, bench.nginx.ca_file, bench.nginx.ca_folder
    )
    subprocess.run(contenders.pixtrawl("--per-host", "64")(place), capture_output=True, check=True)
    title = f"{len(names)} pictures to 256x256, JPEG q95, WebDataset"
    table = Table("shards", title, len(names), bench.rounds)
    who = {"pixtrawl export alone": contenders.export_only(images), **contenders.SHARDS}
    return bench.compare(table, urls, who)


def small(bench: Bench) -> Table:
    names = bench.names(200)
    base = f"http://127.0.0.1:{bench.nginx.http}/img"
    urls = bench.urls("small", [f"{base}/{name}" for name in names])
    chosen = ("curl --parallel 256", "requests, 10 threads", "img2dataset, no decode",
              "Scrapy FilesPipeline", "icrawler, 50 threads")  # fmt: skip
    who = {**contenders.SMALL_ONLY, **{name: contenders.FETCH[name] for name in chosen}}
    table = Table("small", "a usual small job: 200 URLs, whole command", len(names), bench.rounds)
    return bench.compare(table, urls, who, good={bench.corpus.sha256[name] for name in names})


def start(bench: Bench) -> Table:
    """How long a user looks at nothing: a command's first answer, a download's first request."""
    table = Table("start", "start-up", 1, max(bench.rounds, 5))
    commands = {
        "pixtrawl --version": [sys.executable, "-m", "pixtrawl", "--version"],
        "pixtrawl --help": [sys.executable, "-m", "pixtrawl", "--help"],
        "import pixtrawl": [sys.executable, "-c", "import pixtrawl"],
        "python alone": [sys.executable, "-c", "pass"],
    }
    runs: dict[str, list[Result]] = {}
    for _ in range(table.rounds):
        for name, command in commands.items():
            runs.setdefault(name, []).append(measure.run(name, command)[0])
        runs.setdefault("download: first request", []).append(_first_request(bench))
    table.rows = [median(results) for results in runs.values()]
    return table


def _first_request(bench: Bench) -> Result:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/a.jpg"
        out = measure.emptied(bench.out)
        place = Place(
            bench.urls("one", [url]),
            out,
            bench.corpus,
            bench.peers,
            bench.nginx.ca_file,
            bench.nginx.ca_folder,
        )
        began = time.monotonic()
        process = subprocess.Popen(contenders.pixtrawl()(place), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)  # fmt: skip
        connection, _ = server.accept()
        connection.recv(1)
        wall_s = time.monotonic() - began
        connection.close()
        process.kill()
        process.wait()
    return Result("download: first request", wall_s, 0.0, 0.0, 0)


def memory(bench: Bench) -> Table:
    """Peak memory of the tree and the rate over the length of the list."""
    whole = (10_000, 30_000, 100_000, 300_000, 1_000_000)
    lengths = (1_000, 3_000, 10_000) if bench.quick else whole
    table = Table("memory", "memory and rate over list length (few pictures, many URLs)", 0, 1)
    names = [name for name in bench.corpus.names if name.endswith(".png")][:20]
    for length in lengths:
        base = f"http://127.0.0.1:{bench.nginx.http}/img"
        urls = bench.urls("long", [f"{base}/{names[n % 20]}?{n}" for n in range(length)])
        out = measure.emptied(bench.out)
        place = Place(
            urls, out, bench.corpus, bench.peers, bench.nginx.ca_file, bench.nginx.ca_folder
        )
        command = contenders.pixtrawl("--check", "none", "--dedup", "exact", "--per-host", "64")
        result, _ = measure.run(f"{length:,} URLs", command(place), limit_s=7200)
        result.extra = {"images_per_s": length / result.wall_s, "length": length,
                        "cpu_ms_per_image": 1000 * result.cpu_s / length}  # fmt: skip
        bench.tell(f"memory: {length} URLs, {result.pss_mb:.0f} MB, {result.wall_s:.1f} s")
        table.rows.append(result)
    return table


def growth(bench: Bench) -> Table:
    """The same 2,000 pictures into a catalog that holds much already."""
    sizes = (10_000, 100_000) if bench.quick else (10_000, 1_000_000)
    names = bench.names(2000)
    base = f"http://127.0.0.1:{bench.nginx.http}/img"
    urls = bench.urls("grown", [f"{base}/{name}" for name in names])
    table = Table("growth", "2,000 pictures into a catalog of N settled rows", len(names),
                  min(bench.rounds, 3))  # fmt: skip
    who: dict[str, Command] = {}
    for size in sizes:
        filled = bench.work / f"filled-{size}"
        _fill(bench, filled, size)

        def command(place: Place, filled: Path = filled) -> list[str]:
            subprocess.run(["cp", "-rT", str(filled), str(place.out)], check=True)
            return list(contenders.FETCH["pixtrawl --check none"](place))

        who[f"{size:,} rows"] = command
    return bench.compare(table, urls, who, good={bench.corpus.sha256[name] for name in names})


def _fill(bench: Bench, folder: Path, size: int) -> None:
    """A data set made by pixtrawl, then given rows as a long run would have left them."""
    measure.emptied(folder)
    one = bench.urls("first", [f"http://127.0.0.1:{bench.nginx.http}/img/none.jpg"])
    place = Place(
        one, folder, bench.corpus, bench.peers, bench.nginx.ca_file, bench.nginx.ca_folder
    )
    subprocess.run(contenders.pixtrawl("--check", "none")(place), capture_output=True)
    db = sqlite3.connect(folder / ".pixtrawl-catalog.sqlite3")
    columns = [row[1] for row in db.execute("PRAGMA table_info(candidate)")]
    source = dict(zip(columns, db.execute("SELECT * FROM candidate").fetchone(), strict=True))
    source.pop("id")
    insert = (f"INSERT INTO candidate ({', '.join(source)}) "
              f"VALUES ({', '.join('?' * len(source))})")  # fmt: skip
    rng = random.Random(1)
    db.executemany(insert, (
        tuple({**source, "key": rng.randbytes(16), "host": f"host{n % 5000}.example",
               "url": f"http://host{n % 5000}.example/{n}.jpg"}.values())
        for n in range(size)
    ))  # fmt: skip
    db.commit()
    db.close()


_QUERIES = ("tabby cat", "golden retriever", "steam train", "lighthouse", "red fox", "oak tree",
            "old bridge", "blue boat", "white horse", "green hill")  # fmt: skip


def discovery(bench: Bench) -> Table:
    """Ten queries in a real Chrome on the playground's search, ours and as it was done before."""
    found = find_browser()
    if found is None:
        raise SystemExit("discovery needs a Chrome or Chromium")
    chrome = found.path
    table = Table("discovery", "10 queries in a real Chrome, on the playground", 0, bench.rounds)
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    search = [sys.executable, str(_DRIVERS / "post_search.py")]
    ours = [sys.executable, "-m", "pixtrawl", "discover", *_QUERIES, "-s", "google", "-q",
            "--set", f"google.base_url={base}", "--allow-address", "127.0.0.0/8",
            "-o", str(bench.work / "found.jsonl")]  # fmt: skip
    commands = {
        "pixtrawl, 10 x 10": [*ours, "-n", "10"],
        "clicking thumbnails, 10 x 10": [*search, "clicks", base, chrome, "10", "10", *_QUERIES],
        "pixtrawl, 10 x 100": [*ours, "-n", "100"],
        "bare, one tab, 10 x 100": [*search, "bare", base, chrome, "100", "1", *_QUERIES],
        "bare, 3 tabs as ours, 10 x 100": [*search, "bare", base, chrome, "100", "3", *_QUERIES],
    }
    served = held([sys.executable, "-m", "pixtrawl", "playground", "--port", str(port), "--faults",
                   "none", "--supply", "140"])  # fmt: skip
    site = subprocess.Popen(served, stdout=subprocess.PIPE, text=True)
    runs: dict[str, list[Result]] = {}
    try:
        assert site.stdout is not None
        site.stdout.readline()
        # Once more than is counted: the first to ask would wait for the site to draw its pictures.
        for number in range(table.rounds + 1):
            for name, command in commands.items():
                (bench.work / "found.jsonl").unlink(missing_ok=True)
                result, _ = measure.run(name, command, log=bench.work / "log.txt")
                result.right = _found(bench)
                bench.tell(
                    f"discovery {number}: {name} {result.wall_s:.2f} s, {result.right} found"
                )
                if number:
                    runs.setdefault(name, []).append(result)
    finally:
        site.terminate()
        site.wait()
    table.rows = [median(results) for results in runs.values()]
    return table


def _found(bench: Bench) -> int:
    """How many URLs, or results, the last command came to."""
    manifest = bench.work / "found.jsonl"
    if manifest.exists():
        return manifest.read_text().count('"kind": "original"')
    first = (bench.work / "log.txt").read_text().partition(" ")[0]
    return int(first) if first.isdigit() else 0


ALL: Mapping[str, Callable[[Bench], Table]] = {
    "start": start, "small": small, "http": http, "https": https, "full": full, "shards": shards,
    "web": web, "slow": slow,
    "discovery": discovery, "growth": growth, "memory": memory,
}  # fmt: skip
