"""What the index of a large job costs each worker: memory, and CPU to find the free shards.

    python -m bench.shard_index 100000

A store in a folder with the commits of half of the shards, rolled up, and the leases of some of the
rest. A worker looks for free shards at most every third of a lease (15 s).
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import msgspec

from pixtrawl.cluster.commits import Commit, ObjectEntry
from pixtrawl.cluster.job.partition import ShardEntry
from pixtrawl.cluster.store import Store
from pixtrawl.cluster.store_leases import LeaseRecord, StoreLeases

_LEASED: Final = 3_000  # by a hundred workers
_PER_ROLL: Final = 5_000
_ROUNDS: Final = 5


def index(shards: int) -> list[ShardEntry]:
    """Return shards of small hosts, and of each twenty one of a chain (fifty chains)."""
    return [
        ShardEntry(
            id=f"g-{n:016x}", chain=f"g-{n:016x}", rows=10_000, groups=900,
            largest=f"h{n}.example.org", largest_rows=60,
        )
        if n % 20 else
        ShardEntry(
            id=f"c-{n // 20 % 50:016x}-{n // 1_000:05d}", chain=f"c-{n // 20 % 50:016x}",
            place=n // 1_000, is_last=False, rows=10_000, groups=1,
            largest="h.example.org", largest_rows=10_000,
        )
        for n in range(shards)
    ]  # fmt: skip


def write_job(root: Path, entries: list[ShardEntry]) -> None:
    """Write the commits of the first half, and leases of shards that follow."""
    (root / "rollups").mkdir()
    done = entries[: len(entries) // 2]
    outcomes = ObjectEntry(name="outcomes/x.parquet", size_bytes=1, sha256="0" * 64, rows=10_000)
    for at in range(0, len(done), _PER_ROLL):
        commits = [
            Commit(
                shard=one.id, attempt=f"{one.id}-001-00000000", worker="w", rows=one.rows,
                outcomes=outcomes, reasons={"saved": one.rows},
            )
            for one in done[at : at + _PER_ROLL]
        ]  # fmt: skip
        (root / "rollups" / f"{at // _PER_ROLL:06d}.json").write_bytes(msgspec.json.encode(commits))
    for number, one in enumerate(entries[len(done) : len(done) + _LEASED]):
        lease = LeaseRecord(worker=f"w-{number % 100:08x}", attempt="a", nonce="n")
        (root / "leases" / one.id).mkdir(parents=True)
        (root / "leases" / one.id / "0001").write_bytes(msgspec.json.encode(lease))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.shard_index", description=__doc__)
    parser.add_argument("shards", type=int, nargs="?", default=100_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_job(Path(folder), index(arguments.shards))
        before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        leases = StoreLeases(Store(folder), index(arguments.shards), 45.0)
        took = []
        for _ in range(_ROUNDS):
            began_s = time.process_time()
            leases.look()
            took.append(round(time.process_time() - began_s, 3))
        grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb
    result = {"shards": arguments.shards, "look_cpu_s": took, "memory_mb": round(grown_kb / 1024)}
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
