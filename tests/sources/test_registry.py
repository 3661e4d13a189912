"""The table of sources: loaded on use, groups by what is switched on, unknown names explained."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from importlib.metadata import EntryPoint

import pytest

from pixtrawl import sources
from pixtrawl.errors import UsageError
from pixtrawl.sources import table
from pixtrawl.sources.api.json_source import ApiSearch, Batch, JsonSource, Place, key_setting
from pixtrawl.sources.base import SourceInfo


def test_auto_asks_four_places_without_a_key_and_google_only_when_it_is_switched_on() -> None:
    on, off = {"enabled": "true"}, {"enabled": "no"}
    plain = ["bing", "openverse", "wikimedia", "ecosia"]
    assert sources.expand(["auto"], {}) == plain
    assert sources.expand(["auto"], {"google": on}) == [*plain, "google"]
    assert sources.expand(["auto"], {"google": off}) == plain
    assert sources.expand(["google"], {}) == ["google"]
    assert sources.expand(["auto"], {"bing": off, "google": on}) == [*plain[1:], "google"]
    assert sources.expand(["google", "auto", "google"], {}) == ["google", *plain]


def test_openverse_and_gbif_are_asked_by_their_groups_without_being_switched_on() -> None:
    assert sources.expand(["open"], {})[0] == "openverse"
    assert sources.expand(["species"], {}) == ["inaturalist", "gbif", "wikimedia"]
    off = {"openverse": {"enabled": "false"}}
    assert "openverse" not in sources.expand(["open", "auto"], off)


def test_a_group_stays_on_this_computer_where_a_member_is_pointed_there() -> None:
    for address in ("http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000/x"):
        assert sources.expand(["auto"], {"bing": {"base_url": address}}) == ["bing"]
    here = {"base_url": "http://127.0.0.1:9"}
    both = {"wikimedia": here, "bing": here}
    assert sources.expand(["auto"], both) == ["bing", "wikimedia"]
    assert sources.expand(["auto", "met"], both) == ["bing", "wikimedia", "met"]
    for elsewhere in ("https://bing.example", "no address", "http://[127.0.0.1"):
        assert len(sources.expand(["auto"], {"bing": {"base_url": elsewhere}})) == 4


def test_what_is_known_from_documents_alone_joins_a_group_only_when_switched_on() -> None:
    for group in sources.GROUPS:
        for name in sources.expand([group], {}):
            assert sources.load(name).info.verified != "documented only"


def test_groups_are_declared_in_one_place_and_every_row_leads_to_the_source_of_its_name() -> None:
    for name, row in table.ROWS.items():
        assert sources.load(name).name == name
        assert set(row.groups) == {
            group for group, names in sources.GROUPS.items() if name in names
        }
        assert row.only_with in {"", "enabled", "key", "url"}
        if row.only_with == "key":
            assert row.key_variable


def test_a_group_that_leaves_nobody_to_ask_is_an_error() -> None:
    off = {name: {"enabled": "false"} for name in sources.GROUPS["auto"]}
    with pytest.raises(UsageError, match="'auto'"):
        sources.expand(["auto"], off)
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
        EntryPoint("mine", "pixtrawl.sources.web.bing:Bing", "pixtrawl.sources"),
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
        "print([m for m in sys.modules if m in ('selectolax', 'playwright', 'pixtrawl.sources.web.bing')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


class Keyed(JsonSource):
    """A source of another package that wants a key."""

    name = "keyed_example"
    info = SourceInfo(
        title="Keyed", base_url="http://keyed.test", sentence="x", needs=("key",),
        settings=(key_setting("keyed_example"),),
    )  # fmt: skip

    async def batch(self, search: ApiSearch, place: Place) -> Batch:
        return Batch(empty=True)


def test_a_source_of_another_package_gets_its_key_from_a_setting_or_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sources, "load", lambda name: Keyed)
    assert Keyed({}).key == ""
    assert sources.missing("keyed_example", {}) == [
        (
            "keyed_example needs a key: --set keyed_example.key=... or the environment variable "
            "KEYED_EXAMPLE_API_KEY"
        )
    ]
    assert Keyed({"key": "from-a-setting"}).key == "from-a-setting"
    monkeypatch.setenv("KEYED_EXAMPLE_API_KEY", "from-outside")
    assert Keyed({}).key == "from-outside"
    assert sources.missing("keyed_example", {}) == []
    assert {one.key for one in Keyed.info.settings} == {"base_url", "delay_s", "enabled", "key"}
