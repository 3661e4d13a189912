"""The web: 64 HTTPS hosts behind latency and slow start, with its faults; and a slow line."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench import contenders
from bench.rounds import Bench, Table
from bench.servers import DEAD_HOST, SILENT_HOST, WEB_HOSTS, held

_WEB_SEED = 5


def web(bench: Bench) -> Table:
    """64 hosts behind latency and slow start, with what the web has wrong with it."""
    names = bench.names(200 if bench.quick else 1000)
    urls, good, junk = _web_urls(bench, names)
    table = Table(
        "web",
        f"{len(names)} URLs of 64 HTTPS hosts, 80 ms, faults",
        len(names),
        1 if bench.quick else bench.rounds,
    )
    chosen = ("aria2c -j256", "Scrapy FilesPipeline", "curl --parallel 256",
              "icrawler, 50 threads", "img2dataset, no decode")  # fmt: skip
    who = {**contenders.WEB_ONLY, **{name: contenders.FETCH[name] for name in chosen}}
    command = [sys.executable, "-m", "bench.delay_proxy", str(bench.nginx.web),
               str(bench.nginx.https), *WEB_HOSTS]  # fmt: skip
    with _beside(command):
        bench.compare(table, bench.urls("web", urls), who, good=good, junk=junk)
    table.title += f"; {len(good)} good ones to be had, {len(junk)} kinds of junk"
    return table


_SLOW_HOSTS = WEB_HOSTS[:40]


def slow(bench: Bench) -> Table:
    """40 hosts behind one line of 2 Mbit/s: who asks for too much at once times itself out."""
    names = bench.names(40 if bench.quick else 150)
    urls = [
        f"http://{_SLOW_HOSTS[number % len(_SLOW_HOSTS)]}:{bench.nginx.web}/img/{name}"
        for number, name in enumerate(names)
    ]
    good = {bench.corpus.sha256[name] for name in names}
    table = Table("slow", f"{len(names)} URLs behind one line of 2 Mbit/s", len(names), 1)
    chosen = ("aria2c -j256", "Scrapy FilesPipeline", "curl --parallel 256",
              "icrawler, 50 threads", "img2dataset, no decode")  # fmt: skip
    who = {"pixtrawl, defaults": contenders.pixtrawl()}
    who |= {name: contenders.FETCH[name] for name in chosen}
    command = [sys.executable, "-m", "bench.slow_line", str(bench.nginx.web),
               str(bench.nginx.http), *_SLOW_HOSTS]  # fmt: skip
    with _beside(command):
        return bench.compare(table, bench.urls("slow", urls), who, good=good)


@contextmanager
def _beside(command: list[str]) -> Iterator[None]:
    """A proxy that says when it is ready, and ends with the block."""
    proxy = subprocess.Popen(held(command), stdout=subprocess.PIPE, text=True)
    try:
        assert proxy.stdout is not None
        proxy.stdout.readline()
        yield
    finally:
        proxy.terminate()
        proxy.wait()


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
