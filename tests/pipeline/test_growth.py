"""What a run does for each query does not grow with the number of all queries."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

import pixtrawl
from pixtrawl.manifests.reader import read_manifest
from pixtrawl.sources.lists import list_index

pytestmark = pytest.mark.timeout(180)

FEW, MANY = 60, 180
EVERY: Final = 100  # steps of SQLite's machine between two calls


class Work(msgspec.Struct):
    """What a run asked of the catalog and of its list."""

    statements: int = 0
    steps: int = 0  # in hundreds
    lists_read: int = 0


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    done = Work()
    connect = sqlite3.connect

    def count(_statement: str) -> None:
        done.statements += 1

    def step() -> int:
        done.steps += 1
        return 0

    def counted(*given: Any, **more: Any) -> sqlite3.Connection:
        db: sqlite3.Connection = connect(*given, **more)
        db.set_trace_callback(count)
        db.set_progress_handler(step, EVERY)
        return db

    def read_once(*given: Any, **more: Any) -> Any:
        done.lists_read += 1
        return read_manifest(*given, **more)

    monkeypatch.setattr(sqlite3, "connect", counted)
    monkeypatch.setattr(list_index, "read_manifest", read_once)
    return done


def run(folder: Path, queries: int, work: Work) -> Work:
    """A run of so many queries of a list, twice: the second finds everything settled."""
    work.statements = work.steps = work.lists_read = 0
    path = folder / f"list{queries}.csv"
    path.write_text("query,url\n" + "".join(f"thing {n},data:,\n" for n in range(queries)))
    for _ in range(2):
        dataset = pixtrawl.run(
            [f"thing {n}" for n in range(queries)], source="urls", limit=1,
            settings={"urls.file": str(path)}, output=folder / f"set{queries}", progress=False,
        )  # fmt: skip
        assert dataset.report["totals"]["candidates"] == queries
    return msgspec.structs.replace(work)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # that it is short is told
def test_statements_and_their_work_grow_as_the_queries_do(tmp_path: Path, work: Work) -> None:
    few, many = run(tmp_path, FEW, work), run(tmp_path, MANY, work)
    assert few.statements > FEW
    assert many.lists_read == few.lists_read >= 1
    times = MANY / FEW
    assert many.statements < 1.25 * times * few.statements
    assert many.steps < 1.5 * times * few.steps
