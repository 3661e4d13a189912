"""Which scores stand apart, and which images are alike."""

from __future__ import annotations

import numpy as np
from hypothesis import given, strategies as st

from pixtrawl.catalog.scores.embeddings import Embedded
from pixtrawl.scoring.likeness.alike import alike
from pixtrawl.scoring.models.interface import Vectors, to_bytes, unit
from pixtrawl.scoring.outliers import lowest_usual


def test_one_far_below_the_rest_stands_apart_and_one_far_above_does_not() -> None:
    usual = [0.27, 0.28, 0.29, 0.30, 0.31]
    limit = lowest_usual([*usual, 0.05, 0.90])
    assert limit is not None
    assert 0.05 < limit < min(usual)


def test_of_few_scores_none_stands_apart() -> None:
    assert lowest_usual([0.3, 0.3, 0.3, -1.0]) is None
    assert lowest_usual([]) is None


def test_where_most_scores_are_one_the_others_still_stand_apart() -> None:
    limit = lowest_usual([0.3] * 20 + [-0.5])
    assert limit is not None
    assert -0.5 < limit < 0.3


@given(st.lists(st.floats(-1, 1), min_size=5, max_size=60))
def test_never_does_more_than_half_stand_apart(scores: list[float]) -> None:
    limit = lowest_usual(scores)
    assert limit is not None
    assert sum(score < limit for score in scores) <= len(scores) // 2


def images(vectors: Vectors) -> list[Embedded]:
    return [Embedded(n, f"{n}.png", to_bytes(row)) for n, row in enumerate(unit(vectors))]


def test_an_image_is_like_the_nearest_earlier_one_that_stands_for_itself() -> None:
    angles = np.radians([0, 10, 20, 90, 91, 0])  # cos 15 degrees = 0.966
    found = list(alike(images(np.stack([np.cos(angles), np.sin(angles)], axis=1)), 0.966))
    assert [(one.file_name, one.of) for one in found] == [
        ("1.png", "0.png"), ("4.png", "3.png"), ("5.png", "0.png"),
    ]  # fmt: skip


def test_planted_copies_are_found_in_a_large_label() -> None:
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(1500, 64)).astype(np.float32)
    vectors[1400] = vectors[17] * 3
    vectors[900] = vectors[899]
    found = {(one.file_name, one.of) for one in alike(images(vectors), 0.999)}
    assert found == {("1400.png", "17.png"), ("900.png", "899.png")}
    assert list(alike([], 0.9)) == []
