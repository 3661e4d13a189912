"""Bing: how one page leads to the next, what is asked of it, and where that ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from tests.sources.web.bing_pages import BASE, QUERY, listing, run

from pixtrawl.config.groups import Fetch
from pixtrawl.events import Notice
from pixtrawl.model import Candidate, Filters, Query, SourceOutcome
from pixtrawl.net.client import Client
from pixtrawl.net.interface import Response
from pixtrawl.net.source_http import SourceHttp
from pixtrawl.sources.contract import Replay, answer, ask
from pixtrawl.sources.web.bing import Bing


def test_pages_are_followed_by_their_own_next_url_until_one_says_the_end() -> None:
    pages = {
        "1": listing(range(1, 36), "/images/async?q=x&first=36&tok=a%2bb&async=1"),
        "36": listing(range(36, 71), "https://bing.test/images/async?q=x&first=71&x=%3d"),
        "71": listing(range(65, 80), ""),
    }
    http = Replay(lambda url: answer(pages[parse_qs(urlsplit(url).query)["first"][0]])(url))
    ending = run(http)
    assert ending.outcome is SourceOutcome.OK
    assert len(ending.candidates) == 79
    assert http.asked[1:] == [
        f"{BASE}/images/async?q=x&first=36&tok=a%2bb&async=1", f"{BASE}/images/async?q=x&first=71&x=%3d",
    ]  # fmt: skip
    assert [page.position for page in ending.pages] == [
        {"next": "q=x&first=36&tok=a%2bb&async=1", "rank": 35},
        {"next": "q=x&first=71&x=%3d", "rank": 70},
        {"next": "", "rank": 79},
    ]


def test_a_later_run_goes_on_at_the_position() -> None:
    http = Replay(answer(listing(range(50, 60), "")))
    ending = run(http, position={"next": "q=x&first=36", "rank": 35})
    assert http.asked == [f"{BASE}/images/async?q=x&first=36"]
    assert [c.rank for c in ending.candidates] == list(range(36, 46))
    done = Replay(answer("never asked"))
    assert run(done, position={"next": "", "rank": 45}).outcome is SourceOutcome.OK
    assert done.asked == []


def test_without_a_next_url_the_offset_is_counted_and_repetition_ends_it() -> None:
    def page(url: str) -> Response:
        first = int(parse_qs(urlsplit(url).query)["first"][0])
        return answer(listing(range(min(first, 71), min(first, 71) + 35)))(url)

    http = Replay(page)
    ending = run(http)
    assert ending.outcome is SourceOutcome.OK
    assert len(ending.candidates) == 105
    assert [parse_qs(urlsplit(url).query)["first"][0] for url in http.asked] == [
        "1",
        "36",
        "71",
        "106",
    ]


def test_a_server_that_never_ends_is_left_after_a_hundred_pages() -> None:
    count = iter(range(1, 10_000))

    def page(url: str) -> Response:
        number = next(count)
        return answer(listing(range(number, number + 1), f"/images/async?q=x&first={number}"))(url)

    http = Replay(page)
    run(http, max_pages=1000)
    assert len(http.asked) <= 101


def test_a_next_url_that_leads_elsewhere_is_not_followed() -> None:
    http = Replay(answer(listing(range(3), "https://evil.test/x?q=x&first=36")))
    run(http)
    assert all(url.startswith(f"{BASE}/images/") for url in http.asked)


def test_where_the_fragment_is_gone_the_full_page_is_asked() -> None:
    def page(url: str) -> Response:
        if "/images/async" in url:
            return answer("gone", 404)(url)
        return answer(listing(range(5), ""))(url)

    http = Replay(page)
    ending = run(http)
    assert (ending.outcome, len(ending.candidates)) == (SourceOutcome.OK, 5)
    assert [urlsplit(url).path for url in http.asked] == ["/images/async", "/images/search"]


def test_filters_are_asked_in_bings_words_and_what_it_cannot_do_is_said() -> None:
    filters = Filters(
        size="800x600", color="teal", type="face", aspect="wide", date="week", license="commercial",
        site="example.org", lang="de", region="at", safe="off",
    )  # fmt: skip
    http = Replay(answer(listing(range(2), "")))
    query = Query("black & white C# cat", "x", 5, filters)
    ending = run(http, query)
    asked = parse_qs(urlsplit(http.asked[0]).query)
    assert asked["q"] == ["black & white C# cat site:example.org"]
    assert asked["qft"][0].split("+filterui:")[1:] == [
        "imagesize-custom_800_600", "color2-FGcls_TEAL", "face-face", "aspect-wide", "age-lt10080",
        "license-L2_L3_L4",
    ]  # fmt: skip
    assert (asked["mkt"], asked["adlt"], asked["setlang"]) == (["de-AT"], ["off"], ["en"])
    assert http.headers[0]["Accept-Language"] == "de-AT,de;q=0.9"
    assert ending.candidates[0].license == "bing:license-L2_L3_L4"
    assert ending.events == []
    odd = Query(
        "cat", "cat", 5, Filters(date="2020-01-01..2020-02-01", license="cc-by", size="huge")
    )
    ending = run(Replay(answer(listing(range(2), ""))), odd)
    notices = [one.message for one in ending.events if isinstance(one, Notice)]
    assert len(notices) == 3
    assert notices[0].startswith("bing cannot filter by size 'huge'")
    assert ending.candidates[0].license is None


def serve(page: Callable[[str], str]) -> tuple[ThreadingHTTPServer, str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = page(self.path).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_address[1]}"


def test_over_real_http_two_pages_are_read(recorded: str) -> None:
    asked: list[str] = []

    def page(path: str) -> str:
        asked.append(path)
        return recorded if len(asked) == 1 else listing(range(7), "")

    server, base_url = serve(page)

    async def discover() -> list[Candidate]:
        client = Client(Fetch(allow_address=("127.0.0.0/8",)))
        try:
            return (
                await ask(Bing({"base_url": base_url + "/"}), SourceHttp(client), QUERY)
            ).candidates
        finally:
            await client.aclose()

    try:
        assert len(asyncio.run(discover())) == 49
    finally:
        server.shutdown()
        server.server_close()
    assert asked[0].startswith(
        "/images/async?q=golang+gopher&mkt=en-US&setlang=en&async=1&first=1&count=35"
    )
    assert asked[1].startswith("/images/async?q=golang+gopher&first=36&count=35&cw=1024")
