"""The HTML parser's face: hostile pages are refused fast, ordinary ones are read."""

from __future__ import annotations

import time
from itertools import product

import pytest
from hypothesis import given, strategies as st
from tests.matrices import sample

from pixtrawl.sources.html import Document, TooComplexError


@pytest.mark.parametrize(
    ("piece", "start"),
    sample(product(
        ["<div>", "<DIV>", "<b>", "<b></p>", "<li><ul>", "<b><div></b>", "<svg><title><div>",
         "<i></i>", "<table>", '<a b=">', "<p>", "</div>"],
        ["", "<!-->", "<!-- --!>", "<svg><title>", "<script></script>"],
    ), 11),
)  # fmt: skip
def test_pages_that_would_take_the_parser_minutes_are_refused(start: str, piece: str) -> None:
    started = time.process_time()  # wall time would measure the machine's other work
    with pytest.raises(TooComplexError):
        Document(start + piece * (3 * 2**19 // len(piece)))
    assert time.process_time() - started < 2


def test_too_many_attributes_are_refused() -> None:
    with pytest.raises(TooComplexError, match="attributes"):
        Document("<a " + " ".join(f"a{number}" for number in range(100_000)) + ">")


def test_long_texts_scripts_and_attributes_are_no_reason_to_refuse() -> None:
    page = f"<script>{'<div>' * 50_000}</script><!-- {'<div>' * 50_000} --><p title='{'x' * 10**6}'>{'y ' * 10**5}</p>"
    assert Document(page).all("p")[0].get("title") == "x" * 10**6


def test_text_is_what_a_person_may_read() -> None:
    page = Document("<title>T</title><style>s</style><p>One\n two</p><script>no</script><b>three")
    assert page.text() == "One two three"
    assert page.has("script")
    first = page.first("p")
    assert first is not None
    assert (first.tag, first.text, first.get("none")) == ("p", "One two", "")
    assert page.first("q") is None


@given(st.text(alphabet="<>/!-='\" abdiv", max_size=300))
def test_any_text_parses(source: str) -> None:
    page = Document(source)
    page.text()
    page.all("[a]")
