from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st
from tests.shared_data import shared_text
from tests.sources.google.gridless_pages import GRIDLESS

from pixtrawl.errors import SourceStop
from pixtrawl.model import SourceOutcome
from pixtrawl.sources.google.outcome import evidence_name, stop_for
from pixtrawl.sources.google.state import State, classify

SOURCES = Path(__file__).parents[3] / "src" / "pixtrawl" / "sources" / "google"
URL = "http://h/search?q=x"


def facts_of(page: str) -> dict[str, Any]:
    """What facts.js would give, as far as these pages need it."""
    noscript = "".join(re.findall(r"(?s)<noscript>(.*?)</noscript>", page))
    text = re.sub(r"(?s)<(script|style|noscript).*?</\1>|<[^>]+>", " ", page)
    return {
        "text": text[:20000],
        "noscript": noscript,
        "chars": len(page),
        "captcha": "captcha-form" in page,
    }


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("search_captcha", State.CAPTCHA),
        ("search_no_results", State.NO_RESULTS),
        ("search_soft_block", State.SOFT_BLOCK),
        ("search_results", State.UNKNOWN),  # a page of web results is no image grid
    ],
)
def test_recorded_pages_are_recognised(name: str, state: State) -> None:
    page = shared_text(f"recorded/openserp/google/{name}.html")
    assert classify(URL, 200, facts_of(page)) is state


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("captcha", State.CAPTCHA),
        ("no_results", State.NO_RESULTS),
        ("soft_block", State.SOFT_BLOCK),
        ("web_results", State.UNKNOWN),
    ],
)
def test_pages_without_a_grid_are_recognised(name: str, state: State) -> None:
    assert classify(URL, 200, facts_of(GRIDLESS[name])) is state


@pytest.mark.parametrize(
    ("url", "status", "facts", "state"),
    [
        ("http://h/sorry/index?continue=x", 429, {}, State.CAPTCHA),
        (URL, 429, {}, State.RATE_LIMIT),
        (URL, 403, {"tiles": 3}, State.FORBIDDEN),
        (URL, 503, {}, State.SERVER_ERROR),
        (URL, 200, {"tiles": 3, "text": "did not match any"}, State.GRID),
        (URL, 200, {"text": "Es wurden keine Bilder gefunden"}, State.NO_RESULTS),
        (URL, 200, {"text": "words"}, State.UNKNOWN),
        (URL, 200, {"password": True}, State.LOGIN),
        ("http://consent.host/m?continue=x", 200, {}, State.CONSENT),
        ("http://consent.host/search?q=x", 200, {}, State.UNKNOWN),
        (URL, 200, {"consentForm": True, "tiles": 9}, State.CONSENT),
        (URL, 200, {"tiles": 9, "dialogs": [{"text": "Cookies", "buttons": 2}]}, State.CONSENT),
        (URL, 200, {"tiles": 9, "dialogs": [{"text": "Cookies", "buttons": 1}]}, State.GRID),
    ],
)
def test_states(url: str, status: int, facts: Any, state: State) -> None:
    assert classify(url, status, facts) is state


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())
names = st.sampled_from(["text", "noscript", "chars", "tiles", "captcha", "dialogs", "consentForm"])


@given(st.text(), st.integers(0, 999), st.dictionaries(names, values) | values)
def test_facts_of_wrong_types_give_a_state_and_no_exception(
    url: str, status: int, facts: Any
) -> None:
    assert isinstance(classify(url, status, facts), State)


@pytest.mark.parametrize("state", [state for state in State if state is not State.GRID])
def test_every_state_has_an_outcome_with_a_message_and_mostly_a_next_step(state: State) -> None:
    stop = stop_for(state, visible=False, http_status=200, evidence=("a.html",))
    assert isinstance(stop, SourceStop)
    assert stop.detail["message"]
    assert stop.detail["evidence"] == ["a.html"]
    assert ("next_step" in stop.detail) is (stop.outcome is not SourceOutcome.NO_RESULTS)
    assert (stop.outcome is SourceOutcome.BLOCKED) is ("kind" in stop.detail)


def test_a_block_without_a_display_names_xvfb_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("pixtrawl.sources.google.outcome.has_display", lambda: False)
    assert "xvfb-run" in str(stop_for(State.CAPTCHA, visible=False).detail["next_step"])
    assert "window" in str(stop_for(State.CAPTCHA, visible=True).detail["next_step"])


def test_names_of_evidence_are_portable() -> None:
    assert evidence_name("../../AC/DC & größe", 3) == "google-ac-dc-gr-e-3"
    assert evidence_name("猫", 1) == "google-query-1"


def test_no_class_name_is_used_to_read_a_page() -> None:
    for path in SOURCES.glob("google*"):
        text = path.read_text("utf-8")
        assert not re.search(r"className|classList|getElementsByClassName|\[class", text), path
        for selector in re.findall(r"(?:querySelector(?:All)?|closest|matches)\(([^)]*)\)", text):
            assert not re.search(r"(?:^|[\s,>'\"`a-z\])])\.[A-Za-z_]", selector), (path, selector)
