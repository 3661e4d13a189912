"""The source page: every answer ends in a typed outcome, crawls keep to their bounds."""

from __future__ import annotations

import asyncio

import pytest
from tests.sources.page.pages import START, found, names, numbered, page, reply, run, web

from pixtrawl.errors import FetchError, UsageError
from pixtrawl.model import Candidate, Kind, Reason, SourceOutcome
from pixtrawl.net.interface import Response
from pixtrawl.sources import contract
from pixtrawl.sources.contract import HOSTILE_BODIES, Replay, answer
from pixtrawl.sources.page.source import WebPage

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def test_the_query_is_the_page_and_each_picture_says_where_it_was() -> None:
    ending = run({START: page("<a href='/b.jpg'><img src='/s.jpg' alt='Cat'></a>")})
    (one,) = ending.candidates
    assert one == Candidate(
        url="https://a.test/b.jpg", query=START, label="label", source="page", rank=1,
        page_url=START, title="Cat", alt="Cat", thumb_url="https://a.test/s.jpg",
        alternates=one.alternates,
    )  # fmt: skip
    assert [(a.url, a.kind) for a in one.alternates] == [("https://a.test/s.jpg", Kind.THUMBNAIL)]
    assert ending.outcome is SourceOutcome.OK
    assert ending.pages[-1].detail == {"pages": 1}


def test_words_are_no_page_unless_pages_are_set_for_them() -> None:
    ending = run({}, "tabby cat")
    assert ending.outcome is SourceOutcome.UNSUPPORTED
    assert "page.urls" in str(ending.stop and ending.stop.detail["next_step"])
    assert run({}, "example.org/gallery").outcome is SourceOutcome.UNSUPPORTED
    assert run({}, "ftp://example.org/").outcome is SourceOutcome.UNSUPPORTED
    http = Replay(
        web(
            {
                "https://a.test/?q=tabby%20%26%20cat": numbered(range(1)),
                "https://b.test/": numbered(range(2)),
            }
        )
    )
    ending = run(http, "tabby & cat", urls="https://a.test/?q={query}  https://b.test/")
    assert found(ending) == ["https://a.test/0.jpg", "https://b.test/0.jpg", "https://b.test/1.jpg"]
    assert run({"http://t.test/x": numbered(range(1))}, "/x", base_url="http://t.test/").candidates


@pytest.mark.parametrize(
    ("response", "outcome", "kind"),
    [
        (reply("no", 403), SourceOutcome.BLOCKED, "forbidden"),
        (reply("no", 401), SourceOutcome.BLOCKED, "login"),
        (reply("no", 429), SourceOutcome.BLOCKED, "rate_limit"),
        (reply("no", 503, retry_after="9"), SourceOutcome.BLOCKED, "rate_limit"),
        (reply(page("<script src='/cdn-cgi/challenge-platform/x.js'></script>"), 403), SourceOutcome.BLOCKED, "captcha"),
        (reply("no", 404), SourceOutcome.NETWORK_ERROR, None),
        (reply("no", 500), SourceOutcome.NETWORK_ERROR, None),
        (reply(page("<img src=a.jpg>"), x_robots_tag="noai"), SourceOutcome.BLOCKED, "forbidden"),
        (reply(page("<img src=a.jpg>", "<meta name=robots content=noimageindex>")), SourceOutcome.BLOCKED, "forbidden"),
        (reply(page("<p>Log in</p><form><input type=password></form>")), SourceOutcome.BLOCKED, "login"),
        (reply(page("<div class='g-recaptcha'></div><img src='/logo.png'>")), SourceOutcome.BLOCKED, "captcha"),
        (reply(page("<div id='root'></div><script src='/app.js'></script>")), SourceOutcome.BLOCKED, "js_wall"),
        (reply(page("<p>Nothing to see but words.</p>")), SourceOutcome.NO_RESULTS, None),
        (reply("<!doctype html><html><body><p>cut"), SourceOutcome.CHANGED, None),
        (reply(page("<svg><path d=''/></svg>")), SourceOutcome.CHANGED, None),
        (reply(""), SourceOutcome.CHANGED, None),
        (reply(b"%PDF-1.7 \0 x", content_type="application/pdf"), SourceOutcome.UNSUPPORTED, None),
        (reply('{"a": 1}', content_type="application/json"), SourceOutcome.UNSUPPORTED, None),
        (reply("just words", content_type="text/plain"), SourceOutcome.UNSUPPORTED, None),
    ],
)  # fmt: skip
def test_every_answer_without_pictures_ends_in_its_outcome(
    response: Response, outcome: SourceOutcome, kind: str | None
) -> None:
    ending = run({START: response})
    assert ending.stop is not None
    assert (ending.outcome, ending.stop.detail.get("kind")) == (outcome, kind)
    if outcome not in {SourceOutcome.NO_RESULTS, SourceOutcome.UNSUPPORTED}:
        assert ending.evidence
        assert ending.stop.detail["next_step"]
    if response.status >= 400:
        assert ending.stop.detail["http_status"] == response.status


def test_what_robots_disallow_is_blocked_with_the_file_kept_and_the_option_named() -> None:
    refused = FetchError(Reason.ROBOTS_TXT, "https://a.test/robots.txt")
    ending = run({START: refused, "https://a.test/robots.txt": "User-agent: *\nDisallow: /"})
    assert ending.stop is not None
    assert ending.stop.detail["kind"] == "forbidden"
    assert "--ignore-robots" in str(ending.stop.detail["next_step"])
    assert ending.evidence == {"page-robots.txt": b"User-agent: *\nDisallow: /"}


def test_a_failure_of_the_network_says_which_address() -> None:
    ending = run({START: FetchError(Reason.DNS_FAILED, "a.test")})
    assert ending.outcome is SourceOutcome.NETWORK_ERROR
    assert ending.stop is not None
    assert (ending.stop.detail["url"], ending.stop.detail["reason"]) == (START, "dns_failed")


def test_a_login_form_or_captcha_beside_real_content_is_no_wall() -> None:
    body = "<form action='/login'><input type=password></form><div class='g-recaptcha'></div>"
    assert len(run({START: numbered(range(8), body)}).candidates) == 8


def test_the_address_of_an_image_is_its_own_candidate() -> None:
    url = "https://a.test/x/cat-300x200.png"
    ending = run({url: reply(PNG, url=url, content_type="text/html")}, url)
    (one,) = ending.candidates
    assert (one.url, one.page_url) == ("https://a.test/x/cat.png", None)
    assert one.alternates[0].url == url
    huge = {url: FetchError(Reason.TOO_MANY_BYTES, "more than 8 MiB")}
    assert found(run(huge, url)) == ["https://a.test/x/cat.png"]
    assert run({START: FetchError(Reason.TOO_MANY_BYTES)}).outcome is SourceOutcome.UNSUPPORTED


def test_a_feed_or_json_gives_the_files_that_it_names() -> None:
    feed = "<?xml version='1.0'?><rss><channel><item><enclosure url='https://b.test/a.jpg'/></item></channel></rss>"
    assert found(run({START: reply(feed, content_type="application/rss+xml")})) == [
        "https://b.test/a.jpg"
    ]
    data = '{"items":[{"src":"https:\\/\\/b.test\\/b.jpg"},{"src":"/c.png"}]}'
    response = reply(data, content_type="application/json")
    assert found(run({START: response})) == ["https://b.test/b.jpg", "https://a.test/c.png"]


def test_consent_is_answered_once_with_reject_all() -> None:
    form = page(
        "<form action='/consent/save' method='post'><input type=hidden name=t value=1>"
        "<button name=a value=yes>Accept</button><button name=a value=no>Reject all</button></form>"
    )
    asked: list[str] = []

    def one(url: str) -> Response:
        asked.append(url)
        if url.startswith("https://a.test/consent"):
            return reply("", url=url, set_cookie="choice=no; path=/")
        return reply(form if len(asked) == 1 else numbered(range(2)), url=url)

    http = Replay(one)
    assert len(run(http).candidates) == 2
    assert asked == [START, "https://a.test/consent/save", START]
    assert http.headers[-1]["Cookie"] == "choice=no"
    stays = run(Replay(lambda url: reply(form, url=url)))
    assert stays.outcome is SourceOutcome.CONSENT
    moved = "https://consent.a.test/consent?to=x"
    response = Response(
        url=moved,
        status=200,
        headers={"content-type": "text/html"},
        body=page("<p>Cookies?").encode(),
        redirects=(START,),
    )
    assert run({START: response}).outcome is SourceOutcome.CONSENT


def test_it_keeps_the_contract_of_sources() -> None:
    contract.check_class(WebPage)
    # Any whole page without an image is an answer here, so that one body is left to its own test.
    bodies = {
        name: body for name, body in HOSTILE_BODIES.items() if name != "a page of something else"
    }

    def make() -> WebPage:
        return WebPage({"urls": START})

    asyncio.run(contract.check_hostile_answers(make, bodies))
    asyncio.run(contract.check_refusals(make))


def test_one_page_that_fails_leaves_the_others() -> None:
    ending = run(
        {"https://b.test/": numbered(range(2))}, "cat", urls="https://a.test/ https://b.test/"
    )
    assert len(ending.candidates) == 2
    assert ending.pages[-1].detail["skipped"] == {"http_404": 1}


def test_old_encodings_are_read_by_what_the_page_declares() -> None:
    text = "<html><head><meta charset='windows-1251'></head><body><img src='/a.jpg' alt='кот'></body></html>"
    response = reply(text.encode("windows-1251"), content_type="text/html")
    assert run({START: response}).candidates[0].title == "кот"


@pytest.mark.parametrize(
    "given",
    [{"depth": "-1"}, {"max_pages": "0"}, {"urls": "example.org"}, {"sitemap": "perhaps"}, {"min_size": "big"}, {"page": "x"}],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=r"^page\."):
        WebPage(given)


def test_small_pictures_are_left_out_by_their_attributes() -> None:
    body = page(
        "<img src='/s.jpg' width=100 height=80><img src='/l.jpg' width=800 height=600><img src='/u.jpg'>"
    )
    assert names(run({START: body}, min_size="200x200")) == ["l.jpg", "u.jpg"]
    every = run({START: answer(body)(START)}).candidates
    assert [(one.width, one.height) for one in every] == [(800, 600), (100, 80), (None, None)]


def test_a_page_about_cookies_is_no_question_about_them() -> None:
    url = "https://a.test/cookies-with-nuts"
    moved = Response(
        url=url, status=200, headers={"content-type": "text/html"},
        body=page("<img src='/nut.jpg'>").encode(), redirects=("http://a.test/cookies-with-nuts",),
    )  # fmt: skip
    assert names(
        run({"http://a.test/cookies-with-nuts": moved}, "http://a.test/cookies-with-nuts")
    ) == ["nut.jpg"]
