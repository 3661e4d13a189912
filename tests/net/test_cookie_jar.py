"""Cookies of a source: to whom they go, and when they end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, strategies as st

from pixtrawl.net.client import Client
from pixtrawl.net.cookie_jar import CookieJar
from pixtrawl.net.source_http import SourceHttp

URL = "http://search.example:8080/a/b"


def test_a_cookie_goes_back_to_the_origin_that_set_it_and_to_no_other() -> None:
    jar = CookieJar()
    jar.take(URL, "SOCS=no; Path=/; Domain=example\nB=2; Path=/")
    assert jar.header("http://search.example:8080/x?y") == "SOCS=no; B=2"
    for other in (
        "http://search.example/x",
        "https://search.example:8080/x",
        "http://www.search.example:8080/x",
        "http://example:8080/",
    ):
        assert jar.header(other) == ""


def test_a_given_cookie_wins_over_a_kept_one_of_its_name() -> None:
    jar = CookieJar()
    jar.take(URL, "A=kept; Path=/\nB=kept; Path=/")
    assert jar.header(URL, "A=given; C=3") == "A=given; B=kept; C=3"
    assert CookieJar().header(URL, "A=1;B=2") == "A=1; B=2"


@pytest.mark.parametrize(
    ("attributes", "path", "sent"),
    [
        ("", "/a/c", True),  # default path: the folder of the page that set it
        ("", "/ab", False),
        ("Path=/a/b", "/a/b/c", True),
        ("Path=/a/b", "/a/bc", False),
        ("Path=a", "/a/x", True),
        ("Max-Age=60", "/a/b", True),
        ("Max-Age=0; Path=/", "/a/b", False),
        ("Max-Age=-5", "/a/b", False),
        ("Max-Age=soon", "/a/b", True),
        ("Expires=Thu, 01 Jan 1970 00:00:00 GMT", "/a/b", False),
        ("Expires=Thu, 01 Jan 2970 00:00:00 GMT", "/a/b", True),
        ("Expires=tomorrow", "/a/b", True),
        ("Secure", "/a/b", False),
    ],
)
def test_attributes_are_kept(attributes: str, path: str, sent: bool) -> None:
    jar = CookieJar()
    jar.take(URL, f"A=1; {attributes}")
    assert bool(jar.header(f"http://search.example:8080{path}")) is sent


def test_a_cookie_ends_at_its_time_and_can_be_taken_back() -> None:
    now = [1000.0]
    jar = CookieJar(lambda: now[0])
    jar.take(URL, "A=1; Max-Age=60; Path=/\nB=2; Path=/")
    now[0] += 61
    assert jar.header(URL) == "B=2"
    jar.take(URL, "B=; Max-Age=0; Path=/")
    assert jar.header(URL) == ""


def test_a_server_cannot_fill_the_jar() -> None:
    jar = CookieJar()
    jar.take(URL, "\n".join(f"n{number}={'x' * 100}; Path=/" for number in range(1000)))
    jar.take(URL, f"big={'x' * 5000}; Path=/")
    header = jar.header(URL)
    assert header.count("=") == 50
    assert "big" not in header


@given(st.text(max_size=80), st.text(max_size=40))
def test_no_answer_breaks_the_jar_or_the_header(line: str, given_text: str) -> None:
    jar = CookieJar()
    jar.take(URL, line)
    kept = jar.header(URL)
    assert "\r" not in kept
    assert "\n" not in kept
    jar.header(URL, given_text)


def test_a_cookie_set_on_a_redirect_is_sent_on(server: Any, settings: Any) -> None:
    server.on(
        "/save",
        lambda connection: connection.reply(
            303, **{"Location": "/results", "Set-Cookie": "SOCS=no; Path=/"}
        ),
    )
    server.route("/results", body=b"found")

    async def main() -> bytes:
        client = Client(settings())
        try:
            http = SourceHttp(client)
            answer = await http.post(
                server.url("/save"), body=b"reject=1", headers={"Cookie": "X=1"}
            )
            await SourceHttp(client).get(server.url("/results"))
            return answer.body
        finally:
            await client.aclose()

    assert asyncio.run(main()) == b"found"
    cookies = [request.headers.get("cookie") for request in server.seen]
    assert cookies == ["X=1", "SOCS=no; X=1", None]  # another source's jar is another jar
