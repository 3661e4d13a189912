"""Whatever a server writes, a candidate is clean: one place with one set of limits."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from pixtrawl import urls
from pixtrawl.model import Alternate, Kind, Query
from pixtrawl.sources.results import (
    MAX_SIDE_PX,
    MAX_TEXT_CHARS,
    ImageResult,
    candidate_of,
    one_line,
    pixels,
    plain_text,
    related_queries,
    web_url,
)

QUERY = Query("tabby cat", "cat", 10)
URL = "https://a.test/1.jpg"

plain_values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.binary(max_size=9),
    st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=3), st.integers()),
)  # fmt: skip
texts = st.text(st.characters(), max_size=60) | st.sampled_from(
    [
        "<b>cat</b>s",
        "a &amp;amp; b",
        "\ue000cat\ue001",
        "a\x00b\nc",
        "\ud800",
        "x " * 3000,
        "<",
        "&lt;i&gt;",
    ]
)
addresses = texts | st.sampled_from(
    [
        URL,
        "//b.test/x",
        "http://",
        "ftp://a/b",
        "https://a.test/\ud800",
        "https://a b",
        "data:image/png;base64,AA",
    ]
)
numbers = (
    plain_values | texts | st.sampled_from(["640", " 640 ", "0", "-1", "1e9", "640.5", 10**30])
)


def is_clean(text: str | None) -> bool:
    if text is None:
        return True
    encodes = text.encode("utf-8").decode() == text
    in_line = text == " ".join(text.split()) and not any(ord(one) < 32 for one in text)
    return bool(text) and encodes and in_line and len(text) <= MAX_TEXT_CHARS


@given(plain_values | texts)
def test_text_is_in_one_line_bounded_writable_and_stays_as_it_is(value: object) -> None:
    found = one_line(value)
    assert is_clean(found)
    assert one_line(found) == found
    assert is_clean(plain_text(value))


@given(plain_values | addresses)
def test_a_web_url_is_one_that_can_be_fetched_byte_for_byte(value: object) -> None:
    found = web_url(value)
    if found is not None:
        assert found in {value, f"https:{value}"}
        assert urls.check(found) is None
        assert urls.scheme_of(found) in {"http", "https"}


@given(numbers)
def test_a_side_is_a_positive_number_of_pixels_or_unknown(value: object) -> None:
    found = pixels(value)
    assert found is None or (type(found) is int and 1 <= found <= MAX_SIDE_PX)


@given(st.none() | addresses, st.lists(addresses, max_size=3), st.none() | addresses, st.data())
def test_every_candidate_is_clean_whatever_its_result_holds(
    url: str | None, copies: list[str], thumb: str | None, data: st.DataObject
) -> None:
    result = ImageResult(
        url=url, thumb_url=thumb, alternates=tuple(Alternate(one, Kind.CACHED) for one in copies),
        page_url=data.draw(st.none() | addresses), title=data.draw(st.none() | texts),
        license=data.draw(st.none() | texts), creator=data.draw(st.none() | texts),
        width=data.draw(st.none() | st.integers()), height=data.draw(st.none() | st.integers()),
    )  # fmt: skip
    candidate = candidate_of(result, QUERY, "x", 3)
    if candidate is None:
        best = result.best
        assert best is None or (web_url(best.url) is None and best.url[:5].lower() != "data:")
        return
    assert (candidate.query, candidate.label, candidate.source, candidate.rank) == (
        "tabby cat",
        "cat",
        "x",
        3,
    )
    for one in (candidate.title, candidate.license, candidate.creator):
        assert is_clean(one)
    for address in (candidate.url, *(other.url for other in candidate.alternates)):
        assert (
            web_url(address) == address
            or address[:5].lower() == "data:"
            or address.startswith("//")
        )
    assert candidate.page_url is None or web_url(candidate.page_url) == candidate.page_url
    others = [other.url for other in candidate.alternates]
    assert candidate.url not in others
    assert len(others) == len(set(others))
    for side in (candidate.width, candidate.height):
        assert side is None or 1 <= side <= MAX_SIDE_PX


@pytest.mark.parametrize(
    ("result", "url", "kind", "width"),
    [
        (ImageResult(url=URL, width=9), URL, Kind.ORIGINAL, 9),
        (ImageResult(url=URL, kind=Kind.CACHED, width=9), URL, Kind.CACHED, 9),
        # sizes are those of the original: of a copy or a thumbnail they would be wrong
        (ImageResult(alternates=(Alternate(URL, Kind.CACHED),), width=9), URL, Kind.CACHED, None),
        (ImageResult(thumb_url=URL, width=9), URL, Kind.THUMBNAIL, None),
    ],
)
def test_the_best_address_is_the_candidate_s(
    result: ImageResult, url: str, kind: Kind, width: int | None
) -> None:
    candidate = candidate_of(result, QUERY, "x")
    assert candidate is not None
    assert (candidate.url, candidate.kind, candidate.width) == (url, kind, width)
    assert candidate.alternates == ()


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<b>cat</b>s &amp; dogs", "cats & dogs"),
        ("<p>one</p><p>two<br>three", "one two three"),
        ("\ue000cat\ue001s", "cats"),
        ("a\nb\tc", "a b c"),
        ("AT&amp;amp;T", "AT&amp;T"),  # decoded once
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<img src=x>", None),
        (12, "12"),
        (True, None),
    ],
)
def test_titles_are_text(html: object, text: str | None) -> None:
    assert plain_text(html) == text


def test_related_queries_come_once_and_never_are_the_query_itself() -> None:
    assert related_queries(["Cat", "cats", " CATS ", "", "a<b>x</b>"], "cat") == ("cats", "ax")
