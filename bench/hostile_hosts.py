"""`python -m bench.hostile_hosts`: thousands of hosts that answer as badly as they can.

Robots files of half a megabyte of rules that are slow to match, heads that never end, robots that
fail, pause or forbid, one address a host; some with paths of 8,000 characters. Measured are the
memory of the program, the sum of outcomes, and how long its event loop is held by one turn: CPU
time of the loop's thread, and wall time, which other programs lengthen. Exit code 1 where memory
passes 200 MB, an outcome is not the host's, or a turn takes more than 20 ms of CPU.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

from bench.soak import KINDS, emptied, outcomes, soak_web

# Hosts in a hundred.
SHARES: Final = {"rules": 6, "flood": 30, "closed": 24, "slow": 20, "broken": 20}
_MOST_MB: Final = 200.0
_MOST_TURN_S: Final = 0.020
_LONG_PATH: Final = "~a" * 4_000
_SLOWEST: Final = 5
_NAMED_S: Final = 0.002
_START_AND_END: Final = frozenset({"download"})  # of the run itself: no transfer waits then


def addresses(hosts: int, port: int) -> list[str]:
    """Return one address a host, kinds interleaved."""
    kinds = [kind for kind, share in SHARES.items() for _ in range(share)]
    found = []
    for number in range(hosts):
        kind = kinds[number * 37 % len(kinds)]  # 37 and 100 have no common divisor
        path = _LONG_PATH if kind == "rules" and number % 2 else "picture"
        found.append(f"http://{kind}-{number}.localhost:{port}/{path}.jpg")
    return found


class Turns:
    """The longest turns of event loops, in seconds."""

    def __init__(self) -> None:
        self.count = 0
        self.over = 0
        self.cpu: list[tuple[float, str]] = []
        self.wall_s = 0.0

    def watch(self) -> None:
        """Time every turn of every loop of this process from now on."""
        asyncio.tasks.Task = asyncio.Task = asyncio.tasks._PyTask  # type: ignore[attr-defined,misc]
        plain = asyncio.Handle._run

        def timed(handle: Any) -> None:
            began, began_s = time.thread_time(), time.monotonic()
            plain(handle)
            self._note(time.thread_time() - began, time.monotonic() - began_s, handle)

        asyncio.Handle._run = timed  # type: ignore[method-assign]

    def _note(self, cpu_s: float, wall_s: float, handle: Any) -> None:
        self.count += 1
        self.wall_s = max(self.wall_s, wall_s)
        name = _name_of(handle) if cpu_s > _NAMED_S else ""
        if name in _START_AND_END:
            return
        self.over += cpu_s > _MOST_TURN_S
        if name and (len(self.cpu) < _SLOWEST or cpu_s > self.cpu[-1][0]):
            self.cpu.append((cpu_s, name))
            self.cpu = sorted(self.cpu, reverse=True)[:_SLOWEST]


def _name_of(handle: Any) -> str:
    """Return the coroutine of a task's step, or what else the handle calls."""
    task = getattr(handle._callback, "__self__", None)
    coroutine = getattr(task, "get_coro", None)
    return getattr(coroutine(), "__qualname__", "?") if coroutine else repr(handle)[:160]


def _inside(arguments: list[str]) -> int:
    """Run the command in this process; print what it cost as the last line."""
    from pixtrawl.cli.main import main as command

    sys.modules["uvloop"] = None  # type: ignore[assignment]  # asyncio's own loop can be timed
    turns = Turns()
    turns.watch()
    began_s = time.monotonic()
    try:
        code = int(command(arguments) or 0)
    except SystemExit as left:
        code = int(left.code or 0)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    told = {
        "exit_code": code, "peak_mb": round(usage.ru_maxrss / 1024, 1),
        "seconds": round(time.monotonic() - began_s, 1), "turns": turns.count,
        "turns_over_20_ms_cpu": turns.over, "longest_turn_ms_wall": round(turns.wall_s * 1e3, 1),
        "longest_turns_ms_cpu": [(round(s * 1e3, 1), what) for s, what in turns.cpu],
    }  # fmt: skip
    sys.stdout.write("\n" + json.dumps(told) + "\n")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.hostile_hosts", description=__doc__)
    parser.add_argument("--hosts", type=int, default=10_000)
    parser.add_argument("--work", type=Path, default=Path(".hostile"))
    arguments = parser.parse_args()
    work = emptied(arguments.work)
    with soak_web() as (port, _):
        (work / "urls.txt").write_text("\n".join(addresses(arguments.hosts, port)) + "\n")
        command = [
            sys.executable, "-m", "bench.hostile_hosts", "--inside", "download",
            str(work / "urls.txt"), "-o", str(work / "images"), "-q",
            "--allow-address", "127.0.0.0/8", "--dedup", "off", "--concurrency", "256",
        ]  # fmt: skip
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    told = json.loads(done.stdout.strip().splitlines()[-1])
    counts = outcomes(work / "images")
    told["outcomes"] = {f"{kind} {reason}": n for (kind, reason), n in sorted(counts.items())}
    told["wrong"] = _wrong(told, counts, arguments.hosts)
    sys.stdout.write(json.dumps(told, indent=1) + "\n")
    return 1 if told["wrong"] else 0


def _wrong(told: dict[str, Any], counts: Counter[tuple[str, str]], hosts: int) -> list[str]:
    wrong = []
    if sum(counts.values()) != hosts:
        wrong.append(f"{sum(counts.values())} outcomes of {hosts} addresses")
    for (kind, reason), count in sorted(counts.items()):
        if reason not in KINDS[kind][2]:
            wrong.append(f"{count} of {kind} ended as {reason}")
    if told["peak_mb"] > _MOST_MB:
        wrong.append(f"{told['peak_mb']} MB")
    if told["turns_over_20_ms_cpu"]:
        wrong.append(f"{told['turns_over_20_ms_cpu']} turns took more than 20 ms of CPU")
    return wrong


if __name__ == "__main__":
    inside = sys.argv[1:2] == ["--inside"]
    sys.exit(_inside(sys.argv[2:]) if inside else main())
