"""Every line of a list ends in an outcome: those that cannot be read, too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import pixtrawl
from pixtrawl.cli.main import main
from tests.pipeline.pictures import jpeg, scene, serving

pytestmark = [pytest.mark.timeout(90), pytest.mark.filterwarnings("ignore")]


def download(path: Path, output: Path, **more: Any) -> pixtrawl.Dataset:
    return pixtrawl.download(path, output=output, allow_address="127.0.0.0/8", retries=0, **more)


def test_each_broken_line_has_a_row_with_its_place_and_its_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, output = tmp_path / "l.jsonl", tmp_path / "set"
    with serving({"/0.jpg": jpeg(scene(0))}) as host:
        lines = [
            "{", json.dumps({"url": f"{host.url}/0.jpg", "query": "cat"}), "{", "[1]",
            json.dumps({"url": "nonsense", "query": "cat"}), json.dumps({"url": "ftp://a.test/1"}),
            json.dumps({"query": "cat"}),
        ]  # fmt: skip
        path.write_text("\n".join(lines) + "\n")
        done = download(path, output)
        again = download(path, output)
    for dataset in (done, again):
        totals = dataset.report["totals"]
        assert totals["candidates"] == len(lines)
        assert (totals["saved"], totals["rejected"]) == (1, len(lines) - 1)
        reasons = {"saved": 1, "bad_url": len(lines) - 2, "scheme_refused": 1}
        assert dataset.report["reasons"] == reasons
    capsys.readouterr()
    assert main(["report", str(output), "--reason", "bad_url"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    places = {row["rank"]: row["detail"] for row in rows if row["url"] != "nonsense"}
    assert sorted(places) == [1, 3, 4, 7]
    assert all(f"l.jsonl:{rank}: " in detail for rank, detail in places.items())
    assert {row["rank"]: row["query"] for row in rows if row["url"] != "nonsense"} == {
        1: "cat",
        3: "cat",
        4: "cat",
        7: "l",
    }  # that of the lines around it
    assert [row["url"] for row in rows if row["rank"] == 4] == ["[1]"]


def test_a_list_of_nothing_but_broken_lines_has_outcomes_under_its_name(tmp_path: Path) -> None:
    path = tmp_path / "l.jsonl"
    path.write_text("{\n" * 3)
    report = download(path, tmp_path / "set").report
    assert report["totals"]["rejected"] == report["totals"]["candidates"] == 3
    assert [query["query"] for query in report["queries"]] == ["l"]


def test_where_something_failed_the_verdict_names_the_way_to_each_url(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "l.txt"
    with serving({"/0.jpg": jpeg(scene(0))}) as host:
        words = [
            "download",
            str(path),
            "-o",
            str(tmp_path / "set"),
            "--allow-address",
            "127.0.0.0/8",
        ]
        path.write_text(f"{host.url}/0.jpg\n")
        assert main(words) == 0
        said = capsys.readouterr()
        assert "--urls" not in said.out + said.err
        path.write_text(f"{host.url}/0.jpg\n{host.url}/gone.jpg\n")
        assert main(words) == 0
    said = capsys.readouterr()
    assert f"pixtrawl report {tmp_path / 'set'} --urls" in said.out + said.err
