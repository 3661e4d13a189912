"""`python -m bench.peer_faults`: what other programs do with each fault of the practice site.

Each program gets each address alone, in a process and a folder of its own, and has 60 seconds
(`--limit-s`); no file may grow over 64 MB. Judged is what stays on disk: a sound picture where one
could be had, and nothing where there was none. Writes the table of docs/security.md to the standard
output.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from bench import contenders
from bench.contenders import Place
from bench.corpus import Corpus
from pixtrawl.playground import Playground
from pixtrawl.playground.faults.faultline import FAULTS
from pixtrawl.playground.faults.link import LINK_FAULTS

_LIMIT_S: Final = 60.0
_LARGEST_BYTES: Final = 64 << 20
_PATIENCE: Final = 0.05  # of the site: its waits of minutes are seconds
_NAMES: Final = (*FAULTS, *(fault.name for fault in LINK_FAULTS))
# The programs themselves mark their files so; none of them is a picture.
_NOT_PICTURES: Final = frozenset({".json", ".parquet", ".jsonl", ".lock", ".txt", ".csv", ".md"})
_PIXTRAWL_OWN: Final = "pixtrawl-"


@dataclass(frozen=True, slots=True)
class Ending:
    """How one program ended with one address."""

    sound: int  # files that decode whole
    broken: int  # other files that stay
    kept_bytes: int
    took_s: float
    hung: bool

    def cell(self, wanted: bool, also: bool) -> str:
        """One cell of the table: the verdict, then bytes and seconds."""
        if self.hung:
            verdict = "no end"
        elif self.broken:
            verdict = "keeps a broken file"
        elif bool(self.sound) == wanted or also:
            verdict = "right"
        else:
            verdict = "keeps it" if self.sound else "loses it"
        return f"{verdict}, {_bytes(self.kept_bytes)}, {self.took_s:.1f} s"


def _bytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1_000_000 else f"{count / 1e3:.0f} kB"


def _who() -> dict[str, Callable[[Place], Sequence[str]]]:
    return {
        "pixtrawl": contenders.pixtrawl("--junk", "drop"),
        "img2dataset": contenders.FULL["img2dataset, decode, keep bytes"],
        "icrawler": contenders.FETCH["icrawler, 50 threads"],
        "Scrapy ImagesPipeline": contenders.FULL["Scrapy ImagesPipeline"],
        "gallery-dl": contenders.FETCH["gallery-dl"],
    }


def _judged(folder: Path) -> tuple[int, int, int]:
    sound = broken = size = 0
    for file in sorted(folder.rglob("*")):
        if not file.is_file() or _PIXTRAWL_OWN in str(file.relative_to(folder)):
            continue
        if file.suffix in _NOT_PICTURES:
            continue
        size += file.stat().st_size
        try:
            with Image.open(file) as image:
                image.load()
            sound += 1
        except Exception:  # noqa: BLE001 - whatever Pillow thinks of a stranger's bytes: not a sound picture
            broken += 1
    return sound, broken, size


def _ended(command: Sequence[str], out: Path, limit_s: float) -> Ending:
    started = time.monotonic()
    nothing = subprocess.DEVNULL
    process = subprocess.Popen(
        ["prlimit", f"--fsize={_LARGEST_BYTES}", *command], stdout=nothing, stderr=nothing,
        stdin=nothing, start_new_session=True, cwd=out,
    )  # fmt: skip
    try:
        process.wait(limit_s)
        hung = False
    except subprocess.TimeoutExpired:
        hung = True
    took_s = time.monotonic() - started
    with contextlib.suppress(ProcessLookupError):  # all of its group may have ended
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return Ending(*_judged(out), took_s, hung)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.peer_faults", description=__doc__)
    parser.add_argument("--only", action="append", metavar="FAULT", help="repeatable")
    parser.add_argument("--program", action="append", metavar="NAME", help="repeatable")
    parser.add_argument("--limit-s", type=float, default=_LIMIT_S, help="for each program")
    parser.add_argument("--work", type=Path, default=Path(".bench"))
    arguments = parser.parse_args()
    work = arguments.work.resolve()
    peers = contenders.peers_python(work / "peers")
    corpus, nowhere = Corpus(work, ()), Path(os.devnull)
    who = {
        name: command for name, command in _who().items() if name in (arguments.program or _who())
    }
    right = dict.fromkeys(who, 0)
    names = arguments.only or _NAMES
    print("| fault | ends as | " + " | ".join(who) + " |")
    print("| --- " * (len(who) + 2) + "|")
    with Playground(patience=_PATIENCE) as site:
        for index, fault in enumerate(names):
            cells = []
            for name, command in who.items():
                place_folder = work / "peer-faults"
                shutil.rmtree(place_folder, ignore_errors=True)
                (out := place_folder / "out").mkdir(parents=True)
                truth = site.fault(fault, index)
                urls = place_folder / "urls.txt"
                urls.write_text(truth.url + "\n")
                place = Place(urls, out, corpus, peers, nowhere, nowhere)
                ending = _ended(command(place), out, arguments.limit_s)
                wanted = truth.reason == "saved"
                also = wanted and bool(truth.also) and not ending.sound
                also = also or (not wanted and "saved" in truth.also)
                cell = ending.cell(wanted, also)
                right[name] += cell.startswith("right")
                cells.append(cell)
            print(f"| `{fault}` | `{truth.reason}` | " + " | ".join(cells) + " |", flush=True)
    total = " | ".join(f"{count} of {len(names)}" for count in right.values())
    print(f"| right in all | | {total} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
