"""How long a data set in Python takes to open, index and filter, by its size.

    .venv/bin/python -m bench.dataset_size 2000 20000 200000

Each set is synthetic: a catalog with today's tables and indices, rows as long as real ones (4 KB of
thumbnail each), 50 labels, and a sparse file for every image with its record, because opening
compares files with their rows. Figures are the median of several rounds in one process, in
milliseconds.
"""

from __future__ import annotations

import os
import pickle
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pixtrawl
from pixtrawl.catalog.database import connect
from pixtrawl.catalog.files import records as file_records
from pixtrawl.catalog.schema.tables import migrate
from pixtrawl.folder.dataset_folder import Folder

LABELS = 50
SIZE_BYTES = 90_000  # of every image
MEASURES = '{"sharpness":412.5,"brightness":0.46,"contrast":0.2,"entropy":0.9,"is_gray":0}'


def make(root: Path, images: int, labels: int = LABELS) -> None:
    """A folder with a catalog of so many images, all with bytes of their own as its rows say."""
    folder = Folder(root)
    folder.create()
    with closing(connect(folder.catalog)) as db:
        migrate(db)
        db.execute("BEGIN")
        db.execute("INSERT INTO run (id, started_at, version, settings) VALUES (1, '', '', '{}')")
        for label in range(labels):
            (root / f"label {label:02}").mkdir()
            db.execute(
                "INSERT INTO query (id, text, label, filters, wanted, run_id) "
                "VALUES (?, ?, ?, '{}', NULL, 1)",
                (label + 1, f"label {label:02}", f"label {label:02}"),
            )
        for number in range(1, images + 1):
            _add(db, root, number, number % labels)
        file_records.advance(db)
        db.execute("COMMIT")


def _add(db: sqlite3.Connection, root: Path, number: int, label: int) -> None:
    name = f"label {label:02}/{number:06}.jpg"
    key, url = number.to_bytes(16), f"https://images.example.org/photos/{number}/large.jpg"
    db.execute(
        "INSERT INTO candidate (id, query_id, key, url, host, kind, source, rank, page_url, title, "
        "state, reason, fetched_url, final_url, sha256, size_bytes, sample_id) VALUES "
        "(?1, ?2, ?3, ?4, 'images.example.org', 'original', 'bing', ?1, ?4, 'a title of a picture',"
        " 2, 'saved', ?4, ?4, ?3, ?5, ?1)",
        (number, label + 1, key, url, SIZE_BYTES),
    )
    db.execute(
        "INSERT INTO sample (id, label, number, file_name, query_id, candidate_id, state, sha256, "
        "format, width, height, frames, size_bytes, orientation, flat, phash, phash_trim, thumb, "
        "measures, kind, fetched_at) VALUES (?1, ?2, ?1, ?3, ?4, ?1, 1, ?5, 'jpeg', ?6, 480, 1, "
        "?10, 1, 0, ?7, ?7, ?8, ?9, 'original', '2026-11-28T00:00:00Z')",
        (
            number, f"label {label:02}", name, label + 1, key, 480 + number % 400, bytes(32),
            bytes(4096), MEASURES, SIZE_BYTES,
        ),
    )  # fmt: skip
    with (root / name).open("wb") as file:
        file.truncate(SIZE_BYTES)
        stat = os.fstat(file.fileno())
    file_records.put(db, [(number, file_records.record_of(stat))])


def rounds(work: Callable[[], object], count: int = 5) -> float:
    """The median of several rounds, in ms."""
    taken = []
    for _ in range(count):
        start = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


def measure(root: Path) -> dict[str, float]:
    """What a user of the set waits for."""
    ds = pixtrawl.open(root)
    size = len(ds)
    return {
        "open (files compared with their rows)": rounds(lambda: pixtrawl.open(root), 3),
        "open, first `ds[0]`": rounds(lambda: pixtrawl.open(root)[0], 3),
        "`len(ds)`": rounds(lambda: len(ds)),
        "`ds[0]`": rounds(lambda: ds[0], 101),
        "`ds[-1]`": rounds(lambda: ds[-1], 101),
        "`ds[size // 2]`": rounds(lambda: ds[size // 2], 101),
        "`ds[-20:]`": rounds(lambda: ds[-20:], 21),
        "`ds.labels`": rounds(lambda: ds.labels),
        "iterate, an image": rounds(lambda: sum(1 for _ in ds), 1) / size,
        "`filter(label=..., width__ge=640)`": rounds(
            lambda: ds.filter(label="label 07", width__ge=640)
        ),
        "`filter(sharpness__gt=100)`, an image": rounds(lambda: ds.filter(sharpness__gt=100), 1)
        / size,
        "`to_torch()`": rounds(ds.to_torch, 3),
        "pickled `ds`, KB": len(pickle.dumps(ds)) / 1000,
        "pickled `to_torch()`, KB": len(pickle.dumps(ds.to_torch())) / 1000,
    }


def main() -> None:
    """Measures the sizes given and prints a table in Markdown."""
    sizes = [int(word) for word in sys.argv[1:]] or [2000, 20_000, 200_000]
    found = []
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="pixtrawl-bench-") as folder:
            root = Path(folder, "set")
            make(root, size)
            time.sleep(0.2)  # a folder that changed just now is looked at each time
            found.append(measure(root))
    print(f"| | {' | '.join(f'{size:,}' for size in sizes)} |")
    print(f"| --- |{' ---: |' * len(sizes)}")
    for name in found[0]:
        print(f"| {name} | {' | '.join(f'{one[name]:.3g}' for one in found)} |")


if __name__ == "__main__":
    main()
