"""The server itself: keep-alive, pipelining, the log, starting and stopping."""

from __future__ import annotations

import asyncio
import http.client
import re
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest

from pixtrawl.playground import Playground
from tests.playground.wire import ask


def _connect(site: Playground) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=60)


def test_one_connection_serves_many_requests(site: Playground) -> None:
    connection = _connect(site)
    before = sum(site.log.connections.values())
    for _ in range(5):
        connection.request("GET", "/robots.txt")
        assert b"Disallow: /private/" in connection.getresponse().read()
    connection.close()
    assert sum(site.log.connections.values()) == before + 1


def test_pipelined_requests_are_answered_in_order(site: Playground) -> None:
    parts = urlsplit(site.url)
    asked = b"".join(
        b"GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n" % (path, last)
        for path, last in ((b"/robots.txt", b""), (b"/nope", b""), (b"/", b"Connection: close\r\n"))
    )
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=60) as sock:
        sock.sendall(asked)
        raw = b""
        while data := sock.recv(65536):
            raw += data
    assert re.findall(rb"HTTP/1\.1 (\d+)", raw) == [b"200", b"404", b"200"]


def test_head_sends_no_body(site: Playground) -> None:
    seen = ask(site.image_urls(1)[0], method="HEAD")
    assert seen.body == b""
    assert int(seen.headers["content-length"]) > 1000


def test_a_request_that_is_none_is_refused(site: Playground) -> None:
    parts = urlsplit(site.url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=60) as sock:
        sock.sendall(b"HELLO\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 400 ")


def test_a_client_that_speaks_tls_is_reported_at_once(site: Playground) -> None:
    parts = urlsplit(site.url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=60) as sock:
        sock.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")  # a ClientHello begins
        assert sock.recv(100).startswith(b"HTTP/1.1 400 ")


def test_the_log_tells_headers_and_how_many_requests_were_under_way() -> None:
    with Playground(latency_s=0.2) as site:
        url = site.image_urls(1)[0]
        site.render([url])
        threads = [threading.Thread(target=ask, args=(url, "X-Mark: 1")) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        host = urlsplit(url).netloc
        assert site.high_water[host] == 4
        assert [r.headers["x-mark"] for r in site.requests_to(url)] == ["1"] * 4
        assert site.log.in_progress[host] == 0


def test_latency_comes_before_every_answer() -> None:
    with Playground(latency_s=0.15) as site:
        start = time.monotonic()
        ask(f"{site.url}/robots.txt")
        assert time.monotonic() - start >= 0.15


def test_image_hosts_have_addresses_of_their_own(site: Playground) -> None:
    assert len({urlsplit(host).netloc for host in site.hosts}) == 8
    used = {urlsplit(entry.url).netloc for entry in site.expected("cat")}
    assert used == {urlsplit(host).netloc for host in site.hosts}


def test_stopping_frees_the_port() -> None:
    with Playground() as site:
        port = urlsplit(site.url).port or 0
        held = socket.create_connection(("127.0.0.1", port), timeout=60)
        held.sendall(b"HEAD / HTTP/1.1\r\n\r\n")
        assert held.recv(8192).startswith(b"HTTP/1.1 200 ")
    assert held.recv(1) == b""
    held.close()
    with Playground(port=port) as again:
        assert urlsplit(again.url).port == port
        with pytest.raises(OSError, match="in use"), Playground(port=port):
            pass


def test_it_runs_on_the_loop_that_is_running() -> None:
    async def visit() -> bytes:
        async with Playground() as site:
            parts = urlsplit(site.url)
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            writer.write(b"GET /robots.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            text = await reader.read()
            writer.close()
            return text

    assert b"User-agent: *" in asyncio.run(visit())


def test_the_same_seed_lists_the_same_and_another_seed_another() -> None:
    with Playground(seed=3) as one, Playground(seed=3) as two, Playground(seed=4) as other:
        first = [(e.docid, e.path, e.title) for e in one.expected("cat")]
        assert first == [(e.docid, e.path, e.title) for e in two.expected("cat")]
        assert first != [(e.docid, e.path, e.title) for e in other.expected("cat")]


def test_benchmark_pictures_repeat_with_other_bytes() -> None:
    with Playground(distinct=5) as site:
        urls = [url for url in site.image_urls(20) if url.endswith(".jpg")]
        bodies = {ask(url).body for url in urls}
        assert len(bodies) == len(urls)


def test_it_behaves_the_same_on_the_loop_that_the_command_uses() -> None:
    uvloop = pytest.importorskip("uvloop", reason="uvloop is not installed")

    async def visit() -> list[str]:
        async with Playground() as site:
            names = ("reset", "short-body", "dropped", "chunked")
            urls = [site.fault(name).url for name in names]
            return [(await asyncio.to_thread(ask, url)).ended for url in urls]

    assert uvloop.run(visit()) == ["reset", "closed", "closed", "closed"]
