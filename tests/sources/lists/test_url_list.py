"""Lists as a source: each query gets its own rows, broken lines are said."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pixtrawl.errors import UsageError
from pixtrawl.events import Notice
from pixtrawl.manifests.reader import read_manifest
from pixtrawl.model import Query, SourceOutcome
from pixtrawl.sources import contract
from pixtrawl.sources.contract import Ending, Replay, answer, ask
from pixtrawl.sources.lists import list_index
from pixtrawl.sources.lists.url_list import UrlList

CAT = Query("cat", "cat", 5)


def run(file: Path | str, query: Query = CAT, **more: object) -> Ending:
    http = Replay(answer("never asked"))

    async def once() -> Ending:
        source = UrlList({"file": str(file)})
        try:
            return await ask(source, http, query, **more)  # type: ignore[arg-type]
        finally:
            await source.aclose()

    ending = asyncio.run(once())
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


def test_a_file_that_is_missing_or_no_manifest_is_reported(tmp_path: Path) -> None:
    for given in ({}, {"file": str(tmp_path / "none.txt")}):
        with pytest.raises(UsageError, match="file"):
            UrlList(given)
    (tmp_path / "x.csv").write_text("name,address\na,b\n")
    assert run(tmp_path / "x.csv").outcome is SourceOutcome.UNSUPPORTED


def test_a_list_is_read_once_for_all_queries_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "many.csv"
    path.write_text("query,url\n" + "".join(f"thing {n % 300},http://a/{n}\n" for n in range(3000)))
    opened: list[Path] = []

    def counted(path: Path, **more: Any) -> Any:
        opened.append(path)
        return read_manifest(path, **more)

    monkeypatch.setattr(list_index, "read_manifest", counted)
    http = Replay(answer("never asked"))

    async def everything() -> list[Ending]:
        source = UrlList({"file": str(path)})
        try:
            queries = [Query(f"thing {n}", f"thing {n}", 5) for n in range(300)]
            return await asyncio.gather(*(ask(source, http, query) for query in queries))
        finally:
            await source.aclose()

    endings = asyncio.run(everything())
    assert opened == [path]
    for number, ending in enumerate(endings):
        urls = [candidate.url for candidate in ending.candidates]
        assert urls == [f"http://a/{n}" for n in range(number, 3000, 300)]


def test_a_query_that_no_longer_waits_does_not_stop_the_reading_for_the_others(
    tmp_path: Path,
) -> None:
    path = tmp_path / "list.csv"
    path.write_text("query,url\n" + "".join(f"cat,http://a/{n}\n" for n in range(5000)))

    async def both() -> Ending:
        source = UrlList({"file": str(path)})
        http = Replay(answer("never asked"))
        try:
            first = asyncio.create_task(ask(source, http, CAT))
            second = asyncio.create_task(ask(source, http, CAT))
            await asyncio.sleep(0)
            first.cancel()
            return await second
        finally:
            await source.aclose()

    assert len(asyncio.run(both()).candidates) == 5000


def test_a_list_that_cannot_be_read_is_said_to_every_query(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("name,address\na,b\n")

    async def both() -> list[Ending]:
        source = UrlList({"file": str(path)})
        http = Replay(answer("never asked"))
        try:
            return [await ask(source, http, CAT) for _ in range(2)]
        finally:
            await source.aclose()

    assert [one.outcome for one in asyncio.run(both())] == [SourceOutcome.UNSUPPORTED] * 2


def test_a_row_is_found_by_its_query_or_its_label_and_given_once(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(
        "query,label,url\ncat,x,http://a/1\ntiger,cat,http://a/2\ncat,cat,http://a/3\ndog,dog,http://a/4\n"
    )
    assert [c.url for c in run(path).candidates] == ["http://a/1", "http://a/2", "http://a/3"]


def test_it_keeps_the_contract_of_sources() -> None:
    contract.check_class(UrlList)
