"""Signatures of the functions: every option of the command, typed, with its default."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pixtrawl
from pixtrawl.api.arguments import AS_CONFIGURED, configured, given
from pixtrawl.cli.commands import discover as discover_command, download as download_command
from pixtrawl.config.groups import Fetch, Images
from pixtrawl.config.table import Setting, by_key, by_word
from pixtrawl.errors import UsageError

BESIDE = {"config", "settings", "set", "progress", "log", "listener"}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "run": pixtrawl.run, "discover": pixtrawl.discover, "download": pixtrawl.download,
}  # fmt: skip
TWINS: dict[str, Callable[..., Any]] = {
    "run": pixtrawl.run_async, "discover": pixtrawl.discover_async,
    "download": pixtrawl.download_async,
}  # fmt: skip
EVERY = [*FUNCTIONS.values(), *TWINS.values(), pixtrawl.export, pixtrawl.Dataset.export]


def keywords(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(function).parameters
    assert not any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    return {name: one for name, one in parameters.items() if one.kind is one.KEYWORD_ONLY}


def options(command: str) -> set[str]:
    """Words of the settings that the command has an option for."""
    keys = {
        "run": {key for key in by_key() if not key.startswith(("lists.", "models."))},
        "discover": discover_command._SETTINGS,
        "download": download_command._SETTINGS,
    }[command]
    return {by_key()[key].word for key in keys if by_key()[key].flag is not None}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_an_argument_for_every_option_of_its_command(name: str) -> None:
    beside = BESIDE | ({"out"} if name == "discover" else set())
    assert set(keywords(FUNCTIONS[name])) - beside == options(name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_defaults_are_those_of_the_settings(name: str) -> None:
    for word, parameter in keywords(FUNCTIONS[name]).items():
        if word in by_word() and (name, word) != ("download", "limit"):
            assert as_kept(parameter.default, by_word()[word]) == by_word()[word].default, word
    assert keywords(pixtrawl.download)["limit"].default is None, "every URL"


def as_kept(value: object, row: Setting) -> object:
    return (value,) if row.repeat and isinstance(value, str) else value


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_and_its_twin_have_the_same_arguments(name: str) -> None:
    one, other = inspect.signature(FUNCTIONS[name]), inspect.signature(TWINS[name])
    assert one == other
    assert inspect.iscoroutinefunction(TWINS[name])
    assert not inspect.iscoroutinefunction(FUNCTIONS[name])


def test_a_data_set_is_exported_by_the_arguments_of_the_function() -> None:
    function, method = keywords(pixtrawl.export), keywords(pixtrawl.Dataset.export)
    assert function == method


@pytest.mark.parametrize("function", EVERY, ids=lambda one: one.__qualname__)
def test_help_tells_arguments_defaults_and_units(function: Callable[..., Any]) -> None:
    own = keywords(function)
    assert len(own) >= 10
    assert "config" in own
    assert len(inspect.getdoc(function) or "") > 200
    assert all(one.annotation is not inspect.Parameter.empty for one in own.values())
    text = inspect.getdoc(function) or ""
    if not inspect.iscoroutinefunction(function):  # a twin refers to the other
        assert [word for word in own if f"    {word}: " not in text] == []
        assert all(f"{part}:" in text for part in ("Args", "Returns", "Raises", "Example"))


# -- what wins


def test_an_argument_wins_over_config_which_wins_over_file_and_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIXTRAWL_TIMEOUT", "7")
    monkeypatch.setenv("PIXTRAWL_RETRIES", "5")
    file = tmp_path / "settings.toml"
    file.write_text("[fetch]\nconnect_timeout_s = 3\nretries = 4\n[bing]\ndelay_s = 9\n")
    assert made().fetch.timeout_s == 7
    loaded = pixtrawl.Config.load(file)
    assert (loaded.fetch.connect_timeout_s, loaded.fetch.retries) == (3, 5)
    assert made(config=loaded, timeout=2).fetch == Fetch(
        timeout_s=2, retries=5, connect_timeout_s=3
    )
    assert made(config=pixtrawl.Config()).fetch == Fetch()
    assert made(config=loaded, set=["bing.delay_s=1"]).source("bing") == {"delay_s": "1"}
    assert made(config=loaded).source("bing") == {"delay_s": "9"}
    config = pixtrawl.Config(images=Images(min_size=(64, 64), decoders=1))
    assert made(config=config, min_size=None).images == Images(decoders=1)
    assert made(config=config, min_size=(9, 8)).images.min_size == (9, 8)


def made(**arguments: Any) -> pixtrawl.Config:
    return configured({"config": None, "set": (), "settings": None, **arguments})


def test_what_is_not_given_is_no_choice() -> None:
    arguments = {"limit": AS_CONFIGURED, "timeout": 3, "listener": print, "config": None}
    assert given(arguments) == {"timeout": 3, "config": None}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"limt": 3}, "() has no argument 'limt'; did you mean limit?"),
        ({"timeout_s": 3}, "() has no argument 'timeout_s'; it is called timeout"),
        ({"decoders": 1}, "config=, or here as set=[\"images.decoders=VALUE\"]"),
        ({"bing": {}}, "settings={NAME: {KEY: VALUE}}"),
        ({"config": "a.toml"}, "Config.load('a.toml')"),
        ({"config": pixtrawl.Config(sources={"bng": {}})}, "did you mean bing?"),
        ({"dedup": "neer"}, "did you mean near?"),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_reported_with_the_right_one(
    arguments: dict[str, Any], told: str
) -> None:
    for call in (pixtrawl.run, lambda *a, **k: asyncio.run(pixtrawl.run_async(*a, **k))):
        with pytest.raises(UsageError) as caught:
            call("cat", **arguments)
        assert told in str(caught.value)


def test_a_misspelt_keyword_is_a_type_error_as_it_is_everywhere_in_python() -> None:
    with pytest.raises(TypeError, match="did you mean quality"):
        pixtrawl.export("images", "csv", "out", qualty=3)  # type: ignore[call-arg]


# -- types


@pytest.fixture(scope="module")
def mypy(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    pytest.importorskip("mypy")
    folder = tmp_path_factory.mktemp("typed")

    def check(script: str) -> str:
        file = folder / "script.py"
        file.write_text(script)
        command = [
            sys.executable, "-m", "mypy", "--strict", "--config-file=", "--follow-imports=silent",
            f"--cache-dir={folder}/cache", str(file),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=280, cwd=folder)
        return done.stdout

    return check


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_mypy_checks_a_users_script(mypy: Callable[[str], str]) -> None:
    right = (
        "from pathlib import Path\n"
        "import pixtrawl\n"
        "ds = pixtrawl.run(['cat'], limit=20, output=Path('x'), min_size=(64, 64), dedup='strict',\n"
        "                  config=pixtrawl.Config.load(), source=['bing'], timeout=10)\n"
        "saved: int = ds.report.totals.saved\n"
        "first: str = ds.report.queries[0].query\n"
        "pixtrawl.download(pixtrawl.discover('cat', license='open'), limit='all', resize=64)\n"
        "ds.export('webdataset', 'out', resize=64, split={'train': 1.0})\n"
        "async def main() -> int:\n"
        "    return len(await pixtrawl.run_async('cat', limit=3))\n"
    )
    assert "Success" in mypy(right)
    wrong = (
        "import pixtrawl\n"
        "pixtrawl.run('cat', limt=3)\n"
        "pixtrawl.run('cat', dedup='neer')\n"
        "pixtrawl.run('cat', concurrency='many')\n"
        "ds = pixtrawl.download('x', url_colum='a')\n"
        "ds.export('csv', 'x', qualty=3)\n"
        "ds.report.totals.savd\n"
    )
    told = mypy(wrong)
    assert [line for line in range(2, 8) if f"script.py:{line}: error" not in told] == [], told
