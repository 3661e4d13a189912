"""Shards stay the same when a few images come or go."""

from __future__ import annotations

from hypothesis import given, strategies as st

from pixtrawl.exporters.shard_tree import HubShard, Leaf, cut, limit_bytes

KEYS = st.sets(st.binary(min_size=16, max_size=16), min_size=1, max_size=60)


def leaves(keys: set[bytes], split: str = "train") -> list[Leaf]:
    return [Leaf(split, key, 10 + key[15]) for key in sorted(keys)]


def contents(keys: set[bytes], max_bytes: int = 600, max_images: int = 8) -> dict[str, list[bytes]]:
    ordered = leaves(keys)
    return {
        shard.name: [leaf.key for leaf in ordered[shard.start : shard.end]]
        for shard in cut(ordered, max_bytes, max_images)
    }


@given(keys=KEYS)
def test_every_image_is_in_one_shard_and_no_shard_is_empty_or_too_large(keys: set[bytes]) -> None:
    found = contents(keys)
    assert [key for shard in found.values() for key in shard] == sorted(keys)
    for shard in found.values():
        assert shard
        assert len(shard) == 1 or (len(shard) <= 8 and sum(10 + key[15] for key in shard) <= 600)


@given(keys=KEYS, more=st.binary(min_size=16, max_size=16))
def test_an_image_more_changes_one_shard_or_halves_it(keys: set[bytes], more: bytes) -> None:
    before, after = contents(keys), contents(keys | {more})
    gone = {name: rows for name, rows in before.items() if after.get(name) != rows}
    assert len(gone) <= 1, "all other shards are as they were"


@given(keys=KEYS, data=st.data())
def test_an_image_less_changes_one_shard_or_joins_it_with_its_neighbours(
    keys: set[bytes], data: st.DataObject
) -> None:
    lost = data.draw(st.sampled_from(sorted(keys)))
    before, after = contents(keys), contents(keys - {lost}) if len(keys) > 1 else {}
    assert len({name for name, rows in after.items() if before.get(name) != rows}) <= 1


def test_splits_are_cut_apart() -> None:
    keys = {bytes([n]) + bytes(15) for n in (1, 130, 200)}
    both = [*leaves(keys, "test"), *leaves(keys, "train")]
    assert cut(both, 10_000, 2) == [
        HubShard(split="test", index=0, depth=1, start=0, end=1),
        HubShard(split="test", index=1, depth=1, start=1, end=3),
        HubShard(split="train", index=0, depth=1, start=3, end=4),
        HubShard(split="train", index=1, depth=1, start=4, end=6),
    ]


def test_images_of_one_key_stay_together_however_many() -> None:
    same = [Leaf("train", b"\x07" * 16, 10)] * 9
    assert [shard.end - shard.start for shard in cut(same, 20, 2)] == [9]


def test_the_size_of_shards_follows_the_data_set_in_steps() -> None:
    assert limit_bytes(0) == limit_bytes(2**20) == 256 * 2**10
    assert limit_bytes(2**30) == limit_bytes(2**30 + 10**8) == 32 * 2**20
    assert limit_bytes(2**50) == 256 * 2**20
