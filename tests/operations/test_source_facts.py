"""What is known of sources, and what only the user can answer, as values."""

from __future__ import annotations

import msgspec
import pytest

from pixtrawl import sources
from pixtrawl.config.groups import Config, Job
from pixtrawl.errors import UsageError
from pixtrawl.operations.questions import questions
from pixtrawl.operations.source_facts import groups, source_facts


def test_every_source_has_its_facts_and_they_are_plain_values() -> None:
    found = source_facts([], {})
    assert [one.name for one in found] == sources.available()
    for one in found:
        assert one.title
        assert one.sentence
        assert {setting.key for setting in one.settings} >= {"base_url", "delay_s", "enabled"}
    assert msgspec.json.decode(msgspec.json.encode(found))[0]["name"] == found[0].name


def test_a_group_stands_for_its_members_and_a_wrong_name_is_reported() -> None:
    assert [one.name for one in source_facts(["open"], {})] == list(groups({}).open)
    with pytest.raises(UsageError, match="nosuch"):
        source_facts(["nosuch"], {})


def test_a_source_that_is_switched_on_is_in_its_groups() -> None:
    (off,) = source_facts(["google"], {})
    assert (off.groups, bool(off.groups_if_enabled)) == ((), True)
    (on,) = source_facts(["google"], {"google": {"enabled": "true"}})
    assert on.groups == off.groups_if_enabled


def test_a_key_that_is_missing_is_a_secret_question(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLICKR_API_KEY", raising=False)
    config = Config(job=Job(sources=("flickr",)))
    asked = {one.setting: one for one in questions(config)}
    assert asked["flickr.key"].secret
    assert "FLICKR_API_KEY" in asked["flickr.key"].why
    given = Config(job=Job(sources=("flickr",)), sources={"flickr": {"key": "abc"}})
    assert "flickr.key" not in {one.setting for one in questions(given)}


def test_a_source_of_the_group_that_must_be_switched_on_is_a_choice_with_a_default() -> None:
    (one,) = [q for q in questions(Config()) if q.setting == "google.enabled"]
    assert one.default == "false"
    assert [choice.value for choice in one.choices] == ["false", "true"]
    on = Config(sources={"google": {"enabled": "true"}})
    assert "google.enabled" not in {q.setting for q in questions(on)}
