"""SSRF guard: decide whether a resolved address may be connected to. Pure.

The check applies to the address a socket is about to connect to, so it covers DNS rebinding,
redirects and odd spellings (decimal, octal, IPv4 embedded in IPv6). The tables follow the IANA
special-purpose registries for IPv4 (RFC 6890) and IPv6: inner is whatever is not globally
reachable there, and also multicast, the deprecated 6to4 relay and site-local blocks. An IPv6
address with an embedded IPv4 address counts as that address.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

__all__ = ["AddressGuard", "is_inner"]

_INNER_4: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_GLOBAL_4: Final = (IPv4Network("192.0.0.9/32"), IPv4Network("192.0.0.10/32"))

_INNER_6: Final = tuple(
    IPv6Network(text)
    for text in (
        "::/96",  # unspecified, loopback, and the deprecated IPv4-compatible block
        "64:ff9b:1::/48",
        "100::/64",
        "100:0:0:1::/64",
        "2001::/23",
        "2001:db8::/32",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
_GLOBAL_6: Final = tuple(
    IPv6Network(text)
    for text in (
        "2001:1::1/128",
        "2001:1::2/128",
        "2001:1::3/128",
        "2001:3::/32",
        "2001:4:112::/48",
        "2001:20::/28",
        "2001:30::/28",
    )
)
_COMPATIBLE: Final = IPv6Network("::/96")
_NAT64: Final = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR: Final = IPv6Network("2002::/16")
_TEREDO: Final = IPv6Network("2001::/32")


def _embedded(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """Return the IPv4 addresses embedded in an IPv6 address."""
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    number = int(address)
    if address in _NAT64 or (address in _COMPATIBLE and number > 1):
        return (IPv4Address(number & 0xFFFFFFFF),)
    if address in _SIX_TO_FOUR:
        return (IPv4Address(number >> 80 & 0xFFFFFFFF),)
    if address in _TEREDO:  # server, and the client's address inverted (RFC 4380)
        return (IPv4Address(number >> 64 & 0xFFFFFFFF), IPv4Address(~number & 0xFFFFFFFF))
    return ()


def _inner_4(address: IPv4Address) -> bool:
    if any(address in network for network in _GLOBAL_4):
        return False
    return any(address in network for network in _INNER_4)


def is_inner(address: IPv4Address | IPv6Address) -> bool:
    """Return whether the address, or one embedded in it, is not globally reachable."""
    if isinstance(address, IPv4Address):
        return _inner_4(address)
    inside = _embedded(address)
    if inside:
        return any(_inner_4(one) for one in inside)
    if any(address in network for network in _GLOBAL_6):
        return False
    return any(address in network for network in _INNER_6)


class AddressGuard:
    """Refuses inner addresses, except those in the ranges that the user allows."""

    def __init__(self, allow: Iterable[str] = ()) -> None:
        """`allow` are address ranges such as `127.0.0.0/8`. Raises ValueError."""
        self._allow = tuple(ip_network(text, strict=False) for text in allow)
        self.refuses = lru_cache(maxsize=4096)(self._refuses)

    def _refuses(self, text: str) -> bool:
        """Return whether an address, given as text, is refused; text that is no address is."""
        try:
            address = ip_address(text.partition("%")[0])
        except ValueError:
            return True
        if not is_inner(address):
            return False
        inside = _embedded(address) if isinstance(address, IPv6Address) else ()
        if inside and all(self._allowed(one) for one in inside):
            return False
        return not self._allowed(address)

    def _allowed(self, address: IPv4Address | IPv6Address) -> bool:
        return any(
            address in network for network in self._allow if network.version == address.version
        )

    def refuses_host(self, host: str) -> bool:
        """Return whether a URL's host (canonical form, no port) is inner or names this machine.

        Other names are checked when they resolve, at connect time. Behind a proxy, which resolves
        names itself, this is the only check.
        """
        name = host.strip("[]").rstrip(".")
        if name == "localhost" or name.endswith(".localhost"):  # RFC 6761
            return self.refuses("127.0.0.1") and self.refuses("::1")
        if ":" not in name and not name.replace(".", "").isdigit():
            return False
        return self.refuses(name)
