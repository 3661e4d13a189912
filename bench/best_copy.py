"""`python -m bench.best_copy [--photographs N] [--first N] [--half HALF] [--folder DIR]`.

Which of all copies of a photograph stays in a data set: each photograph is served from this machine
with all edits of `bench.best_copy_edits`, in one list in random order, and collected by `pixtrawl
download` at level `near`. Each order is a run of its own.

The photographs are those files of `bench.dedup_photos` that have at most 3 million pixels, halved
as in `bench.dedup_quality`: rules were made on the first half, the second is reported. `--folder`
takes those of a folder instead, halved in the same way by the names of folder and file. Originals
are served byte for byte, with the traces of whatever was done to them before; copies are edited
from their pixels, at JPEG qualities up to 97.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import http.server
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from bench import dedup_photos as photos
from bench.best_copy_edits import EDITS, copies
from bench.dedup_quality import second_half

_HOST = "127.0.0.7"
_MOST_PX = 3_000_000
ORIGINAL = "original"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        """Say nothing: thousands of lines."""


@dataclass(frozen=True)
class Original:
    """A photograph as it was published."""

    name: str
    file: Path


def chosen(count: int, first: int, *, reported: bool, folder: Path | None = None) -> list[Original]:
    """Return photographs of a half, in an order that depends on their names alone."""
    found = []
    files = photos.photograph_files() if folder is None else photos.pictures_in(folder)
    for file in files:
        with Image.open(file) as image:
            is_small = image.width * image.height <= _MOST_PX
        if is_small and second_half(photos.name_of(file)) == reported:
            found.append(Original(photos.name_of(file), file))
    found.sort(key=lambda one: hashlib.sha256(one.name.encode()).digest())
    return found[first : first + count]


def write_files(folder: Path, originals: list[Original]) -> list[str]:
    """Write all files; return their names, `NUMBER_EDIT.jpg` or `.png`."""
    names = []
    for number, original in enumerate(originals):
        ending = original.file.suffix.lower().removeprefix(".")
        image = photos.opened(original.file)
        files = {ORIGINAL: (original.file.read_bytes(), ending), **copies(image, original.name)}
        for edit, (data, ending) in files.items():
            plain = edit.replace(" ", "-").replace("%", "pc").replace(",", "")
            names.append(f"{number}_{plain}.{ending}")
            (folder / names[-1]).write_bytes(data)
    return names


@dataclass
class Kept:
    """What a run left, by photograph: the edits that stayed."""

    by_number: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    cpu_s: float = 0.0
    wall_s: float = 0.0

    @property
    def originals(self) -> int:
        return sum(ORIGINAL in stayed for stayed in self.by_number.values())


def run_once(folder: Path, names: list[str], port: int) -> Kept:
    """Collect the files in this order; return what stayed."""
    lines = "".join(f"http://{_HOST}:{port}/{name},x\n" for name in names)
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        listed, out = Path(work) / "list.csv", Path(work) / "images"
        listed.write_text("url,label\n" + lines)
        command = [sys.executable, "-m", "pixtrawl", "download", str(listed), "-o", str(out)]
        command += ["--allow-address", f"{_HOST}/32", "--dedup", "near", "-q"]
        before, began = os.times(), time.monotonic()
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
        after = os.times()
        kept = Kept(wall_s=time.monotonic() - began)
        kept.cpu_s = sum(after[2:4]) - sum(before[2:4])
        for line in (out / "metadata.jsonl").read_text().splitlines():
            stem = json.loads(line)["url"].rsplit("/", 1)[1].rpartition(".")[0]
            number, _, edit = stem.partition("_")
            kept.by_number[int(number)].append(edit)
    return kept


def rows(runs: list[Kept], count: int) -> Iterator[str]:
    yield "| order | originals that stay | images kept | CPU, s |"
    yield "| --- | --- | --- | --- |"
    for order, kept in enumerate(runs, 1):
        images = sum(len(stayed) for stayed in kept.by_number.values())
        share = f"{kept.originals} of {count} ({kept.originals / count:.1%})"
        yield f"| {order} | {share} | {images} | {kept.cpu_s:.0f} |"
    total, of = sum(kept.originals for kept in runs), count * len(runs)
    yield f"| all | {total} of {of} ({total / of:.1%}) | | |"
    yield ""
    instead, beside = Counter[str](), Counter[str]()
    for kept in runs:
        for stayed in kept.by_number.values():
            (beside if ORIGINAL in stayed else instead).update(set(stayed) - {ORIGINAL})
    yield "| edit | stays instead of the original | stays beside it |"
    yield "| --- | --- | --- |"
    for edit in sorted({*instead, *beside}, key=lambda e: (-instead[e], -beside[e], e)):
        yield f"| {edit} | {instead[edit]} | {beside[edit]} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photographs", type=int, default=20, metavar="N")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="photographs left out")
    parser.add_argument("--orders", type=int, default=2, metavar="N")
    parser.add_argument("--half", choices=("fixed", "reported"), default="reported")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="with other photographs")
    parser.add_argument("--details", action="store_true", help="name the originals that were lost")
    options = parser.parse_args()
    pictures = chosen(
        options.photographs,
        options.first,
        reported=options.half == "reported",
        folder=options.folder,
    )
    if not pictures:
        parser.error("no photographs: is `python -m bench.dedup_photos` done, or DIR empty?")
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / "web"
        folder.mkdir()
        names = write_files(folder, pictures)
        print(f"{len(pictures)} photographs, {len(EDITS)} edits each", file=sys.stderr)
        handler = functools.partial(_Quiet, directory=str(folder))
        with http.server.ThreadingHTTPServer((_HOST, 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            runs = []
            for order in range(options.orders):
                shuffled = random.Random(order).sample(names, len(names))
                runs.append(run_once(folder, shuffled, server.server_port))
                print(f"order {order + 1}: {runs[-1].originals}", file=sys.stderr, flush=True)
            server.shutdown()
    print(*rows(runs, len(pictures)), sep="\n")
    for order, kept in enumerate(runs if options.details else [], 1):
        for number, stayed in sorted(kept.by_number.items()):
            if ORIGINAL not in stayed:
                print(f"order {order}: {pictures[number].name}: {', '.join(stayed)}")


if __name__ == "__main__":
    main()
