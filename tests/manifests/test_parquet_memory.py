"""Reading a Parquet list takes memory that does not depend on the size of its file."""

from __future__ import annotations

import random
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
