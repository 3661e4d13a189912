"""Compare how two files of one picture and size were compressed, and find which was made first.

Compression removes energy from the upper frequencies and adds nothing to a picture. So a finer file
that is much softer was edited, and so was one in which something else differs.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from pixtrawl.portrait import BLOCK_PX, Portrait

__all__ = [
    "SOURCE", "UNMARKED", "Step", "by_blur", "by_fineness", "by_history", "by_history_in_parts",
    "by_notes", "by_quality", "steps_of", "terms_of",
]  # fmt: skip

_FINER: Final = 5.0  # JPEG quality
_FINER_OF_EQUALS: Final = 0.25
_EQUAL: Final = 0.001  # misfit of files that differ by their compression alone
_GOOD: Final = 70.0  # quality; edges of blocks have energy in coarser files
_BLUR_DB: Final = 8.0  # sharpening adds up to 7
_SAME_PICTURE: Final = 0.004  # misfit up to which two files differ by their compression alone
# Of coefficients, in grey levels. A file made from a coarser one is recognised in 97 of 100 cases,
# a source is taken for its copy in fewer than 1: photographs that no limit was set on, qualities
# from 70 to 98.
_NOT_ZERO: Final = 0.75  # of the step
_LEAST_TERMS: Final = 100
_ROUNDING: Final = 0.3  # variance that rounding to pixels and back leaves
_MADE: Final = 0.5  # 0 by quantising again, 1 for a source
_SURELY_MADE: Final = 0.25
_MADE_OF_FAR: Final = 1.0  # the most where few coefficients are far off
_FAR: Final = 1.5  # grey levels, or half a step of the file: rounding moves hardly any so far
_FROM_BORDER: Final = 1.2  # grey levels to where the other multiple would be nearer
_LEAST_EXPECTED: Final = 30.0  # coefficients far off in a source
_LEAST_EXPECTED_OF_BLOCK: Final = 0.5
_LEAST_TOLD: Final = 10  # blocks
_UNCLIPPED: Final = 0.7  # of the blocks: colours at their ends move all coefficients of a block
_MOST_FAR: Final = 0.3  # of those expected
_LEAST_TERMS_OF_BLOCK: Final = 4
_LEAST_BLOCKS: Final = 40
_UNEDITED: Final = 0.6  # of the blocks
_MADE_IN_PARTS: Final = 0.0
_CLEARLY_FINER: Final = 3.0  # quality
_SLACK: Final = 1.5
_COARSENED: Final = 0.95
_STEPS_OFF: Final = 1.5
_ROUNDED: Final = 1.0  # grey levels
_NEARLY_ALL: Final = 0.98  # of the coefficients
SOURCE: Final = "is what the other was made from"
UNMARKED: Final = 0.02  # misfit up to which nothing is laid over either

Array = np.ndarray[Any, Any]
Step = tuple[bool, str] | None  # whether the first one is better, and why


def by_quality(large: Portrait, small: Portrait, misfit: float) -> Step:
    """Prefer the finer file of two in which nothing else was changed."""
    step = large.quality - small.quality
    least = _FINER_OF_EQUALS if misfit < _EQUAL else _FINER
    if misfit > UNMARKED or abs(step) < least:
        return None
    sharper = _sharper_db(large, small)
    is_good = min(large.quality, small.quality) >= _GOOD
    if is_good and abs(sharper) > _BLUR_DB and (sharper > 0) != (step > 0):
        return sharper > 0, "is not blurred"
    return step > 0, "is compressed less"


def by_fineness(large: Portrait, small: Portrait) -> Step:
    """Prefer the finer file where nothing else tells."""
    step = large.quality - small.quality
    return None if abs(step) < _FINER_OF_EQUALS else (step > 0, "is compressed less")


def by_notes(large: Portrait, small: Portrait) -> Step:
    """Prefer the file that still has its metadata, of two of the very same pixels."""
    same = large.blocks == small.blocks and large.grey == small.grey
    if not same or large.notes == small.notes:
        return None
    return large.notes > small.notes, "still has its metadata"


def by_history(large: Portrait, small: Portrait, misfit: float) -> Step:
    """Find out that one file was made from the other: by compressing it again, or decoding it.

    Only where nothing else was done: an edited copy may happen to have the quality of before.
    """
    if misfit > _SAME_PICTURE:
        return None
    if not _are_comparable(large, small):
        return _by_convergence(large, small)
    finer, coarser = _by_fineness_of_steps(large, small)
    if finer.blocks == coarser.blocks or _is_made_from(finer, coarser):
        return coarser is large, SOURCE
    if _is_made_from(coarser, finer):  # by those of its steps that are finer all the same
        return finer is large, SOURCE
    if finer.is_lossless and _is_coarsened(finer, coarser):
        return finer is large, SOURCE
    return None


def _by_convergence(large: Portrait, small: Portrait) -> Step:
    """Find out which of two files with the same steps was compressed again.

    Pixels are rounded and clipped, so coefficients of a file are a little off their multiples; each
    time it is compressed and decoded again more of its blocks come back as they were (S. Lai and
    R. Boehme, "Block convergence in repeated transform coding", 2013).
    """
    same_size = (large.width, large.height) == (small.width, small.height)
    if not same_size or large.steps != small.steps or not large.steps or large.is_lossless:
        return None
    if not large.blocks or not small.blocks:
        return None
    if not _differ_by_steps(large, small):
        return None
    ours, theirs = _off_multiples(large), _off_multiples(small)
    differ = ours != theirs
    step = float(ours[differ].sum() - theirs[differ].sum())
    return None if not differ.any() or not step else (step > 0, SOURCE)


def _differ_by_steps(one: Portrait, other: Portrait) -> bool:
    """Return whether coefficients differ by a step at the most, as after compressing again."""
    steps, ours, theirs = steps_of(one), _coefficients(one), _coefficients(other)
    there = np.maximum(np.abs(ours), np.abs(theirs)) > _NOT_ZERO * steps
    if not there.any():
        return False
    near = np.abs(ours - theirs) <= _STEPS_OFF * steps + _ROUNDED
    return float(near[there].mean()) > _NEARLY_ALL


def _off_multiples(one: Portrait) -> Array:
    """Return how far the coefficients of each block are from multiples of the steps."""
    steps, found = steps_of(one), _coefficients(one)
    off: Array = np.abs(found - steps * np.round(found / steps)).sum(axis=1)
    return off


def by_history_in_parts(large: Portrait, small: Portrait) -> Step:
    """Find out that the finer file was made from the other and edited in places."""
    if not _are_comparable(large, small):
        return None
    finer, coarser = _by_fineness_of_steps(large, small)
    if finer.quality < coarser.quality + _CLEARLY_FINER or not _is_partly_made_from(finer, coarser):
        return None
    return coarser is large, SOURCE


def _are_comparable(large: Portrait, small: Portrait) -> bool:
    same_size = (large.width, large.height) == (small.width, small.height)
    there = all((large.steps, small.steps, large.blocks, small.blocks))
    return same_size and there and large.steps != small.steps


def _by_fineness_of_steps(large: Portrait, small: Portrait) -> tuple[Portrait, Portrait]:
    return (large, small) if sum(large.steps) < sum(small.steps) else (small, large)


def _is_made_from(finer: Portrait, coarser: Portrait) -> bool:
    terms, excess, of_source = _by_block(finer, coarser)
    if terms.sum() < _LEAST_TERMS:
        return False
    found = excess.sum() / max(of_source.sum(), 1e-6)
    if not _SURELY_MADE < found < _MADE_OF_FAR:
        return bool(found <= _SURELY_MADE)
    far = _share_of_far(finer, coarser)
    return bool(found < _MADE) if far is None else far <= _MOST_FAR


def _share_of_far(finer: Portrait, coarser: Portrait) -> float | None:
    """Return how many coefficients are far from what the coarser file's round to.

    As a share of those that would be in a source; None where too few could be. The coefficients of
    a source are not spread evenly, so their mean distance alone misleads.
    """
    fine, coarse = steps_of(finer), steps_of(coarser)
    of_finer, of_coarser = _coefficients(finer), _coefficients(coarser)
    there = (np.abs(of_coarser) > _NOT_ZERO * coarse) & (coarse >= fine + 1)
    there[:, 0] = False  # brightness
    steps = np.round(of_coarser / coarse)
    nearest = np.round(coarse * steps / fine)
    # What a source may have had there, in its steps off the nearest.
    first = np.ceil(coarse * (steps - 0.5) / fine) - nearest
    last = np.floor(coarse * (steps + 0.5) / fine) - nearest
    limit = np.maximum(_FAR, fine / 2)
    near = np.floor(0.999 * limit / fine)
    beyond = np.maximum(last - near, 0) + np.maximum(-first - near, 0)
    to_border = fine * (0.5 - np.abs(coarse * steps / fine - nearest))
    told = there & (beyond > 0) & ((to_border >= _FROM_BORDER) | (fine == 1))
    expected = np.where(told, beyond / np.maximum(last - first + 1, 1), 0).sum(axis=1)
    far = (told & (np.abs(of_finer - fine * nearest) > limit)).sum(axis=1)
    some = expected >= _LEAST_EXPECTED_OF_BLOCK
    if some.sum() < _LEAST_TOLD or expected.sum() < _LEAST_EXPECTED:
        return None
    far, expected = far[some], expected[some]
    best = np.argsort(far / expected)[: int(_UNCLIPPED * some.sum()) + 1]
    return float(far[best].sum() / expected[best].sum())


def _is_partly_made_from(finer: Portrait, coarser: Portrait) -> bool:
    terms, excess, of_source = _by_block(finer, coarser)
    usable = terms >= _LEAST_TERMS_OF_BLOCK
    if usable.sum() < _LEAST_BLOCKS:
        return False
    excess, of_source = excess[usable], of_source[usable]
    best = np.argsort(excess / of_source)[: int(_UNEDITED * usable.sum())]
    return bool(excess[best].sum() < _MADE_IN_PARTS * of_source[best].sum())


def _by_block(finer: Portrait, coarser: Portrait) -> tuple[Array, Array, Array]:
    """Compare the finer file's coefficients with what the coarser file's round to.

    Coefficients of a file lie at multiples of its steps. Those of a file made from a coarser one
    are what the coarser's round to; those of its source lie anywhere within the coarser's step
    (double quantisation; J. Fridrich and J. Lukas, "Estimation of primary quantization matrix in
    double compressed JPEG images", 2003).

    Return, for each block: coefficients compared, how far off they are beyond rounding, and how far
    off those of a source would be.
    """
    fine, coarse = steps_of(finer), steps_of(coarser)
    of_finer, of_coarser = _coefficients(finer), _coefficients(coarser)
    there = (np.abs(of_coarser) > _NOT_ZERO * coarse) & (coarse >= fine + 1)
    there[:, 0] = False  # brightness
    off = of_finer - fine * np.round(of_coarser / fine)
    of_source = np.maximum(coarse**2 - fine**2, 0) / 12  # variance within a step of no multiples
    weight = there / (of_source + _ROUNDING)
    excess = (np.minimum(off**2, coarse**2 / 3) - _ROUNDING) * weight
    return there.sum(axis=1), excess.sum(axis=1), (of_source * weight).sum(axis=1)


def _is_coarsened(finer: Portrait, coarser: Portrait) -> bool:
    """Return whether the coarser file's coefficients are those of the finer, within its steps."""
    coarse = steps_of(coarser)
    of_finer, of_coarser = _coefficients(finer), _coefficients(coarser)
    there = np.abs(of_coarser) > _NOT_ZERO * coarse
    if there.sum() < _LEAST_TERMS:
        return False
    return float((np.abs(of_finer - of_coarser) <= coarse / 2 + _SLACK)[there].mean()) > _COARSENED


def steps_of(one: Portrait) -> Array:
    """Return the steps of quantisation of 64 coefficients."""
    return np.frombuffer(one.steps, np.uint8).astype(np.float32)


def _coefficients(one: Portrait) -> Array:
    """Return BLOCKS x 64 coefficients of the discrete cosine transform, by row and column."""
    blocks = np.frombuffer(one.blocks, np.uint8).reshape(-1, BLOCK_PX, BLOCK_PX)
    return terms_of(blocks.astype(np.float32))


def terms_of(blocks: Array) -> Array:
    """Transform N x 8 x 8 pixels to N x 64 coefficients."""
    terms: Array = _DCT @ (blocks - 128) @ _DCT.T
    return terms.reshape(-1, BLOCK_PX**2)


def _cosines() -> Array:
    k, n = np.mgrid[:BLOCK_PX, :BLOCK_PX]
    rows = np.cos(np.pi * k * (2 * n + 1) / (2 * BLOCK_PX)) * np.sqrt(2 / BLOCK_PX)
    rows[0] *= np.sqrt(0.5)
    matrix: Array = rows.astype(np.float32)
    return matrix


_DCT: Final = _cosines()


def by_blur(large: Portrait, small: Portrait, misfit: float) -> Step:
    """Prefer the one that is not much blurred."""
    if misfit > UNMARKED:
        return None  # words on a picture have power in the upper frequencies, too
    blur = _sharper_db(large, small)
    return (blur > 0, "is not blurred") if abs(blur) > _BLUR_DB else None


def _sharper_db(large: Portrait, small: Portrait) -> float:
    """Return how much more power the large one has in the upper frequencies; of one scale only."""
    if not large.spectrum or not small.spectrum:
        return 0.0
    return float((np.asarray(large.spectrum) - np.asarray(small.spectrum))[20:32].mean())
