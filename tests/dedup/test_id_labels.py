"""Whose an image is: as a dictionary would say."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from pixtrawl.dedup.search.id_labels import IdLabels

steps = st.lists(st.tuples(st.integers(0, 300), st.sampled_from(["cat", "dog", "", None])))


@given(steps)
def test_owners_say_what_a_dictionary_says(changes: list[tuple[int, str | None]]) -> None:
    owners, known = IdLabels(), dict[int, str]()
    for id, label in changes:
        if label is None:
            assert owners.pop(id) == known.pop(id, None)
        else:
            owners[id] = known[id] = label
    for id in range(302):
        if id in known:
            assert owners[id] == known[id]
        else:
            with pytest.raises(KeyError):
                owners[id]


def test_a_number_below_zero_is_no_row() -> None:
    owners = IdLabels()
    owners[3] = "cat"
    with pytest.raises(IndexError):
        owners[-1] = "dog"
    with pytest.raises(KeyError):
        owners[-1]
    assert owners.pop(-1) is None
