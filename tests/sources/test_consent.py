"""Consent pages: whatever source meets one answers it once with "reject all", by one routine."""

from __future__ import annotations

import asyncio

import pytest
from tests.matrices import sample
from tests.sources.conftest import Server
from tests.sources.test_outcomes import NAMES, asked

from pixtrawl.errors import SourceStop
from pixtrawl.model import SourceOutcome
from pixtrawl.net import source_http
from pixtrawl.net.interface import Response
from pixtrawl.sources.base import SourceContext
from pixtrawl.sources.consent import ConsentGate
from pixtrawl.sources.contract import Ending, Replay
from pixtrawl.sources.html import Document

FORM = (
    "<form action='/save' method='post'><input type=hidden name=t value=1>"
    "<button name=do value=accept>Accept</button><button name=do value=no>Reject all</button></form>"
)
PAGES = "page"  # its queries are addresses


@pytest.fixture(autouse=True)
def _no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_http, "_AGAIN_AFTER_S", 0.0)


def met_by(name: str, url: str) -> Ending:
    """How a source ends that finds a consent page at `url`."""
    return asked(name, "", url) if name == PAGES else asked(name, url)


@pytest.mark.parametrize("name", sample([PAGES, *NAMES], 2))
def test_a_consent_page_is_answered_once_with_reject_all(server: Server, name: str) -> None:
    ending = met_by(name, f"{server.url}/consent/{name}")
    assert ending.outcome is SourceOutcome.OK
    assert len(ending.candidates) >= 1
    assert server.asked.count("/consent-save") == 1
    assert "consent=rejected" in server.cookies[-1]


@pytest.mark.parametrize("name", sample([PAGES, *NAMES], 2, 1))
def test_a_consent_page_that_stays_is_reported_after_one_answer(server: Server, name: str) -> None:
    ending = met_by(name, f"{server.url}/consent-stays/{name}")
    assert ending.outcome is SourceOutcome.CONSENT
    assert ending.stop is not None
    assert ending.stop.detail["next_step"]
    assert ending.evidence
    assert server.asked.count("/consent-save") == 1


class Nowhere:
    """Evidence that nobody reads."""

    def save(self, name: str, content: bytes | str) -> str:
        return name


def gate(http: Replay, **more: str) -> ConsentGate:
    context = SourceContext(http=http, evidence=Nowhere())
    return ConsentGate(source="x", context=context, reject_cookies=more)


def reply(body: str, url: str = "http://a.test/", cookie: str = "") -> Response:
    headers = {"content-type": "text/html", **({"set-cookie": cookie} if cookie else {})}
    return Response(url=url, status=200, headers=headers, body=body.encode())


def form_in(response: Response) -> Document | None:
    document = Document(response.text)
    return document if document.has("form") else None


def test_what_is_no_consent_page_is_given_back_and_nothing_is_asked() -> None:
    http = Replay(lambda url: reply("never asked"))
    first = reply("results")

    async def again() -> Response:
        raise AssertionError("asked again")

    assert asyncio.run(gate(http).past(first, form_in, again)) is first
    assert http.asked == []


def test_the_cookies_of_question_and_answer_and_script_go_with_the_next_request() -> None:
    http = Replay(lambda url: reply("saved", url, "C=no; Path=/\nD=1; Secure"))
    one = gate(http, BANNER="off")
    sent: list[dict[str, str]] = []

    async def again() -> Response:
        sent.append(one.headers())
        return reply("results")

    first = reply(FORM, cookie="A=0; Path=/")
    assert asyncio.run(one.past(first, form_in, again)).text == "results"
    assert sent == [{"Cookie": "BANNER=off; A=0; C=no; D=1"}]
    assert http.asked == ["http://a.test/save"]


@pytest.mark.parametrize("body", [FORM.replace("Reject all", "More"), FORM])
def test_a_form_without_a_way_to_reject_and_a_second_form_are_the_outcome(body: str) -> None:
    http = Replay(lambda url: reply("saved", url))
    one = gate(http)

    async def again() -> Response:
        return reply(body)

    for _ in range(2):  # the second time the answer was given already
        with pytest.raises(SourceStop) as stopped:
            asyncio.run(one.past(reply(body), form_in, again))
        assert stopped.value.outcome is SourceOutcome.CONSENT
    assert len(http.asked) == (1 if "Reject" in body else 0)


def test_a_form_that_sends_to_another_site_is_not_answered() -> None:
    http = Replay(lambda url: reply("saved", url))
    away = FORM.replace("'/save'", "'https://evil.example/save'")

    async def again() -> Response:
        raise AssertionError("asked again")

    with pytest.raises(SourceStop):
        asyncio.run(gate(http).past(reply(away), form_in, again))
    assert http.asked == []
