"""The example of docs/write-a-source.md works as it stands there."""

from __future__ import annotations

import asyncio
import json
import re
from importlib import metadata
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pixtrawl import sources
from pixtrawl.model import Filters, Query, SourceOutcome
from pixtrawl.net.interface import Response
from pixtrawl.sources import contract

PAGE = Path(__file__).parents[2] / "docs" / "write-a-source.md"
EXAMPLE, SEARCH, TEST = re.findall(
    r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
)


def typed(name: str, text: str) -> ModuleType:
    module = ModuleType(name)
    exec(compile(text, str(PAGE), "exec"), module.__dict__)
    return module


@pytest.fixture
def example() -> ModuleType:
    return typed("example_museum", EXAMPLE)


@pytest.fixture
def search() -> ModuleType:
    return typed("example_search", SEARCH)


def museum(total: int, asked: list[str]) -> contract.Replay:
    def answer(url: str) -> Response:
        asked.append(url)
        page = int(url.rpartition("page=")[2].partition("&")[0])
        works = [
            {
                "image": f"https://img.example/{i}.jpg", "title": f"Work {i}", "painter": "Ann",
                "license": "CC0", "page": f"https://museum.example/{i}",
            }
            for i in range((page - 1) * 20, min(page * 20, total))
        ]  # fmt: skip
        body = json.dumps({"total": total, "works": works}).encode()
        return Response(url=url, status=200, headers={}, body=body)

    return contract.Replay(answer)


def test_the_example_is_short_and_pages_through_all_there_is(example: ModuleType) -> None:
    assert len(EXAMPLE.splitlines()) < 60
    asked: list[str] = []
    query = Query("tabby cat", "tabby cat", 50, Filters(aspect="tall"))
    source = example.ExampleMuseum({})
    ending = asyncio.run(contract.ask(source, museum(45, asked), query))
    assert ending.outcome is SourceOutcome.OK
    assert len(ending.candidates) == 45
    assert (ending.candidates[0].creator, ending.candidates[0].license) == ("Ann", "CC0")
    assert len(asked) == 3
    assert "search=tabby+cat&page=1&orientation=portrait" in asked[0]
    nothing = asyncio.run(contract.ask(source, museum(0, []), query))
    assert nothing.outcome is SourceOutcome.NO_RESULTS


def test_the_example_passes_the_test_that_is_shown(example: ModuleType) -> None:
    exec(compile(TEST, str(PAGE), "exec"), dict(example.__dict__))


def test_the_example_is_found_by_its_entry_point(
    example: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = re.search(r'^example_museum = "(.*)"$', PAGE.read_text("utf-8"), re.MULTILINE)
    assert line is not None
    point = EntryPoint("example_museum", line[1], "pixtrawl.sources")
    monkeypatch.setattr(EntryPoint, "load", lambda self: example.ExampleMuseum)

    def found(*, group: str, name: str | None = None) -> list[Any]:
        return [point] if name in {None, "example_museum"} else []

    monkeypatch.setattr(metadata, "entry_points", found)
    assert sources.load("example_museum") is example.ExampleMuseum
    assert sources.expand(["example_museum"], {}) == ["example_museum"]


def results(url: str) -> Response:
    number = int(url.rpartition("page=")[2].partition("&")[0])
    tiles = "".join(
        f"<a data-original='https://img.example/{number}-{i}.jpg' data-width=640 data-height=480 "
        f"href='https://pages.example/{i}'>A <b>cat</b></a>"
        for i in range(10)
    )
    more = "<a rel=next href='/'>more</a>" if number < 3 else ""
    return contract.answer(f"<html><body>{tiles}{more}</body></html>")(url)


def test_the_example_of_a_site_is_short_and_walks_through_its_pages(search: ModuleType) -> None:
    assert len(SEARCH.splitlines()) < 90
    http = contract.Replay(results)
    query = Query("tabby cat", "tabby cat", 50, Filters(color="gray"))
    ending = asyncio.run(contract.ask(search.ExampleSearch({}), http, query))
    assert ending.outcome is SourceOutcome.OK
    assert [one.rank for one in ending.candidates] == list(range(1, 31))
    first = ending.candidates[0]
    assert (first.title, first.width, first.page_url) == ("A cat", 640, "https://pages.example/0")
    assert http.asked[0] == "https://search.example/pictures?q=tabby+cat&page=1&tone=grey"
    assert len(http.asked) == 3
    nothing = contract.Replay(contract.answer("<html><body><p class='no-results'>None</p>"))
    assert (
        asyncio.run(contract.ask(search.ExampleSearch({}), nothing)).outcome
        is SourceOutcome.NO_RESULTS
    )


def test_the_example_of_a_site_keeps_the_contract(search: ModuleType) -> None:
    exec(
        compile(TEST.replace("ExampleMuseum", "ExampleSearch"), str(PAGE), "exec"),
        dict(search.__dict__),
    )


@pytest.mark.parametrize(
    ("name", "lines"),
    [("api/cleveland", 60), ("api/artic", 60), ("web/naver", 90), ("web/brave", 90)],
)
def test_the_sources_that_are_shown_as_examples_are_as_short_as_one_may_be(
    name: str, lines: int
) -> None:
    assert f"{name.partition('/')[2]}.py" in PAGE.read_text("utf-8")
    source = PAGE.parents[1] / "src" / "pixtrawl" / "sources" / f"{name}.py"
    assert len(source.read_text("utf-8").splitlines()) <= lines
