"""What is measured: each scenario lays out URLs, runs its contenders in turn, several rounds."""

from __future__ import annotations

import random
import socket
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench import contenders, measure
from bench.contenders import Command, Place
from bench.corpus import Corpus
from bench.measure import Result
from bench.servers import DEAD_HOST, SILENT_HOST, WEB_HOSTS, Nginx, free_port
from pixtrawl.sources.browser_path import find_browser

_DRIVERS = Path(__file__).parent / "drivers"
_WEB_SEED = 5


@dataclass(slots=True)
class Table:
    """One scenario's results: medians over rounds, in the order of the contenders."""

    name: str
    title: str
    images: int
    rounds: int
    rows: list[Result] = field(default_factory=list)


@dataclass(slots=True)
class Bench:
    """What all scenarios share."""

    work: Path
    corpus: Corpus
    nginx: Nginx
    peers: Path
    rounds: int = 5
    quick: bool = False
    tell: Callable[[str], None] = print

    def urls(self, name: str, urls: list[str]) -> Path:
        path = self.work / f"{name}.txt"
        path.write_text("".join(f"{url}\n" for url in urls))
        return path

    def names(self, count: int) -> list[str]:
        """A fair part of the corpus: every kind of picture in its share."""
        names = self.corpus.names
        return names[:: max(1, len(names) // count)][:count]

    def compare(
        self, table: Table, urls: Path, who: Mapping[str, Command], **known: set[str]
    ) -> Table:
        """Every contender in turn, `table.rounds` times."""
        runs: dict[str, list[Result]] = {}
        for number in range(table.rounds):
            for name, command in who.items():
                if not contenders.installed(name):
                    continue
                result = self._once(table, urls, name, command, known)
                runs.setdefault(name, []).append(result)
                kept = f"{result.right} right, {result.junk} junk, {result.other} other"
                self.tell(f"{table.name} {number + 1}: {name} {result.wall_s:.2f} s, {kept}")
        table.rows = [median(results) for results in runs.values()]
        return table

    def _once(
        self, table: Table, urls: Path, name: str, command: Command, known: dict[str, set[str]]
    ) -> Result:
        out = measure.emptied(self.work / "out")
        place = Place(urls, out, self.corpus, self.peers, self.nginx.ca_file, self.nginx.ca_folder)
        result, began = measure.run(
            name, command(place), environment=self.nginx.trust, log=self.work / "log.txt"
        )
        measure.judge(result, out, began, known.get("good", set()), known.get("junk", set()))
        result.extra["cpu_ms_per_image"] = 1000 * result.cpu_s / table.images
        result.extra["images_per_s"] = table.images / result.wall_s
        return result


def median(results: list[Result]) -> Result:
    """The middle of each number; what was kept, and how it ended, at its worst."""

    def middle(values: list[float]) -> float:
        return round(statistics.median(values), 4)

    times = [r.to_95_s for r in results if r.to_95_s is not None]
    keys = results[0].extra
    walls = [r.wall_s for r in results]
    return replace(
        results[0],
        wall_s=middle(walls),
        cpu_s=middle([r.cpu_s for r in results]),
        pss_mb=middle([r.pss_mb for r in results]),
        right=min(r.right for r in results),
        junk=max(r.junk for r in results),
        other=max(r.other for r in results),
        exit_code=max((r.exit_code for r in results), key=abs),
        to_95_s=middle(times) if times else None,
        extra={key: middle([r.extra[key] for r in results]) for key in keys}
        | {"fastest_s": min(walls), "slowest_s": max(walls)},
    )  # fmt: skip


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
    """Pictures of 256x256 in tar files: the whole way, and the export by itself."""
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
    chosen = ("curl --parallel 256", "the post's step", "img2dataset, no decode",
              "Scrapy FilesPipeline", "icrawler, 50 threads")  # fmt: skip
    who = {"pixtrawl, full job": contenders.pixtrawl()}
    who |= {name: contenders.FETCH[name] for name in chosen}
    table = Table("small", "a usual small job: 200 URLs, whole command", len(names), bench.rounds)
    return bench.compare(table, urls, who, good={bench.corpus.sha256[name] for name in names})


def web(bench: Bench) -> Table:
    """64 hosts behind latency and slow start, with what the web has wrong with it."""
    names = bench.names(200 if bench.quick else 1000)
    urls, good, junk = _web_urls(bench, names)
    table = Table("web", f"{len(names)} URLs of 64 HTTPS hosts, 80 ms, faults", len(names),
                  1 if bench.quick else min(bench.rounds, 3))  # fmt: skip
    chosen = ("aria2c -j256", "Scrapy FilesPipeline", "curl --parallel 256",
              "icrawler, 50 threads", "img2dataset, no decode")  # fmt: skip
    who = {**contenders.WEB_ONLY, **{name: contenders.FETCH[name] for name in chosen}}
    command = [sys.executable, "-m", "bench.delay_proxy", str(bench.nginx.web),
               str(bench.nginx.https), *WEB_HOSTS]  # fmt: skip
    proxy = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert proxy.stdout is not None
        proxy.stdout.readline()
        bench.compare(table, bench.urls("web", urls), who, good=good, junk=junk)
    finally:
        proxy.terminate()
        proxy.wait()
    table.title += f"; {len(good)} good ones to be had, {len(junk)} kinds of junk"
    return table


def _web_urls(bench: Bench, names: list[str]) -> tuple[list[str], set[str], set[str]]:
    rng = random.Random(_WEB_SEED)
    port, urls, good = bench.nginx.web, [], set()
    junk = _junk(bench)
    for number, name in enumerate(names):
        host, other = rng.choice(WEB_HOSTS), rng.choice(WEB_HOSTS)
        base, luck = f"https://{host}:{port}", rng.random()
        url = f"{base}/img/{name}"
        if luck < 0.03:
            url = f"{base}/img/gone-{number}.jpg"
        elif luck < 0.044:
            url = f"{base}/junk/page-{number % 14}.jpg"
        elif luck < 0.052:
            url = f"{base}/junk/cut-{number % 8}.jpg"
        elif luck < 0.059:
            url = f"https://{rng.choice((DEAD_HOST, SILENT_HOST))}:{port}/img/{name}"
        else:
            good.add(bench.corpus.sha256[name])
            if luck < 0.063:
                url = f"{base}/drip/{name}"
            elif luck < 0.103:
                url = f"{base}/to/{other}/{name}"
        urls.append(url)
    return urls, good, junk


def _junk(bench: Bench) -> set[str]:
    """Pages called .jpg, and pictures cut at their origin; their hashes."""
    import hashlib

    folder = bench.corpus.folder.parent / "junk"
    folder.mkdir(exist_ok=True)
    made = {f"page-{n}.jpg": f"<!doctype html><p>not {n}".encode() * 40 for n in range(14)}
    for n, name in enumerate(bench.corpus.names[:8]):
        data = (bench.corpus.folder / name).read_bytes()
        made[f"cut-{n}.jpg"] = data[: len(data) * 2 // 3]
    for name, data in made.items():
        (folder / name).write_bytes(data)
    return {hashlib.sha256(data).hexdigest() for data in made.values()}


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
        out = measure.emptied(bench.work / "out")
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
        out = measure.emptied(bench.work / "out")
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
    db = sqlite3.connect(folder / ".pixtrawl" / "catalog.sqlite3")
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
        "the post's clicking, 10 x 10": [*search, "clicks", base, chrome, "10", "10", *_QUERIES],
        "pixtrawl, 10 x 100": [*ours, "-n", "100"],
        "bare, one tab, 10 x 100": [*search, "bare", base, chrome, "100", "1", *_QUERIES],
        "bare, 3 tabs as ours, 10 x 100": [*search, "bare", base, chrome, "100", "3", *_QUERIES],
    }
    site = subprocess.Popen(
        [sys.executable, "-m", "pixtrawl", "playground", "--port", str(port), "--faults", "none",
         "--supply", "140"], stdout=subprocess.PIPE, text=True)  # fmt: skip
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
    "web": web,
    "discovery": discovery, "growth": growth, "memory": memory,
}  # fmt: skip
