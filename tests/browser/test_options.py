"""The proxy of the browser."""

from __future__ import annotations

import pytest

from pixtrawl.browser.options import proxy_of


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://proxy.example:3128", {"server": "http://proxy.example:3128"}),
        ("proxy.example:3128", {"server": "http://proxy.example:3128"}),
        ("socks5h://proxy.example:1080", {"server": "socks5://proxy.example:1080"}),
        (
            "http://me:p%40ss@proxy.example:80",
            {"server": "http://proxy.example:80", "username": "me", "password": "p@ss"},
        ),
    ],
)
def test_a_proxy_url_is_taken_apart_for_the_browser(url: str, expected: dict[str, str]) -> None:
    assert proxy_of(url) == expected
