"""srcset: the suite of the web's own tests, and any text at all."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from pixtrawl.sources.page.srcset import SrcsetCandidate, largest, parse_srcset

SUITE = Path(__file__).parents[4] / "shared" / "suites" / "srcset.jsonl"


def test_every_case_of_the_suite_gives_the_candidate_that_browsers_choose() -> None:
    if not SUITE.exists():
        pytest.skip("the suites are not here")
    wrong = []
    for line in SUITE.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        found = largest(parse_srcset(case["input"]))
        if (found and found.url) != case["expected"]:
            wrong.append((case["id"], case["input"], found))
    assert wrong == []


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
    started = time.perf_counter()
    for text in ("(" * 10**6, "a " * 10**6, "a," * 10**6, "a 1x(" * 10**5, ", " * 10**6):
        parse_srcset(text)
    assert time.perf_counter() - started < 5
