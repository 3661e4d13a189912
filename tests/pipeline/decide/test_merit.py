"""Which of two copies is better: a total order, whatever the order of arrival."""

from __future__ import annotations

from hypothesis import given, strategies as st

from pixtrawl.dedup import Match
from pixtrawl.model import ImageInfo, Kind
from pixtrawl.pipeline.decide.copies import STRICT_BITS, is_alike, merit

infos = st.builds(
    ImageInfo,
    format=st.sampled_from(["jpeg", "png", "webp"]),
    width=st.integers(1, 4), height=st.integers(1, 4), size_bytes=st.integers(0, 3),
    sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
    measures=st.sampled_from([{}, {"jpeg_quality": 50.0}, {"jpeg_quality": 95.0}]),
)  # fmt: skip
copies = st.tuples(st.sampled_from(Kind), st.integers(0, 3), infos)


def info(width: int = 10, height: int = 10, **more: object) -> ImageInfo:
    return ImageInfo(format="jpeg", width=width, height=height, **more)  # type: ignore[arg-type]


@given(st.lists(copies, min_size=2, max_size=4, unique_by=lambda one: one[2].sha256))
def test_merit_is_a_total_order_with_the_original_first(
    found: list[tuple[Kind, int, ImageInfo]],
) -> None:
    merits = [merit(*one) for one in found]
    assert len(set(merits)) == len(found), "no two copies are equal"
    best = found[merits.index(max(merits))]
    assert best[0].preference == min(kind.preference for kind, _, _ in found)
    assert max(reversed(merits)) == max(merits)


def test_an_original_goes_before_a_larger_thumbnail() -> None:
    assert merit(Kind.ORIGINAL, 9, info(10, 10)) > merit(Kind.THUMBNAIL, 1, info(900, 900))


def test_then_pixels_then_compression_then_rank_then_bytes_decide() -> None:
    kind = Kind.ORIGINAL
    assert merit(kind, 9, info(20, 10)) > merit(kind, 1, info(10, 10, size_bytes=99))
    fine, poor = {"jpeg_quality": 90.0}, {"jpeg_quality": 69.0}
    assert merit(kind, 9, info(measures=fine)) > merit(kind, 1, info())
    assert merit(kind, 9, info()) > merit(kind, 1, info(measures=poor))
    assert merit(kind, 1, info()) > merit(kind, 2, info(size_bytes=99))
    assert merit(kind, 2, info()) > merit(kind, 0, info(size_bytes=99)), "0: no rank known"
    assert merit(kind, 1, info(size_bytes=2)) > merit(kind, 1, info(size_bytes=1))


def test_alike_means_the_same_size_and_at_most_the_strict_distance() -> None:
    near, far = (Match(1, bits, "hash", "l") for bits in (STRICT_BITS, STRICT_BITS + 1))
    assert is_alike(near, info(), info())
    assert not is_alike(far, info(), info())
    assert not is_alike(near, info(), info(11, 10))
    assert not is_alike(Match(1, 0, "aligned", "l"), info(), info())
    assert is_alike(Match(1, 4, "flat", "l"), info(), info())
    assert not is_alike(Match(1, 5, "flat", "l"), info(), info())
