"""The table of sources: loaded on use, groups by what is switched on, unknown names explained."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from importlib.metadata import EntryPoint

import pytest

from pixtrawl import sources
from pixtrawl.errors import UsageError


def test_auto_asks_google_only_when_it_is_switched_on() -> None:
    on, off = {"enabled": "true"}, {"enabled": "no"}
    assert sources.expand(["auto"], {}) == ["bing", "ecosia"]
    assert sources.expand(["auto"], {"google": on}) == ["bing", "google", "ecosia"]
    assert sources.expand(["auto"], {"google": off}) == ["bing", "ecosia"]
    assert sources.expand(["google"], {}) == ["google"]
    assert sources.expand(["auto"], {"bing": off, "google": on}) == ["google", "ecosia"]
    assert sources.expand(["google", "auto", "google"], {}) == ["google", "bing", "ecosia"]


def test_what_is_known_from_documents_alone_joins_a_group_only_when_switched_on() -> None:
    for group in sources.GROUPS:
        for name in sources.expand([group], {}):
            assert sources.load(name).info.verified != "documented only"
    on = {"openverse": {"enabled": "true"}}
    assert sources.expand(["open"], on)[0] == "openverse"


def test_a_source_that_stands_in_for_others_is_asked_last_unless_it_was_named() -> None:
    assert sources.asked_last(["auto"]) == {"ecosia"}
    assert sources.asked_last(["auto", "ecosia"]) == frozenset()
    assert sources.asked_last(["bing"]) == frozenset()


def test_a_group_that_leaves_nobody_to_ask_is_an_error() -> None:
    off = {"enabled": "false"}
    with pytest.raises(UsageError, match="'auto'"):
        sources.expand(["auto"], {"bing": off, "ecosia": off})
    with pytest.raises(UsageError, match=r"bing\.enabled"):
        sources.expand(["auto"], {"bing": {"enabled": "perhaps"}})


def test_an_unknown_name_is_met_with_one_that_is_spelled_alike() -> None:
    with pytest.raises(UsageError, match=r"'bingo'; did you mean 'bing'\?"):
        sources.load("bingo")
    with pytest.raises(UsageError, match="'bingo'"):
        sources.expand(["bingo"], {})
    with pytest.raises(UsageError, match=r"there are: .*bing, .*google"):
        sources.load("qqqqqqq")


def test_another_package_adds_a_source_but_cannot_replace_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    points = [
        EntryPoint("mine", "pixtrawl.sources.bing:Bing", "pixtrawl.sources"),
        EntryPoint("bing", "nowhere:Evil", "pixtrawl.sources"),
        EntryPoint("broken", "nowhere.at.all:Source", "pixtrawl.sources"),
    ]

    def found(*, group: str, name: str | None = None) -> list[EntryPoint]:
        return [point for point in points if name is None or point.name == name]

    monkeypatch.setattr(metadata, "entry_points", found)
    assert {"mine", "broken"} < set(sources.available())
    assert sources.available().count("bing") == 1
    assert sources.load("mine") is sources.load("bing")
    assert sources.expand(["mine"], {}) == ["mine"]
    with pytest.raises(UsageError, match=r"'broken'.*cannot be loaded"):
        sources.load("broken")


def test_listing_and_choosing_sources_imports_none_of_them() -> None:
    code = (
        "import sys; from pixtrawl import sources; sources.available(); sources.expand(['auto'], {});"
        "print([m for m in sys.modules if m in ('selectolax', 'playwright', 'pixtrawl.sources.bing')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
