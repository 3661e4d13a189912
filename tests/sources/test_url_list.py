"""Lists as a source: each query gets its own rows, broken lines are said."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pixtrawl.errors import UsageError
from pixtrawl.events import Notice
from pixtrawl.model import Query, SourceOutcome
from pixtrawl.sources import contract
from pixtrawl.sources.contract import Ending, Replay, answer, ask
from pixtrawl.sources.lists.url_list import UrlList

CAT = Query("cat", "cat", 5)


def run(file: Path | str, query: Query = CAT, **more: object) -> Ending:
    http = Replay(answer("never asked"))
    ending = asyncio.run(ask(UrlList({"file": str(file)}), http, query, **more))  # type: ignore[arg-type]
    assert http.asked == []
    return ending


def test_a_query_gets_its_own_rows_of_a_manifest(tmp_path: Path) -> None:
    path = tmp_path / "keyword_urls.txt"
    path.write_text("{'cat': ['http://a/1', 'http://a/2'], 'dog': ['http://a/3']}")
    assert [c.url for c in run(path).candidates] == ["http://a/1", "http://a/2"]
    assert [c.url for c in run(path, Query("dog", "dogs", 5)).candidates] == ["http://a/3"]
    assert run(path, Query("cow", "cow", 5)).outcome is SourceOutcome.NO_RESULTS


def test_a_file_for_each_label_needs_no_names_inside(tmp_path: Path) -> None:
    (tmp_path / "cat.txt").write_text("http://a/1\nhttp://a/2\n")
    ending = run(tmp_path / "{label}.txt")
    assert [(c.url, c.query, c.label) for c in ending.candidates] == [
        ("http://a/1", "cat", "cat"), ("http://a/2", "cat", "cat"),
    ]  # fmt: skip
    assert run(tmp_path / "{label}.txt", Query("dog", "dog", 5)).outcome is SourceOutcome.NO_RESULTS


def test_a_later_run_goes_on_after_the_rows_it_had(tmp_path: Path) -> None:
    path = tmp_path / "cat.txt"
    path.write_text("\n".join(f"http://a/{number}" for number in range(450)))
    first = run(path, max_pages=1)
    assert len(first.candidates) == 200
    rest = run(path, position=first.pages[-1].position)
    assert [c.url for c in rest.candidates] == [f"http://a/{number}" for number in range(200, 450)]
    assert run(path, position=rest.pages[-1].position).outcome is SourceOutcome.OK


def test_broken_lines_are_said_and_cost_themselves_only(tmp_path: Path) -> None:
    path = tmp_path / "cat.jsonl"
    path.write_text('{"url": "http://a/1"}\n' + "{\n" * 9 + '{"url": "http://a/2"}\n')
    ending = run(path)
    assert [c.url for c in ending.candidates] == ["http://a/1", "http://a/2"]
    said = [one.message for one in ending.events if isinstance(one, Notice)]
    assert said[0] == "cat.jsonl:2: is no JSON"
    assert said[-1] == "cat.jsonl: 9 broken lines in all"


def test_a_file_that_is_missing_or_no_manifest_is_told(tmp_path: Path) -> None:
    for given in ({}, {"file": str(tmp_path / "none.txt")}):
        with pytest.raises(UsageError, match="file"):
            UrlList(given)
    (tmp_path / "x.csv").write_text("name,address\na,b\n")
    assert run(tmp_path / "x.csv").outcome is SourceOutcome.UNSUPPORTED


def test_it_keeps_the_contract_of_sources() -> None:
    contract.check_class(UrlList)
