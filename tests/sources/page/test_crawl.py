"""Crawls of the source page keep to their bounds; sitemaps lead to pages and pictures."""

from __future__ import annotations

import gzip

from tests.sources.page.pages import START, Answers, names, numbered, page, reply, run, web

from pixtrawl.errors import FetchError
from pixtrawl.model import Reason, SourceOutcome
from pixtrawl.net.interface import Response
from pixtrawl.sources.contract import Replay


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
