"""Families of look-alikes in a whole collection: joins in bulk give what single look-ups give."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image, ImageFilter, ImageOps
from tests.dedup.edits import crop, info_of
from tests.matrices import examples, sample

from pixtrawl.dedup.bulk.families import Families
from pixtrawl.dedup.bulk.hash_join import HashJoin
from pixtrawl.dedup.bulk.look_alikes import LookAlikes
from pixtrawl.dedup.overlay.aligned import hash_of
from pixtrawl.dedup.overlay.turned import WAYS, turned, turned_hashes
from pixtrawl.model import ImageInfo


def padded_by_itself(p: Image.Image) -> Image.Image:
    side = max(p.size)
    ground = p.resize((side, side)).filter(ImageFilter.GaussianBlur(side / 20))
    ground.paste(p, ((side - p.width) // 2, (side - p.height) // 2))
    return ground


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "mirrored": ImageOps.mirror,
    "upside down": ImageOps.flip,
    "quarter turn": lambda p: p.transpose(Image.Transpose.ROTATE_90),
    "half turn": lambda p: p.transpose(Image.Transpose.ROTATE_180),
    "crop 5 %": crop(0, 0.05, 0.95, 1),
    "crop 10 %": crop(0.1, 0.1, 1, 1),
    "crop middle": crop(0.05, 0.05, 0.95, 0.95),
    "smaller": lambda p: p.resize((p.width // 2, p.height // 2)),
    "middle square": crop(0.125, 0, 0.875, 1),
    "between bars": lambda p: ImageOps.expand(p, (0, 80), (20, 20, 24)),
    "padded by itself": padded_by_itself,
}


def picture(seed: int) -> Image.Image:
    """A picture with detail at all scales, as photographs have."""
    random = np.random.default_rng(seed)
    total = np.zeros((240, 320))
    for cells in (2, 4, 8, 16, 32):
        layer = Image.fromarray(random.normal(0, 1, (cells, cells)).astype(np.float32))
        total += np.asarray(layer.resize((320, 240), Image.Resampling.BICUBIC)) / cells**0.6
    total -= total.min()
    return Image.fromarray((255 * total / total.max()).astype(np.uint8)).convert("RGB")


@pytest.fixture(scope="module")
def originals() -> list[Image.Image]:
    return [picture(seed) for seed in range(24)]


@pytest.fixture(scope="module")
def infos_of_originals(originals: list[Image.Image]) -> list[ImageInfo]:
    return [info_of(one) for one in originals]


def families_of(infos: list[ImageInfo]) -> list[int]:
    with LookAlikes() as known:
        for info in infos:
            known.add(info)
        found: list[int] = known.families().tolist()
    return found


@pytest.mark.parametrize("copy", sample(COPIES, 4))
def test_copies_are_of_one_family_with_their_original_alone(
    copy: str, originals: list[Image.Image], infos_of_originals: list[ImageInfo]
) -> None:
    numbers = list(range(len(originals)))
    infos = list(infos_of_originals)
    infos += [info_of(COPIES[copy](one), quality=80) for one in originals]
    assert families_of(infos) == numbers + numbers
    assert families_of(infos[::-1]) == numbers + numbers  # in the other order of arrival


@pytest.mark.slow
def test_pictures_on_a_page_are_of_the_family_even_mirrored(
    originals: list[Image.Image], infos_of_originals: list[ImageInfo]
) -> None:
    number = len(originals)
    pages = [ImageOps.expand(one, (40, 30, 40, 60), (245, 245, 247)) for one in originals]
    for copies in (pages, [ImageOps.mirror(page) for page in pages]):
        infos = infos_of_originals + [info_of(one) for one in copies]
        found = families_of(infos)
        assert found[:number] == list(range(number))
        joined = [family for at, family in enumerate(found[number:]) if family == at]
        alone = [at for at, family in enumerate(found[number:]) if family == number + at]
        assert len(joined) + len(alone) == number  # none is joined to another one
        assert len(joined) >= 0.8 * number  # a light rim of a picture passes for page


@pytest.mark.parametrize(
    "way", [Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_90, Image.Transpose.TRANSPOSE]
)
def test_a_mirrored_or_turned_crop_is_of_the_family(
    way: Image.Transpose, originals: list[Image.Image], infos_of_originals: list[ImageInfo]
) -> None:
    infos = list(infos_of_originals)
    infos += [info_of(crop(0, 0.06, 0.94, 1)(one.transpose(way))) for one in originals]
    assert families_of(infos) == 2 * list(range(len(originals)))


def test_equal_blank_pictures_are_one_family_and_others_are_not() -> None:
    blanks = [Image.new("RGB", (200, 200), (grey, grey, grey)) for grey in (250, 250, 120, 40)]
    infos = [info_of(blank.filter(ImageFilter.GaussianBlur(1))) for blank in blanks]
    assert families_of(infos) == [0, 0, 2, 3]


def test_pictures_without_any_look_are_alone() -> None:
    unknown = ImageInfo(format="jpeg", width=10, height=10)
    assert families_of([unknown, unknown]) == [0, 1]
    assert families_of([]) == []


def test_hashes_of_all_orientations_follow_from_the_coefficients_of_one() -> None:
    squares = np.random.default_rng(3).integers(0, 256, (5, 64, 64), dtype=np.uint8)
    hashes = turned_hashes(squares)
    for square, of_square in zip(squares, hashes, strict=True):
        for way in range(len(WAYS)):
            other = np.frombuffer(hash_of(turned(square, way)), dtype=np.uint8)
            assert np.bitwise_count(other ^ of_square[way]).sum() <= 2  # rounding


def test_a_join_finds_all_pairs_within_31_bits() -> None:
    random = np.random.default_rng(5)
    hashes = random.integers(0, 256, (3_000, 32), dtype=np.uint8)
    hashes[1_500:] = hashes[:1_500]
    for row, bits in enumerate(random.integers(0, 60, 1_500)):
        places = random.choice(256, bits, replace=False)
        hashes[1_500 + row] ^= np.packbits(np.isin(np.arange(256), places))
    numbers = np.arange(len(hashes))
    found: set[tuple[int, int]] = set()
    for ones, others in HashJoin(numbers, hashes).pairs(numbers, hashes, 31):
        found |= set(zip(ones.tolist(), others.tolist(), strict=True))
    wanted = set()
    for number in numbers.tolist():
        near = np.bitwise_count(hashes ^ hashes[number]).sum(axis=1) <= 31
        wanted |= {(number, other) for other in near.nonzero()[0].tolist()}
    assert found == wanted
    assert len(wanted) > 4_000


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=60))
@settings(max_examples=examples(100), deadline=None)
def test_families_are_connected_components(pairs: list[tuple[int, int]]) -> None:
    families = Families(20)
    half = len(pairs) // 2
    for part in (pairs[:half], pairs[half:]):
        both = np.array(part, dtype=np.int64).reshape(-1, 2)
        families.join(both[:, 0], both[:, 1])
    names = list(range(20))
    for one, other in pairs:
        low, high = sorted((names[one], names[other]))
        names = [low if name == high else name for name in names]
    assert families.of(np.arange(20)).tolist() == names
