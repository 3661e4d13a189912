"""A large data set of small distinct pictures: does its rate stay, and its memory?

    python -m bench.large_set 60000                  # one label
    python -m bench.large_set 60000 --labels 1000    # in mixed order
    python -m bench.large_set 300000 --written       # what a finished set costs its user

The full job (decoders, near duplicates, the catalog) over JPEGs of about 10 KB that differ by look.
For each tenth of the list, printed as it ends: pictures a second, CPU seconds of the main process
and of all its processes, and the largest proportional set size of the whole tree. CPU seconds
are what a busy machine can tell. The end of the job, when all images are in the catalog, has a line
of its own. Then the finished set: CPU seconds and memory of what its user does with it; with
`--written` only that, of a set whose rows are written and whose files are empty.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from bench import dataset_size
from bench.measure import cpu_s, pss_kb, tree
from bench.small_web import SmallWeb, make, write_list

_SIDE: Final = 288  # 10 KB
_HOSTS: Final = 200
_LOOK_S: Final = 1.0

# Done with the finished set, each in a process of its own; CPU seconds without the imports.
_USES: Final = {
    "open, first after a change": "ds = pixtrawl.open(root)",
    "open": "ds = pixtrawl.open(root)",
    "open, a folder touched by hand": "os.utime(glob(root + '/*/')[0]); ds = pixtrawl.open(root)",
    "labels": "ds = pixtrawl.open(root); begin(); ds.labels",
    "filter by label": "ds = pixtrawl.open(root); begin(); len(ds.filter(label=ds[0].label))",
    "filter by width": "ds = pixtrawl.open(root); begin(); len(ds.filter(width__ge=200))",
    "report": "main(['report', root, '--json'])",
    "lock": "main(['lock', root, '-o', root + '.lock', '-q'])",
    "export csv": "main(['export', root, '--to', 'csv', '-o', root + '.csv', '-q'])",
}
_PROGRAM: Final = """
import contextlib, io, json, os, resource, sys, time
from glob import glob
import pixtrawl
from pixtrawl.cli.main import main
root, began = sys.argv[1], time.process_time()
def begin():
    global began
    began = time.process_time()
with contextlib.redirect_stdout(io.StringIO()):
    exec(sys.argv[2])
print(json.dumps([time.process_time() - began, resource.getrusage(0).ru_maxrss / 1024]))
"""


class Mark(NamedTuple):
    """The state of a run when so many images were saved."""

    images: int
    at_s: float
    main_cpu_s: float
    cpu_s: float  # of all processes
    pss_mb: float  # largest since the last mark


def saved_images(root: Path) -> int:
    """Return how many images the catalog of a run in progress has accepted."""
    found = sorted(root.glob(".*sqlite3"))
    with contextlib.suppress(sqlite3.Error, IndexError), contextlib.ExitStack() as stack:
        db = sqlite3.connect(f"file:{found[0]}?mode=ro", uri=True)
        stack.callback(db.close)
        return int(db.execute("SELECT coalesce(max(id), 0) FROM sample").fetchone()[0])
    return 0


def watched(command: list[str], root: Path, step: int, total: int) -> int:
    """Run a download; print a line for each `step` of `total` images. Return the exit code."""
    began = time.monotonic()
    process = subprocess.Popen(command)
    print("| images | images/s | main process, CPU ms/image | all processes | PSS MB |")
    print("|" + " ---: |" * 5)
    last = now = Mark(0, 0.0, 0.0, 0.0, 0.0)
    while process.poll() is None:
        time.sleep(_LOOK_S)
        pids = tree(process.pid)
        now = Mark(
            saved_images(root),
            time.monotonic() - began,
            max(now.main_cpu_s, cpu_s(process.pid)),
            max(now.cpu_s, sum(cpu_s(pid, ended=True) for pid in pids)),
            max(now.pss_mb, sum(map(pss_kb, pids)) / 1024),
        )
        if now.images >= min(last.images + step, total) > last.images:
            print(told(last, now), flush=True)
            last, now = now, now._replace(pss_mb=0.0)
    ended = now._replace(images=saved_images(root))
    if ended.images > last.images:
        print(told(last, ended), flush=True)
    else:
        print(
            f"the end of the job: {ended.at_s - last.at_s:.0f} s, CPU of the main process "
            f"{ended.main_cpu_s - last.main_cpu_s:.1f} s, of all {ended.cpu_s - last.cpu_s:.1f} s"
        )
    return process.returncode


def used(root: Path, uses: Mapping[str, str]) -> Iterator[tuple[str, float, float]]:
    """Yield each use of a finished set with its CPU seconds and its largest RSS in MB."""
    for name, code in uses.items():
        for left in (f"{root}.lock", f"{root}.csv"):
            shutil.rmtree(left, ignore_errors=True)
            if Path(left).is_file():
                Path(left).unlink()
        command = [sys.executable, "-c", _PROGRAM, str(root), code]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{name}: {done.stderr}")
        cpu, rss_mb = json.loads(done.stdout.splitlines()[-1])
        yield name, cpu, rss_mb


def told(before: Mark, mark: Mark) -> str:
    """Return a line of the table in Markdown: what one stretch cost."""
    count = mark.images - before.images
    return (
        f"| {mark.images:,} | {count / (mark.at_s - before.at_s):.0f} | "
        f"{(mark.main_cpu_s - before.main_cpu_s) / count * 1e3:.2f} | "
        f"{(mark.cpu_s - before.cpu_s) / count * 1e3:.2f} | {mark.pss_mb:.0f} |"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.large_set", description=__doc__)
    parser.add_argument("images", type=int, nargs="?", default=60_000)
    parser.add_argument("--labels", type=int, default=1)
    parser.add_argument("--step", type=int, help="images of a line; a tenth of the list")
    parser.add_argument("--work", type=Path, default=Path(".bench/large"))
    parser.add_argument("--written", action="store_true", help="write the rows of a finished set")
    parser.add_argument("--keep", action="store_true", help="keep the set")
    arguments = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each process would compile everything
    work: Path = arguments.work.resolve()
    out = work / f"set-{arguments.labels}"
    shutil.rmtree(out, ignore_errors=True)
    if arguments.written:
        dataset_size.make(out, arguments.images, arguments.labels)
        uses, code = {"open, metadata.jsonl and its like are written": _USES["open"], **_USES}, 0
    else:
        uses, code = _USES, downloaded(arguments, work, out)
    print("| use | CPU s | RSS MB |\n| --- | ---: | ---: |")
    for name, cpu, rss_mb in used(out, uses):
        print(f"| {name} | {cpu:.2f} | {rss_mb:.0f} |", flush=True)
    if not arguments.keep:
        shutil.rmtree(out)
    return 0 if code == 0 else 1


def downloaded(arguments: argparse.Namespace, work: Path, out: Path) -> int:
    """Download the set; print what each stretch cost. Return the exit code."""
    make(work / "root", arguments.images, side=_SIDE, distinct=True)
    with SmallWeb(work / "nginx", work / "root") as web:
        write_list(work / "urls.csv", web.http, arguments.images, _HOSTS, arguments.labels)
        code = watched(
            [sys.executable, "-m", "pixtrawl", "download", str(work / "urls.csv"), "-o", str(out),
             "--min-size", "1x1", "--allow-address", "127.0.0.0/8", "-q"],
            out, arguments.step or max(1, arguments.images // 10), arguments.images,
        )  # fmt: skip
    print(f"exit code {code}, {saved_images(out):,} of {arguments.images:,} images")
    used_s = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"all processes: {used_s.ru_utime + used_s.ru_stime:.0f} s CPU")
    return code


if __name__ == "__main__":
    sys.exit(main())
