"""The client's side of SOCKS 4, 4a and 5 (RFC 1928, RFC 1929): ask for a connection."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

__all__ = ["ask"]

_CONNECT: Final = 1
_GRANTED_4: Final = 0x5A
_NAME: Final = 3
_NO_LOGIN, _LOGIN = 0, 2
_REFUSALS: Final = {
    1: "general failure", 2: "not allowed", 3: "network unreachable", 4: "host unreachable",
    5: "connection refused", 6: "TTL expired", 7: "command not supported",
    8: "address type not supported",
}  # fmt: skip


async def ask(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    scheme: str,
    host: str,
    port: int,
    login: tuple[str, str],
) -> None:
    """Have the proxy connect to `host`. Raises OSError and asyncio.IncompleteReadError.

    Args:
        reader: from the proxy.
        writer: to the proxy.
        scheme: socks4, socks4a, socks5 or socks5h.
        host: an address; with socks4a and socks5h a name, too.
        port: TCP port of the host.
        login: user name and password, both empty for none.
    """
    if scheme.startswith("socks4"):
        await _ask_4(reader, writer, host, port, login[0])
    else:
        await _ask_5(reader, writer, host, port, login)


async def _ask_4(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int, user: str
) -> None:
    address = _address(host)
    if isinstance(address, IPv6Address):
        raise OSError("SOCKS 4 has no IPv6; write socks5:// if the proxy knows it")
    # An address of the form 0.0.0.x says that the name follows (4a).
    place = b"\0\0\0\1" if address is None else address.packed
    name = host.encode("idna") + b"\0" if address is None else b""
    writer.write(bytes([4, _CONNECT]) + port.to_bytes(2) + place + user.encode() + b"\0" + name)
    answer = await reader.readexactly(8)
    if answer[1] != _GRANTED_4:
        raise ConnectionError(f"the SOCKS proxy refused (code {answer[1]})")


async def _ask_5(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    host: str,
    port: int,
    login: tuple[str, str],
) -> None:
    methods = bytes([_NO_LOGIN, _LOGIN] if any(login) else [_NO_LOGIN])
    writer.write(bytes([5, len(methods)]) + methods)
    version, method = await reader.readexactly(2)
    if version != 5 or method not in methods:
        raise ConnectionError("the SOCKS proxy wants a login" if not any(login) else "no SOCKS 5")
    if method == _LOGIN:
        user, password = (text.encode()[:255] for text in login)
        writer.write(bytes([1, len(user)]) + user + bytes([len(password)]) + password)
        if (await reader.readexactly(2))[1]:
            raise ConnectionError("the SOCKS proxy refused the login")
    writer.write(bytes([5, _CONNECT, 0]) + _place(host) + port.to_bytes(2))
    _, code, _, kind = await reader.readexactly(4)
    if code:
        raise ConnectionError(f"the SOCKS proxy refused: {_REFUSALS.get(code, code)}")
    if kind not in {1, _NAME, 4}:
        raise ConnectionError("the SOCKS proxy answered with an unknown kind of address")
    length = {1: 4, 4: 16}.get(kind) or (await reader.readexactly(1))[0]
    await reader.readexactly(length + 2)


def _place(host: str) -> bytes:
    address = _address(host)
    if address is not None:
        return bytes([1 if address.version == 4 else 4]) + address.packed
    name = host.encode("idna")
    if len(name) > 255:
        raise OSError("the name is too long for SOCKS")
    return bytes([_NAME, len(name)]) + name


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
