"""The User-Agent: what it names, and when its user is asked for a contact."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

import pixtrawl
from pixtrawl import sources
from pixtrawl.config import parse
from pixtrawl.config.groups import Config, Fetch
from pixtrawl.config.user_agent import ABOUT_URL, has_contact, user_agent
from pixtrawl.operations.checks import contact
from pixtrawl.operations.questions import questions
from pixtrawl.sources.contact import contact_wanted

ROOT = Path(__file__).parents[2]
OURS = f"pixtrawl/{pixtrawl.__version__} (+{ABOUT_URL}"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, f"{OURS})"),
        ({"contact": "ann@example.org"}, f"{OURS}; ann@example.org)"),
        ({"user_agent": "mine/2"}, "mine/2"),
        ({"user_agent": "mine/2", "contact": "https://a.test/me"}, "mine/2 (https://a.test/me)"),
        ({"user_agent": "mine/2 (+a@b.c)", "contact": "a@b.c"}, "mine/2 (+a@b.c)"),
    ],
)
def test_the_header_names_the_program_its_page_and_the_user_s_contact(
    given: dict[str, Any], expected: str
) -> None:
    assert user_agent(Fetch(**given)) == expected


def test_the_page_is_that_of_the_project_and_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["urls"]["Bot"] == ABOUT_URL
    assert ABOUT_URL.startswith(project["urls"]["Repository"])
    page = ROOT / ABOUT_URL.partition("/main/")[2]
    shown = " ".join(page.read_text("utf-8").split())
    assert user_agent(Fetch(contact="ann@example.org")) in shown


@pytest.mark.parametrize(
    "text", ["ann@example.org", "a.b+c@x.example", "https://example.org/me?x=1", "http://me.test/"]
)
def test_an_address_is_taken_as_it_is(text: str) -> None:
    assert parse.contact(f" {text} ") == text


@pytest.mark.parametrize(
    "text", ["", "ann", "@", "ann@", "a b@c.d", "ftp://a.test/", "a@b.c\nX: 1", "https://a.test/) x", "ä@b.c"]
)  # fmt: skip
def test_what_reaches_nobody_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no e-mail address and no http"):
        parse.contact(text)


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ({}, False), ({"contact": "a@b.c"}, True), ({"user_agent": "mine/2"}, False),
        ({"user_agent": "mine/2 (a@b.c)"}, True), ({"user_agent": "mine (+https://a.test)"}, True),
    ],
)  # fmt: skip
def test_doctor_asks_for_a_contact_until_there_is_one(given: dict[str, Any], known: bool) -> None:
    fetch = Fetch(**given)
    assert has_contact(fetch) is known
    (check,) = contact(Config(fetch=fetch))
    assert (check.status == "ok") is known
    asked = [one.setting for one in questions(Config(fetch=fetch))]
    assert ("fetch.contact" in asked) is not known
    if not known:
        assert "no contact is set" in check.detail
        assert "--contact" in check.next_step
        assert "PIXTRAWL_CONTACT" in check.next_step


@pytest.mark.parametrize(
    ("names", "config", "told"),
    [
        (["bing", "wikimedia"], Config(), True),
        (["bing"], Config(), False),
        (["wikimedia"], Config(fetch=Fetch(contact="a@b.c")), False),
        (["wikimedia"], Config(sources={"wikimedia": {"base_url": "http://127.0.0.1:1"}}), False),
    ],
)
def test_a_run_asks_for_a_contact_where_a_source_s_rules_do(
    names: list[str], config: Config, told: bool
) -> None:
    opened = {name: sources.load(name)(dict(config.source(name))) for name in names}
    text = contact_wanted(opened, config)
    assert bool(text) is told
    if told:
        assert text.startswith("Wikimedia Commons asks for a contact")
        assert "--contact" in text
