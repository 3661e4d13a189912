"""`pixtrawl publish` and `ds.publish`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import pixtrawl
from pixtrawl.cli.main import main
from pixtrawl.config.groups import Config, Publish
from pixtrawl.playground import Playground
from tests.publishing.hub_double import WRITER, HubDouble

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the client


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("set") / "images"
    with Playground(supply=6) as site:
        pixtrawl.run(
            ["cat", "steam train"], source="bing", settings={"bing": {"base_url": site.url}},
            limit=3, output=output, allow_address="127.0.0.0/24",
        )  # fmt: skip
    return output


def typed(folder: Path, hub: HubDouble, tmp_path: Path, *words: str) -> int:
    return main(
        ["publish", str(folder), "hf://me/set", "--set", f"publish.hub_url={hub.url}",
         "--set", f"publish.staging={tmp_path / 'staging'}", *words]
    )  # fmt: skip


def test_the_command_refuses_then_shows_then_sends_then_is_up_to_date(
    folder: Path, hub: HubDouble, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(folder, hub, tmp_path) == 2
    assert "6 images must not be passed on: 6 whose rights are unknown" in capsys.readouterr().err
    assert typed(folder, hub, tmp_path, "--allow-unknown-rights", "--dry-run") == 0
    shown = capsys.readouterr().out
    assert "new" in shown.splitlines()[2]
    for word in ("changed", "same", "removed", "pretty_name:", "data/train-", "nothing was sent"):
        assert word in shown
    assert not hub.commits
    assert typed(folder, hub, tmp_path, "--allow-unknown-rights") == 0
    assert "6 images;" in capsys.readouterr().out
    assert typed(folder, hub, tmp_path, "--allow-unknown-rights") == 0
    assert "is up to date" in capsys.readouterr().out
    assert typed(folder, hub, tmp_path, "--allow-unknown-rights", "--dry-run", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["totals"]["new"]["files"] == 0
    assert told["card"].startswith("---")


def test_the_command_never_shows_the_token(
    folder: Path, hub: HubDouble, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.owners = set()
    for words in ((), ("--allow-unknown-rights",), ("--allow-unknown-rights", "--json")):
        assert typed(folder, hub, tmp_path, *words) == 2
    shown = capsys.readouterr()
    assert WRITER not in shown.out + shown.err
    assert shown.err.count("\n") == 3, "one line each"


def test_from_python_the_same_is_a_value(folder: Path, hub: HubDouble, tmp_path: Path) -> None:
    place = Publish(hub_url=hub.url, staging=str(tmp_path / "staging"))
    ds = pixtrawl.open(folder).filter(label="cat")
    done = ds.publish("hf://me/cats", config=Config(publish=place), allow_unknown_rights=True)
    assert done.images == 3
    assert done.url == f"{hub.url}/datasets/me/cats"
    assert "me/cats" in hub.commits


def test_the_hub_s_own_variable_names_it(
    folder: Path, hub: HubDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIXTRAWL_PUBLISH_FOLDER", str(tmp_path / "staging"))
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)  # read when it is imported
    assert main(["publish", str(folder), "hf://me/set", "--allow-unknown-rights"]) == 0
    assert "me/set" in hub.commits
