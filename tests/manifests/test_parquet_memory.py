"""Reading a Parquet list takes memory that does not depend on the size of its file."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from pixtrawl.pipeline.parquet_manifest import read_rows

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

ROWS = 60_000


@pytest.mark.parametrize("group_rows", [ROWS // 10, ROWS])
def test_rows_that_were_read_are_not_kept(tmp_path: Path, group_rows: int) -> None:
    path, draw = tmp_path / "urls.parquet", random.Random(1)
    urls = [f"http://a.test/{draw.randbytes(40).hex()}" for _ in range(ROWS)]
    pq.write_table(
        pa.table({"url": urls}), path, row_group_size=group_rows, data_page_size=2**16,
        use_dictionary=False,
    )  # fmt: skip
    before = pa.total_allocated_bytes()
    held = [
        pa.total_allocated_bytes() - before
        for number, row in enumerate(read_rows(path))
        if number % 1_000 == 0
    ]
    assert len(held) == ROWS // 1_000
    assert max(held) < path.stat().st_size / 2


@pytest.mark.skipif(sys.platform != "linux", reason="counts the threads in /proc")
def test_a_list_is_read_without_threads_that_would_keep_memory_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "urls.parquet"
    columns = {name: [f"http://a.test/{n}.jpg" for n in range(5_000)] for name in ("url", "title")}
    pq.write_table(pa.table(columns), path)
    program = (
        "import os, sys; from pathlib import Path\n"
        "from pixtrawl.exporters.parquet import read_manifest_rows\n"
        "def threads(): return len(os.listdir('/proc/self/task'))\n"
        "before = threads()\n"
        "rows = sum(1 for row in read_manifest_rows(Path(sys.argv[1])))\n"
        "print(rows, threads() - before)"
    )
    told = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == ["5000", "0"]
