"""Data sets of the same results, taken by us at each level of cleaning and by peers.

Each taker gets a list of URLs with labels, in the order of their ranks, and takes N a class. One
that has no such limit gets the first N alone: all of them can be fetched. None is told which
results are noise.
"""

from __future__ import annotations

import csv
import io
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

from tests.loopback import answered_by

import pixtrawl

MODEL_COLUMN = "what"
_ROUNDS = 4  # of class check, refusal and refill, at most


@dataclass(frozen=True, slots=True)
class Job:
    """What a taker gets: the list, the number a class, a folder, the peers' Python, the models.

    `is_right` is what a person sees who looks at a picture: only a taker that says so asks it.
    """

    rows: Sequence[tuple[str, str]]  # URL, label
    limit: int
    out: Path
    peers: Path
    models: Mapping[str, Path]
    is_right: Callable[[str, bytes], bool]


Taken = dict[str, list[bytes]]  # the pictures of each class
Taker = Callable[[Job], Taken]


@contextmanager
def served(files: Mapping[str, bytes]) -> Iterator[str]:
    """Serve files by path on a free port of the loopback; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            data = files.get(urlsplit(self.path).path)
            self.send_response(200 if data else 404)
            self.send_header("Content-Type", "image/jpeg")
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            self.wfile.write(data or b"")

    with answered_by(Handler) as url:
        yield url


def ours(check: str = "", looks: int = 0, *, pool: str = "", **options: Any) -> Taker:
    """Return a taker by `pixtrawl download`.

    `check` is how classes are checked: look, or the name of a model. `looks` is how many pictures
    of each class a person then looks at, to like or to refuse them. `pool` is the name of a model
    by which the best of a pool are taken (`--relevant`), of three results for each image wanted.
    """

    def take(job: Job) -> Taken:
        job.out.mkdir(parents=True)
        listed = job.out / "list.jsonl"
        rows = [{"url": url, "query": label, "label": label, "thumb_url": url}
                for url, label in job.rows]  # fmt: skip
        listed.write_text("".join(json.dumps(row) + "\n" for row in rows))
        folder = job.out / "images"
        model = job.models.get(check)
        chosen = {"relevant": True, "model": str(job.models[pool])} if pool else {}

        def download(steer: int = 0, **more: Any) -> pixtrawl.Dataset:
            pixtrawl.download(
                listed, output=folder, limit=job.limit, allow_address="127.0.0.0/8",
                progress=False, steer=steer, **(options | chosen | more),
            )  # fmt: skip
            found = pixtrawl.open(folder)
            if model is not None:
                found.score(model, MODEL_COLUMN)
            return found

        ds = download()
        for _ in range(_ROUNDS if check else 0):
            doubts = [doubt.file_name for doubt in ds.audit().doubts]
            if not doubts:
                break
            ds.reject(doubts, reason="class check")
            ds = download()
        if looks:
            _look(job, ds, looks)
            ds = download(steer=200, model=str(model))
        found: Taken = {}
        for sample in ds:
            found.setdefault(sample.label, []).append(sample.path.read_bytes())
        return found

    return take


def _look(job: Job, ds: pixtrawl.Dataset, count: int) -> None:
    """Like or refuse the first pictures of each class, as somebody does who sees them."""
    sides: dict[bool, list[str]] = {True: [], False: []}
    seen: dict[str, int] = {}
    for sample in ds:
        seen[sample.label] = seen.get(sample.label, 0) + 1
        if seen[sample.label] <= count:
            right = job.is_right(sample.label, sample.path.read_bytes())
            sides[right].append(sample.file_name)
    if sides[False]:
        ds.reject(sides[False], reason="looked at")
    if sides[True]:
        ds.like(sides[True])


def bound(job: Job) -> Taken:
    """Return the first N right pictures of each class, all distinct: no tool can know them."""
    found: Taken = {}
    for url, label in job.rows:
        own = found.setdefault(label, [])
        if len(own) < job.limit:
            with urlopen(url, timeout=30) as response:
                data = response.read()
            if job.is_right(label, data) and data not in own:
                own.append(data)
    return found


def img2dataset(job: Job) -> Taken:
    """Take by img2dataset, without resizing: the first N of each class."""
    job.out.mkdir(parents=True)
    listed = job.out / "list.csv"
    with listed.open("w", newline="") as file:
        csv.writer(file).writerows([("url", "label"), *_first(job)])
    subprocess.run(
        [
            str(job.peers.with_name("img2dataset")), "--url_list", str(listed), "--input_format",
            "csv", "--url_col", "url", "--caption_col", "label", "--output_folder",
            str(job.out / "i2d"), "--processes_count", "2", "--thread_count", "16",
            "--image_size", "1024", "--resize_mode", "keep_ratio_largest",
            "--resize_only_if_bigger", "True", "--skip_reencode", "True", "--enable_wandb", "False",
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    found: Taken = {}
    for text in sorted((job.out / "i2d").rglob("*.txt")):
        found.setdefault(text.read_text(), []).append(text.with_suffix(".jpg").read_bytes())
    return found


def _first(job: Job) -> Iterator[tuple[str, str]]:
    """Yield the first N rows of each class."""
    counts: dict[str, int] = {}
    for url, label in job.rows:
        counts[label] = counts.get(label, 0) + 1
        if counts[label] <= job.limit:
            yield url, label


_ICRAWLER = """
import sys
from icrawler.builtin import UrlListCrawler
for line in open(sys.argv[1]):
    label, limit, urls = line.rstrip("\\n").split("\\t")
    UrlListCrawler(
        downloader_threads=1, log_level=40,
        storage={"backend": "FileSystem", "root_dir": f"{sys.argv[2]}/{label}"},
    ).crawl(urls, max_num=int(limit))
"""


def icrawler(job: Job) -> Taken:
    """Take by icrawler's list of URLs, N files a class."""
    job.out.mkdir(parents=True)
    lines = []
    for label in dict.fromkeys(label for _, label in job.rows):
        urls = job.out / f"{label}.txt"
        urls.write_text("\n".join(url for url, other in job.rows if other == label))
        lines.append(f"{label}\t{job.limit}\t{urls}\n")
    (job.out / "jobs.tsv").write_text("".join(lines))
    subprocess.run(
        [str(job.peers), "-c", _ICRAWLER, str(job.out / "jobs.tsv"), str(job.out / "images")],
        check=True, capture_output=True,
    )  # fmt: skip
    return {
        folder.name: [path.read_bytes() for path in sorted(folder.iterdir())][: job.limit]
        for folder in sorted((job.out / "images").iterdir())
    }


_SCRIPT = """
import io, sys
import imagehash, requests
from PIL import Image
limit, out, near = int(sys.argv[1]), sys.argv[2], sys.argv[3] == "near"
kept, hashes = {}, {}
for line in open(sys.argv[4]):
    url, label = line.rstrip("\\n").split("\\t")
    if kept.get(label, 0) >= limit:
        continue
    data = requests.get(url, timeout=3).content
    try:
        image = Image.open(io.BytesIO(data))
        image.load()
    except Exception:
        continue
    if near:
        found = imagehash.phash(image)
        if any(found - other <= 8 for other in hashes.setdefault(label, [])):
            continue
        hashes[label].append(found)
    kept[label] = kept.get(label, 0) + 1
    with open(f"{out}/{label}-{kept[label]:04d}.jpg", "wb") as file:
        file.write(data)
"""


def script(near: str) -> Taker:
    """Return a script as many write it: requests, Pillow, and imagehash against near duplicates."""

    def take(job: Job) -> Taken:
        (job.out / "images").mkdir(parents=True)
        listed = job.out / "list.tsv"
        listed.write_text("".join(f"{url}\t{label}\n" for url, label in job.rows))
        subprocess.run(
            [str(job.peers), "-c", _SCRIPT, str(job.limit), str(job.out / "images"), near,
             str(listed)],
            check=True, capture_output=True,
        )  # fmt: skip
        found: Taken = {}
        for path in sorted((job.out / "images").iterdir()):
            found.setdefault(path.name.partition("-")[0], []).append(path.read_bytes())
        return found

    return take


def encoded(image: Any) -> bytes:
    """Return a picture as a JPEG file."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=88)
    return buffer.getvalue()
