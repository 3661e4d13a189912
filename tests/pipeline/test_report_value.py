"""The report as a typed value, and that its JSON is what the command prints."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

import pixtrawl
from pixtrawl.cli.main import main
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.pipeline.report import build
from pixtrawl.report import Report
from tests.display.reports import report_of
from tests.pipeline.pictures import Answer, fetch, manifest, png, scene, serving


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tmp_path = tmp_path_factory.mktemp("report")
    answers: dict[str, Answer] = {f"/{n}.png": png(scene(n)) for n in range(4)}
    with serving(answers) as host:
        rows = [("cat", f"{host.url}/{n}.png") for n in range(3)]
        rows += [("dog", f"{host.url}/3.png"), ("dog", f"{host.url}/absent.png")]
        return fetch(manifest(tmp_path / "m.jsonl", rows), tmp_path / "set", limit=3).root


def test_its_json_is_what_the_command_prints(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(root), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    told = pixtrawl.open(root).report.to_dict()
    assert told == printed
    assert list(told) == list(printed)
    assert msgspec.json.decode(msgspec.json.encode(told)) == told, "plain values only"


def test_fields_have_the_names_of_the_json(root: Path) -> None:
    report = pixtrawl.open(root).report
    assert (report.totals.saved, report.totals.candidates) == (4, 5)
    assert [(one.query, one.saved, one.is_short) for one in report.queries] == [
        ("cat", 3, False), ("dog", 1, True),
    ]  # fmt: skip
    assert report.reasons == {"saved": 4, "not_found": 1}
    assert "export" not in report.to_dict()
    told = report.to_dict()
    assert [report[name] for name in told] == list(told.values())
    anything: object = report
    assert isinstance(anything, Mapping)
    assert (dict(anything), list(anything), len(anything)) == (told, list(told), len(told))
    assert len(repr(report)) < 200
    assert report["queries"][1]["sources"] == told["queries"][1]["sources"]
    with pytest.raises(KeyError):
        report["saved"]


@pytest.mark.parametrize(
    ("told", "shown"),
    [({"bad_lines": 0}, True), ({"bad_lines": None}, False), ({"evidence_command": "x"}, True),
     ({"evidence_command": None}, False)],
)  # fmt: skip
def test_what_is_there_sometimes_is_left_out_where_there_is_nothing(
    told: dict[str, object], shown: bool
) -> None:
    (name,) = told
    assert (name in report_of(**told).to_dict()) is shown


def test_a_report_goes_through_json_and_back() -> None:
    query = {"query": "cat", "label": "cat", "wanted": 3, "saved": 1, "filters": {"size": "large"},
             "slices": [{"source": "bing", "slice": "x", "outcome": "ok", "found": 3, "new": 1}],
             "sources": {"bing": {"outcome": None, "found": 0, "detail": {"kind": "captcha"}}}}  # fmt: skip
    report = report_of(queries=[query], bad_lines=2)
    assert Report.of(json.loads(json.dumps(report.to_dict()))) == report
    with pytest.raises(msgspec.ValidationError):
        Report.of({**report.to_dict(), "unheard_of": 1})


@pytest.mark.parametrize("before", ["", "robots.txt: "])
def test_a_failed_tls_connection_is_counted_by_its_cause(root: Path, before: str) -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        with contextlib.closing(sqlite3.connect(Folder(root).catalog)) as kept:
            kept.backup(db)
        db.execute(
            "UPDATE candidate SET reason = 'tls_failed', detail = ? WHERE url LIKE '%absent.png'",
            (f"{before}self-signed certificate: of 127.0.0.1",),
        )
        rows = [row_id for (row_id,) in db.execute("SELECT id FROM query")]
        report = build(db, Folder(root), rows)
    assert report.causes == {"tls_failed": {"self-signed certificate": 1}}
