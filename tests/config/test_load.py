"""Who sets what, and what a mistake says."""

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from pixtrawl.config.load import KnownSources, Loaded, load
from pixtrawl.config.table import by_word, shown_setting, table
from pixtrawl.errors import UsageError

KNOWN = KnownSources({"bing", "google", "google_cse"}, lambda name: ["pages", "key"])

Load = Callable[..., Loaded]


@pytest.fixture
def read(tmp_path: Path) -> Load:
    """`load`, with no user's file unless the test writes one to `user.toml`."""

    def call(
        cli: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
        config: str | None = None,
        user: str | None = None,
    ) -> Loaded:
        user_file = tmp_path / "user.toml"
        if user is not None:
            user_file.write_text(user, "utf-8")
        config_file = None
        if config is not None:
            config_file = tmp_path / "given.toml"
            config_file.write_text(config, "utf-8")
        return load(
            cli or {},
            environ=environ or {},
            config_file=config_file,
            user_file=user_file,
            known=KNOWN,
        )

    return call


def test_without_anything_every_setting_has_its_default(read: Load) -> None:
    loaded = read()
    assert loaded.config.job.limit == 100
    assert loaded.config.fetch.timeout_s == 30
    assert set(loaded.origins) == {row.key for row in table()}
    assert set(loaded.origins.values()) == {"default"}


def test_a_later_place_wins_over_an_earlier_one(read: Load) -> None:
    user, config = "limit = 1\ntimeout = 1\nretries = 1\nper_host = 1", "[job]\nlimit = 2\n"
    config += "[fetch]\ntimeout_s = 2\nretries = 2\n"
    environ = {"PIXTRAWL_LIMIT": "3", "PIXTRAWL_TIMEOUT": "3"}
    loaded = read({"job.limit": "4"}, environ, config, user)
    assert loaded.config.job.limit == 4
    assert loaded.config.fetch.timeout_s == 3
    assert loaded.config.fetch.retries == 2
    assert loaded.config.politeness.per_host == 1
    assert loaded.origins["job.limit"] == "command line --limit"
    assert loaded.origins["fetch.timeout_s"] == "environment PIXTRAWL_TIMEOUT"
    assert loaded.origins["fetch.retries"].endswith("given.toml, key fetch.retries")
    assert loaded.origins["politeness.per_host"].endswith("user.toml, key per_host")


def test_the_variable_names_a_settings_file_where_no_option_does(
    read: Load, tmp_path: Path
) -> None:
    file = tmp_path / "named.toml"
    file.write_text("limit = 7")
    environ = {"PIXTRAWL_CONFIG": str(file)}
    assert read(environ=environ).config.job.limit == 7
    assert read(environ=environ, config="limit = 8").config.job.limit == 8


def test_a_file_in_the_current_folder_is_not_read(
    read: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("pixtrawl.toml", "config.toml"):
        (tmp_path / name).write_text('proxy = "http://evil.example"')
    assert read().config.fetch.proxy is None


def test_native_values_of_a_file_are_understood(read: Load) -> None:
    config = """
        sources = ["google", "bing"]
        [fetch]
        timeout = 2.5
        max_bytes = "2M"
        allow_address = ["127.0.0.0/8", "::1/128"]
        [politeness]
        ignore_robots = true
        [images]
        min_size = [64, 48]
        [filters]
        size = "large"
    """
    loaded = read(config=config).config
    assert loaded.job.sources == ("google", "bing")
    assert loaded.fetch.timeout_s == 2.5
    assert loaded.fetch.max_bytes == 2 * 2**20
    assert loaded.fetch.allow_address == ("127.0.0.0/8", "::1/128")
    assert loaded.politeness.ignore_robots is True
    assert loaded.images.min_size == (64, 48)
    assert loaded.filters.size == "large"


def test_a_list_in_the_environment_is_separated_by_commas(read: Load) -> None:
    environ = {"PIXTRAWL_SOURCE": "bing, google", "PIXTRAWL_EXCLUDE_HOST": "a.example,b.example"}
    loaded = read(environ=environ).config
    assert loaded.job.sources == ("bing", "google")
    assert loaded.politeness.exclude_host == ("a.example", "b.example")


def test_an_empty_variable_is_an_unset_one(read: Load) -> None:
    assert read(environ={"PIXTRAWL_TIMEOUT": ""}).origins["fetch.timeout_s"] == "default"


def test_all_means_no_limit(read: Load) -> None:
    assert read({"limit": "all"}).config.job.limit is None
    assert read({"limit": None}).config.job.limit is None


@pytest.mark.parametrize(
    "config",
    ['[google]\nbase_url = "http://x"', '[sources.google]\nbase_url = "http://x"'],
)
def test_a_source_is_set_from_the_file(read: Load, config: str) -> None:
    assert read(config=config).config.source("google") == {"base_url": "http://x"}


def test_a_source_is_set_from_the_environment_by_its_longest_name(read: Load) -> None:
    environ = {"PIXTRAWL_GOOGLE_BASE_URL": "http://a", "PIXTRAWL_GOOGLE_CSE_KEY": "k"}
    loaded = read(environ=environ)
    assert loaded.config.sources == {"google": {"base_url": "http://a"}, "google_cse": {"key": "k"}}
    assert loaded.origins["google_cse.key"] == "environment PIXTRAWL_GOOGLE_CSE_KEY"


def test_set_reaches_sources_and_settings_without_an_option(read: Load) -> None:
    texts = ["google.base_url=http://h/?a=b", "fetch.max_redirects=3", "max_pixels=1000"]
    loaded = read({"set": texts}).config
    assert loaded.source("google") == {"base_url": "http://h/?a=b"}
    assert loaded.fetch.max_redirects == 3
    assert loaded.images.max_pixels == 1000


@pytest.mark.parametrize(
    ("places", "words"),
    [
        ({"config": "limt = 5"}, ["given.toml, key limt", "did you mean limit?"]),
        ({"config": "[fetch]\ntimout = 5"}, ["key fetch.timout", "did you mean fetch.timeout"]),
        ({"config": "[fetch]\ntimeout = 'x'"}, ["given.toml, key fetch.timeout", "is no time"]),
        ({"config": "[fetch]\ntimeout = [1, 2]"}, ["key fetch.timeout", "not a list"]),
        ({"config": "[gogle]\nx = 1"}, ["key gogle.x", "did you mean google?"]),
        ({"config": "sources = {google = 1}"}, ["key sources.google", "table"]),
        ({"config": "limit = "}, ["given.toml", "no valid TOML"]),
        ({"user": "dedup = 'nera'"}, ["user.toml, key dedup", "did you mean near?"]),
        ({"environ": {"PIXTRAWL_RETRIES": "-1"}}, ["environment PIXTRAWL_RETRIES", "whole"]),
        (
            {"environ": {"PIXTRAWL_GOOGLE_BASE": "x"}},
            ["environment PIXTRAWL_GOOGLE_BASE", "did you mean google.base_url?"],
        ),
        ({"cli": {"limit": "0"}}, ["command line --limit", "'all'"]),
        ({"cli": {"limt": "5"}}, ["did you mean limit?"]),
        ({"cli": {"set": ["google"]}}, ["--set google", "NAME=VALUE"]),
        ({"cli": {"set": ["gogle.key=secret"]}}, ["--set gogle.key", "google"]),
        ({"cli": {"set": ["google.kee=secret"]}}, ["did you mean google.key?"]),
        ({"cli": {"date": "2024-05-01..2024-04-01"}}, ["--date", "ends before"]),
        ({"cli": {"site": "http://x.org/"}}, ["--site", "host name"]),
    ],
)
def test_a_mistake_names_its_place_and_the_likely_word(
    read: Load, places: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(UsageError) as caught:
        read(**places)
    message = str(caught.value)
    assert "\n" not in message.strip()
    assert "secret" not in message
    for word in words:
        assert word in message


def test_a_missing_settings_file_names_the_option(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--config .*none\.toml: No such file"):
        load({}, environ={}, config_file=tmp_path / "none.toml", user_file=tmp_path / "no")


def test_a_wrong_value_is_reported_even_where_a_later_place_overrides_it(read: Load) -> None:
    with pytest.raises(UsageError, match="key limit"):
        read({"limit": "5"}, config="limit = 'many'")


def test_an_unknown_variable_is_reported_and_ignored(read: Load) -> None:
    loaded = read(environ={"PIXTRAWL_LIMTI": "5", "PIXTRAWL_CHROME": "/usr/bin/chromium"})
    assert loaded.warnings == (
        "environment PIXTRAWL_LIMTI is no setting and is ignored; did you mean PIXTRAWL_LIMIT?",
    )


def test_no_word_stands_for_two_settings() -> None:
    words = [word for row in table() for word in row.words]
    assert len(words) == len(set(words))


def test_every_default_written_as_text_is_read_as_itself(read: Load) -> None:
    for row in table():
        text = shown_setting(row, row.default)
        if text:
            loaded = read({row.key: text})
            assert getattr(getattr(loaded.config, row.group), row.name) == row.default, row.key


@given(st.sampled_from(sorted(by_word())), st.text(max_size=30))
def test_any_text_is_a_value_or_a_usage_error(word: str, text: str) -> None:
    with contextlib.suppress(UsageError):
        loaded = load({word: text}, environ={}, user_file=Path("/nonexistent"))
        assert loaded.origins[by_word()[word].key].startswith("command line")
