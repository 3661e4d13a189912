"""A hostile or broken server: each bad behaviour ends in its own reason, in time, with no file."""

from __future__ import annotations

import asyncio
import gzip
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from pixtrawl.errors import FetchError
from pixtrawl.model import Reason
from pixtrawl.net.client import Client
from pixtrawl.net.interface import Request, Response


def attempt(fetch: Any, url: str, staging: Path, **more: Any) -> Response:
    async def main() -> Response:
        client = Client(fetch, staging=staging)
        try:
            return await client.transfer(Request(url=url, **more), stage_as="a")
        finally:
            await client.aclose()

    return asyncio.run(main())


def refused(fetch: Any, url: str, staging: Path, **more: Any) -> FetchError:
    with pytest.raises(FetchError) as caught:
        attempt(fetch, url, staging, **more)
    assert list(staging.iterdir()) == []
    return caught.value


def raw(head: bytes, *, then: Any = None) -> Any:
    def handler(connection: Any) -> None:
        connection.send(head)
        if then is not None:
            then(connection)
        connection.hang_up()

    return handler


def endless(connection: Any) -> None:
    while not connection.stop.is_set():
        connection.send(b"x" * 65_536)


def drip(connection: Any) -> None:
    while not connection.stop.wait(0.05):
        connection.send(b"x")


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (OK + b"Content-Length: 10\r\n\r\nhalf", Reason.BODY_INCOMPLETE),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", Reason.BODY_INCOMPLETE),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", Reason.BODY_INCOMPLETE),
        (b"", Reason.PROTOCOL_ERROR),
        (b"SSH-2.0-OpenSSH\r\n", Reason.PROTOCOL_ERROR),
        (b"HTTP/1.1 2000000 No\r\n\r\n", Reason.PROTOCOL_ERROR),
        (OK + b"X: " + b"y" * 400_000, Reason.PROTOCOL_ERROR),
        (OK + b"Content-Length: 99999999\r\n\r\n", Reason.TOO_MANY_BYTES),
    ],
)
def test_a_broken_answer_has_its_reason(
    server: Any, settings: Any, staging: Path, head: bytes, reason: Reason
) -> None:
    url = server.on("/a", raw(head))
    assert refused(settings(max_bytes=1_000_000), url, staging).reason is reason


def test_an_endless_body_ends_at_the_cap(server: Any, settings: Any, staging: Path) -> None:
    url = server.on("/a", raw(OK + b"\r\n", then=endless))
    error = refused(settings(max_bytes=1_000_000), url, staging)
    assert (error.reason, error.http_status) == (Reason.TOO_MANY_BYTES, 200)


def test_a_request_may_ask_for_less(server: Any, settings: Any, staging: Path) -> None:
    url = server.route("/a", body=b"x" * 2000)
    assert refused(settings(), url, staging, max_bytes=1999).reason is Reason.TOO_MANY_BYTES
    assert attempt(settings(), url, staging, max_bytes=2000).size_bytes == 2000


def test_a_bomb_ends_at_the_cap_after_decompression(
    server: Any, settings: Any, staging: Path
) -> None:
    bomb = gzip.compress(b"\0" * 20_000_000)
    assert len(bomb) < 100_000
    url = server.route("/a", body=bomb, Content_Encoding="gzip")
    assert refused(settings(max_bytes=1_000_000), url, staging).reason is Reason.TOO_MANY_BYTES


def test_input_that_never_decompresses_to_anything_ends_too(
    server: Any, settings: Any, staging: Path
) -> None:
    empty_blocks = gzip.compress(b"")[:10] + b"\0\0\0\xff\xff" * 400_000

    def handler(connection: Any) -> None:
        connection.send(OK + b"Content-Encoding: gzip\r\n\r\n" + empty_blocks)
        connection.hang_up()

    error = refused(settings(max_bytes=1_000_000), server.on("/a", handler), staging)
    assert error.reason is Reason.TOO_MANY_BYTES


def test_a_compressed_body_is_decoded_though_nobody_asked(
    server: Any, settings: Any, staging: Path
) -> None:
    url = server.route("/a", body=gzip.compress(b"picture"), Content_Encoding="gzip")
    assert attempt(settings(), url, staging).size_bytes == 7
    assert (staging / "a").read_bytes() == b"picture"


def test_a_server_that_never_answers_meets_the_first_byte_time_out(
    server: Any, settings: Any, staging: Path
) -> None:
    url = server.on("/a", lambda connection: connection.stop.wait(600))
    began = time.monotonic()
    error = refused(settings(first_byte_timeout_s=0.4), url, staging)
    assert error.reason is Reason.FIRST_BYTE_TIMEOUT
    assert time.monotonic() - began > 0.3


def test_a_late_body_is_no_late_first_byte(server: Any, settings: Any, staging: Path) -> None:
    def handler(connection: Any) -> None:
        connection.send(OK + b"Content-Length: 2\r\n\r\n")
        connection.stop.wait(0.7)
        connection.send(b"ok")

    url = server.on("/a", handler)
    assert attempt(settings(first_byte_timeout_s=0.2), url, staging).size_bytes == 2


def test_a_drip_is_too_slow(server: Any, settings: Any, staging: Path) -> None:
    url = server.on("/a", raw(OK + b"Content-Length: 9000\r\n\r\n", then=drip))
    error = refused(settings(min_speed_window_s=1), url, staging)
    assert error.reason is Reason.TOO_SLOW


def test_the_deadline_holds_whatever_else_does(server: Any, settings: Any, staging: Path) -> None:
    url = server.on("/a", raw(OK + b"Content-Length: 9000\r\n\r\n", then=drip))
    assert refused(settings(), url, staging, timeout_s=0.5).reason is Reason.DEADLINE


def test_a_port_nobody_listens_on_refuses(settings: Any, staging: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
        assert refused(settings(), url, staging).reason is Reason.CONNECT_FAILED


def test_a_full_backlog_meets_the_connect_time_out(settings: Any, staging: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    port = listener.getsockname()[1]
    fillers = []
    for _ in range(8):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.1", port))
        fillers.append(filler)
    try:
        error = refused(settings(connect_timeout_s=0.4), f"http://127.0.0.1:{port}/", staging)
        assert error.reason is Reason.CONNECT_TIMEOUT
    finally:
        for filler in [*fillers, listener]:
            filler.close()


def test_a_name_that_does_not_resolve(settings: Any, staging: Path) -> None:
    assert refused(settings(), "http://nowhere.invalid/", staging).reason is Reason.DNS_FAILED


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost",
        "LOCALHOST", "a.localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0",
    ],
)  # fmt: skip
def test_every_spelling_of_an_inner_address_is_refused(
    server: Any, settings: Any, staging: Path, host: str
) -> None:
    server.route("/a", body=b"secret")
    fetch = settings(allow_address=())
    assert refused(fetch, server.url("/a", host), staging).reason is Reason.ADDRESS_REFUSED
    assert server.connections == 0


def test_a_name_is_checked_by_the_address_it_resolves_to(
    server: Any, settings: Any, staging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.route("/a", body=b"secret")
    # The early look at the URL knows nothing, as with a name that resolves anew at each asking.
    monkeypatch.setattr("pixtrawl.net.address.AddressGuard.refuses_host", lambda *_: False)
    fetch = settings(allow_address=())
    error = refused(fetch, server.url("/a", "localhost"), staging)
    assert error.reason is Reason.ADDRESS_REFUSED
    assert server.connections == 0


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("file:///etc/passwd", Reason.SCHEME_REFUSED),
        ("gopher://127.0.0.1:25/x", Reason.SCHEME_REFUSED),
        ("no url", Reason.BAD_URL),
        ("http://", Reason.BAD_URL),
        ("data:image/png;base64,AAAAA", Reason.BAD_DATA_URL),
    ],
)
def test_other_schemes_and_no_urls_are_refused(
    settings: Any, staging: Path, url: str, reason: Reason
) -> None:
    assert refused(settings(), url, staging).reason is reason


def test_the_rate_limit_is_shared_by_all_transfers(
    server: Any, settings: Any, staging: Path
) -> None:
    url = server.route("/a", body=b"x" * 100_000)

    async def main() -> float:
        client = Client(settings(limit_rate_bytes_s=200_000), staging=staging)
        began = time.monotonic()
        await asyncio.gather(
            *(client.transfer(Request(url=url), stage_as=f"f{i}") for i in range(4))
        )
        await client.aclose()
        return time.monotonic() - began

    assert asyncio.run(main()) > 1.5  # 0.5 s where each transfer had the rate for itself
