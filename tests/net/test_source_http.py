"""The network as sources see it, and the ways through proxies."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pixtrawl.errors import FetchError
from pixtrawl.model import Reason
from pixtrawl.net.client import Client
from pixtrawl.net.interface import Request, Response
from pixtrawl.net.proxy import Proxies
from pixtrawl.net.source_http import SourceHttp


def ask(fetch: Any, use: Callable[[SourceHttp], Awaitable[Any]], **more: Any) -> Any:
    async def main() -> Any:
        client = Client(fetch)
        try:
            return await use(SourceHttp(client, **more))
        finally:
            await client.aclose()

    return asyncio.run(main())


def test_parameters_headers_and_redirects(server: Any, settings: Any) -> None:
    server.route("/s", 302, Location="/t")
    server.route("/t", 403, body=b"blocked")
    url = server.url("/s?a=1")

    async def use(http: SourceHttp) -> Response:
        return await http.get(url, params={"q": "cat & dog", "n": 3}, headers={"X-K": "v"})

    response = ask(settings(), use, headers={"Accept-Language": "en"})
    assert (response.status, response.body) == (403, b"blocked")
    assert response.redirects == (server.url("/s?a=1&q=cat+%26+dog&n=3"),)
    assert server.seen[0].headers["x-k"] == "v"
    assert server.seen[0].headers["accept-language"] == "en"
    assert "/robots.txt" not in server.paths()


def test_a_post_arrives_whole(server: Any, settings: Any) -> None:
    url = server.route("/s", body=b'{"a": 1}')
    response = ask(settings(), lambda http: http.post(url, body=b"q=1"))
    assert response.json() == {"a": 1}
    assert (server.seen[0].method, server.seen[0].body) == ("POST", b"q=1")


def test_a_broken_line_is_tried_once_more_and_a_refusal_never(server: Any, settings: Any) -> None:
    server.on("/broken", lambda connection: connection.hang_up())
    with pytest.raises(FetchError):
        ask(settings(), lambda http: http.get(server.url("/broken")))
    assert server.paths().count("/broken") == 2
    server.route("/429", 429)
    assert ask(settings(), lambda http: http.get(server.url("/429"))).status == 429
    assert server.paths().count("/429") == 1


def test_each_source_keeps_its_own_pace(server: Any, settings: Any) -> None:
    url = server.route("/s")

    async def use(http: SourceHttp) -> float:
        began = time.monotonic()
        await asyncio.gather(*(http.get(url) for _ in range(4)))
        return time.monotonic() - began

    assert ask(settings(), use, delay_s=0.05) > 0.14


def test_a_page_has_a_cap_of_its_own(server: Any, settings: Any) -> None:
    url = server.route("/s", body=b"x" * 2000)
    with pytest.raises(FetchError) as caught:
        ask(settings(), lambda http: http.get(url, max_bytes=1000))
    assert caught.value.reason is Reason.TOO_MANY_BYTES


# -- proxies -------------------------------------------------------------------------------------


def through_proxy(fetch: Any, url: str) -> Response:
    async def main() -> Response:
        client = Client(fetch)
        try:
            return await client.transfer(Request(url=url))
        finally:
            await client.aclose()

    return asyncio.run(main())


def test_a_named_proxy_is_used_and_its_own_address_is_fine(server: Any, settings: Any) -> None:
    server.on("*", lambda connection: connection.reply(200, connection.target.encode()))
    fetch = settings(allow_address=(), proxy=server.url())
    response = through_proxy(fetch, "http://img.example.org/a.jpg")
    assert response.body == b"http://img.example.org/a.jpg"


def test_an_inner_target_is_refused_through_a_proxy_too(server: Any, settings: Any) -> None:
    server.route("*", body=b"secret")
    fetch = settings(allow_address=(), proxy=server.url())
    for url in ("http://169.254.169.254/latest", "http://localhost/", "https://[::1]/"):
        with pytest.raises(FetchError) as caught:
            through_proxy(fetch, url)
        assert caught.value.reason is Reason.ADDRESS_REFUSED
    assert server.connections == 0


def test_a_tunnel_answer_is_not_the_answer_and_its_refusal_is_the_proxys(
    server: Any, settings: Any
) -> None:
    server.routes["*"] = lambda connection: connection.reply(403, b"no tunnel")
    with pytest.raises(FetchError) as caught:
        through_proxy(settings(proxy=server.url()), "https://img.example.org/")
    assert caught.value.reason is Reason.PROXY_FAILED
    assert server.seen[0].method == "CONNECT"


def pipe(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)


def test_https_goes_through_a_tunnel(
    server: Any,
    tls_server: Any,
    settings: Any,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    tls_server.route("/a", body=b"through the tunnel")

    def connect(connection: Any) -> None:
        with socket.create_connection(("127.0.0.1", tls_server.port)) as far:
            connection.send(b"HTTP/1.1 200 Connection established\r\nX-Proxy: 1\r\n\r\n")
            thread = threading.Thread(target=pipe, args=(far, connection.sock), daemon=True)
            thread.start()
            pipe(connection.sock, far)
            with suppress(OSError):
                far.shutdown(socket.SHUT_RDWR)
            thread.join(60)
        connection.hang_up()

    server.on("*", connect)
    response = through_proxy(settings(proxy=server.url()), tls_server.url("/a"))
    assert (response.status, response.body) == (200, b"through the tunnel")
    assert "x-proxy" not in response.headers
    assert server.seen[0].target == f"127.0.0.1:{tls_server.port}"


def test_a_proxy_that_is_not_there(settings: Any) -> None:
    with pytest.raises(FetchError) as caught:
        through_proxy(settings(proxy="http://127.0.0.1:1"), "http://img.example.org/")
    assert caught.value.reason is Reason.PROXY_FAILED


ENVIRONMENT = {
    "HTTP_PROXY": "http://up:1",
    "http_proxy": "http://low:1",
    "HTTPS_PROXY": "http://tls:1",
    "NO_PROXY": "example.org, .inner.test 10.0.0.0/8,127.0.0.1,odd.test:8080",
}


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://a.test/", "http://low:1"),
        ("https://a.test/", "http://tls:1"),
        ("http://example.org/", ""),
        ("http://www.example.org:81/", ""),
        ("http://notexample.org/", "http://low:1"),
        ("http://x.inner.test/", ""),
        ("http://10.1.2.3/", ""),
        ("http://127.0.0.1:8000/", ""),
        ("http://11.1.2.3/", "http://low:1"),
        ("http://odd.test:8080/", ""),
        ("http://odd.test/", "http://low:1"),
    ],
)
def test_the_environment_names_proxies_and_exceptions(url: str, proxy: str) -> None:
    assert Proxies(None, ENVIRONMENT).for_url(url) == proxy
    assert Proxies("http://mine:1", ENVIRONMENT).for_url(url) == "http://mine:1"
    assert Proxies(None, {**ENVIRONMENT, "no_proxy": "*"}).for_url(url) == ""
    assert Proxies(None, {}).for_url(url) == ""
