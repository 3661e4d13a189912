"""Which addresses are inner, by the registries and by other people's lists of tricks."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given, strategies as st
from tests.shared_data import shared_rows

from pixtrawl import urls
from pixtrawl.net.address import AddressGuard, is_inner


def test_every_address_of_the_suite_is_judged_right() -> None:
    wrong = [
        row["id"]
        for row in shared_rows("suites/ssrf-addresses.jsonl")
        if is_inner(ip_address(row["input"])) is not row["expected"]
    ]
    assert wrong == []


def test_every_block_of_the_registries_is_judged_right_at_both_ends() -> None:
    for row in shared_rows("suites/iana-special-purpose.jsonl"):
        network = ip_network(row["net"])
        if row["reach"] != "translated":
            for end in (network[0], network[-1]):
                assert is_inner(end) is (row["reach"] == "denied"), row


# Where this suite's author is stricter than a fetcher of public images can be.
OTHER_PORTS_ARE_FINE = {"ssrf/ssrfguard-urls/32"}
ONLY_A_LOOKUP_KNOWS = {"ssrf/public-lists/48", "ssrf/ssrfguard-urls/56"}


def test_every_url_of_the_suite_is_refused_before_any_connection() -> None:
    guard = AddressGuard()
    for row in shared_rows("suites/ssrf-urls.jsonl"):
        if row["expected"] is None or row["id"] in OTHER_PORTS_ARE_FINE | ONLY_A_LOOKUP_KNOWS:
            continue
        url = row["input"]
        refused = urls.check(url) is not None or guard.refuses_host(urls.host_name_of(url))
        assert refused is row["expected"], row


# The IANA special-purpose registries by the RFC that made each entry; True: not globally reachable.
REGISTRIES = [
    ("0.0.0.0/8", True),  # RFC 791
    ("10.0.0.0/8", True),  # RFC 1918
    ("100.64.0.0/10", True),  # RFC 6598
    ("127.0.0.0/8", True),  # RFC 1122
    ("169.254.0.0/16", True),  # RFC 3927
    ("172.16.0.0/12", True),  # RFC 1918
    ("192.0.0.0/29", True),  # RFC 7335
    ("192.0.0.8/32", True),  # RFC 7600
    ("192.0.0.9/32", False),  # RFC 7723
    ("192.0.0.10/32", False),  # RFC 8155
    ("192.0.0.170/31", True),  # RFC 7050
    ("192.0.2.0/24", True),  # RFC 5737
    ("192.31.196.0/24", False),  # RFC 7535
    ("192.52.193.0/24", False),  # RFC 7450
    ("192.88.99.0/24", True),  # RFC 7526 took it back
    ("192.168.0.0/16", True),  # RFC 1918
    ("192.175.48.0/24", False),  # RFC 7534
    ("198.18.0.0/15", True),  # RFC 2544
    ("198.51.100.0/24", True),  # RFC 5737
    ("203.0.113.0/24", True),  # RFC 5737
    ("224.0.0.0/4", True),  # RFC 5771, multicast
    ("240.0.0.0/4", True),  # RFC 1112
    ("255.255.255.255/32", True),  # RFC 8190
    ("::/128", True),  # RFC 4291
    ("::1/128", True),  # RFC 4291
    ("64:ff9b:1::/48", True),  # RFC 8215
    ("100::/64", True),  # RFC 6666
    ("2001:1::1/128", False),  # RFC 7723
    ("2001:1::2/128", False),  # RFC 8155
    ("2001:2::/48", True),  # RFC 5180
    ("2001:3::/32", False),  # RFC 7450
    ("2001:4:112::/48", False),  # RFC 7535
    ("2001:10::/28", True),  # RFC 4843, returned
    ("2001:20::/28", False),  # RFC 7343
    ("2001:30::/28", False),  # RFC 9374
    ("2001:db8::/32", True),  # RFC 3849
    ("2620:4f:8000::/48", False),  # RFC 7534
    ("3fff::/20", True),  # RFC 9637
    ("5f00::/16", True),  # RFC 9602
    ("fc00::/7", True),  # RFC 4193
    ("fe80::/10", True),  # RFC 4291
    ("fec0::/10", True),  # RFC 3879, site-local
    ("ff00::/8", True),  # RFC 4291, multicast
]
# The last address before and the first one behind blocks that have public neighbours.
NEIGHBOURS = [
    "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
    "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255",
    "192.0.1.0", "192.0.3.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
    "198.51.101.0", "203.0.112.255", "203.0.114.0", "223.255.255.255", "2001:200::", "2001:db7::",
    "2001:db9::", "3fff:1000::", "2606:4700::1111",
]  # fmt: skip


@pytest.mark.parametrize(("block", "inner"), REGISTRIES)
def test_a_block_of_the_registries_is_judged_at_both_ends(block: str, inner: bool) -> None:
    network = ip_network(block)
    assert (is_inner(network[0]), is_inner(network[-1])) == (inner, inner)


@pytest.mark.parametrize("text", NEIGHBOURS)
def test_the_neighbours_of_special_blocks_are_public(text: str) -> None:
    assert not is_inner(ip_address(text))


@pytest.mark.parametrize(
    "url",
    [
        # one machine, spelt as the URL standard's host parser lets it be spelt
        "http://127.0.0.1/", "http://127.1/", "http://127.0.1", "http://2130706433/",
        "http://0x7f000001/", "http://0x7f.1/", "http://0177.0.0.01/", "http://017700000001",
        "http://127.0.0.1./", "http://%31%32%37.0.0.1/", "http://\uff11\uff12\uff17.0.0.1/",
        "http://127\u30020\u30020\u30021/", "http://user:pw@127.0.0.1:80/x",
        "http://public.example@127.0.0.1/", "http:\\\\127.0.0.1\\x", "http:127.0.0.1",
        "http://0/", "http://localhost/", "http://LOCALHOST./", "http://a.b.localhost:8080/",
        "http://[::1]/", "http://[0:0:0:0:0:0:0:1]/", "http://[::]/", "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/", "http://[::127.0.0.1]/", "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/", "http://[2001:0:7f00:1::]/",
        # other inner ones
        "http://169.254.169.254/latest/meta-data/", "http://0251.0376.0251.0376/",
        "http://0xa9fea9fe/", "http://[fd00:ec2::254]/", "http://192.168.1", "http://10.1/",
        # no address that is fetched at all
        "file:///etc/passwd", "gopher://example.org/", "ftp://example.org/", "http://[::1",
        "http://1.2.3.4.5/", "http://256.0.0.1/", "http://0x100000000/", "http://[fe80::1%25eth0]/",
    ],
)  # fmt: skip
def test_a_url_that_leads_inside_is_refused_before_any_connection(url: str) -> None:
    guard = AddressGuard()
    assert urls.check(url) is not None or guard.refuses_host(urls.host_name_of(url))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/", "https://8.8.8.8/", "http://134744072/", "http://0x08.8.8.8/",
        "http://127.0.0.1.example.org/", "http://example.org/?u=http://127.0.0.1/",
        "http://127.0.0.1@example.org/", "http://localhost.example.org/", "http://mylocalhost/",
        "https://[2606:4700::1111]:8443/", "http://[2002:808:808::]/", "http://[64:ff9b::808:808]/",
    ],
)  # fmt: skip
def test_a_url_that_leads_outside_is_asked(url: str) -> None:
    guard = AddressGuard()
    assert urls.check(url) is None
    assert not guard.refuses_host(urls.host_name_of(url))


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
