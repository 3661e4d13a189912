"""Aspect buckets are those of SDXL."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies as st

from pixtrawl.buckets import BUCKETS, aspect_of


def test_the_buckets_are_sdxls_forty() -> None:
    assert len(BUCKETS) == 40
    assert all(width % 64 == height % 64 == 0 for width, height in BUCKETS)
    assert all(0.85 * 1024**2 <= width * height <= 1.05 * 1024**2 for width, height in BUCKETS)


@pytest.mark.parametrize(
    ("size", "ratio", "bucket"),
    [
        ((512, 512), 1.0, "1024x1024"), ((1920, 1080), 1.7778, "1344x768"),
        ((1080, 1920), 0.5625, "768x1344"), ((4000, 3000), 1.3333, "1152x896"),
        ((3000, 4000), 0.75, "896x1152"), ((5000, 500), 10.0, "2048x512"), ((0, 0), 0.0, ""),
    ],
)  # fmt: skip
def test_the_nearest_shape_is_taken(size: tuple[int, int], ratio: float, bucket: str) -> None:
    assert aspect_of(*size) == (ratio, bucket)


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_no_other_bucket_is_nearer_in_shape(width: int, height: int) -> None:
    def distance(bucket: tuple[int, int]) -> float:
        return abs(math.log(width / height) - math.log(bucket[0] / bucket[1]))

    chosen = tuple(int(side) for side in aspect_of(width, height)[1].split("x"))
    assert distance((chosen[0], chosen[1])) <= min(map(distance, BUCKETS)) + 1e-8
