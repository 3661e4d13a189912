"""Neighbours in large sets, and places on a map: like images near each other, the same each time."""

from __future__ import annotations

import numpy as np
import pytest

from pixtrawl.catalog.views.pairs import CheckedImage
from pixtrawl.scoring.classes.check import audit
from pixtrawl.scoring.likeness import neighbours
from pixtrawl.scoring.likeness.projection import MAP_SIDE, lay_out
from pixtrawl.scoring.likeness.typical import typicality
from pixtrawl.scoring.models.interface import Vectors, unit


def groups(
    count: int, kinds: int, width: int = 24, noise: float = 0.35
) -> tuple[Vectors, np.ndarray]:
    """Vectors around some middles, and the group of each."""
    chance = np.random.default_rng(3)
    middles = chance.normal(size=(kinds, width))
    kind = np.arange(count) % kinds
    return unit(middles[kind] + noise * chance.normal(size=(count, width))), kind


def test_near_cells_hold_nearly_all_of_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, _ = groups(5_000, 30)
    exact, _ = neighbours.nearest(vectors, 12)
    monkeypatch.setattr(neighbours, "EXACT", 1_000)
    found, cosines = neighbours.near_neighbours(vectors, 12)
    shared = [
        len(set(a) & set(b)) / 12 for a, b in zip(exact.tolist(), found.tolist(), strict=True)
    ]
    assert np.mean(shared) > 0.95
    assert (np.diff(cosines, axis=1) <= 0).all(), "the nearest first"
    assert not (found == np.arange(5_000)[:, None]).any(), "none is its own neighbour"


@pytest.mark.parametrize("count", [1, 2, 5, 13])
def test_few_images_have_fewer_neighbours(count: int) -> None:
    vectors, _ = groups(count, 3)
    indices, cosines = neighbours.near_neighbours(vectors, 12)
    assert indices.shape == cosines.shape == (count, min(12, count - 1))


def test_the_class_check_of_a_large_set_finds_the_planted_labels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vectors, kind = groups(3_000, 6)
    images = [
        CheckedImage(n, f"label {k}", f"{n}.jpg", "a.test") for n, k in enumerate(kind.tolist())
    ]
    for n in range(0, 600, 100):
        images[n] = CheckedImage(n, f"label {(kind[n] + 1) % 6}", f"{n}.jpg", "a.test")
    nothing = np.zeros((0, 1), np.float32)

    def doubted() -> list[tuple[str, str]]:
        found = audit(images, vectors, lambda rows: nothing, by="embedding", model="m")
        return [(one.file_name, one.like) for one in found.doubts if one.like]

    exact = doubted()
    assert {name for name, _ in exact} == {f"{n}.jpg" for n in range(0, 600, 100)}
    monkeypatch.setattr(neighbours, "EXACT", 1_000)
    monkeypatch.setattr("pixtrawl.scoring.likeness.typical.EXACT", 300)
    assert sorted(doubted()) == sorted(exact)


def test_typicality_by_near_cells_is_that_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, _ = groups(2_000, 10)
    exact = typicality(vectors)
    monkeypatch.setattr(neighbours, "EXACT", 500)
    monkeypatch.setattr("pixtrawl.scoring.likeness.typical.EXACT", 500)
    assert np.abs(typicality(vectors) - exact).max() < 0.05


def test_like_images_lie_together_on_the_map_landmarks_or_not() -> None:
    vectors, kind = groups(900, 8)
    done: list[float] = []
    places = lay_out(vectors[::3], [vectors[:400], vectors[400:]], 900, done.append)
    assert places.shape == (900, 2)
    assert places.min() >= 0
    assert places.max() <= MAP_SIDE
    assert done == sorted(done)
    assert done[-1] == 1
    middles = np.stack([places[kind == one].mean(axis=0) for one in range(8)])
    nearest = ((places[:, None].astype(float) - middles) ** 2).sum(-1).argmin(1)
    assert (nearest == kind).mean() > 0.97
    again = lay_out(vectors[::3], [vectors], 900)
    assert (places == again).all(), "the same images give the same map"


@pytest.mark.parametrize("count", [0, 1, 2, 3, 6, 20])
def test_a_map_of_few_or_equal_images(count: int) -> None:
    vectors = np.tile(unit(np.ones((1, 8))), (count, 1))
    landmarks = vectors if count else np.zeros((0, 8), np.float32)
    places = lay_out(landmarks, [vectors] if count else [], count)
    assert places.shape == (count, 2)
