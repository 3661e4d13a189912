"""Which addresses are inner, by the registries and by other people's lists of tricks."""

from __future__ import annotations

import json
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from pixtrawl import urls
from pixtrawl.net.address import AddressGuard, is_inner

SUITES = Path(__file__).parents[3] / "shared" / "suites"


def rows(name: str) -> list[dict[str, Any]]:
    path = SUITES / name
    if not path.exists():
        pytest.skip(f"{path} is not here")
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_address_of_the_suite_is_judged_right() -> None:
    wrong = [
        row["id"]
        for row in rows("ssrf-addresses.jsonl")
        if is_inner(ip_address(row["input"])) is not row["expected"]
    ]
    assert wrong == []


def test_every_block_of_the_registries_is_judged_right_at_both_ends() -> None:
    for row in rows("iana-special-purpose.jsonl"):
        network = ip_network(row["net"])
        if row["reach"] != "translated":
            for end in (network[0], network[-1]):
                assert is_inner(end) is (row["reach"] == "denied"), row


# Where this suite's author is stricter than a fetcher of public images can be.
OTHER_PORTS_ARE_FINE = {"ssrf/ssrfguard-urls/32"}
ONLY_A_LOOKUP_KNOWS = {"ssrf/public-lists/48", "ssrf/ssrfguard-urls/56"}


def test_every_url_of_the_suite_is_refused_before_any_connection() -> None:
    guard = AddressGuard()
    for row in rows("ssrf-urls.jsonl"):
        if row["expected"] is None or row["id"] in OTHER_PORTS_ARE_FINE | ONLY_A_LOOKUP_KNOWS:
            continue
        url = row["input"]
        refused = urls.check(url) is not None or guard.refuses_host(urls.host_name_of(url))
        assert refused is row["expected"], row


@given(st.ip_addresses(v=4))
def test_an_address_inside_an_ipv6_address_is_judged_as_itself(inner: IPv4Address) -> None:
    number = int(inner)
    assert is_inner(IPv6Address(0xFFFF << 32 | number)) is is_inner(inner)
    assert is_inner(IPv6Address(0x64FF9B << 96 | number)) is is_inner(inner)
    assert is_inner(IPv6Address(0x2002 << 112 | number << 80)) is is_inner(inner)


def test_an_allowed_range_is_let_through_and_nothing_beside_it() -> None:
    guard = AddressGuard(["127.0.0.0/8", "fd00::/8"])
    assert not guard.refuses("127.3.2.1")
    assert not guard.refuses("::ffff:127.0.0.1")
    assert not guard.refuses("fd00::1")
    assert guard.refuses("10.0.0.1")
    assert guard.refuses("::1")
    assert not guard.refuses_host("localhost")
    assert not guard.refuses("93.184.215.14")


@pytest.mark.parametrize("text", ["", "example.org", "/run/x.sock", "1.2.3", "fe80::1%eth0"])
def test_what_is_no_public_address_is_refused(text: str) -> None:
    assert AddressGuard().refuses(text)


@given(st.text(max_size=40))
def test_any_text_gets_an_answer(text: str) -> None:
    assert AddressGuard().refuses(text) in {True, False}
    assert AddressGuard().refuses_host(text) in {True, False}
