"""What a report costs: indexes are read instead of rows, and files are compared once."""

import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from bench.dataset_size import make

from pixtrawl.catalog import queries
from pixtrawl.catalog.database import connect
from pixtrawl.cli.main import main
from pixtrawl.folder import on_disk, sample_list
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.pipeline.report import build

LONG_ROWS = re.compile(r"SCAN (\w )?(sample|candidate|s|c)\b(?!.*COVERING INDEX)")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make(tmp_path / "set", 60)
    return tmp_path / "set"


def plan_of(db: sqlite3.Connection, statement: str) -> list[str]:
    return [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}")]


def test_a_report_reads_no_table_of_images_or_candidates_from_end_to_end(root: Path) -> None:
    folder = Folder(root)
    statements: list[str] = []
    with closing(connect(folder.catalog, read_only=True)) as db:
        ids = [query.id for query in queries.every(db)]
        db.set_trace_callback(statements.append)
        found = build(db, folder, ids)
        db.set_trace_callback(None)
        scans = {
            (step, statement)
            for statement in set(statements)
            if statement.startswith("SELECT")
            for step in plan_of(db, statement)
            if LONG_ROWS.search(step)
        }

    assert found.totals.saved == 60
    assert not scans


def test_counts_by_reason_are_found_by_query_and_reason(root: Path) -> None:
    with closing(connect(Folder(root).catalog, read_only=True)) as db:
        steps = plan_of(
            db,
            "SELECT reason, count(*) FROM candidate WHERE query_id = 1 AND state = 2 GROUP BY 1",
        )

    assert any("candidate_reason" in step for step in steps)


@pytest.mark.parametrize(
    "command", [["report"], ["lock", "-o", "a.lock"], ["export", "--to", "csv", "-o", "a.csv"]]
)
def test_a_command_that_reads_compares_the_files_once(
    root: Path, command: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    main(["report", str(root)])  # writes what the new set lacks
    while sample_list._signature(root) is None:  # folders just written are looked at again
        time.sleep(0.01)
    calls: list[Path] = []
    compare = on_disk.differences

    def counted(db: sqlite3.Connection, root: Path, *, contents: bool) -> on_disk.Differences:
        calls.append(root)
        return compare(db, root, contents=contents)

    monkeypatch.setattr(on_disk, "differences", counted)

    assert main([command[0], str(root), *command[1:]]) == 0
    assert len(calls) == 1


def test_one_touched_file_among_many_is_told_apart_from_the_untouched(root: Path) -> None:
    main(["report", str(root)])
    touched = next(Path(root, "label 07").glob("*.jpg"))
    with touched.open("r+b") as file:
        file.truncate(touched.stat().st_size + 1)
    (root / "label 08" / "foreign.jpg").write_bytes(b"?")
    next(Path(root, "label 09").glob("*.jpg")).unlink()

    with closing(connect(Folder(root).catalog, read_only=True)) as db:
        found = on_disk.differences(db, root)

    assert [one.row.file_name for one in found.changed] == [f"label 07/{touched.name}"]
    assert found.unknown == ["label 08/foreign.jpg"]
    assert [row.label for row in found.missing] == ["label 09"]
