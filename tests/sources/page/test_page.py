"""The source page: every answer ends in a typed outcome, crawls keep to their bounds."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Mapping

import pytest

from pixtrawl.errors import FetchError, UsageError
from pixtrawl.model import Candidate, Kind, Query, Reason, SourceOutcome
from pixtrawl.net.interface import Response
from pixtrawl.sources import contract
from pixtrawl.sources.contract import HOSTILE_BODIES, Ending, Replay, answer, ask
from pixtrawl.sources.page.source import WebPage

START = "https://a.test/gallery"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
Answers = Mapping[str, "Response | str | FetchError"]


def page(body: str, head: str = "") -> str:
    return f"<!doctype html><html><head>{head}</head><body>{body}</body></html>"


def reply(body: str | bytes, status: int = 200, url: str = START, **headers: str) -> Response:
    kind = {"content-type": "text/html; charset=utf-8"}
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    content = body.encode() if isinstance(body, str) else body
    return Response(url=url, status=status, headers={**kind, **more}, body=content)


def web(answers: Answers) -> Callable[[str], Response]:
    def one(url: str) -> Response:
        found = answers.get(url)
        if isinstance(found, FetchError):
            raise found
        if found is None:
            return reply("<!doctype html><h1>Not found</h1>", 404, url)
        return reply(found, url=url) if isinstance(found, str) else found

    return one


def run(
    answers: Answers | Replay,
    text: str = START,
    *,
    position: object = None,
    enough: int = 50,
    **given: str,
) -> Ending:
    http = answers if isinstance(answers, Replay) else Replay(web(answers))
    query = Query(text, "label", 100)
    return asyncio.run(ask(WebPage(given), http, query, position=position, max_pages=enough))  # type: ignore[arg-type]


def found(ending: Ending) -> list[str]:
    return [one.url for one in ending.candidates]


def numbered(numbers: range, more: str = "") -> str:
    return page("".join(f"<img src='/{n}.jpg' alt='{n}'>" for n in numbers) + more)


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


def test_the_next_pages_of_a_list_are_followed_up_to_the_limit() -> None:
    def one(url: str) -> Response:
        number = int(url.rpartition("=")[2]) if "=" in url else 1
        more = f"<a rel='next' href='/gallery?p={number + 1}'>next</a>"
        return reply(numbered(range(number * 3, number * 3 + 3), more), url=url)

    ending = run(Replay(one), max_pages="4")
    assert len(ending.candidates) == 12
    assert [candidate.rank for candidate in ending.candidates] == list(range(1, 13))


SITE: Answers = {
    "https://www.a.test/": page(
        "<img src='/top.jpg'><a href='/one'>1</a><a href='/two'>2</a><a href='/doc.pdf'>d</a>"
        "<a href='https://other.test/'>o</a><a href='/private'>p</a><a href='/gone'>g</a>"
    ),
    "https://www.a.test/one": page("<img src='/top.jpg'><img src='/one.jpg'><a href='/deep'>x</a><a href='https://a.test/two'>2</a>"),
    "https://www.a.test/two": page("<img src='/two.jpg'>", "<meta name=robots content=nofollow>"),
    "https://www.a.test/deep": page("<img src='/deep.jpg'>"),
    "https://www.a.test/private": FetchError(Reason.ROBOTS_TXT, "https://www.a.test/robots.txt"),
    "https://other.test/": page("<img src='/other.jpg'>"),
    "https://a.test/two": page("<img src='https://www.a.test/two.jpg'>"),
}  # fmt: skip


def names(ending: Ending) -> list[str]:
    return [url.rpartition("/")[2] for url in found(ending)]


def test_a_crawl_goes_as_deep_as_told_on_the_same_site_and_counts_what_it_skips() -> None:
    start = "https://www.a.test/"
    assert names(run(SITE, start)) == ["top.jpg"]
    ending = run(SITE, start, depth="1", sitemap="false")
    assert names(ending) == ["top.jpg", "one.jpg", "two.jpg"]
    assert ending.outcome is SourceOutcome.OK
    assert ending.pages[-1].detail == {"pages": 5, "skipped": {"http_404": 1, "robots_txt": 1}}
    assert names(run(SITE, start, depth="2", sitemap="false"))[-1] == "deep.jpg"
    wide = names(run(SITE, start, depth="1", same_site="false", sitemap="false"))
    assert "other.jpg" in wide
    http = Replay(web(SITE))
    assert names(run(http, start, depth="5", max_pages="2", sitemap="false")) == [
        "top.jpg",
        "one.jpg",
    ]
    assert not any(url.endswith(".pdf") for url in http.asked)


def test_a_killed_crawl_goes_on_where_it_stopped() -> None:
    start = "https://www.a.test/"
    whole = names(run(SITE, start, depth="2", sitemap="false"))
    first = run(SITE, start, depth="2", sitemap="false", enough=2)
    position = first.pages[-1].position
    http = Replay(web(SITE))
    rest = run(http, start, position=position, depth="2", sitemap="false")
    assert names(first) + [name for name in names(rest) if name != "top.jpg"] == whole
    assert rest.candidates[0].rank == len(first.candidates) + 1
    assert start not in http.asked
    broken = run(SITE, start, position={"ahead": 5}, depth="2", sitemap="false")
    assert names(broken) == whole
    assert first.pages[-1].position is not None
    ended = run(SITE, start, position=run(SITE, start).pages[-1].position)
    assert (ended.candidates, ended.outcome) == ([], SourceOutcome.OK)


def test_a_host_that_asks_to_slow_down_is_left_alone() -> None:
    links = "".join(f"<a href='/{n}'>x</a>" for n in range(20))
    http = Replay(
        lambda url: (
            reply(numbered(range(3), links), url=url) if url == START else reply("", 429, url)
        )
    )
    ending = run(http, depth="1")
    assert len(http.asked) == 2
    assert ending.pages[-1].detail == {"pages": 2, "skipped": {"http_429": 1}}


INDEX = "<sitemapindex xmlns='x'><sitemap><loc>https://a.test/s1.xml.gz</loc></sitemap><sitemap><loc>https://evil.test/s.xml</loc></sitemap></sitemapindex>"
SET = """<?xml version="1.0"?><urlset xmlns="x" xmlns:image="y">
<url><loc>https://a.test/p1?a=1&amp;b=2</loc><image:image><image:loc> https://a.test/i1.jpg </image:loc>
<image:title>One</image:title><image:license>https://l.test/by</image:license></image:image>
<image:image><image:loc><![CDATA[https://a.test/i2.jpg]]></image:loc></image:image></url>
<url><loc>https://a.test/p2</loc></url><url><loc>https://elsewhere.test/p3</loc></url></urlset>"""


def test_sitemaps_lead_to_pages_and_pictures() -> None:
    answers: Answers = {
        "https://a.test/robots.txt": "User-agent: *\nSitemap: https://a.test/index.xml\n",
        "https://a.test/index.xml": INDEX,
        "https://a.test/s1.xml.gz": reply(
            gzip.compress(SET.encode()), content_type="application/gzip"
        ),
        "https://a.test/": page("<p>Welcome</p>"),
        "https://a.test/p1?a=1&b=2": page("<img src='/i1.jpg'><img src='/p1.jpg'>"),
        "https://a.test/p2": page("<img src='/p2.jpg'>"),
    }
    ending = run(answers, "https://a.test/", depth="1")
    assert names(ending) == ["i1.jpg", "i2.jpg", "p1.jpg", "p2.jpg"]
    first = ending.candidates[0]
    assert (first.title, first.license_url, first.page_url) == (
        "One",
        "https://l.test/by",
        "https://a.test/p1?a=1&b=2",
    )
    assert names(run(answers, "https://a.test/index.xml")) == [
        "i1.jpg",
        "i2.jpg",
        "p1.jpg",
        "p2.jpg",
    ]
    assert names(run(answers, "https://a.test/p2", sitemap="true"))[0] == "p2.jpg"


def test_sitemaps_that_are_bombs_are_harmless() -> None:
    entities = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;'>]>"
    bomb = f"{entities}<urlset><url><loc>https://a.test/&b;&b;</loc></url></urlset>"
    ending = run({START: bomb})
    assert not ending.candidates
    packed = gzip.compress(b"<urlset>" + b" " * 60_000_000, 9)
    assert (
        run({START: reply(packed, content_type="application/gzip")}).outcome is not SourceOutcome.OK
    )


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


def test_pages_that_are_not_to_be_listed_still_lead_on_but_those_that_refuse_do_not() -> None:
    following = "<link rel='next' href='/2'>"

    def pages(words: str) -> Answers:
        return {
            START: page("<img src='/a.jpg'>", f"<meta name=robots content='{words}'>{following}"),
            "https://a.test/2": page("<img src='/b.jpg'>"),
        }

    assert names(run(pages("noindex,follow"))) == ["b.jpg"]
    for words in ("noai", "noindex,nofollow", "none"):
        assert run(pages(words)).outcome is SourceOutcome.BLOCKED


def test_a_page_about_cookies_is_no_question_about_them() -> None:
    url = "https://a.test/cookies-with-nuts"
    moved = Response(
        url=url, status=200, headers={"content-type": "text/html"},
        body=page("<img src='/nut.jpg'>").encode(), redirects=("http://a.test/cookies-with-nuts",),
    )  # fmt: skip
    assert names(
        run({"http://a.test/cookies-with-nuts": moved}, "http://a.test/cookies-with-nuts")
    ) == ["nut.jpg"]
