"""The host group of a URL: what is held by one worker at a time. Pure.

A group is a registrable domain (`img1.example.co.uk` and `example.co.uk` belong together), so that
the servers of one owner are never asked by two workers. Tenants of content networks and hosting
services are groups of their own: they share a name, but no owner. Accounts of pace and robots.txt
(`urls.account_of`) are hosts, and every account of a group lies in the same group.

There is no copy of the public suffix list here, which changes weekly. Below a country's domain the
usual second-level names count as suffixes. An unknown suffix makes a group too large, which costs
parallelism only. Where such a name is one owner's own (`co.xy`, should it be no suffix), its hosts
are several groups: each host still has one holder and its own pace, but not all of them together.

`urls.account_of` is the one function that says which host a URL belongs to: pace, robots.txt and
the groups here are all derived from it.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from pixtrawl import urls

__all__ = ["SHARED_SUFFIXES", "group_of", "is_shared"]

# Second-level names under which countries register: co.uk, com.br, ne.jp, ...
_SECOND_LEVEL: Final = frozenset({
    "ac", "asn", "co", "com", "edu", "gen", "go", "gob", "gouv", "gov", "govt", "id", "ind",
    "info", "int", "kr", "ltd", "me", "mil", "ne", "net", "nhs", "nic", "nom", "or", "org", "plc",
    "police", "pvt", "re", "sch", "school", "web",
})  # fmt: skip

# Names under which each customer has a host (or a subdomain) of its own.
SHARED_SUFFIXES: Final = frozenset({
    # content networks
    "akamaihd.net", "akamaized.net", "azureedge.net", "azurefd.net", "b-cdn.net", "cachefly.net",
    "cdn77.org", "cloudfront.net", "edgesuite.net", "edgekey.net", "fastly.net", "fastlylb.net",
    "gcdn.co", "hwcdn.net", "imgix.net", "keycdn.com", "kxcdn.com", "llnwd.net", "r2.dev",
    "stackpathcdn.com", "stackpathdns.com", "twic.pics", "uploadcare.com", "wixmp.com",
    # object stores
    "amazonaws.com", "backblazeb2.com", "blob.core.windows.net", "digitaloceanspaces.com",
    "storage.googleapis.com", "web.core.windows.net", "wasabisys.com",
    # hosting services
    "appspot.com", "blogspot.com", "firebaseapp.com", "github.io", "githubusercontent.com",
    "gitlab.io", "herokuapp.com", "myshopify.com", "neocities.org", "netlify.app", "pages.dev",
    "squarespace.com", "tumblr.com", "vercel.app", "web.app", "weebly.com", "wordpress.com",
    "workers.dev", "wixsite.com",
})  # fmt: skip
_HOSTLESS: Final = "data"
_CACHED_ACCOUNTS: Final = 8_192
_DATA_GROUPS: Final = 256  # URLs without a host need no politeness: any number of groups will do


def group_of(url: str) -> str:
    """Return the name of the group of hosts that a URL belongs to.

    Ports do not matter: two ports are one machine. What has no host (data: URIs, no URL at all) is
    spread over many groups.
    """
    account = urls.account_of(url)
    if not account:
        return f"{_HOSTLESS}:{urls.url_key(url)[0] % _DATA_GROUPS:02x}"
    return _group_of_account(account)


@lru_cache(_CACHED_ACCOUNTS)
def _group_of_account(account: str) -> str:
    name = account.partition("]")[0] + "]" if account.startswith("[") else account.partition(":")[0]
    return name if _is_address(name) else _registrable(name)


def is_shared(name: str) -> bool:
    """Return whether a group is the tenant of a content network or a hosting service."""
    return any(name.endswith(f".{suffix}") for suffix in SHARED_SUFFIXES)


def _registrable(name: str) -> str:
    parts = name.split(".")
    for start in range(1, len(parts) - 1):
        if ".".join(parts[start:]) in SHARED_SUFFIXES:
            return name  # a tenant: the whole host, since regions and buckets stand in it
    if len(parts) <= 2:
        return name
    is_country = len(parts[-1]) == 2
    kept = 3 if is_country and parts[-2] in _SECOND_LEVEL else 2
    return ".".join(parts[-kept:])


def _is_address(name: str) -> bool:
    # The last part of an address is a number, and no domain's is (WHATWG: "ends in a number").
    if not name.endswith("]") and not name[-1:].isdigit():
        return False
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
