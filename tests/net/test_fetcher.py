"""Fetching politely: robots, slots, redirects, retries and the deadline around one request."""

from __future__ import annotations

import asyncio
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.net.fetchers import failed, fetch_one, with_fetcher

from pixtrawl.config.groups import Politeness
from pixtrawl.errors import FetchError
from pixtrawl.model import Reason
from pixtrawl.net.fetcher import Fetcher
from pixtrawl.net.hosts import trouble as host_trouble
from pixtrawl.net.interface import Request

# -- redirects -----------------------------------------------------------------------------------


def test_redirects_are_followed_and_told(server: Any, settings: Any, staging: Path) -> None:
    server.route("/a", 302, Location="/b")
    server.route("/b", 301, Location="c?d=1")
    server.route("/c", body=b"picture")
    fetched = fetch_one(settings(), server.url("/a"), staging)
    assert fetched.response.url == server.url("/c?d=1")
    assert fetched.response.redirects == (server.url("/a"), server.url("/b"))
    assert (staging / "a").read_bytes() == b"picture"
    assert fetched.attempts == 1


def test_a_redirect_to_a_private_address_is_refused(
    server: Any, other_server: Any, settings: Any, staging: Path
) -> None:
    other_server.route("/secret", body=b"secret")
    url = server.route("/a", 302, Location=other_server.url("/secret"))
    error = failed(settings(allow_address=("127.0.0.1/32",)), url, staging)
    assert error.reason is Reason.ADDRESS_REFUSED
    assert other_server.connections == 0


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("file:///etc/passwd", Reason.SCHEME_REFUSED),
        ("data:image/png;base64,AAAA", Reason.SCHEME_REFUSED),
        ("http://", Reason.BAD_URL),
        ("/a", Reason.TOO_MANY_REDIRECTS),
        ("/a#again", Reason.TOO_MANY_REDIRECTS),
    ],
)
def test_a_redirect_to_what_is_not_fetched(
    server: Any, settings: Any, staging: Path, target: str, reason: Reason
) -> None:
    error = failed(settings(), server.route("/a", 302, Location=target), staging)
    assert error.reason is reason
    assert server.paths().count("/a") == 1


def test_an_endless_staircase_of_redirects_ends(server: Any, settings: Any, staging: Path) -> None:
    def step(connection: Any) -> None:
        connection.reply(302, Location=connection.target + "x")

    server.on("*", step)
    error = failed(settings(max_redirects=3), server.url("/a"), staging, robots=False)
    assert error.reason is Reason.TOO_MANY_REDIRECTS
    assert server.paths() == ["/a", "/ax", "/axx", "/axxx"]


def test_secrets_stay_with_their_host(
    server: Any, other_server: Any, settings: Any, staging: Path
) -> None:
    other_server.route("/b", body=b"x")
    server.route("/a", 302, Location="/same")
    server.route("/same", 302, Location=other_server.url("/b"))
    headers = {"Authorization": "t", "Cookie": "c", "X-Api-Key": "k", "Referer": "http://p/"}
    fetch_one(settings(), server.url("/a"), staging, headers=headers)
    same = next(seen for seen in server.seen if seen.target == "/same").headers
    assert (same["authorization"], same["x-api-key"]) == ("t", "k")
    there = next(seen for seen in other_server.seen if seen.target == "/b").headers
    assert {"authorization", "cookie", "x-api-key"}.isdisjoint(there)
    assert there["referer"] == "http://p/"


# -- statuses and retries ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (404, Reason.NOT_FOUND),
        (410, Reason.NOT_FOUND),
        (401, Reason.FORBIDDEN),
        (403, Reason.FORBIDDEN),
        (451, Reason.FORBIDDEN),
        (418, Reason.CLIENT_ERROR),
        (501, Reason.SERVER_ERROR),
        (304, Reason.PROTOCOL_ERROR),
        (204, Reason.EMPTY_BODY),
    ],
)
def test_a_refusal_is_final_and_asked_once(
    server: Any, settings: Any, staging: Path, status: int, reason: Reason
) -> None:
    error = failed(settings(), server.route("/a", status), staging)
    assert (error.reason, error.http_status, error.attempts) == (reason, status, 1)
    assert server.paths().count("/a") == 1


def flaky(*statuses: int, **headers: str) -> Callable[[Any], None]:
    left = list(statuses)

    def handler(connection: Any) -> None:
        if left:
            connection.reply(left.pop(0), **headers)
        else:
            connection.reply(200, b"picture")

    return handler


def test_a_server_error_is_tried_again(server: Any, settings: Any, staging: Path) -> None:
    url = server.on("/a", flaky(503, 500, Retry_After="0"))
    assert fetch_one(settings(), url, staging).attempts == 3


def test_attempts_end(server: Any, settings: Any, staging: Path) -> None:
    url = server.route("/a", 500)
    error = failed(settings(retries=1), url, staging)
    assert (error.reason, error.attempts) == (Reason.SERVER_ERROR, 2)
    assert server.paths().count("/a") == 2
    assert failed(settings(retries=0), url, staging).attempts == 1


def test_retry_after_holds_the_whole_host(server: Any, settings: Any, staging: Path) -> None:
    times: list[float] = []

    def first_too_many(connection: Any) -> None:
        times.append(time.monotonic())
        if len(times) == 1:
            connection.reply(429, Retry_After="1")
        else:
            connection.reply(200, b"picture")

    server.on("/a", first_too_many)
    server.on("/b", first_too_many)

    async def use(fetcher: Fetcher) -> list[int]:
        first = asyncio.create_task(fetcher.fetch(Request(url=server.url("/a")), stage_as="a"))
        while not times:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        second = await fetcher.fetch(Request(url=server.url("/b")), stage_as="b")
        return [(await first).attempts, second.attempts]

    assert with_fetcher(settings(), use, staging) == [2, 1]
    assert times[1] - times[0] >= 0.95
    assert times[2] - times[0] >= 0.95


def test_a_retry_after_beyond_the_deadline_ends_the_attempts(
    server: Any, settings: Any, staging: Path
) -> None:
    url = server.route("/a", 429, Retry_After="3600")
    error = failed(settings(), url, staging)
    assert (error.reason, error.attempts, error.retry_after_s) == (Reason.RATE_LIMITED, 1, 3600)


def test_a_retry_after_of_hours_does_not_keep_the_others_waiting(
    server: Any, settings: Any, staging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_trouble, "FIRST_REST_S", 0.5)
    urls = [server.route(f"/{n}", 429, Retry_After="3600") for n in range(3)]

    async def use(fetcher: Fetcher) -> list[Reason]:
        asked = (fetcher.fetch(Request(url=url), stage_as=url[-1]) for url in urls)
        failures = await asyncio.gather(*asked, return_exceptions=True)
        return [failure.reason for failure in failures if isinstance(failure, FetchError)]

    reasons = with_fetcher(settings(), use, staging, Politeness(per_host=1))
    assert reasons == [Reason.RATE_LIMITED, Reason.RATE_LIMITED, Reason.HOST_OUT]
    files = [path for path in server.paths() if not path.startswith(("/robots", "/.well-known"))]
    assert len(files) == 2  # one; another one after the first rest


def test_a_cut_body_is_tried_again_and_leaves_nothing(
    server: Any, settings: Any, staging: Path
) -> None:
    cuts = [True]

    def handler(connection: Any) -> None:
        if cuts:
            cuts.pop()
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\npic")
            connection.hang_up()
        else:
            connection.reply(200, b"picture")

    assert fetch_one(settings(), server.on("/a", handler), staging).attempts == 2
    assert (staging / "a").read_bytes() == b"picture"


def test_the_deadline_is_for_all_attempts(server: Any, settings: Any, staging: Path) -> None:
    def slow_failure(connection: Any) -> None:
        connection.stop.wait(0.3)
        connection.reply(500)

    server.on("/a", slow_failure)
    error = failed(settings(retries=50), server.url("/a"), staging, timeout_s=1.0)
    assert error.reason in {Reason.SERVER_ERROR, Reason.DEADLINE}
    assert server.paths().count("/a") <= 4  # each takes 0.3 s


def test_a_failure_survives_pickling(server: Any, settings: Any, staging: Path) -> None:
    error = pickle.loads(pickle.dumps(failed(settings(), server.route("/a", 404), staging)))
    assert (error.reason, error.attempts, error.final_url) == (
        Reason.NOT_FOUND,
        1,
        server.url("/a"),
    )
