"""The CPU that a shard costs a worker under Ray beside a plain worker, starts and daemons apart.

    .venv/bin/python -m bench.ray_shards --rounds 5         # with `ray`

Small distinct files over 200 hosts, shards of 500 rows, one decoder, in turn: `pixtrawl download
--engine ray`, which starts a Ray here, and `pixtrawl worker` on a job of the same list. CPU seconds
come from /proc, by kind of process. A job of few shards and one of many are carried out; what a
further shard costs is their difference, so that no start is in it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bench.measure import cpu_s, tree
from bench.ray_nodes import SETTINGS
from bench.small_web import SmallWeb, make, write_list

_HOSTS: Final = 200
_SHARD_ROWS: Final = 500
_LOOK_S: Final = 0.1
_RULES: Final = ("--min-size", "1x1", "--allow-address", "127.0.0.0/8", "--junk", "keep")
WORKER, COMMAND, _DAEMONS = "worker and its decoders", "command", "daemons, idle workers"
KINDS: Final = (WORKER, COMMAND, _DAEMONS)


def used(command: list[str], environment: Mapping[str, str]) -> dict[str, float]:
    """Run a command to its end. Return the CPU seconds of its processes by kind."""
    seconds: dict[int, float] = {}
    kinds: dict[int, str] = {}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    known = [process.pid]
    while process.poll() is None:
        found = {pid: None for one in known for pid in tree(one)}
        for pid in found:
            seconds[pid] = max(seconds.get(pid, 0.0), cpu_s(pid))
            kinds[pid] = _kind(pid, process.pid) or kinds.get(pid, _DAEMONS)
        known = [pid for pid in found if Path(f"/proc/{pid}").exists()]
        time.sleep(_LOOK_S)
    if process.returncode:
        raise SystemExit(f"exit code {process.returncode}: {' '.join(command)}")
    total: dict[str, float] = defaultdict(float)
    for pid, took in seconds.items():
        total[kinds[pid]] += took
    return total


def _kind(pid: int, command: int) -> str:
    """Return the kind of a process; "" where it is gone."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
    except OSError:
        return ""
    if b"decoders/worker_main" in words or b"ray::RayWorker" in words:
        return WORKER
    return COMMAND if pid == command else _DAEMONS if words else ""


def carried_out(transport: str, work: Path, rows: int, port: int) -> dict[str, float]:
    """Carry out a job of so many rows. Return the CPU seconds by kind of process."""
    listed, store = work / "urls.csv", work / "store"
    write_list(listed, port, rows, _HOSTS)
    shutil.rmtree(store, ignore_errors=True)
    pixtrawl = [sys.executable, "-m", "pixtrawl"]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["TMPDIR"] = str(work)  # what workers stage lies there: ext4's share varies too much
    subprocess.run(
        [*pixtrawl, "cluster", "prepare", str(listed), "-o", str(store), "-q", "--shard-rows",
         str(_SHARD_ROWS), *_RULES], check=True, env=environment, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    if transport == "ray":
        command = ["download", str(listed), "-o", str(store), "--engine", "ray", "-q", *_RULES,
                   "--set", "job.workers=1", "--set", "images.decoders=1"]  # fmt: skip
        return used([*pixtrawl, *command], environment | SETTINGS)
    command = ["worker", str(store), "-q", "--set", "images.decoders=1"]
    found = used([*pixtrawl, *command], environment)
    return {WORKER: found[WORKER] + found[COMMAND]}  # the command is the worker


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.ray_shards", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--few", type=int, default=2, help="shards of the small job")
    parser.add_argument("--many", type=int, default=12, help="shards of the large one")
    parser.add_argument("--work", type=Path, default=Path(".bench/ray-shards"))
    arguments = parser.parse_args()
    work: Path = arguments.work.resolve()
    make(work / "small", arguments.many * _SHARD_ROWS)
    ratios, shards = [], defaultdict(list)
    with SmallWeb(work / "nginx", work / "small") as web:
        for number in range(arguments.rounds):
            for transport in ("plain", "ray") if number % 2 == 0 else ("ray", "plain"):
                few, many = (
                    carried_out(transport, work, count * _SHARD_ROWS, web.http)
                    for count in (arguments.few, arguments.many)
                )
                a_shard = (many[WORKER] - few[WORKER]) / (arguments.many - arguments.few)
                shards[transport].append(a_shard)
                starts = few[WORKER] - arguments.few * a_shard
                others = ", ".join(f"{few[k]:.1f} and {many[k]:.1f}" for k in KINDS[1:] if k in few)
                sys.stdout.write(
                    f"{number} {transport}: a shard {a_shard:.3f}, the worker's start {starts:.1f}"
                    f"{'; command, daemons: ' if others else ''}{others}\n"
                )
                sys.stdout.flush()
            ratios.append(shards["ray"][-1] / shards["plain"][-1])
    for transport, found in shards.items():
        sys.stdout.write(f"| {transport} | {_spread(found)} |\n")
    sys.stdout.write(f"ray beside plain, round by round: {_spread(ratios)}\n")


def _spread(found: list[float]) -> str:
    return f"{statistics.median(found):.3f} ({min(found):.3f}-{max(found):.3f})"


if __name__ == "__main__":
    main()
