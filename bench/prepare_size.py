"""What `pixtrawl cluster prepare` takes: does its memory stay, whatever the number of rows?

    python -m bench.prepare_size 10000000 --hosts 100000 --work DIR

Makes a Parquet list of three columns (URL, caption, width) over hosts of Zipf sizes (exponent 0.9),
and prepares it as a user does. Every ten seconds a line: anonymous and resident memory of the
process (Linux: smaps_rollup; the rest is libraries and files, which other processes share), what
lies on local disk, CPU seconds, and shards written so far. Last, the most of each.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.measure import cpu_s

_EXPONENT: Final = 0.9
_PART: Final = 100_000  # rows made at once, and in a row group
_LOOK_S: Final = 0.5
_SCHEMA: Final = pa.schema([("url", pa.string()), ("caption", pa.string()), ("width", pa.int32())])


class Look(NamedTuple):
    """One look at the process. Memory and disk in MB, CPU in seconds."""

    anonymous: float
    resident: float
    scratch: float
    cpu: float
    shards: int


def write_list(path: Path, rows: int, hosts: int) -> None:
    """Write the list. The same numbers give the same file."""
    draw = np.random.default_rng(1)
    weights = np.arange(1, hosts + 1) ** -_EXPONENT
    shares = np.cumsum(weights / weights.sum())
    with pq.ParquetWriter(path, _SCHEMA) as writer:
        for first in range(0, rows, _PART):
            count = min(_PART, rows - first)
            picked = np.searchsorted(shares, draw.random(count))
            names = draw.integers(0, 2**62, count)
            columns = {
                "url": [
                    f"https://img{host % 7}.host{host}.example/a/{name:016x}.jpg"
                    for host, name in zip(picked, names, strict=True)
                ],
                "caption": [
                    f"a picture of thing {name % 99_991} beside another one {number}"
                    for number, name in enumerate(names, first)
                ],
                "width": draw.integers(100, 2_000, count).astype("int32"),
            }
            writer.write_table(pa.table(columns, schema=_SCHEMA))


def looks(command: list[str], scratch: Path, store: Path) -> Iterator[Look]:
    """Run the command. Yield a look every half second; raise CalledProcessError if it fails."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            found = _look(process.pid, scratch, store)
            if found is not None:
                yield found
            time.sleep(_LOOK_S)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)


def _look(pid: int, scratch: Path, store: Path) -> Look | None:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:  # it has just ended
        return None
    kb = {line.split(":")[0]: int(line.split()[1]) for line in text.splitlines() if "kB" in line}
    if "Anonymous" not in kb:
        return None
    shards = sum(1 for _ in (store / "shards").glob("*")) if (store / "shards").exists() else 0
    return Look(
        kb["Anonymous"] / 1024, kb["Rss"] / 1024, _size(scratch) / 1e6, cpu_s(pid), shards
    )  # fmt: skip


def _size(folder: Path) -> int:
    found = 0
    for path in folder.rglob("*"):
        try:
            found += path.stat().st_size
        except FileNotFoundError:  # split, and gone
            continue
    return found


def _show(name: str, one: Look) -> None:
    print(
        f"{name}: {one.anonymous:6.1f} MB anonymous, {one.resident:6.1f} MB resident, "
        f"{one.scratch:9,.1f} MB of disk, {one.cpu:7.1f} CPU s, {one.shards:,} shards",
        flush=True,
    )


def main() -> None:
    """Make the list, prepare it, print what it took."""
    parser = argparse.ArgumentParser(prog="python -m bench.prepare_size", description=__doc__)
    parser.add_argument("rows", type=int)
    parser.add_argument("--hosts", type=int, default=100_000)
    parser.add_argument("--shard-rows", type=int, default=10_000)
    parser.add_argument("--every", type=float, default=10, metavar="S", help="between two lines")
    parser.add_argument("--work", type=Path, default=Path(".bench/prepare"))
    arguments = parser.parse_args()
    work: Path = arguments.work.resolve()
    store, scratch, listed = work / "store", work / "scratch", work / "urls.parquet"
    shutil.rmtree(work, ignore_errors=True)
    scratch.mkdir(parents=True)
    write_list(listed, arguments.rows, arguments.hosts)
    command = [
        sys.executable, "-m", "pixtrawl", "cluster", "prepare", str(listed), "-o", str(store),
        "--shard-rows", str(arguments.shard_rows), "--scratch", str(scratch),
    ]  # fmt: skip
    began = shown = time.monotonic()
    peak = Look(0, 0, 0, 0, 0)
    for one in looks(command, scratch, store):
        peak = Look(*map(max, peak, one))
        if time.monotonic() - shown >= arguments.every:
            shown = time.monotonic()
            _show(f"{shown - began:6.0f} s", one)
    _show("at most", peak)
    print(f"store: {_size(store) / 1e6:,.1f} MB")


if __name__ == "__main__":
    main()
