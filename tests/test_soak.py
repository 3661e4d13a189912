"""The judgement of a soak: an outcome that does not fit, a sum that is short, growth."""

from __future__ import annotations

from collections import Counter

import pytest
from bench.soak import KINDS, addresses, judge
from bench.soak_web import picture

FLAT = [(70.0, 60, 9)] * 40


def good(count: int) -> Counter[tuple[str, str]]:
    return Counter({("good", "saved"): count})


@pytest.mark.parametrize("count", [1, 50, 1000, 5001])
def test_the_list_is_as_long_as_asked_and_has_its_share_of_black_holes(count: int) -> None:
    listed = list(addresses(count, 80, 81))
    assert len(set(listed)) == count
    assert sum("//hole-" in url for url in listed) == int(count * KINDS["hole"][0])


def test_a_sound_run_is_sound() -> None:
    assert judge(good(10), 10, FLAT) == []


@pytest.mark.parametrize(
    ("counts", "samples", "said"),
    [
        (good(9), FLAT, "9 outcomes of 10"),
        (Counter({("good", "internal_error"): 10}), FLAT, "good ended as internal_error"),
        (Counter({("closed", "saved"): 10}), FLAT, "closed ended as saved"),
        (good(10), [(70.0 + 2 * n, 60, 9) for n in range(40)], "MiB grew"),
        (good(10), [(70.0, 60 + 9 * n, 9) for n in range(40)], "descriptors grew"),
        (good(10), [(70.0, 60, 9 + n) for n in range(40)], "threads grew"),
    ],
)
def test_it_is_told_what_is_wrong(
    counts: Counter[tuple[str, str]], samples: list[tuple[float, int, int]], said: str
) -> None:
    (wrong,) = judge(counts, 10, samples)
    assert said in wrong


def test_the_pictures_of_the_soak_are_pictures_with_other_bytes_each() -> None:
    import io

    from PIL import Image

    one, other = picture(b"a/1"), picture(b"a/2")
    assert one != other
    Image.open(io.BytesIO(one)).load()
