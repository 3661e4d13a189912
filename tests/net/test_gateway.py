"""The browser's gateway: who may use it, where it connects to, and what passes through it."""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from pixtrawl.net import resolver
from pixtrawl.net.address import AddressGuard
from pixtrawl.net.gateway import server as gateway_module
from pixtrawl.net.gateway.head import answer_head, read_request_head
from pixtrawl.net.gateway.server import Gateway
from pixtrawl.net.proxy import Proxies

SITE = "127.77.0.1"
ALLOWED = ("127.77.0.0/24",)


class Host:
    """A server that answers every request with `answer`; `heads` and `bodies` are what came."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.heads: list[bytes] = []
        self.rest = b""
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.heads.append(await reader.readuntil(b"\r\n\r\n"))
            if b"content-length: 5" in self.heads[-1].lower():
                self.rest += await reader.readexactly(5)
            writer.write(self.answer)
            await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            self.heads.append(b"")
        finally:
            writer.close()


HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nKeep-Alive: 5\r\n\r\nhello"


@asynccontextmanager
async def listening(answer: bytes = HELLO, address: str = SITE) -> AsyncIterator[Host]:
    host = Host(answer)
    server = await asyncio.start_server(host.serve, address, 0)
    host.port = server.sockets[0].getsockname()[1]
    try:
        yield host
    finally:
        server.close()


@asynccontextmanager
async def gate(allow: Sequence[str] = ALLOWED, proxy: str = "") -> AsyncIterator[Gateway]:
    gateway = Gateway(AddressGuard(allow), Proxies(proxy or None, {}))
    await gateway.start()
    try:
        yield gateway
    finally:
        await gateway.aclose()


def login(gateway: Gateway) -> bytes:
    pair = base64.b64encode(f"{gateway.user}:{gateway.password}".encode())
    return b"Proxy-Authorization: Basic " + pair + b"\r\n"


async def say(gateway: Gateway, head: bytes, *, end: bytes = b"", known: bool = True) -> bytes:
    """What the gateway sends for these bytes, until it closes; b"" for a reset."""
    reader, writer = await asyncio.open_connection(gateway.host, gateway.port)
    writer.write(head + (login(gateway) if known else b"") + b"\r\n" + end)
    try:
        return await asyncio.wait_for(reader.read(), 60)
    except ConnectionError:
        return b""
    finally:
        writer.close()


def get(host: str, port: int, path: str = "/a?b") -> bytes:
    return f"GET http://{host}:{port}{path} HTTP/1.1\r\nHost: {host}:{port}\r\n".encode()


def connect(host: str, port: int) -> bytes:
    return f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n".encode()


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        await asyncio.wait_for(work(), 60)

    asyncio.run(limited())


def test_nobody_uses_it_without_the_password() -> None:
    async def scene() -> None:
        async with listening() as site, gate() as gateway:
            for head in (get(SITE, site.port), connect(SITE, site.port)):
                assert (await say(gateway, head, known=False)).startswith(b"HTTP/1.1 407 ")
                wrong = head + b"Proxy-Authorization: Basic cGl4dHJhd2w6eA==\r\n"
                assert (await say(gateway, wrong, known=False)).startswith(b"HTTP/1.1 407 ")
            assert site.heads == []
            assert not gateway.greeted

    run(scene)


def test_a_request_arrives_without_what_belongs_to_the_proxy() -> None:
    async def scene() -> None:
        async with listening() as site, gate() as gateway:
            head = get(SITE, site.port) + b"Proxy-Connection: keep-alive\r\nX-Own: 1\r\n"
            answer = await say(gateway, head)
        assert answer.endswith(b"\r\n\r\nhello")
        assert b"Connection: close" in answer
        assert b"Keep-Alive" not in answer
        assert site.heads[0].startswith(b"GET /a?b HTTP/1.1\r\n")
        assert b"X-Own: 1\r\n" in site.heads[0]
        assert b"roxy" not in site.heads[0]

    run(scene)


def test_a_body_is_passed_on_and_what_follows_it_is_not() -> None:
    async def scene() -> None:
        async with listening() as site, gate() as gateway:
            head = get(SITE, site.port).replace(b"GET", b"POST") + b"Content-Length: 5\r\n"
            inner = get("127.0.0.1", 80) + b"\r\n"
            assert (await say(gateway, head, end=b"12345" + inner)).endswith(b"hello")
        assert site.rest == b"12345"
        assert len(site.heads) == 1

    run(scene)


def test_a_tunnel_passes_bytes_as_they_are() -> None:
    async def scene() -> None:
        async with listening(b"\x16\x03 back") as site, gate() as gateway:
            answer = await say(gateway, connect(SITE, site.port), end=b"\x16\x03 there\r\n\r\n")
        assert answer == b"HTTP/1.1 200 Connection established\r\n\r\n\x16\x03 back"
        assert site.heads == [b"\x16\x03 there\r\n\r\n"]

    run(scene)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.2", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0",
     "localhost", "localhost.", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]",
     "[64:ff9b::7f00:1]", "169.254.169.254", "[fe80::1]", "10.0.0.1", "192.168.1.1",
     "[fd00::1]", "100.64.0.1"],
)  # fmt: skip
def test_an_inner_address_is_not_connected_to_however_it_is_written(host: str) -> None:
    async def scene() -> None:
        async with listening(address="127.0.0.1") as inner, gate() as gateway:
            tunnel = await say(gateway, connect(host, inner.port))
            assert tunnel.startswith(b"HTTP/1.1 502 ")
            assert await say(gateway, get(host, inner.port)) == b""
            assert gateway.has_refused(host)
        assert inner.heads == []

    run(scene)


def test_a_name_that_changes_its_address_leads_nowhere_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = [SITE, "127.0.0.1", "127.0.0.1"]
    asked_for: list[str] = []

    def rebinding(name: str, *_rest: object, **_more: object) -> list[tuple[object, ...]]:
        asked_for.append(name)
        address = answers[min(len(asked_for), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))]

    async def scene() -> None:
        async with listening() as site, gate() as gateway:
            async with listening(address="127.0.0.1") as inner:
                inner_port = inner.port
                monkeypatch.setattr(socket, "getaddrinfo", rebinding)
                for _ in range(3):
                    answer = await say(gateway, get("rebind.test", site.port))
                    assert answer.endswith(b"hello")
                assert asked_for == ["rebind.test"]
                monkeypatch.setattr(resolver, "_KEPT_S", -1.0)  # the name is looked up again
                async with gate() as later:
                    assert await say(later, get("rebind.test", inner_port)) == b""
                    assert (await say(later, connect("rebind.test", inner_port)))[9:12] == b"502"
            assert inner.heads == []
            assert len(asked_for) == 3

    run(scene)


def test_of_a_name_with_several_addresses_only_allowed_ones_are_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [(socket.AF_INET, 1, 6, "", (one, 0)) for one in ("127.0.0.1", "169.254.1.1", SITE)]

    async def scene() -> None:
        async with listening() as site, gate() as gateway:
            monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: rows)
            assert (await say(gateway, get("mixed.test", site.port))).endswith(b"hello")

    run(scene)


def test_it_does_not_connect_to_itself() -> None:
    async def scene() -> None:
        async with gate(["127.0.0.0/8"]) as gateway:
            answer = await say(gateway, connect(gateway.host, gateway.port))
            assert answer.startswith(b"HTTP/1.1 502 ")

    run(scene)


@pytest.mark.parametrize(
    "head",
    [b"GET / HTTP/1.1\r\nHost: a\r\n", b"GET ftp://a/ HTTP/1.1\r\n", b"CONNECT a HTTP/1.1\r\n",
     b"GET http://a:99999/ HTTP/1.1\r\n", b"GET http:/// HTTP/1.1\r\n", b"nonsense\r\n",
     b"POST http://a/ HTTP/1.1\r\nContent-Length: -1\r\n", b"CONNECT [::1:80 HTTP/1.1\r\n",
     b"GET http://a/\xff HTTP/1.1\r\n", b"GET http://a/ HTTP/2\r\n"],
)  # fmt: skip
def test_what_is_no_request_to_a_proxy_ends_the_connection(head: bytes) -> None:
    async def scene() -> None:
        async with gate() as gateway:
            assert await say(gateway, head) == b""

    run(scene)


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n",
     b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000 + b"\r\n\r\n", b"garbage\r\n\r\n", b"",
     b"HTTP/1.1 103 Early\r\n\r\n" * 40],
)  # fmt: skip
def test_an_answer_that_would_confuse_the_browser_is_none(answer: bytes) -> None:
    async def scene() -> None:
        async with listening(answer) as site, gate() as gateway:
            said = await say(gateway, get(SITE, site.port))
            assert b" 407 " not in said
            assert b"200" not in said

    run(scene)


def test_silence_ends_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_module, "_IDLE_S", 0.2)

    async def scene() -> None:
        async with gate() as gateway:
            reader, writer = await asyncio.open_connection(gateway.host, gateway.port)
            writer.write(b"GET http://a/ HTT")
            with pytest.raises(ConnectionResetError):
                await asyncio.wait_for(reader.readexactly(1), 60)
            writer.close()

    run(scene)


def test_connections_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_module, "_MAX_CONNECTIONS", 3)

    async def scene() -> None:
        async with gate() as gateway:
            held = [await asyncio.open_connection(gateway.host, gateway.port) for _ in range(3)]
            await asyncio.sleep(0)
            assert await say(gateway, get(SITE, 1), known=False) == b""
            for _, writer in held:
                writer.close()

    run(scene)


def test_a_continued_header_line_goes_with_its_header() -> None:
    head = b"HTTP/1.1 200 OK\r\nKeep-Alive: a\r\n b\r\nX: c\r\n d\r\n"
    _, passed = answer_head(head)
    assert passed == b"HTTP/1.1 200 OK\r\nX: c\r\n d\r\nConnection: close\r\n\r\n"


def test_a_target_without_a_path_asks_for_the_root() -> None:
    request = read_request_head(b"GET http://A.Test?x HTTP/1.1\r\n\r\n")
    assert (request.host, request.port) == ("a.test", 80)
    assert request.head(b"", absolute=False).startswith(b"GET /?x HTTP/1.1\r\n")
