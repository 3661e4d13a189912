"""Wrong labels are found where labels are few, and where a picture stands there twice."""

from __future__ import annotations

import numpy as np
import pytest

from pixtrawl.catalog.views.pairs import CheckedImage
from pixtrawl.scoring.classes.check import audit
from pixtrawl.scoring.classes.copies import copies_of
from pixtrawl.scoring.likeness.neighbours import near_neighbours
from pixtrawl.scoring.models.interface import unit
from tests.scoring.planted import DIMENSIONS, Planted, unknown_looks


@pytest.mark.parametrize("labels", [2, 3, 6])
def test_few_labels_with_more_numbers_than_images_hide_nothing(labels: int) -> None:
    random = np.random.default_rng(8)
    centres = np.abs(random.normal(size=(labels, 400)))
    source = np.repeat(np.arange(labels), 25)
    wrong = np.arange(len(source)) % 7 == 3
    own = np.where(wrong, (source + 1) % labels, source)
    vectors = unit(np.abs(centres[source] + random.normal(size=(len(source), 400)) * 1.2))
    images = [CheckedImage(at, f"l{one}", str(at), "h") for at, one in enumerate(own)]
    doubts = audit(images, vectors, unknown_looks, by="embedding", model="m").doubts
    found = np.isin(np.arange(len(own)), [int(one.file_name) for one in doubts])
    assert (found & wrong).sum() >= 0.8 * wrong.sum()
    assert (found & wrong).sum() >= 0.9 * found.sum()
    likes = {int(one.file_name): one.like for one in doubts}
    assert all(likes[at] == f"l{source[at]}" for at in np.flatnonzero(found & wrong).tolist())


def test_a_wrong_picture_is_not_confirmed_by_its_copies() -> None:
    planted = Planted(6, 40, spread=1.7, wrong=0.12, seed=6)
    (wrong,) = np.nonzero(planted.wrong)
    again = np.tile(wrong[::2], 3)
    noise = np.random.default_rng(1).normal(size=(len(again), DIMENSIONS)) * 0.004
    vectors = np.concatenate([planted.vectors, unit(planted.vectors[again] + noise)])
    images = list(planted.images)
    for at, one in enumerate(again, len(images)):
        like = images[one]
        images.append(CheckedImage(at + 1, like.label, f"{like.label}/copy{at}.jpg", like.host))
    found = audit(images, vectors.astype(np.float32), unknown_looks, by="embedding", model="m")
    doubted = {one.file_name for one in found.doubts}
    planted_wrong = {
        images[at].file_name for at in (*wrong, *range(len(planted.images), len(images)))
    }
    assert len(doubted & planted_wrong) >= 0.8 * len(planted_wrong)
    assert len(doubted & planted_wrong) >= 0.9 * len(doubted)


def test_groups_of_copies_are_of_one_label_and_small() -> None:
    random = np.random.default_rng(2)
    rows = random.normal(size=(60, 16))
    rows[50:54] = rows[:4] + random.normal(size=(4, 16)) * 0.005
    own = np.arange(60) % 3
    own[50:54] = own[:4]
    own[53] = (own[3] + 1) % 3  # the same picture under another label is no copy
    groups = copies_of(*near_neighbours(unit(rows), 12), own)
    pairs = {tuple(np.flatnonzero(groups == one).tolist()) for one in set(groups)}
    assert {one for one in pairs if len(one) > 1} == {(0, 50), (1, 51), (2, 52)}
    same = np.tile(rows[:1], (40, 1)) + random.normal(size=(40, 16)) * 1e-3
    alone = copies_of(*near_neighbours(unit(same), 12), np.zeros(40, int))
    assert len(set(alone)) >= 30
    half = copies_of(*near_neighbours(unit(same[:20]), 12), np.arange(20) // 10)
    assert len(set(half)) == 20, "images of so little variety are what the label shows"
