"""Choose the proxy for a URL. Pure, except that the environment is read once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Final

from pixtrawl.errors import UsageError
from pixtrawl.urls import host_of, scheme_of

__all__ = ["Proxies", "named"]

_SCHEMES: Final = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")
_PORTS: Final = {"http": "80", "https": "443"}
_QUOTES: Final = "\"'\u201c\u201d\u2018\u2019"
# Characters that end the user name and password when they are not escaped.
_RAW: Final = {"/": "%2F", "?": "%3F", "#": "%23", "@": "%40"}


class Proxies:
    """Proxies from `--proxy`, else from `HTTP(S)_PROXY`, `ALL_PROXY` and `NO_PROXY`.

    Lower-case names win over upper-case ones, as in curl. Raises UsageError for an address that
    cannot be a proxy's; its message never holds the password.
    """

    def __init__(
        self, explicit: str | None = None, environment: Mapping[str, str] = os.environ
    ) -> None:
        given = {} if explicit is not None else named(environment)
        for name, text in given.items():
            _check(name, text)
        if explicit:
            _check("--proxy", explicit)
        self._explicit = explicit
        everything = _first(given, "all_proxy")
        self._by_scheme = {
            scheme: _first(given, f"{scheme}_proxy") or everything for scheme in ("http", "https")
        }
        direct = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
        self._direct = tuple(map(_rule, direct.replace(",", " ").lower().split()))
        self.used = bool(explicit) or any(self._by_scheme.values())

    def for_url(self, url: str) -> str:
        """Return the proxy's URL, or an empty string for a direct connection."""
        if not self.used:
            return ""
        if self._explicit is not None:
            return self._explicit
        proxy = self._by_scheme.get(scheme_of(url), "")
        return "" if proxy and self._goes_direct(host_of(url), scheme_of(url)) else proxy

    def _goes_direct(self, host: str, scheme: str) -> bool:
        name, port = _parted(host)
        port = port or _PORTS.get(scheme, "")
        name = name.strip("[]").rstrip(".")
        return any(_matches(name, port, rule) for rule in self._direct)


def named(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the proxies named in the environment, by variable name."""
    found = {}
    for name in ("https_proxy", "http_proxy", "all_proxy"):
        for spelled in (name, name.upper()):
            if environment.get(spelled):
                found[spelled] = environment[spelled]
                break
    return found


def _first(given: Mapping[str, str], name: str) -> str:
    return given.get(name) or given.get(name.upper()) or ""


def _check(name: str, text: str) -> None:
    """Raise UsageError, with the next step, for a proxy URL that libcurl would misread."""
    if text[0] in _QUOTES or text[-1] in _QUOTES:
        raise UsageError(
            f"{name}: is in quotation marks ({text[0]}); leave them out (one that belongs to "
            "the password is written %22)"
        )
    if any(char.isspace() for char in text):
        raise UsageError(f"{name}: contains a space; remove it, or write it as %20")
    scheme, mark, rest = text.rpartition("://") if text.count("://") == 1 else ("", "", text)
    if mark and scheme.lower() not in _SCHEMES:
        raise UsageError(f"{name}: {scheme[:20]}:// is no kind of proxy; {', '.join(_SCHEMES)} are")
    user, at, host = rest.rpartition("@")
    raw = next((char for char in user if char in _RAW), "") if at else ""
    if raw:
        raise UsageError(
            f"{name}: the user name or password holds a raw {raw}; write it as {_RAW[raw]}, and "
            "a % as %25"
        )
    _, port = _parted(host.partition("/")[0])
    if not _parted(host)[0].strip("/[]") or (port and not port.isdigit()):
        raise UsageError(
            f"{name}: is no address of a proxy; write http://HOST:PORT or "
            "http://USER:PASSWORD@HOST:PORT, with @ as %40, : as %3A, / as %2F, # as %23, % as %25 "
            "in the password"
        )


def _parted(host: str) -> tuple[str, str]:
    """Split host and port; brackets stay, and an IPv6 address without them has no port."""
    if host.startswith("["):
        name, _, rest = host.partition("]")
        return f"{name}]", rest.removeprefix(":")
    name, mark, port = host.rpartition(":")
    return (name, port) if mark and ":" not in name else (host, "")


def _rule(text: str) -> tuple[str, str]:
    """Parse one entry of NO_PROXY into a host pattern (canonical form) and a port."""
    name, port = _parted(text)
    if not port.isdigit():
        name, port = text, ""
    name = name.strip("[]")
    if not name.isascii():  # an internationalised name
        name = host_of(f"http://{name.removeprefix('*').strip('.')}/") or name
    return name, port


def _matches(name: str, port: str, rule: tuple[str, str]) -> bool:
    wanted, wanted_port = rule
    if wanted_port and wanted_port != port:
        return False
    if wanted in {"*", name}:
        return True
    try:
        address = ip_address(name)
    except ValueError:
        if wanted == "<local>":  # as in browsers: names without a dot
            return "." not in name
        domain = wanted.removeprefix("*").strip(".")
        return bool(domain) and (name == domain or name.endswith(f".{domain}"))
    try:
        return address in ip_network(wanted, strict=False)
    except ValueError:
        return False
