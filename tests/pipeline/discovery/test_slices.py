"""Slices of a query: filters first, pairs later, words only where they keep to the topic."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given, strategies as st

from pixtrawl.errors import UsageError
from pixtrawl.model import Filters, Query
from pixtrawl.pipeline.discovery.slices import (
    BARREN_IN_A_ROW,
    SliceYield,
    by_filters,
    by_related,
    keeps_to_topic,
    plan,
    read_synonyms,
)

CAT = Query("tabby cat", "tabby cat")


def test_single_filters_come_before_pairs_and_each_slice_once() -> None:
    names = [s.name for s in by_filters(CAT, {"color", "aspect"})]
    assert names[0] == "aspect=square"
    assert names.index("color=red") < names.index("color=red aspect=tall")
    assert len(names) == len(set(names)) == 3 + 14 + 14 * 3


def test_a_filter_that_the_user_set_is_not_varied() -> None:
    query = Query("cat", "cat", None, Filters(color="red"))
    for slice_ in by_filters(query, {"color", "aspect", "size"}):
        assert slice_.query.filters.color == "red"
        assert "color" not in slice_.name


def test_a_source_without_filters_has_no_slices() -> None:
    assert list(by_filters(CAT, ())) == []


def test_a_related_query_has_to_keep_the_words() -> None:
    offered = ["tabby cat kitten", "dog", "cat", "grey tabby cat with long white fur and toys"]
    assert [s.query.text for s in by_related(CAT, offered)] == ["tabby cat kitten"]
    assert all(s.query.label == "tabby cat" for s in by_related(CAT, offered))


def test_drift_has_to_be_asked_for_and_comes_last() -> None:
    offered = ["tabby cat kitten", "dog and bird of prey", "Cat, tabby", "kitten"]
    texts = [s.query.text for s in by_related(CAT, offered, drift=True)]
    assert texts == ["tabby cat kitten", "kitten", "dog and bird of prey"]


def test_several_ways_are_gone_one_after_another() -> None:
    ways = plan(("related", "off", "filters", "synonyms"), {"tabby cat": ["mackerel cat"]})
    assert ways is not None
    names = [[one.name for one in way] for way in ways(CAT, {"aspect"}, ["tabby cat kitten"])]
    assert names == [
        ["aspect=square", "aspect=wide", "aspect=tall"],
        ["synonym: mackerel cat"],
        ["related: tabby cat kitten"],
    ]
    assert plan(("off",), {}) is None


@given(st.text(max_size=40), st.text(max_size=40))
def test_topic_needs_every_word(text: str, other: str) -> None:
    if keeps_to_topic(text, other):
        assert set(text.casefold().split()) or other.strip()
        assert text.casefold() != other.casefold()


def test_barren_slices_end_the_expansion_and_a_good_one_resets_the_count() -> None:
    worth = SliceYield()
    for _ in range(BARREN_IN_A_ROW - 1):
        worth.note(100, 1)
    worth.note(100, 50)
    assert not worth.over
    for _ in islice(iter(int, 1), BARREN_IN_A_ROW):
        worth.note(0, 0)
    assert worth.over


def test_a_broken_line_of_synonyms_is_reported_with_file_and_line() -> None:
    good = read_synonyms(["# cats", "Tabby Cat = mackerel cat, tiger cat", ""], "s.txt")
    assert good == {"tabby cat": ["mackerel cat", "tiger cat"]}
    with pytest.raises(UsageError, match=r"s\.txt:2"):
        read_synonyms(["a = b", "no sign"], "s.txt")
