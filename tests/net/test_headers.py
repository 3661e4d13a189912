"""Headers as a mapping: names without case, repeated ones joined, folded lines unfolded."""

from __future__ import annotations

from hypothesis import given, strategies as st

from pixtrawl.net.headers import Headers

LINES = [
    b"Content-Type: image/jpeg\r\n",
    b"X-Robots-Tag: noai\r\n",
    b"x-robots-tag: bot: noindex, nofollow\r\n",
    b"Set-Cookie: a=1; Expires=Thu, 01 Jan 2026 00:00:00 GMT\r\n",
    b"Set-Cookie: b=2\r\n",
    b"Vary: Accept\r\n",
    b"Vary: Cookie\r\n",
    b"X-Long: one\r\n",
    b"  two\r\n",
    b"no colon\r\n",
    b"\r\n",
]


def test_names_have_no_case_and_what_is_absent_is_absent() -> None:
    headers = Headers(LINES)
    assert "location" not in headers
    assert headers.get("retry-after", "") == ""
    assert headers["content-type"] == "image/jpeg"


def test_repeated_headers_are_joined_and_those_with_commas_of_their_own_by_lines() -> None:
    headers = Headers(LINES)
    assert headers["vary"] == "Accept, Cookie"
    assert headers["x-robots-tag"] == "noai\nbot: noindex, nofollow"
    assert headers["set-cookie"].split("\n")[1] == "b=2"


def test_a_folded_line_is_one() -> None:
    assert Headers(LINES)["x-long"] == "one two"


def test_a_value_that_names_another_header_does_not_make_it_one() -> None:
    headers = Headers([b"Link: </retry-after>; rel=next\r\n"])
    assert "retry-after" not in headers
    assert list(headers) == ["link"]


@given(st.lists(st.binary(max_size=40), max_size=8), st.text(max_size=12))
def test_asking_before_and_after_taking_apart_says_the_same(lines: list[bytes], name: str) -> None:
    asked_first = Headers(lines).get(name)
    taken_apart = Headers(lines)
    assert len(taken_apart) == len(list(taken_apart))
    assert taken_apart.get(name) == asked_first
