"""Pages that show another document: frames, meta refresh, scripts that go elsewhere; large pages."""

from __future__ import annotations

import pytest
from tests.sources.page.pages import START, found, names, page, run

from pixtrawl.errors import FetchError
from pixtrawl.model import Reason, SourceOutcome
from pixtrawl.sources.page import visit as page_visit
from pixtrawl.sources.page.links import read_page

ELSEWHERE = "https://a.test/second"
SECOND = page("<h1>Pictures</h1><img src='/i/second.jpg'>")
WORDS = "<p>words to read</p>"

FORMS = [
    "<frameset><frame src='/second'></frameset>",
    f"{WORDS}<frameset><frame name=x src=/second></frameset>",
    "<iframe src='/second'></iframe>",
    "<iframe data-src='/second' title=x></iframe>",
    "<object data='/second' type='text/html'></object>",
    "<meta http-equiv='refresh' content='0; url=/second'>",
    "<meta http-equiv='Refresh' content=\"5;URL='/second'\">",
    "<meta http-equiv='refresh' content='0;/second'>",
    '<script>location.href="/second"</script>',
    "<script>location = '/second';</script>",
    "<script>window.location.replace('/second')</script>",
    '<script>top.location.assign( "\\/second" )</script>',
    "<script>setTimeout(function(){ document.location='/second' }, 0)</script>",
    "<body onload=\"window.location='/second'\">",
    "<script src='/app.js'></script><script>location.replace('/second')</script><div id=root></div>",
]


@pytest.mark.parametrize("body", FORMS)
@pytest.mark.parametrize("beside", ["", WORDS, "<nav><img src='/logo.png'></nav>"])
def test_a_page_that_shows_another_gives_the_pictures_of_that(body: str, beside: str) -> None:
    ending = run({START: page(body + beside), ELSEWHERE: SECOND})
    assert "second.jpg" in names(ending)
    assert ending.outcome is SourceOutcome.OK


@pytest.mark.parametrize("body", FORMS[:6])
def test_a_page_with_pictures_of_its_own_is_not_left_for_its_frames(body: str) -> None:
    ending = run({START: page("<main><img src='/own.jpg'></main>" + body), ELSEWHERE: SECOND})
    assert names(ending) == ["own.jpg"]


@pytest.mark.parametrize(
    "body",
    [
        "<iframe src='/second' width=1 height=1></iframe>",
        "<iframe src='/second' style='display: none'></iframe>",
        "<iframe src='about:blank'></iframe>",
        "<script>if (location == '/second') { x() }</script>",
        "<meta http-equiv='refresh' content='300'>",
    ],
)
def test_what_nobody_sees_is_not_followed(body: str) -> None:
    ending = run({START: page(WORDS + body), ELSEWHERE: SECOND})
    assert (ending.outcome, found(ending)) == (SourceOutcome.NO_RESULTS, [])


def test_documents_that_show_one_another_end_and_are_named() -> None:
    itself = page("<meta http-equiv='refresh' content='0; url=/gallery'>")
    foreign = page("<iframe src='https://other.test/embed'></iframe>")
    endless = {START: page("<iframe src='/0'></iframe>")} | {
        f"https://a.test/{n}": page(f"<iframe src='/{n + 1}'></iframe>") for n in range(30)
    }
    for answers, shown in (
        (({START: itself}), "/gallery"),
        ({START: foreign}, "other.test/embed"),
        (endless, "/4"),
    ):
        ending = run(answers)
        assert ending.outcome is SourceOutcome.UNSUPPORTED
        assert ending.stop is not None
        assert shown in str(ending.stop.detail["message"])
        assert "no image" not in str(ending.stop.detail["message"])
        assert ending.stop.detail["next_step"]


def test_a_redirect_by_the_page_may_leave_the_site_as_one_by_the_server_may() -> None:
    moved = page("<script>location.replace('https://new.test/')</script>")
    home = page("<img src='/1.jpg'><a href='/more'>more</a>")
    ending = run(
        {START: moved, "https://new.test/": home, "https://new.test/more": SECOND}, depth="1"
    )
    assert names(ending) == ["1.jpg", "second.jpg"]


def test_the_limit_of_pages_is_named_where_it_keeps_the_shown_document_away() -> None:
    ending = run({START: page("<iframe src='/second'></iframe>"), ELSEWHERE: SECOND}, max_pages="1")
    assert ending.stop is not None
    assert "page.max_pages" in str(ending.stop.detail["next_step"])


def test_a_document_written_into_a_frame_is_read() -> None:
    ending = run({START: page("<iframe srcdoc=\"<img src='/in.jpg'>\"></iframe>")})
    assert names(ending) == ["in.jpg"]


def test_a_page_that_cannot_be_read_costs_itself_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(text: str, url: str, wish: object) -> object:
        if "broken" in url:
            raise IndexError("list index out of range")
        return read_page(text, url, wish)  # type: ignore[arg-type]

    monkeypatch.setattr(page_visit, "read_page", failing)
    broken = "https://a.test/broken"
    answers = {START: page("<img src='/1.jpg'><a href='/broken'>b</a><a href='/second'>s</a>"),
               broken: page("<img src='/2.jpg'>"), ELSEWHERE: SECOND}  # fmt: skip
    ending = run(answers, depth="1")
    assert names(ending) == ["1.jpg", "second.jpg"]
    assert ending.outcome is SourceOutcome.OK
    told = ending.pages[-1].detail
    assert told is not None
    assert told["skipped"] == {"unreadable": 1}
    assert told["evidence"]
    alone = run({broken: answers[broken]}, broken)
    assert alone.outcome is SourceOutcome.CHANGED
    assert alone.stop is not None
    assert "IndexError" in str(alone.stop.detail["message"])
    assert alone.evidence


def test_a_page_that_is_too_large_names_the_setting_that_takes_it() -> None:
    too_large = FetchError(Reason.TOO_MANY_BYTES, "more than 8388608 bytes received")
    ending = run({START: too_large}, max_bytes="8M")
    assert ending.stop is not None
    assert "page.max_bytes (8 MiB)" in str(ending.stop.detail["message"])
    assert "--set page.max_bytes=32M" in str(ending.stop.detail["next_step"])


def test_a_page_with_its_pictures_inside_gives_them_all() -> None:
    inside = "".join(
        f"<img src='data:image/jpeg;base64,{chr(65 + n) * 900_000}'>" for n in range(12)
    )
    ending = run({START: page(inside)})
    assert len(ending.candidates) == 12
