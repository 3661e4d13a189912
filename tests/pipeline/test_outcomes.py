"""Outcomes by address: every URL of a list is there, each with its reason."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pixtrawl
from pixtrawl.cli.main import main
from pixtrawl.errors import UsageError
from pixtrawl.pipeline.outcomes import Outcomes, UrlOutcome
from tests import warm_command
from tests.catalog.earlier import downgrade
from tests.pipeline.pictures import Answer, fetch, jpeg, scene, serving

KEYS = [
    "url", "query", "label", "source", "status", "reason", "detail", "http_status", "file_name",
    "attempts", "final_url", "rank", "when",
]  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("outcomes")
    picture = jpeg(scene(0))
    answers: dict[str, Answer] = {
        "/0.jpg": picture,
        "/copy.jpg": picture,
        "/b.jpg": jpeg(scene(1))[:900],
    }
    with serving(answers) as host:
        lines = ["0.jpg", "gone.jpg", "b.jpg"]
        text = (
            "".join(f"{host.url}/{name}\n" for name in lines) + f"nonsense\n{host.url}/copy.jpg\n"
        )
        (folder / "l.txt").write_text(text)
        fetch(folder / "l.txt", folder / "set", retries=0)
        yield folder / "set"


def rows(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, object]]:
    assert main(["report", *words]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_every_url_of_a_list_has_a_row_in_its_order(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = rows(capsys, str(root), "--urls")
    assert [list(row) for row in found] == [KEYS] * len(found)
    assert [str(row["url"]).rpartition("/")[2] for row in found][:4] == [
        "0.jpg", "gone.jpg", "b.jpg", "nonsense",
    ]  # fmt: skip
    assert [row["rank"] for row in found][:4] == [1, 2, 3, 4]
    by_name = {str(row["url"]).rpartition("/")[2]: row for row in found}
    assert by_name["0.jpg"]["file_name"] == "l/000001.jpg"
    assert (by_name["gone.jpg"]["status"], by_name["gone.jpg"]["http_status"]) == ("failed", 404)
    assert by_name["nonsense"]["reason"] == "bad_url"
    assert all(str(row["when"]).endswith("Z") for row in found)
    report = pixtrawl.open(root).report
    assert report["totals"]["candidates"] == len(found)


def test_rows_are_chosen_by_reason_status_and_query(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = pixtrawl.open(root).report
    for reason, count in report["reasons"].items():
        found = rows(capsys, str(root), "--reason", reason)
        assert [row["reason"] for row in found] == [reason] * count
    for status in ("saved", "failed", "rejected", "skipped"):
        assert len(rows(capsys, str(root), "--status", status)) == report["totals"][status]
    assert len(rows(capsys, str(root), "--query", "l")) == report["totals"]["candidates"]
    assert rows(capsys, str(root), "--reason", "saved", "--status", "failed") == []
    several = rows(capsys, str(root), "--reason", "saved", "--reason", "bad_url")
    assert len(several) == report["reasons"]["saved"] + report["reasons"]["bad_url"]


def test_csv_has_the_same_rows_under_a_header(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = rows(capsys, str(root), "--urls")
    assert main(["report", str(root), "--urls", "--format", "csv"]) == 0
    table = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["url"] for row in table] == [row["url"] for row in lines]
    assert list(table[0]) == KEYS
    assert main(["report", str(root), "--status", "skipped", "--format", "csv"]) == 0
    assert capsys.readouterr().out == ",".join(KEYS) + "\n", "a header, also without rows"


def test_python_gets_typed_outcomes_and_a_table(root: Path) -> None:
    ds = pixtrawl.open(root)
    outcomes = ds.outcomes()
    assert len(list(outcomes)) == len(outcomes) == ds.report["totals"]["candidates"]
    assert all(isinstance(one, UrlOutcome) for one in outcomes)
    failed = list(ds.outcomes(status="failed"))
    assert [one.http_status for one in failed if one.reason == "not_found"] == [404]
    pandas = pytest.importorskip("pandas", reason="a table needs pandas")
    frame = outcomes.to_pandas()
    assert list(frame.columns) == KEYS
    assert isinstance(frame, pandas.DataFrame)
    assert list(ds.outcomes(reason="host_excluded").to_pandas().columns) == KEYS


@pytest.mark.parametrize(
    ("given", "told"),
    [({"reason": "elephants"}, "no reason"), ({"status": "fialed"}, "did you mean failed"),
     ({"query": "cat"}, "no query 'cat'")],
)  # fmt: skip
def test_a_choice_that_is_none_is_reported(root: Path, given: dict[str, str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        Outcomes(root, **given)  # type: ignore[arg-type]


def test_a_reader_that_goes_away_ends_it_quietly(root: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = warm_command.run(
        [sys.executable, "-m", "pixtrawl", "report", str(root), "--urls"],
        stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False,
    )  # fmt: skip
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_catalog_of_an_earlier_version_is_read_too(root: Path, tmp_path: Path) -> None:
    """Reading brings it up to date, or a copy of it where it may not be written."""
    old = tmp_path / "old"
    shutil.copytree(root, old)
    catalog = next(old.rglob("*.sqlite3"))
    with contextlib.closing(sqlite3.connect(catalog)) as db:
        downgrade(db, 3)
    ds = pixtrawl.open(old)
    assert [one.file_name for one in ds] == ["l/000001.jpg"]
    assert len(list(ds.outcomes())) == len(list(pixtrawl.open(root).outcomes()))
