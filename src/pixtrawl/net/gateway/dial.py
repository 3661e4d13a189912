"""Open a connection for the browser: directly behind the address guard, or by the user's proxy.

A proxy of the user's resolves names itself (socks5h, socks4a, http, https): of those only the host
as written can be checked. With socks4 and socks5 names are resolved and checked here.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from typing import Final
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from pixtrawl.net.address import AddressGuard
from pixtrawl.net.gateway import socks
from pixtrawl.net.proxy import Proxies
from pixtrawl.net.resolver import AddressRefusedError, Resolver
from pixtrawl.net.trust import Trust, trusted

__all__ = ["BUFFER_BYTES", "Dialler", "OpenConnection", "Upstream", "upstream_of"]

BUFFER_BYTES: Final = 64 * 1024  # of one direction; also of the largest head of a request
_TOTAL_S: Final = 10.0  # resolve, connect, and the proxy's part
_ADDRESS_S: Final = 3.0  # one address of several
_MAX_ADDRESSES: Final = 6
_PORT: Final = 1080  # of a proxy URL without one, as libcurl has it
_HTTPS_PORT: Final = 443


class Upstream(Struct, frozen=True):
    """A proxy of the user's, taken apart."""

    scheme: str
    host: str
    port: int
    user: str = ""
    password: str = ""

    @property
    def authorization(self) -> bytes:
        """The Proxy-Authorization header line with its line end; empty without credentials."""
        if not self.user and not self.password:
            return b""
        pair = base64.b64encode(f"{self.user}:{self.password}".encode())
        return b"Proxy-Authorization: Basic " + pair + b"\r\n"


class OpenConnection(Struct):
    """An open connection. `forward`: to an HTTP proxy that wants absolute URLs, with that line."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    forward: bool = False
    authorization: bytes = b""


class Dialler:
    """Opens connections to hosts. `dial` raises OSError or TimeoutError."""

    def __init__(self, guard: AddressGuard, proxies: Proxies) -> None:
        self._guard = guard
        self._proxies = proxies
        self._resolver = Resolver(guard)
        self._trust: ssl.SSLContext | None = None

    async def dial(self, host: str, port: int, *, tunnel: bool) -> OpenConnection:
        """Connect to a host. Raises AddressRefusedError where the guard says so.

        Args:
            host: a name or an address; brackets around an IPv6 address are optional.
            port: its TCP port.
            tunnel: whether bytes will pass as they are; else HTTP requests will be sent.
        """
        async with asyncio.timeout(_TOTAL_S):
            scheme = "https" if tunnel else "http"
            proxy = self._proxies.for_url(f"{scheme}://{_authority(host, port)}/")
            if self._guard.refuses_host(host.lower()):
                raise AddressRefusedError(f"{host}: may not be connected to")
            if not proxy:
                return OpenConnection(*await self._direct(host, port))
            return await self._by_proxy(upstream_of(proxy), host.strip("[]"), port, tunnel=tunnel)

    def close(self) -> None:
        self._resolver.close()

    async def _direct(
        self, host: str, port: int
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        addresses = (await self._resolver.addresses(host))[:_MAX_ADDRESSES]
        for address in addresses[:-1]:
            try:
                async with asyncio.timeout(_ADDRESS_S):
                    return await asyncio.open_connection(address, port, limit=BUFFER_BYTES)
            except (OSError, TimeoutError):  # the last error is the reason
                continue
        return await asyncio.open_connection(addresses[-1], port, limit=BUFFER_BYTES)

    async def _by_proxy(
        self, proxy: Upstream, host: str, port: int, *, tunnel: bool
    ) -> OpenConnection:
        tls = self._tls() if proxy.scheme == "https" else None
        name = proxy.host if tls else None
        reader, writer = await asyncio.open_connection(
            proxy.host, proxy.port, limit=BUFFER_BYTES, ssl=tls, server_hostname=name
        )
        try:
            if proxy.scheme in {"http", "https"}:
                if not tunnel:
                    return OpenConnection(reader, writer, True, proxy.authorization)
                await _ask_tunnel(reader, writer, proxy, _authority(host, port))
            else:
                if proxy.scheme in {"socks4", "socks5"}:
                    host = (await self._resolver.addresses(host))[0]
                login = (proxy.user, proxy.password)
                await socks.ask(reader, writer, proxy.scheme, host, port, login)
        except BaseException:
            writer.close()
            raise
        return OpenConnection(reader, writer)

    def _tls(self) -> ssl.SSLContext:
        if self._trust is None:
            self._trust = _context(trusted())
        return self._trust


async def _ask_tunnel(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, proxy: Upstream, authority: str
) -> None:
    host = authority.encode("ascii")
    writer.write(
        b"CONNECT " + host + b" HTTP/1.1\r\nHost: " + host + b"\r\n" + proxy.authorization + b"\r\n"
    )
    head = await reader.readuntil(b"\r\n\r\n")
    words = head.split(maxsplit=2)
    if len(words) < 2 or not words[1].startswith(b"2"):
        status_line = head.partition(b"\r\n")[0][:80].decode("latin-1")
        raise ConnectionError(f"the proxy at {proxy.host} said {status_line!r}")


def upstream_of(url: str) -> Upstream:
    """Take a proxy's URL apart; it has been checked by `Proxies`."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    port = parts.port or (_HTTPS_PORT if parts.scheme == "https" else _PORT)
    return Upstream(
        scheme=parts.scheme.lower(),
        host=parts.hostname or "",
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def _authority(host: str, port: int) -> str:
    name = host.strip("[]")
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"


def _context(trust: Trust | None) -> ssl.SSLContext:
    """Return a context that trusts what the client trusts."""
    context = ssl.create_default_context()
    if trust is not None:
        if trust.file or trust.folder:
            context.load_verify_locations(trust.file or None, trust.folder or None)
        if trust.pem:
            context.load_verify_locations(cadata=trust.pem.decode("ascii", "ignore"))
    return context
