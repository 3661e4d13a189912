"""The user's proxies behind the browser's gateway: HTTP, HTTPS and SOCKS."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from tests.net.test_gateway import HELLO, SITE, connect, gate, get, listening, run, say

from pixtrawl.net.gateway.dial import Upstream, upstream_of


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://proxy.example:3128", Upstream("http", "proxy.example", 3128)),
        ("proxy.example:3128", Upstream("http", "proxy.example", 3128)),
        ("https://proxy.example", Upstream("https", "proxy.example", 443)),
        ("SOCKS5h://[::1]", Upstream("socks5h", "::1", 1080)),
        ("http://me:p%40ss@p.example:80", Upstream("http", "p.example", 80, "me", "p@ss")),
    ],
)
def test_a_proxy_url_is_taken_apart(url: str, expected: Upstream) -> None:
    assert upstream_of(url) == expected


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def proxy(talk: Talk) -> AsyncIterator[int]:
    """A proxy on 127.0.0.1, which the guard would refuse as a target; yields its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await talk(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def test_an_http_proxy_gets_the_whole_address_and_its_own_login() -> None:
    heads: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        if heads[-1].startswith(b"CONNECT"):
            writer.write(b"HTTP/1.1 200 fine\r\n\r\n")
            writer.write(await reader.readexactly(2))
        else:
            writer.write(HELLO)

    async def scene() -> None:
        async with proxy(talk) as port, gate(proxy=f"http://me:p%40@127.0.0.1:{port}") as gateway:
            assert (await say(gateway, get("names.test", 81))).endswith(b"hello")
            assert (await say(gateway, connect("names.test", 443), end=b"ab")).endswith(
                b"\r\n\r\nab"
            )
            for inner in ("127.0.0.1", "localhost", "[::1]", "169.254.169.254", "0x7f.1"):
                canonical = "127.0.0.1" if inner == "0x7f.1" else inner  # browsers canonicalise
                assert await say(gateway, get(canonical, 80)) == b""

    run(scene)
    assert [head.partition(b"\r\n")[0] for head in heads] == [
        b"GET http://names.test:81/a?b HTTP/1.1", b"CONNECT names.test:443 HTTP/1.1"
    ]  # fmt: skip
    for head in heads:
        assert head.count(b"Proxy-Authorization") == 1
        assert b"Basic " + base64.b64encode(b"me:p@") in head


def test_a_proxy_that_refuses_the_tunnel_is_no_tunnel() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 407 no\r\nContent-Length: 0\r\n\r\n")

    async def scene() -> None:
        async with proxy(talk) as port, gate(proxy=f"http://127.0.0.1:{port}") as gateway:
            assert (await say(gateway, connect("a.test", 443))).startswith(b"HTTP/1.1 502 ")
            assert await say(gateway, get("a.test", 80)) == b""

    run(scene)


async def _socks5(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Talk as a SOCKS 5 proxy with a login; return the place that was asked for."""
    _, count = await reader.readexactly(2)
    assert 2 in await reader.readexactly(count)
    writer.write(b"\5\2")
    _, length = await reader.readexactly(2)
    user = await reader.readexactly(length)
    password = await reader.readexactly((await reader.readexactly(1))[0])
    assert (user, password) == (b"me", b"s3cret")
    writer.write(b"\1\0")
    _, _, _, kind = await reader.readexactly(4)
    length = {1: 4, 4: 16}.get(kind) or (await reader.readexactly(1))[0]
    place = bytes([kind]) + await reader.readexactly(length + 2)
    writer.write(b"\5\0\0\1\0\0\0\0\0\0")
    return place


@pytest.mark.parametrize(
    ("scheme", "host", "expected"),
    [("socks5h", "names.test", b"\3names.test"), ("socks5", SITE, b"\1\x7f\x4d\0\1")],
)
def test_a_socks_5_proxy_gets_the_name_or_a_checked_address(
    scheme: str, host: str, expected: bytes
) -> None:
    places: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        places.append(await _socks5(reader, writer))
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HELLO)

    async def scene() -> None:
        async with (
            proxy(talk) as port,
            gate(proxy=f"{scheme}://me:s3cret@127.0.0.1:{port}") as gateway,
        ):
            assert (await say(gateway, get(host, 81))).endswith(b"hello")
            if scheme == "socks5":  # resolved here, hence checked here
                assert await say(gateway, get("localhost", 81)) == b""

    run(scene)
    assert places == [expected + (81).to_bytes(2)]


@pytest.mark.parametrize(
    ("scheme", "host", "expected"),
    [
        ("socks4a", "names.test", b"\4\1\0\x51\0\0\0\1\0names.test\0"),
        ("socks4", SITE, b"\4\1\0\x51\x7f\x4d\0\1\0"),
    ],
)
def test_a_socks_4_proxy_gets_the_name_or_a_checked_address(
    scheme: str, host: str, expected: bytes
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(len(expected)) == expected
        writer.write(b"\0\x5a\0\0\0\0\0\0")
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HELLO)

    async def scene() -> None:
        async with proxy(talk) as port, gate(proxy=f"{scheme}://127.0.0.1:{port}") as gateway:
            assert (await say(gateway, get(host, 81))).endswith(b"hello")

    run(scene)


@pytest.mark.parametrize("answer", [b"\5\xff", b"\4\0", b"\5\0\5\5\0\1\0\0\0\0\0\0", b""])
def test_a_socks_proxy_that_refuses_is_no_connection(answer: bytes) -> None:
    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    async def scene() -> None:
        async with proxy(talk) as port, gate(proxy=f"socks5h://127.0.0.1:{port}") as gateway:
            assert (await say(gateway, connect("a.test", 443))).startswith(b"HTTP/1.1 502 ")

    run(scene)


def test_no_proxy_names_are_asked_directly() -> None:
    from pixtrawl.net.address import AddressGuard
    from pixtrawl.net.gateway.server import Gateway
    from pixtrawl.net.proxy import Proxies

    async def scene() -> None:
        environment = {"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": SITE}
        gateway = Gateway(AddressGuard(("127.77.0.0/24",)), Proxies(None, environment))
        await gateway.start()
        async with listening() as site:
            assert (await say(gateway, get(SITE, site.port))).endswith(b"hello")
        await gateway.aclose()

    run(scene)
