"""libcurl goes through its whole DNS cache at the end of a transfer: one in seconds does."""

from __future__ import annotations

import pycurl
import pytest

from pixtrawl.net.curl import dns_cache
from pixtrawl.net.curl.dns_cache import DnsCache


@pytest.fixture
def takes_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_cache, "_takes", lambda lifetime_s: True)


@pytest.mark.usefixtures("takes_forever")
def test_the_first_transfer_prunes_and_the_next_ones_do_not() -> None:
    cache = DnsCache()
    assert cache.lifetime_s(100.0) == 300
    assert [cache.lifetime_s(100.0 + ms / 1000) for ms in range(0, 5000, 500)] == [-1] * 10


@pytest.mark.usefixtures("takes_forever")
def test_one_transfer_in_five_seconds_prunes_for_all() -> None:
    cache = DnsCache()
    pruning = [now for now in range(60) if cache.lifetime_s(float(now)) > 0]
    assert pruning == list(range(0, 60, 5))


@pytest.mark.usefixtures("takes_forever")
def test_after_a_long_rest_the_first_transfer_looks_for_entries_that_are_too_old() -> None:
    cache = DnsCache()
    cache.lifetime_s(0.0)
    assert cache.lifetime_s(10_000.0) == 300


def test_where_libcurl_takes_no_endless_lifetime_every_transfer_prunes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dns_cache, "_takes", lambda lifetime_s: False)
    cache = DnsCache()
    assert {cache.lifetime_s(float(now)) for now in range(20)} == {300}


def test_the_libcurl_that_is_installed_takes_every_value_that_is_given() -> None:
    cache, curl = DnsCache(), pycurl.Curl()
    for now in range(20):
        curl.setopt(pycurl.DNS_CACHE_TIMEOUT, cache.lifetime_s(float(now)))
    curl.close()
