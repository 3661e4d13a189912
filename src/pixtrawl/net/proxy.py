"""Which proxy a URL goes through. Pure, but for reading the environment once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from ipaddress import ip_address, ip_network

from pixtrawl.urls import host_of, scheme_of

__all__ = ["Proxies"]


class Proxies:
    """`--proxy` for everything; else `HTTP(S)_PROXY`, `ALL_PROXY` and `NO_PROXY`.

    Lower-case names win over upper-case ones, as in curl.
    """

    def __init__(
        self, explicit: str | None = None, environment: Mapping[str, str] = os.environ
    ) -> None:
        def read(name: str) -> str:
            return environment.get(name) or environment.get(name.upper()) or ""

        self._explicit = explicit
        all_proxy = read("all_proxy")
        self._by_scheme = {
            "http": read("http_proxy") or all_proxy,
            "https": read("https_proxy") or all_proxy,
        }
        self._direct = tuple(read("no_proxy").replace(",", " ").lower().split())
        self.used = bool(explicit) or any(self._by_scheme.values())

    def for_url(self, url: str) -> str:
        """The proxy's URL, or empty for a direct connection."""
        if not self.used:
            return ""
        if self._explicit is not None:
            return self._explicit
        proxy = self._by_scheme.get(scheme_of(url), "")
        return "" if proxy and self._goes_direct(host_of(url)) else proxy

    def _goes_direct(self, host: str) -> bool:
        return any(_matches(host, rule) for rule in self._direct)


def _matches(host: str, rule: str) -> bool:
    if rule == "*" or rule == host:
        return True
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    name = name.strip("[]").rstrip(".")
    try:
        address = ip_address(name)
    except ValueError:
        domain = rule.removeprefix("*").strip(".")
        return name == domain or name.endswith("." + domain)
    try:
        return address in ip_network(rule.strip("[]"), strict=False)
    except ValueError:
        return False
