from __future__ import annotations

import time
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from tests.matrices import examples, slow

from pixtrawl.dedup import HashIndex
from pixtrawl.dedup.search.multi_index_table import MultiIndexTable


def flipped(value: np.ndarray[tuple[int], np.dtype[np.uint8]], bits: int, seed: int) -> bytes:
    random = np.random.default_rng(seed)
    places = random.choice(256, bits, replace=False)
    whole = np.unpackbits(value)
    whole[places] ^= 1
    return np.packbits(whole).tobytes()


def brute(
    hashes: np.ndarray[tuple[int, int], np.dtype[np.uint8]], wanted: bytes, radius: int
) -> dict[int, int]:
    distances = np.bitwise_count(hashes ^ np.frombuffer(wanted, np.uint8)).sum(axis=1)
    return {int(at): int(distances[at]) for at in np.flatnonzero(distances <= radius)}


@pytest.fixture(scope="module")
def hashes() -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    return np.random.default_rng(1).integers(0, 256, (30_000, 32), dtype=np.uint8)


@pytest.mark.parametrize("bits", [0, 1, 15, 31])
def test_up_to_31_bits_nothing_is_missed(
    hashes: np.ndarray[tuple[int, int], np.dtype[np.uint8]], bits: int
) -> None:
    index = HashIndex.build(np.arange(len(hashes)), hashes)
    for seed in range(40):
        row = seed * 700
        wanted = flipped(hashes[row], bits, seed)
        assert index.query(wanted, 31) == [(row, bits)]


def test_almost_all_are_found_at_40_bits(
    hashes: np.ndarray[tuple[int, int], np.dtype[np.uint8]],
) -> None:
    index = HashIndex.build(np.arange(len(hashes)), hashes)
    found = sum(bool(index.query(flipped(hashes[n], 40, n), 40)) for n in range(300))
    assert found >= 297


def test_what_is_added_is_found_before_and_after_it_is_tabled(
    hashes: np.ndarray[tuple[int, int], np.dtype[np.uint8]],
) -> None:
    index = HashIndex()
    for number, value in enumerate(hashes[:12_000]):
        index.add(number, value.tobytes())
        if number in (0, 63, 64, 9_999, 10_001, 11_999):
            assert index.query(flipped(value, 20, number), 31) == [(number, 20)]
    assert len(index) == 12_000
    assert index.query(hashes[5].tobytes(), 0) == [(5, 0)]


def test_what_is_removed_is_not_found_any_more(
    hashes: np.ndarray[tuple[int, int], np.dtype[np.uint8]],
) -> None:
    index = HashIndex.build(np.arange(len(hashes)), hashes)
    index.add(-1, [hashes[3].tobytes(), hashes[4].tobytes()])
    assert {id for id, _ in index.query(hashes[3].tobytes(), 0)} == {3, -1}
    index.remove(3)
    index.remove(-1)
    index.remove(12345678)
    assert index.query(hashes[3].tobytes(), 10) == []
    assert index.query(hashes[4].tobytes(), 10) == [(4, 0)]


def test_an_id_with_two_hashes_counts_by_the_nearer() -> None:
    index = HashIndex()
    index.add(7, [b"\x00" * 32, b"\xff" * 32])
    assert index.query(b"\xff" * 31 + b"\xfe", 40) == [(7, 1)]


def test_an_id_may_come_back_after_it_was_removed() -> None:
    index = HashIndex()
    index.add(1, b"\x0f" * 32)
    index.remove(1)
    index.add(1, b"\xf0" * 32)
    assert index.query(b"\x0f" * 32, 40) == []
    assert index.query(b"\xf0" * 32, 40) == [(1, 0)]
    assert len(index) == 1


def test_the_opposite_of_a_hash_is_as_far_as_can_be() -> None:
    index = HashIndex()
    index.add(1, b"\x00" * 32)
    assert index.query(b"\xff" * 32, 255) == []
    assert index.query(b"\xff" * 32, 256) == [(1, 256)]


def test_rows_added_one_by_one_end_in_few_tables_and_are_all_found(
    hashes: np.ndarray[tuple[int, int], np.dtype[np.uint8]],
) -> None:
    index = HashIndex()
    for number, value in enumerate(hashes):
        index.add(number, value.tobytes())
    assert len(index._tables) <= 3
    for number in range(0, len(hashes), 997):
        assert index.query(flipped(hashes[number], 31, number), 31) == [(number, 31)]


def test_a_table_of_wide_bands_misses_nothing_up_to_32_bits(
    hashes: np.ndarray[tuple[int, int], np.dtype[np.uint8]],
) -> None:
    table = MultiIndexTable(500, hashes.view(np.uint64), many=1_000)
    for bits, seed in product((0, 20, 32), range(20)):
        wanted = np.frombuffer(flipped(hashes[seed * 911], bits, seed), dtype=np.uint64)
        assert seed * 911 + 500 in table.rows(wanted), bits


@settings(max_examples=examples(30), deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3)), max_size=40), st.integers(0, 60))
def test_answers_agree_with_comparing_everything(
    actions: list[tuple[int, int]], radius: int
) -> None:
    pool = np.random.default_rng(2).integers(0, 4, (31, 32), dtype=np.uint8)
    index, alive = HashIndex(), dict[int, int]()
    for at, verb in actions:
        if verb == 0:
            index.remove(at)
            alive.pop(at, None)
        elif at not in alive:
            index.add(at, pool[at].tobytes())
            alive[at] = at
    wanted = pool[0].tobytes()
    expected = {at: d for at, d in brute(pool, wanted, radius).items() if at in alive}
    assert dict(index.query(wanted, radius)) == expected


@pytest.mark.parametrize("count", [300_000, slow(1_000_000)])
def test_many_hashes_are_tabled_in_seconds(count: int) -> None:
    hashes = np.random.default_rng(3).integers(0, 256, (count, 32), dtype=np.uint8)
    start = time.process_time()
    index = HashIndex.build(np.arange(count), hashes)
    assert time.process_time() - start < 15 * count / 1e6  # 1.5 for a million on an idle machine
    assert index.query(flipped(hashes[77], 31, 1), 31) == [(77, 31)]
