"""Every way in which a query ends without results, by a real Chromium."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from tests.matrices import matrix, slow

from pixtrawl.events import Notice
from pixtrawl.model import Kind, SourceOutcome

if TYPE_CHECKING:
    from tests.sources.google.conftest import Desk

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(  # tests/sources/google/test_state.py tells all forms apart by their facts
    ("form", "outcome", "kind", "loads"),
    [
        ("captcha", SourceOutcome.BLOCKED, "captcha", 1),
        slow("rate", SourceOutcome.BLOCKED, "rate_limit", 1),
        slow("forbidden", SourceOutcome.BLOCKED, "forbidden", 1),
        slow("wall", SourceOutcome.BLOCKED, "js_wall", 1),
        slow("soft", SourceOutcome.BLOCKED, "soft_block", 1),
        slow("login", SourceOutcome.BLOCKED, "login", 1),
        ("nothing", SourceOutcome.NO_RESULTS, None, 1),
        slow("nothing_but_chips", SourceOutcome.NO_RESULTS, None, 1),
        ("error", SourceOutcome.NETWORK_ERROR, None, 1),
        ("changed", SourceOutcome.CHANGED, None, 3),
    ],
)
def test_outcomes_with_evidence(
    desk: Desk, form: str, outcome: SourceOutcome, kind: str | None, loads: int
) -> None:
    asked = desk.ask(form)
    assert asked.stop is not None
    assert (asked.stop.outcome, asked.stop.detail.get("kind")) == (outcome, kind)
    assert asked.pages == []
    assert sum(f"/{form}/search" in hit for hit in desk.site.hits) == loads
    assert sorted(asked.evidence.files) == ["google-tabby-cat-1.html", "google-tabby-cat-1.png"]
    picture = asked.evidence.files["google-tabby-cat-1.png"]
    assert isinstance(picture, bytes)
    assert picture.startswith(b"\x89PNG")
    assert asked.stop.detail["evidence"] == list(asked.evidence.files)
    if outcome is SourceOutcome.BLOCKED:
        assert "xvfb-run" in str(asked.stop.detail["next_step"]) or "window" in str(
            asked.stop.detail["next_step"]
        )


def test_consent_is_answered_once_with_reject_all(desk: Desk) -> None:
    asked = desk.ask("ask")
    assert asked.stop is None
    assert len(asked.candidates) == 30
    assert desk.site.accepted == 0


def test_consent_that_stays_is_the_outcome_after_one_answer(desk: Desk) -> None:
    asked = desk.ask("ask_again")
    assert asked.stop is not None
    assert asked.stop.outcome is SourceOutcome.CONSENT
    assert sum(hit.startswith("POST") and "ask_again" in hit for hit in desk.site.hits) == 1
    assert desk.site.accepted == 0


@pytest.mark.parametrize(
    "form", matrix(["dialog", "passing_wall", "empty_once", "chips_once"], "empty_once")
)
def test_what_passes_is_no_obstacle(desk: Desk, form: str) -> None:
    asked = desk.ask(form)
    assert asked.stop is None
    assert len(asked.candidates) == 30


def test_a_person_is_given_time_to_solve_a_captcha(desk: Desk) -> None:
    asked = desk.ask("person", patience_s="10")
    assert asked.stop is None
    assert len(asked.candidates) == 30
    assert any(isinstance(event, Notice) and "person" in event.message for event in asked.events)


def test_thumbnails_alone_are_given_and_counted_as_a_changed_page(desk: Desk) -> None:
    asked = desk.ask("thumbs_only")
    assert asked.stop is not None
    assert asked.stop.outcome is SourceOutcome.CHANGED
    assert {c.kind for c in asked.candidates} == {Kind.THUMBNAIL}
    assert [c.url for c in asked.candidates] == [
        i.thumb for i in desk.site.items("thumbs_only", "tabby cat")
    ]


def test_a_server_that_is_not_there_is_a_network_error(desk: Desk) -> None:
    asked = desk.ask("http://127.0.0.1:9/x")
    assert asked.stop is not None
    assert asked.stop.outcome is SourceOutcome.NETWORK_ERROR


def test_a_block_in_the_middle_keeps_what_was_found(desk: Desk) -> None:
    from pixtrawl.playground import Playground

    with Playground(supply=60) as playground:
        asked = desk.ask(f"{playground.url}/captcha-later", "quiet lake")
    assert len(asked.candidates) == 30
    assert asked.stop is not None
    assert asked.stop.detail["kind"] == "captcha"


def test_without_playwright_the_command_that_installs_it_is_reported(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    from pixtrawl.sources.google.source import Google

    monkeypatch.setattr("pixtrawl.browser.chrome.can_drive", lambda: False)
    monkeypatch.setitem(sys.modules, "playwright.async_api", None)
    asked = asyncio.run(desk.asking(Google({"base_url": "http://127.0.0.1:9"}), "cat"))
    assert asked.stop is not None
    assert asked.stop.outcome is SourceOutcome.BROWSER_MISSING
    assert asked.stop.detail["next_step"] == "pip install 'pixtrawl[browser]'"


@pytest.mark.parametrize("path", ["/nowhere/chrome", "/bin/false"])
def test_a_browser_that_is_missing_or_does_not_start(
    desk: Desk, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    from pixtrawl.sources.google.source import Google

    monkeypatch.setenv("PIXTRAWL_CHROME", path)

    async def ask() -> object:
        google = Google({"base_url": "http://127.0.0.1:9"})
        asked = await desk.asking(google, "cat")
        await google.aclose()
        return asked.stop

    stop = asyncio.run(ask())
    assert getattr(stop, "outcome", None) is SourceOutcome.BROWSER_MISSING
    assert path in str(stop)
