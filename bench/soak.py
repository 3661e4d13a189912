"""`python -m bench.soak --urls 1000000`: a long download from a web that is partly hostile.

Memory, descriptors and threads of the program and its decoders have to stay flat, and each address
has to end in one of the outcomes its host stands for: the sum is exact. Exit code 1 where not.
Linux only (/proc).
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.servers import held

_PER_HOST: Final = 200  # addresses of a good host
# Share of the addresses, addresses a host, and the reasons they may end with.
KINDS: Final[dict[str, tuple[float, int, frozenset[str]]]] = {
    "hole": (0.05, 20, frozenset({"connect_timeout", "host_out"})),
    "rules": (0.01, 20, frozenset({"saved"})),
    "busy": (0.005, 20, frozenset({"rate_limited", "host_out"})),
    "slow": (0.005, 20, frozenset({"crawl_delay"})),
    "closed": (0.005, 20, frozenset({"robots_txt"})),
    "broken": (0.005, 20, frozenset({"robots_unavailable"})),
    "flood": (0.005, 20, frozenset({"protocol_error"})),
    "gone": (0.02, _PER_HOST, frozenset({"not_found"})),
}
_GOOD: Final = frozenset({"saved"})
_SAMPLE_S: Final = 2.0
_GROWTH_MB: Final = 24.0  # from the second quarter to the last: noise of the allocator


def addresses(count: int, port: int, hole: int) -> Iterator[str]:
    """Yield the list: kinds interleaved, each host's addresses apart."""
    bad = {kind: int(count * share) for kind, (share, _, _) in KINDS.items()}
    good = count - sum(bad.values())
    every = max(1, good // max(1, sum(bad.values())))
    mixed = [(kind, number) for kind, total in bad.items() for number in range(total)]
    random.Random(7).shuffle(mixed)
    rest = iter(mixed)
    hosts = max(1, good // _PER_HOST)
    for number in range(good):
        yield f"http://good-{number % hosts}.localhost:{port}/{number}.jpg"
        if number % every == 0 and (one := next(rest, None)) is not None:
            yield _address(*one, bad, port, hole)
    for one in rest:
        yield _address(*one, bad, port, hole)


def _address(kind: str, number: int, bad: dict[str, int], port: int, hole: int) -> str:
    hosts = max(1, bad[kind] // KINDS[kind][1])
    where = hole if kind == "hole" else port
    return f"http://{kind}-{number % hosts}.localhost:{where}/{number}.jpg"


def _sample(pid: int) -> tuple[float, int, int]:
    """Return RSS (MiB), descriptors and threads of one process."""
    status = Path(f"/proc/{pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    rss_mb = int(fields["VmRSS"].split()[0]) / 1024
    descriptors = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    return rss_mb, descriptors, int(fields["Threads"])


def _watch(process: subprocess.Popen[bytes]) -> list[tuple[float, int, int]]:
    samples: list[tuple[float, int, int]] = []
    began = time.monotonic()
    while process.poll() is None:
        try:
            samples.append(_sample(process.pid))
        except (OSError, KeyError):  # it has just ended
            break
        if len(samples) % 30 == 0:
            sys.stderr.write(f"{time.monotonic() - began:7.0f} s  {samples[-1]}\n")
        time.sleep(_SAMPLE_S)
    return samples


def outcomes(folder: Path) -> Counter[tuple[str, str]]:
    counts: Counter[tuple[str, str]] = Counter()
    with sqlite3.connect(folder / ".pixtrawl-catalog.sqlite3") as db:
        for url, reason in db.execute("SELECT url, reason FROM candidate"):
            counts[url.split("//", 1)[1].partition("-")[0], str(reason)] += 1
    return counts


def judge(
    counts: Counter[tuple[str, str]], urls: int, samples: list[tuple[float, int, int]]
) -> list[str]:
    """Return what is wrong: addresses without their outcome, or growth."""
    wrong = []
    if sum(counts.values()) != urls:
        wrong.append(f"{sum(counts.values())} outcomes of {urls} addresses")
    for (kind, reason), count in sorted(counts.items()):
        if reason not in (KINDS[kind][2] if kind in KINDS else _GOOD):
            wrong.append(f"{count} of {kind} ended as {reason}")
    quarter = len(samples) // 4
    if quarter >= 3:
        early, late = samples[quarter : 2 * quarter], samples[-quarter:]
        for column, name, most in (
            (0, "MiB", _GROWTH_MB),
            (1, "descriptors", 64),
            (2, "threads", 1),
        ):
            before = statistics.median(one[column] for one in early)
            after = statistics.median(one[column] for one in late)
            if after - before > most:
                wrong.append(f"{name} grew from {before:.0f} to {after:.0f}")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--urls", type=int, default=1_000_000)
    parser.add_argument("--work", type=Path, default=Path(".soak"), help="everything made is here")
    parser.add_argument("--check", choices=("full", "none"), default="full")
    parser.add_argument("--concurrency", type=int, default=256)
    parser.add_argument("--keep", action="store_true", help="leave the data set")
    arguments = parser.parse_args()
    work = emptied(arguments.work)
    with soak_web() as (port, hole):
        listed = work / "urls.txt"
        with listed.open("w") as out:
            out.writelines(f"{url}\n" for url in addresses(arguments.urls, port, hole))
        return _run(arguments, work, listed)


def emptied(work: Path) -> Path:
    """Return the folder's absolute path, after it was made anew."""
    work = work.resolve()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    return work


@contextmanager
def soak_web() -> Iterator[tuple[int, int]]:
    """Run the servers of `bench.soak_web`; yield the port that answers and the black hole."""
    command = held([sys.executable, "-m", "bench.soak_web"])
    web = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert web.stdout is not None
        port, hole = map(int, web.stdout.readline().split())
        yield port, hole
    finally:
        web.kill()
        web.wait()


def _run(arguments: argparse.Namespace, work: Path, listed: Path) -> int:
    folder = work / "images"
    command = [
        sys.executable, "-m", "pixtrawl", "download", str(listed), "-o", str(folder), "-q",
        "--allow-address", "127.0.0.0/8", "--dedup", "off", "--junk", "keep",
        "--check", arguments.check, "--concurrency", str(arguments.concurrency), "--json",
    ]  # fmt: skip
    began = time.monotonic()
    with (work / "report.json").open("wb") as out:
        process = subprocess.Popen(command, stdout=out)
        samples = _watch(process)
        code = process.wait()
    elapsed_s = time.monotonic() - began
    counts = outcomes(folder)
    wrong = judge(counts, arguments.urls, samples)
    totals = json.loads((work / "report.json").read_bytes())["totals"]
    ended = sum(count for name, count in totals.items() if name != "candidates")
    if not totals["candidates"] == ended == arguments.urls:
        wrong.append(f"the report adds up to {ended} of {totals['candidates']}")
    columns = list(zip(*samples, strict=True)) or [(0,)] * 3
    sys.stdout.write(json.dumps({
        "urls": arguments.urls, "seconds": round(elapsed_s), "exit_code": code,
        "peak_mb": round(max(columns[0])), "descriptors": max(columns[1]),
        "threads": max(columns[2]), "samples": len(samples),
        "by_quarter_mb": [round(statistics.median(q)) for q in _quarters(list(columns[0]))],
        "outcomes": {f"{kind} {reason}": n for (kind, reason), n in sorted(counts.items())},
        "totals": totals, "wrong": wrong,
    }, indent=1) + "\n")  # fmt: skip
    if not arguments.keep:
        shutil.rmtree(folder)
    return 1 if wrong or code else 0


def _quarters(values: list[float]) -> list[list[float]]:
    size = max(1, len(values) // 4)
    return [values[at : at + size] for at in range(0, size * 4, size) if values[at : at + size]]


if __name__ == "__main__":
    sys.exit(main())
