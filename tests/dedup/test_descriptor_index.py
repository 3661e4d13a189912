"""The descriptor index of a label: a long one finds what a full scan finds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from pixtrawl.dedup.overlay.crop_windows import COARSE
from pixtrawl.dedup.search import descriptor_index
from pixtrawl.dedup.search.descriptor_index import DescriptorIndex
from pixtrawl.dedup.search.growing_cells import GrowingCells
from pixtrawl.dedup.search.inverted_file import InvertedFile

Array = np.ndarray[Any, Any]


def pictures(count: int, seed: int = 0, side: int = COARSE) -> Array:
    """Pictures with the spectrum of photographs: n x 16 x 16 or larger, 0..255."""
    random = np.random.default_rng(seed)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    frequency[0, 0] = 1
    spectra = np.fft.fft2(random.normal(size=(count, side, side))) / frequency
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
def test_a_long_index_names_the_originals_of_crops_and_crops_of_originals() -> None:
    whole = pictures(400, side=64)
    corners = [(top, left) for top in (0, 3, 6) for left in (0, 3, 6)]
    crops = np.stack(
        [one[y : y + 58, x : x + 58] for one, (y, x) in zip(whole, 45 * corners, strict=False)]
    )
    small = [
        np.stack(
            [
                np.asarray(Image.fromarray(one).resize((COARSE, COARSE), Image.Resampling.BOX))
                for one in some
            ]
        )
        for some in (whole, crops)
    ]
    for kept, asked in (small, small[::-1]):
        index = filled(kept, 100)
        named = sum(id in index.nearest(asked[id], 8) for id in range(0, 400, 4))
        assert named >= 99  # of 100


@pytest.mark.usefixtures("short_tails")
def test_what_is_emptied_finds_nothing() -> None:
    coarse = pictures(300)
    index = filled(coarse, 300)
    for id in range(300):
        index.remove(id)
    assert index.nearest(coarse[0], 8) == []
    assert index.turned_near(coarse[0]) == []


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


def unit_vectors(count: int, seed: int) -> Array:
    """Random vectors of equal length, in the numbers of an index."""
    rows = np.random.default_rng(seed).normal(size=(count, 64))
    units = np.rint(32_767 * rows / np.linalg.norm(rows, axis=1, keepdims=True))
    return np.asarray(units, dtype=np.int16)


def test_cells_are_the_same_for_the_same_rows() -> None:
    rows, ids = unit_vectors(5_000, 2), np.arange(5_000)
    first, second = GrowingCells(ids, rows), GrowingCells(ids, rows)
    asked = rows[:3].astype(np.float32)
    assert (first.probed(asked)[0] == second.probed(asked)[0]).all()
    assert (first.probed(asked)[1] == second.probed(asked)[1]).all()


def test_a_query_looks_at_no_more_of_a_longer_index() -> None:
    rows = unit_vectors(40_000, 3)
    cells = GrowingCells(np.arange(2_000), rows[:2_000])
    seen = []
    for begin, end in ((2_000, 20_000), (20_000, 40_000)):
        cells.add(np.arange(begin, end), rows[begin:end])
        seen.append(len(cells.probed(rows[:1].astype(np.float32))[1]))
    assert len(cells) == 40_000
    assert max(seen) <= 80 * 128


def test_a_thousand_equal_pictures_are_kept_apart_and_removed() -> None:
    rows = np.repeat(unit_vectors(1, 4), 1_000, axis=0)
    cells = GrowingCells(np.arange(1_000), rows)
    probed, vectors = cells.probed(rows[:1].astype(np.float32))
    found = cells.ids_of(probed, np.arange(len(vectors)))
    assert sorted(found) == list(range(1_000))
    assert all(cells.remove(id) for id in range(0, 1_000, 2))
    assert not cells.remove(0)
    probed, vectors = cells.probed(rows[:1].astype(np.float32))
    assert sorted(cells.ids_of(probed, np.arange(len(vectors)))) == list(range(1, 1_000, 2))


@pytest.mark.parametrize("count", range(1, 6))
def test_a_few_vectors_make_an_inverted_file(count: int) -> None:
    vectors = np.eye(8, dtype=np.float32)[:count]
    assert sorted(InvertedFile(vectors).order.tolist()) == list(range(count))
