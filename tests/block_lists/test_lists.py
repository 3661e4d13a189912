"""Block lists in memory: exact hashes, and PDQ within its distance and never beyond."""

from __future__ import annotations

import pickle
import random
from pathlib import Path

import pytest

from pixtrawl.block_lists import BlockLists, load
from pixtrawl.block_lists.lists import pack_looks, unpack_looks
from pixtrawl.block_lists.reader import EITHER, BlockedHash
from pixtrawl.config.groups import Images
from pixtrawl.errors import UsageError


def lists(*entries: BlockedHash, **more: int) -> BlockLists:
    found = BlockLists(**more)
    found.add("list", entries)
    return found


def look(value: int) -> list[tuple[int, tuple[bytes, ...]]]:
    return [(100, (value.to_bytes(32),) * 8)]


def test_bytes_are_found_by_either_digest() -> None:
    held = lists(BlockedHash("sha256", b"a" * 32), BlockedHash("md5", b"b" * 16))
    assert held.why_bytes((b"a" * 32).hex()) == "sha256, list list"
    assert held.why_bytes((b"c" * 32).hex(), b"b" * 16) == "md5, list list"
    assert held.why_bytes((b"c" * 32).hex(), b"c" * 16) is None


def test_a_look_is_found_up_to_the_distance_and_no_further() -> None:
    rng = random.Random(5)
    known = [rng.getrandbits(256) for _ in range(6000)]  # more than are compared one by one
    held = lists(*(BlockedHash("pdq", one.to_bytes(32)) for one in known))
    for bits in (0, 1, 16, 30, 31, 32, 40):
        for wanted in rng.sample(known, 20):
            changed = wanted
            for bit in rng.sample(range(256), bits):
                changed ^= 1 << bit
            assert (held.why_look(look(changed)) is not None) == (bits <= 31), bits


def test_the_distance_and_the_quality_are_settings() -> None:
    entry = BlockedHash("pdq", bytes(32))
    assert lists(entry, distance=3).why_look(look(0b111)) is not None
    assert lists(entry, distance=2).why_look(look(0b111)) is None
    poor = [(40, (bytes(32),) * 8)]
    assert lists(entry).why_look(poor) is None
    assert lists(entry, quality=40).why_look(poor) is not None


def test_a_hash_whose_kind_nothing_tells_is_held_as_both() -> None:
    held = lists(BlockedHash(EITHER, b"a" * 32))
    assert held.why_bytes((b"a" * 32).hex()) is not None
    assert held.why_look([(100, (b"a" * 32,))]) is not None
    assert "1 hashes of 64 digits" in (held.remark() or "")


def test_listed_hashes_of_low_quality_are_left_out_and_counted() -> None:
    held = lists(BlockedHash("pdq", bytes(32), 10))
    assert held.why_look(look(0)) is None
    assert "1 PDQ hashes are left out" in (held.remark() or "")


def test_lists_go_to_other_processes() -> None:
    held = pickle.loads(pickle.dumps(lists(BlockedHash("pdq", bytes(32)))))
    assert held.why_look(look(0)) is not None


def test_looks_come_back_from_the_catalog_as_they_were() -> None:
    found = [(100, tuple(bytes([n]) * 32 for n in range(8))), (3, (b"x" * 32,) * 8)]
    assert unpack_looks(pack_looks(found)) == found


def test_without_decoding_pdq_is_refused_and_64_digits_are_sha256(tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_text("ab" * 32)
    given = str(tmp_path / "l.txt")
    with pytest.raises(UsageError, match="--check none"):
        load(Images(check="none", block_hashes=(f"pdq:{given}",)))
    held = load(Images(check="none", block_hashes=(given,)))
    assert held is not None
    assert not held.wants_pdq
    assert held.why_bytes("ab" * 32)
