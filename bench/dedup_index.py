"""`python -m bench.dedup_index [SIZES...]`: the index of perceptual hashes at different sizes.

One query and one insertion, the time to build it, its memory, and how many planted copies (31, 40
and 48 of 256 bits flipped) are found. Then a start: a million images read from an SQLite table as a
catalog keeps them, with their hashes only (other labels of a data set) and 100,000 of one label
with their thumbnails. Random hashes; real ones cluster more. Processor times, so that other work on
the machine counts less.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pixtrawl.dedup import HashIndex, NearDuplicates
from pixtrawl.model import ImageInfo

SIZES = (10_000, 100_000, 1_000_000)
FLIPS = (31, 40, 48)
ASKED = 600


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def index_row(size: int) -> str:
    random = np.random.default_rng(size)
    hashes = random.integers(0, 256, (size, 32), dtype=np.uint8)
    start = time.process_time()
    index = HashIndex.build(np.arange(size), hashes)
    load_s = time.process_time() - start
    found, times = dict.fromkeys(FLIPS, 0), []
    for number in range(ASKED):
        flips, at = FLIPS[number % len(FLIPS)], int(random.integers(size))
        bits = np.unpackbits(hashes[at])
        bits[random.choice(256, flips, replace=False)] ^= 1
        wanted, new = np.packbits(bits).tobytes(), random.bytes(32)
        start = time.process_time()
        answer = index.query(wanted, max(FLIPS))
        index.add(size + number, new)
        times.append(time.process_time() - start)
        found[flips] += any(id == at for id, _ in answer)
    each = [f"{count / (ASKED / len(FLIPS)):.3f}" for count in found.values()]
    micro = 1e6 * float(np.median(times))
    memory = index.memory_bytes / size
    return f"| {size:,} | {micro:.0f} | {load_s:.2f} | {memory:.0f} | " + " | ".join(each) + " |"


def growth_row(size: int) -> str:
    """One by one, as a run does it: what insertion costs with all the merging of tables."""
    random = np.random.default_rng(1)
    hashes = [random.bytes(32) for _ in range(size)]
    index, longest = HashIndex(), 0.0
    begin = time.process_time()
    for number, value in enumerate(hashes):
        start = time.process_time()
        index.add(number, value)
        longest = max(longest, time.process_time() - start)
    each = 1e6 * (time.process_time() - begin) / size
    return f"{size:,} insertions one by one: {each:.1f} us each, the longest {longest:.2f} s"


def _catalog(path: Path, size: int, thumb: int) -> sqlite3.Connection:
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE sample (id INTEGER PRIMARY KEY, label, phash, trim, thumb)")
    random = np.random.default_rng(2)

    def made() -> Iterator[tuple[object, ...]]:
        for number in range(size):
            hash = random.bytes(32)
            trim = hash if number % 10 else random.bytes(32)
            yield (
                number,
                f"label {number % 100}" if not thumb else "x",
                hash,
                trim,
                random.bytes(thumb),
            )

    db.executemany("INSERT INTO sample VALUES (?, ?, ?, ?, ?)", made())
    db.commit()
    return db


def start_row(size: int, thumb: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        db = _catalog(Path(folder) / "catalog.sqlite3", size, thumb)
        before, start = resident_bytes(), time.process_time()
        known = NearDuplicates("near", lambda _: b"")
        table = db.execute("SELECT label, id, phash, trim, thumb FROM sample")
        known.add_many(
            (label, id, ImageInfo(format="jpeg", phash=phash, phash_trim=trim, thumb=small))
            for label, id, phash, trim, small in table
        )
        seconds = time.process_time() - start
        each = (resident_bytes() - before) / size
        db.close()
    what = "hashes and thumbnails, one label" if thumb else "hashes, 100 labels"
    return f"{size:,} images read from a catalog ({what}): {seconds:.1f} s, {each:.0f} bytes each"


def main() -> None:
    sizes = [int(word) for word in sys.argv[1:]] or SIZES
    print("| stored | query + insert, us | built in s | bytes each | 31 bits | 40 bits | 48 bits |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for size in sizes:
        print(index_row(size), flush=True)
    if len(sys.argv) == 1:
        print(growth_row(300_000), flush=True)
        print(start_row(1_000_000, 0), flush=True)
        print(start_row(100_000, 4096), flush=True)


if __name__ == "__main__":
    main()
