"""The most memory that dividing rows of many hosts takes, for a process of its own."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

from pixtrawl.cluster.job.partition import shards_of
from pixtrawl.cluster.job.spool import Spool
from pixtrawl.model import Candidate


def zipf(count: int) -> Iterator[Candidate]:
    """Yield candidates, a third of one host, the others of hosts of any size."""
    draw = random.Random(4)
    for n in range(count):
        host = int(draw.paretovariate(0.8)) if n % 3 else 1
        url = f"http://host{host}.test/pictures/{n}.jpg"
        yield Candidate(url=url, query="q", label="l", source="urls")


def peak_bytes(count: int, folder: Path) -> int:
    """Divide so many rows; return the most that was allocated at once."""
    spool = Spool(folder, in_memory_rows=500)
    tracemalloc.start()
    spool.take(zipf(count))
    rows = sum(shard.entry.rows for shard in shards_of(spool.groups(), 100))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == count
    return peak
