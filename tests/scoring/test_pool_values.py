"""The values of pools by a model that reads no texts: one class check for all that wait."""

from __future__ import annotations

import numpy as np
import pytest

from pixtrawl.scoring.classes.wrong_labels import LabelChances, label_chances
from pixtrawl.scoring.likes.pool_values import Others, PoolView, own_label_chances, values_of
from pixtrawl.scoring.likes.selection import select
from pixtrawl.scoring.models.interface import Vectors, unit

RIGHT = np.arange(20) % 3 != 2


def shown(kinds: list[int], spread: float, seed: int = 0) -> Vectors:
    """Vectors of pictures that show things of these numbers."""
    random = np.random.default_rng(seed)
    return unit(np.eye(8)[kinds] + random.normal(0, spread, (len(kinds), 8)))


def pool(label: int, other: int, spread: float) -> PoolView:
    """Twenty images of a label, of which every third shows another thing."""
    vectors = shown([label if right else other for right in RIGHT], spread, label)
    return PoolView(str(label), 20, tuple(range(20)), vectors, 0, None, (), vectors[:0])


def test_pools_that_wait_together_are_told_from_each_other_by_one_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checks: list[int] = []

    def counted(vectors: Vectors, own: np.ndarray, labels: int) -> LabelChances:
        checks.append(labels)
        return label_chances(vectors, own, labels)

    monkeypatch.setattr("pixtrawl.scoring.likes.pool_values.label_chances", counted)
    views = [pool(0, 1, 0.1), pool(1, 2, 0.1), pool(2, 0, 0.1)]
    others = Others(("3",) * 20, shown([3] * 20, 0.1))
    for view, chances in zip(views, own_label_chances(views, others), strict=True):
        values = values_of(view, None, chances)
        assert [one is not None and one >= 0.2 for one in values.scores] == RIGHT.tolist()
        assert values.limit == 0.2
    assert checks == [4]


@pytest.mark.parametrize("spread", [0.0, 1e-6, 0.1])
def test_right_images_stay_where_the_other_label_has_their_like(spread: float) -> None:
    view = pool(0, 1, spread)
    others = Others(("1",) * 17, shown([1] * 12 + [0] * 5, spread, 3))
    (chances,) = own_label_chances([view], others)
    assert chances is not None
    assert (chances.own[RIGHT] >= 0.2).all()


def test_a_pool_is_not_told_from_a_few_others() -> None:
    (chances,) = own_label_chances([pool(0, 1, 0.1)], Others(("1",) * 7, shown([1] * 7, 0.1)))
    assert chances is None


@pytest.mark.parametrize("times", [1, 60])  # beyond a thousand images a pool is taken in parts
def test_of_images_that_are_surely_right_those_are_kept_that_differ(times: int) -> None:
    alike, odd, unsure, wrong = (shown([0] * count, 0.001) for count in (12, 4, 2, 3))
    odd = unit(odd + np.eye(8)[[1, 2, 3, 4]])
    vectors = np.tile(np.concatenate([alike, odd, unsure, unit(wrong + np.eye(8)[5])]), (times, 1))
    chances = np.tile([0.99] * 12 + [0.92] * 4 + [0.4] * 2 + [0.1] * 3, times).astype(np.float32)
    view = PoolView(
        "0", len(vectors), tuple(range(len(vectors))), vectors, 0, None, (), vectors[:0]
    )
    values = values_of(view, None, LabelChances(chances, chances))
    chosen = select(values.scores, 5 * times, merits=values.merits, limit=values.limit)
    kinds = np.array(chosen.kept) % 21
    assert {12, 13, 14, 15} <= set(kinds), "the odd ones"
    assert (chances[list(chosen.kept)] >= 0.9).all(), "variety does not outweigh doubt"
    assert (chances[list(chosen.misfits)] < 0.2).all()
    assert len(chosen.misfits) == 3 * times


def test_images_of_no_label_are_not_taken_for_their_variety() -> None:
    vectors = np.concatenate([shown([0] * 12, 0.05), shown([5, 6, 7], 0.05)])
    view = PoolView("0", 15, tuple(range(15)), vectors, 0, None, (), vectors[:0])
    none = np.arange(15) >= 12
    chances = LabelChances(np.full(15, 0.95, np.float32), np.where(none, 0.5, 0.97))
    values = values_of(view, None, chances)
    chosen = select(values.scores, 12, merits=values.merits, limit=values.limit)
    assert sorted(chosen.kept) == list(range(12))
