from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from pixtrawl.errors import UsageError
from pixtrawl.model import Filters
from pixtrawl.sources.google.request import search_url
from pixtrawl.sources.google.source import BASE_URL, DELAY_S, Google, GoogleSettings


def params(filters: Filters) -> dict[str, str]:
    url, _ = search_url("http://h", "cat", filters)
    return {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}


def test_the_query_is_encoded_whole() -> None:
    url, notes = search_url("http://h:1/x/", "C# & größe+1", Filters())
    assert url == "http://h:1/x/search?q=C%23%20%26%20gr%C3%B6%C3%9Fe%2B1&udm=2&hl=en"
    assert notes == ()


def test_the_older_form_and_a_base_url_that_names_the_page() -> None:
    url, _ = search_url("http://h/search", "cat", Filters(), old_form=True)
    assert url == "http://h/search?q=cat&tbm=isch&hl=en"


@pytest.mark.parametrize(
    ("filters", "name", "value"),
    [
        (Filters(size="large"), "tbs", "isz:l"),
        (Filters(size="640x480"), "tbs", "isz:lt,islt:vga"),
        (Filters(size="1700x1300"), "tbs", "isz:lt,islt:2mp"),
        (Filters(size="100x100"), "tbs", None),
        (Filters(color="red", type="photo"), "tbs", "ic:specific,isc:red,itp:photo"),
        (Filters(color="transparent"), "tbs", "ic:trans"),
        (Filters(aspect="tall"), "imgar", "t"),
        (Filters(date="week"), "tbs", "qdr:w"),
        (
            Filters(date="2024-01-31..2025-12-01"),
            "tbs",
            "cdr:1,cd_min:01/31/2024,cd_max:12/01/2025",
        ),
        (Filters(license="commercial"), "tbs", "sur:ol"),
        (Filters(license="cc-by"), "tbs", "sur:cl"),
        (Filters(site="example.org"), "q", "cat site:example.org"),
        (Filters(lang="pt-BR"), "lr", "lang_pt"),
        (Filters(region="de"), "cr", "countryDE"),
        (Filters(safe="strict"), "safe", "active"),
    ],
)
def test_filters_are_passed_in_googles_form(filters: Filters, name: str, value: str | None) -> None:
    assert params(filters).get(name) == value


def test_a_filter_that_cannot_be_passed_on_is_said_so_and_left_out() -> None:
    url, notes = search_url(
        "http://h", "cat", Filters(color="beige", aspect="round", license="cc-by")
    )
    assert "beige" not in url
    assert "imgar" not in url
    assert len(notes) == 3


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("pages", "0"),
        ("headless", "maybe"),
        ("base_url", "ftp://x"),
        ("enabled", "?"),
        ("delay_s", "-1"),
        ("spead", "1"),
        ("proxy", "ftp://proxy.example:1"),
        ("proxy", "http://me:a/b@proxy.example:1"),
    ],
)
def test_a_bad_setting_is_a_usage_error_that_names_it(key: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"google.{key}"):
        Google({key: value})


def test_the_live_pace_belongs_to_the_built_in_address_only() -> None:
    assert GoogleSettings.read({}).delay_s == DELAY_S
    assert GoogleSettings.read({"base_url": BASE_URL + "/"}).delay_s == DELAY_S
    assert GoogleSettings.read({"base_url": "http://127.0.0.1:8000"}).delay_s == 0
    assert GoogleSettings.read({"base_url": "http://127.0.0.1:8000", "delay_s": "2"}).delay_s == 2
