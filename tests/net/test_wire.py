"""Answers that break off, and bytes beside the body: a true reason, a bound, and nothing staged."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.net.http2 import (
    CONTINUATION,
    END_HEADERS,
    HEADERS,
    RST_STREAM,
    Http2Server,
    frame,
    status,
)

from pixtrawl.config.groups import Politeness
from pixtrawl.errors import FetchError
from pixtrawl.model import REASONS, Reason
from pixtrawl.net.client import Client
from pixtrawl.net.fetcher import Fetcher, FetchFailedError
from pixtrawl.net.interface import Request

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def failed(
    fetch: Any, url: str, staging: Path, *, attempts: bool = False
) -> tuple[FetchError, int]:
    """The failure of a download, with all attempts or with one, and the bytes that it counted."""

    async def main() -> tuple[FetchError, int]:
        client = Client(fetch, staging=staging)
        fetcher = Fetcher(client, Politeness(), fetch)
        try:
            if attempts:
                await fetcher.fetch(Request(url=url), stage_as="a", robots=False)
            else:
                await client.transfer(Request(url=url), stage_as="a")
        except FetchError as error:
            return error, client.received_bytes
        finally:
            await fetcher.aclose()
            await client.aclose()
        raise AssertionError("no failure")

    error, received_bytes = asyncio.run(main())
    assert list(staging.iterdir()) == [], "nothing is left in staging"
    return error, received_bytes


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\n"


@pytest.mark.parametrize("cut", [*range(1, len(HEAD)), 0])
def test_a_head_that_is_cut_anywhere_is_a_broken_answer(
    server: Any, settings: Any, staging: Path, cut: int
) -> None:
    def handler(connection: Any) -> None:
        connection.send(HEAD[:cut])
        connection.hang_up()

    error, _ = failed(settings(), server.on("/a", handler), staging)
    assert error.reason in {Reason.PROTOCOL_ERROR, Reason.BODY_INCOMPLETE}, error
    assert REASONS[error.reason].transient


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 101 x\r\nUpgrade: a\r\n\r\n",
        b"HTTP/1.1 101 x\r\n\r\n",
        b"HTTP/1.1 101 x\r\nContent-Length: 9\r\n\r\n",
        b"HTTP/1.1 101 x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n",
        b"HTTP/1.1 100 x\r\n\r\nHTTP/1.1 101 x\r\nUpgrade: h2c\r\n\r\n",
        b"HTTP/1.1 199 x\r\nContent-Length: 9\r\n\r\n",
        b"HTTP/1.1 100 x\r\n\r\n",
    ],
)
def test_a_body_behind_an_interim_answer_is_a_broken_answer_in_each_attempt(
    server: Any, settings: Any, staging: Path, head: bytes
) -> None:
    def handler(connection: Any) -> None:
        connection.send(head + b"\xff\xd8 picture" * 20_000)
        connection.hang_up()

    error, _ = failed(settings(), server.on("/a", handler), staging, attempts=True)
    assert isinstance(error, FetchFailedError)
    assert (error.reason, error.attempts) == (Reason.PROTOCOL_ERROR, 3)


def flood(before: bytes, block: bytes) -> Callable[[Any], None]:
    def handler(connection: Any) -> None:
        connection.send(before)
        while not connection.stop.is_set():
            connection.send(block)

    return handler


FLOODS = {
    "chunk extension": (CHUNKED + b"5;a=", b"a" * 65_536, Reason.TOO_MANY_BYTES),
    "chunk extensions": (CHUNKED, b"1;" + b"a" * 9000 + b"\r\nx\r\n", Reason.TOO_MANY_BYTES),
    "zeros before a length": (CHUNKED, b"0" * 65_536, Reason.BODY_INCOMPLETE),
    "headers": (OK, b"X-Pad: x\r\n" * 1000, Reason.PROTOCOL_ERROR),
    "one long header": (OK + b"X-Pad: ", b"x" * 65_536, Reason.PROTOCOL_ERROR),
    "a header folded for ever": (OK + b"X: y\r\n", b" x\r\n" * 1000, Reason.PROTOCOL_ERROR),
    "empty header names": (OK, b":\r\n" * 1000, Reason.PROTOCOL_ERROR),
    "trailers": (CHUNKED + b"1\r\nx\r\n0\r\n", b"X: x\r\n" * 1000, Reason.PROTOCOL_ERROR),
    "100 Continue": (b"", b"HTTP/1.1 100 C\r\n\r\n" * 1000, Reason.PROTOCOL_ERROR),
    "103 with headers": (b"", b"HTTP/1.1 103 E\r\nLink: x\r\n\r\n" * 99, Reason.PROTOCOL_ERROR),
    "blank lines first": (b"", b"\r\n" * 1000, Reason.PROTOCOL_ERROR),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_beside_the_body_ends_early_and_counts(
    server: Any, settings: Any, staging: Path, name: str
) -> None:
    before, block, reason = FLOODS[name]
    url = server.on("/a", flood(before, block))
    error, received_bytes = failed(settings(timeout_s=20), url, staging)
    assert error.reason is reason, error
    if reason is Reason.TOO_MANY_BYTES:
        assert received_bytes > 2**20
    assert received_bytes < 200 * 2**20


def test_a_body_in_pieces_of_one_byte_is_a_body(server: Any, settings: Any, staging: Path) -> None:
    def handler(connection: Any) -> None:
        connection.send(CHUNKED)
        for _ in range(10):
            connection.send(b"1\r\nx\r\n" * 20_000)
            connection.stop.wait(0.1)
        connection.send(b"0\r\n\r\n")

    async def main() -> int:
        client = Client(settings(), staging=staging)
        try:
            url = server.on("/a", handler)
            return (await client.transfer(Request(url=url), stage_as="a")).size_bytes
        finally:
            await client.aclose()

    assert asyncio.run(main()) == 200_000


# -- HTTP/2 --------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _trust(monkeypatch: pytest.MonkeyPatch, certificate: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


def test_a_refused_stream_is_asked_for_twice_an_attempt_at_the_most(
    certificate: Path, settings: Any, staging: Path
) -> None:
    def refuse(send: Any, stream: int) -> None:
        send(frame(RST_STREAM, 0, stream, (7).to_bytes(4, "big")))

    with closing(Http2Server(certificate, refuse)) as http2:
        error, _ = failed(settings(), http2.url(), staging, attempts=True)
        assert error.reason is Reason.PROTOCOL_ERROR
        assert http2.requests <= 6  # three attempts


@pytest.mark.parametrize("kind", ["1xx", "continuation"])
def test_a_flood_of_header_frames_is_bounded(
    certificate: Path, settings: Any, staging: Path, kind: str
) -> None:
    def answer(send: Any, stream: int) -> None:
        if kind == "continuation":
            send(frame(HEADERS, 0, stream, status(200)))
        while True:
            if kind == "1xx":
                send(frame(HEADERS, END_HEADERS, stream, status(103)) * 100)
            else:
                send(frame(CONTINUATION, 0, stream, b"\x00\x01x\x01y" * 3000))

    with closing(Http2Server(certificate, answer)) as http2:
        error, _ = failed(settings(), http2.url(), staging)
        assert error.reason in {Reason.PROTOCOL_ERROR, Reason.BODY_INCOMPLETE}
        assert http2.sent_bytes < 24 * 2**20  # buffers of the system included
