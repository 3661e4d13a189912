"""What a class check of many images is made of: blocks, rows in a file, numbers of 16 bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pixtrawl.errors import StorageError
from pixtrawl.scoring.classes import unseen as regression
from pixtrawl.scoring.classes.unseen import unseen
from pixtrawl.scoring.classes.votes import Votes
from pixtrawl.scoring.classes.wrong_labels import label_chances
from pixtrawl.scoring.likeness import spilled_rows
from pixtrawl.scoring.likeness.spilled_rows import SpilledRows
from pixtrawl.scoring.models.interface import unit


@pytest.mark.parametrize("block", [7, 64, 8192])
def test_outputs_are_those_of_a_regression_that_has_not_seen_the_image(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regression, "BLOCK", block)
    monkeypatch.setattr(regression, "_STRENGTHS", (0.3,))
    chance = np.random.default_rng(2)
    rows, own = unit(chance.normal(size=(60, 9))), np.arange(60) % 3
    order = np.argsort(own, kind="stable")
    found = np.empty((60, 3))
    found[order] = unseen(rows, order, own[order], np.ones(60), 3)[0]
    centred = rows.astype(float) - rows.mean(axis=0, dtype=float)
    ridge = 0.3 * (centred**2).sum() / 60 * 60 / 10
    targets = np.eye(3)[own]
    for left_out in (0, 17, 59):
        others = np.arange(60) != left_out
        # leaving out a row of a ridge regression about a middle that is held
        seen, known = centred[others], targets[others] - targets.mean(axis=0)
        middle, level = seen.mean(axis=0) * 0, known.mean(axis=0) * 0
        products = seen.T @ seen + ridge * np.eye(9)
        plain = (centred[left_out] - middle) @ np.linalg.solve(products, seen.T @ (known - level))
        assert np.abs(found[left_out] - plain - targets.mean(axis=0)).max() < 0.05


@pytest.mark.parametrize("block", [5, 50])
def test_the_size_of_blocks_changes_no_chance(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(4)
    middles = chance.normal(size=(4, 12))
    own = np.repeat(np.arange(4), 30)
    vectors = unit(middles[own] + 0.5 * chance.normal(size=(120, 12)))
    own[[3, 40]] = [1, 2]
    whole = label_chances(vectors, own, 4).own
    assert (whole[[3, 40]] < 0.5).all(), "both are filed under a wrong label"
    monkeypatch.setattr(regression, "BLOCK", block)
    monkeypatch.setattr("pixtrawl.scoring.classes.label_model.BLOCK", block)
    assert np.abs(label_chances(vectors, own, 4).own - whole).max() < 1e-4
    assert np.abs(label_chances(vectors.astype(np.float16), own, 4).own - whole).max() < 0.02


def test_a_table_of_votes_has_the_shares_of_the_images_asked_for() -> None:
    votes = Votes(np.array([[0, 2], [1, 1], [2, 0]]), np.array([[0.7, 0.3], [0.5, 0.5], [1, 0]]))
    found = votes.table(3, np.array([2, 0]))
    assert found.tolist() == [[0, 0, 1], [pytest.approx(0.7), 0, pytest.approx(0.3)]]
    assert votes.table(3, np.array([1])).tolist() == [[0, 1, 0]]


@pytest.mark.parametrize("block_bytes", [1, 24, 10_000])
def test_rows_in_a_file_come_back_as_they_were(
    block_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spilled_rows, "_BLOCK_BYTES", block_bytes)
    rows = np.random.default_rng(1).integers(-127, 128, (23, 8)).astype(np.int8)
    held = SpilledRows()
    assert list(held.blocks()) == []
    held.add(rows[:9])
    assert np.array_equal(np.concatenate([one.copy() for one in held.blocks()]), rows[:9])
    held.add(rows[9:])
    assert len(held) == 23
    assert np.array_equal(np.concatenate([one.copy() for one in held.blocks()]), rows)
    held.close()
    assert list(held.blocks()) == []


def test_no_place_for_the_file_is_said_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    with pytest.raises(StorageError, match="TMPDIR"):
        SpilledRows().add(np.zeros((1, 4), np.int8))
