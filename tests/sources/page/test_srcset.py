"""srcset: the suite of the web's own tests, and any text at all."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, strategies as st
from tests.shared_data import shared_rows

from pixtrawl.sources.page.srcset import SrcsetCandidate, largest, parse_srcset


def test_every_case_of_the_suite_gives_the_candidate_that_browsers_choose() -> None:
    wrong = []
    for case in shared_rows("suites/srcset.jsonl"):
        found = largest(parse_srcset(case["input"]))
        if (found and found.url) != case["expected"]:
            wrong.append((case["id"], case["input"], found))
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "url"),
    [
        # HTML, "parse a srcset attribute", step by step
        ("", None), (" , ,, ", None), ("a.jpg", "a.jpg"), (" a.jpg ", "a.jpg"), (",a.jpg", "a.jpg"),
        ("a.jpg,", "a.jpg"), ("a.jpg,,,", "a.jpg"), ("a.jpg 1x", "a.jpg"), ("a.jpg 1w", "a.jpg"),
        ("a.jpg,b.jpg 2x", "a.jpg,b.jpg"),  # a comma inside is part of the URL
        ("a.jpg, b.jpg 2x", "b.jpg"), ("a.jpg\n2x\t,\fb.jpg", "a.jpg"),
        ("a.jpg 1.5x, b.jpg .5x", "a.jpg"), ("a.jpg 1e1x, b.jpg 9x", "a.jpg"),
        ("data:,a 1x, b.jpg 2x", "b.jpg"), ("a.jpg\u00a01x", "a.jpg\u00a01x"),
        # descriptors: one of a kind, no width beside a density, a height only beside a width
        ("a.jpg 1x 1x", None), ("a.jpg 1w 1w", None), ("a.jpg 1w 1x", None), ("a.jpg 1x 1w", None),
        ("a.jpg 1h", None), ("a.jpg 1h 1w", "a.jpg"), ("a.jpg 1h 1h 1w", None), ("a.jpg 1h 1x", None),
        # numbers: whole and above zero for widths, no sign but a minus of zero, no spaces inside
        ("a.jpg 0w", None), ("a.jpg -1w", None), ("a.jpg 1.0w", None), ("a.jpg +1w", None),
        ("a.jpg 1 w", None), ("a.jpg w", None), ("a.jpg 0x", "a.jpg"), ("a.jpg -0x", "a.jpg"),
        ("a.jpg -1x", None), ("a.jpg +1x", None), ("a.jpg 1.x", None), ("a.jpg x", None),
        ("a.jpg 1q", None), ("a.jpg 1", None), ("a.jpg NaNx", None), ("a.jpg Infinityx", None),
        ("a.jpg 1W", None), ("a.jpg 1X", None),
        # parentheses hold commas and spaces; one that stays open takes all that is left
        ("a.jpg (1x, b.jpg 2x", None), ("a.jpg (, ) 1x, b.jpg", "b.jpg"), ("a.jpg f(1, 2), b.jpg", "b.jpg"),
        # an error leaves the others alone
        ("a.jpg 1z, b.jpg 2x, c.jpg 1x", "b.jpg"), ("a.jpg 100w, b.jpg 200w 3x, c.jpg 50w", "a.jpg"),
    ],
)  # fmt: skip
def test_each_step_of_the_standard(text: str, url: str | None) -> None:
    found = largest(parse_srcset(text))
    assert (found and found.url) == url


def test_the_largest_is_chosen_and_urls_may_hold_commas() -> None:
    text = "/a,b/w_300,h_2.jpg 300w, /c,d.jpg 1200w,/e.jpg 900w"
    assert largest(parse_srcset(text)) == SrcsetCandidate("/c,d.jpg", 1200)
    assert largest(parse_srcset("a.jpg, b.jpg 2x, c.jpg 1.5x")) == SrcsetCandidate("b.jpg", None, 2)
    assert largest(parse_srcset("a.jpg 100w 50h, b.jpg 200w 100h")) == SrcsetCandidate("b.jpg", 200)
    data = "data:image/png;base64,AAAA"
    assert [one.url for one in parse_srcset(f"{data} 1x, {data}BBBB 2x")] == [data, f"{data}BBBB"]


@given(st.text(alphabet=st.sampled_from("ab ,()\t1.5xwhe-+\u2003"), max_size=60))
def test_any_text_gives_urls_without_white_space_or_a_comma_at_an_end(text: str) -> None:
    for one in parse_srcset(text):
        assert one.url
        assert not set(one.url) & set("\t\n\f\r ")
        assert not one.url.startswith(",")
        assert not one.url.endswith(",")
        assert one.density >= 0


def test_megabytes_are_read_in_no_time() -> None:
    started = time.process_time()
    for text in ("(" * 10**6, "a " * 10**6, "a," * 10**6, "a 1x(" * 10**5, ", " * 10**6):
        parse_srcset(text)
    assert time.process_time() - started < 5
