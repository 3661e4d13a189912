"""The CPU that `--engine processes` costs beside `local`, at equal cores.

    .venv/bin/python -m bench.engines 20000 --rounds 3 --cores 0,1

One list of small distinct files over 200 hosts, the engines in turn, each into a new folder. CPU
seconds of all processes; the spread is that of the rounds.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
from pathlib import Path

from bench.small_web import SmallWeb, make, measured, write_list

_HOSTS = 200
_ENGINES = ("local", "processes")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.engines", description=__doc__)
    parser.add_argument("urls", type=int, nargs="?", default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cores", default="0,1", help="as for taskset -c")
    parser.add_argument("--check", default="full", choices=("full", "none"))
    parser.add_argument("--work", type=Path, default=Path(".bench"))
    arguments = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each process would compile everything
    work = arguments.work.resolve()
    make(work / "small", arguments.urls)
    found: dict[str, list[tuple[float, float]]] = {engine: [] for engine in _ENGINES}
    with SmallWeb(work / "small-nginx", work / "small") as web:
        write_list(work / "small.csv", web.http, arguments.urls, _HOSTS)
        for number in range(arguments.rounds):
            for engine in _ENGINES if number % 2 == 0 else reversed(_ENGINES):
                took = _run(arguments, work, engine)
                found[engine].append(took)
                sys.stderr.write(f"{engine}: {took[0]:.1f} s, {took[1]:.1f} s CPU\n")
    for engine, rounds in found.items():
        cpu = [one[1] for one in rounds]
        sys.stdout.write(
            f"| {engine} | {statistics.median(one[0] for one in rounds):.1f} | "
            f"{statistics.median(cpu):.1f} ({min(cpu):.1f}-{max(cpu):.1f}) |\n"
        )
    local, processes = (found[engine] for engine in _ENGINES)
    ratios = [b[1] / a[1] for a, b in zip(local, processes, strict=True)]
    sys.stdout.write(
        f"CPU of processes beside local, round by round: {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f}-{max(ratios):.2f})\n"
    )


def _run(arguments: argparse.Namespace, work: Path, engine: str) -> tuple[float, float]:
    out = work / f"engine-{engine}"
    shutil.rmtree(out, ignore_errors=True)
    code, seconds, cpu_s = measured([
        "taskset", "-c", arguments.cores, sys.executable, "-m", "pixtrawl", "download",
        str(work / "small.csv"), "-o", str(out), "--engine", engine, "--dedup", "exact",
        "--check", arguments.check, "--min-size", "1x1", "--allow-address", "127.0.0.0/8", "-q",
    ])  # fmt: skip
    saved = sum(1 for _ in out.rglob("*.jpg"))
    if code or saved != arguments.urls:
        raise SystemExit(f"{engine}: exit code {code}, {saved} of {arguments.urls} files")
    return seconds, cpu_s


if __name__ == "__main__":
    main()
