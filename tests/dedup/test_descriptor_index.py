"""The descriptor index of a label: a long one finds what a full scan finds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pixtrawl.dedup import descriptor_index
from pixtrawl.dedup.crop_windows import COARSE
from pixtrawl.dedup.descriptor_index import DescriptorIndex
from pixtrawl.dedup.inverted_file import InvertedFile

Array = np.ndarray[Any, Any]


def pictures(count: int, seed: int = 0) -> Array:
    """Coarse pictures with the spectrum of photographs: n x 16 x 16, 0..255."""
    random = np.random.default_rng(seed)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(COARSE), np.fft.fftfreq(COARSE)))
    frequency[0, 0] = 1
    spectra = np.fft.fft2(random.normal(size=(count, COARSE, COARSE))) / frequency
    found = np.fft.ifft2(spectra).real
    found -= found.min(axis=(1, 2), keepdims=True)
    return np.asarray(255 * found / found.max(axis=(1, 2), keepdims=True), dtype=np.float32)


@pytest.fixture
def short_tails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptor_index, "_SCANNED", 256)


def filled(coarse: Array, step: int) -> DescriptorIndex:
    index = DescriptorIndex()
    for at in range(0, len(coarse), step):
        index.add(list(range(at, min(at + step, len(coarse)))), coarse[at : at + step])
    return index


@pytest.mark.usefixtures("short_tails")
@pytest.mark.parametrize("step", [1, 512])
def test_every_picture_is_found_again_however_it_came(step: int) -> None:
    coarse = pictures(3_000)
    index = filled(coarse, step)
    assert len(index) == 3_000
    for id in range(0, 3_000, 37):
        assert index.nearest(coarse[id], 8)[0] == id


def test_a_long_index_finds_what_a_scan_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    coarse = pictures(3_000)
    monkeypatch.setattr(descriptor_index, "_SCANNED", 10_000)
    whole = filled(coarse, 1_000)
    monkeypatch.setattr(descriptor_index, "_SCANNED", 256)
    sorted_ = filled(coarse, 1_000)
    noise = np.random.default_rng(1).normal(scale=8, size=(100, COARSE, COARSE))
    asked = np.clip(coarse[::30] + noise.astype(np.float32), 0, 255)
    same = sum(whole.nearest(one, 8)[:1] == sorted_.nearest(one, 8)[:1] for one in asked)
    assert same >= 98  # of 100


@pytest.mark.usefixtures("short_tails")
def test_what_is_removed_is_not_found_whether_sorted_or_new() -> None:
    coarse = pictures(1_100)
    index = filled(coarse, 100)
    for id in (5, 700, 1_099, 5, 4_242):
        index.remove(id)
    assert len(index) == 1_097
    for id in (5, 700, 1_099):
        assert id not in index.nearest(coarse[id], 8)
    index.add([5], coarse[5:6])
    assert index.nearest(coarse[5], 8)[0] == 5
    index.add(list(range(2_000, 3_000)), pictures(1_000, seed=9))  # all sorted anew
    assert len(index) == 2_098
    assert index.nearest(coarse[5], 8)[0] == 5
    assert 700 not in index.nearest(coarse[700], 8)


def test_coarse_pictures_are_remembered_of_the_newest_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptor_index, "_CACHED", 100)
    coarse = pictures(250)
    index = filled(coarse, 20)
    assert index.picture(100) is None
    newest = index.picture(249)
    assert newest is not None
    assert np.abs(newest - coarse[249]).max() <= 0.5
    index.remove(249)
    assert index.picture(249) is None
    assert sum(index.picture(id) is not None for id in range(250)) == 99


def test_shelves_remember_together_no_more_than_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptor_index, "_CACHED", 100)
    coarse, remembered = pictures(180), dict[int, Array]()
    first, second = DescriptorIndex(remembered), DescriptorIndex(remembered)
    first.add(list(range(90)), coarse[:90])
    second.add(list(range(90, 180)), coarse[90:])
    assert len(remembered) == 100
    assert first.picture(0) is None
    assert first.picture(89) is not None
    assert second.picture(179) is not None


def test_cells_are_the_same_for_the_same_rows() -> None:
    rows = np.random.default_rng(2).normal(size=(5_000, 64)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    first, second = InvertedFile(rows), InvertedFile(rows)
    assert (first.order == second.order).all()
    assert sorted(first.order) == list(range(5_000))
    assert first.rows(rows[:3]) == second.rows(rows[:3])


def test_a_query_looks_at_a_small_part_of_a_long_index() -> None:
    rows = np.random.default_rng(3).normal(size=(20_000, 64)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    cells = InvertedFile(rows)
    seen = sum(end - begin for begin, end in cells.rows(rows[:1]))
    assert seen < 5_000


@pytest.mark.parametrize("count", range(1, 6))
def test_a_few_vectors_make_an_inverted_file(count: int) -> None:
    vectors = np.eye(8, dtype=np.float32)[:count]
    assert sorted(InvertedFile(vectors).order.tolist()) == list(range(count))
