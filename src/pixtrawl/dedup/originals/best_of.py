"""Choose the best of all copies of a picture.

One comparison in fifty is wrong, so a copy need not win every one: of those that came out on top in
some pass, the one that wins most comparisons is taken (Copeland's rule). What beats the original by
mistake, such as a screenshot taken for more of the scene, loses to all other copies without a bar.
But what that one was made from is better, whatever the others say: a coarse file loses comparisons
that its finer copy wins.

Two copies that differ in places, such as one with a faint watermark saved more finely, may differ
in no sign of what was done. Then the other copies decide: what most of them show is the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pixtrawl.dedup.originals.compression import SOURCE
from pixtrawl.dedup.originals.preference import Preference, prefer
from pixtrawl.portrait import Portrait

__all__ = ["best_of"]

_PASSES: Final = 2
_OPPONENTS: Final = 16  # of each finalist; a comparison takes 5 to 120 ms
_DIFFERENT: Final = 0.004  # misfit of two copies from which the others are asked
_ASKED: Final = 8
_LEAST_ANSWERS: Final = 4
_MOST_AGREE: Final = 0.8  # of the answers


def best_of(portraits: Sequence[Portrait]) -> tuple[int, str]:
    """Return the place of the best copy, and why it was preferred to the first one.

    The first stays where others are only as good. At least one must be given.
    """
    matches = _Matches(portraits)
    best, finalists = 0, [0]
    for _ in range(_PASSES):
        before = best
        for other in range(len(portraits)):
            if other != best and matches.won(other, best) > 0:
                best = other
                finalists.append(other)
        if best == before:
            break
    finalists = list(dict.fromkeys(finalists))
    if len(finalists) > 1:
        best = max(
            finalists,
            key=lambda one: (matches.score(one, finalists), portraits[one].quality, -one),
        )
    best = matches.source_of(best)
    return best, matches.why(best, 0) if best else ""


class _Matches:
    """Comparisons of copies, each made once."""

    def __init__(self, portraits: Sequence[Portrait]) -> None:
        self._portraits = portraits
        self._found: dict[tuple[int, int], Preference] = {}

    def won(self, one: int, other: int) -> int:
        """Return 1 where `one` is better, -1 where the other is, 0 where neither."""
        found = self._match(one, other)
        if not found.is_sure and found.misfit > _DIFFERENT:
            answer = self._vote_of_others(one, other)
            if answer:
                return answer
        if found.first is None:
            return 0
        return 1 if found.first == (one < other) else -1

    def why(self, one: int, other: int) -> str:
        """Return how a pair was decided."""
        return self._match(one, other).why

    def source_of(self, one: int) -> int:
        """Return the copy that this one was made from, over any number of steps; itself if none."""
        passed = {one}
        while True:
            found = (at for at in range(len(self._portraits)) if self._is_source(at, one))
            source = next(found, one)
            if source in passed:
                return one
            passed.add(source)
            one = source

    def _is_source(self, one: int, of: int) -> bool:
        return one != of and self.why(one, of) == SOURCE and self.won(one, of) > 0

    def score(self, one: int, finalists: list[int]) -> int:
        """Return wins less defeats, against the other finalists and some more."""
        rest = [other for other in range(len(self._portraits)) if other not in finalists]
        against = [*finalists, *rest[: max(0, _OPPONENTS - len(finalists))]]
        return sum(self.won(one, other) for other in against if other != one)

    def _vote_of_others(self, one: int, other: int) -> int:
        """Return the one that most other copies resemble more: 1 for `one`, -1 `other`, or 0."""
        rest = [at for at in range(len(self._portraits)) if at not in (one, other)][:_ASKED]
        if len(rest) < _LEAST_ANSWERS:
            return 0
        steps = [self._match(other, at).misfit - self._match(one, at).misfit for at in rest]
        clear = [step > 0 for step in steps if abs(step) > _DIFFERENT]
        if len(clear) < _LEAST_ANSWERS:
            return 0
        agreeing = sum(clear) / len(clear)
        return 1 if agreeing >= _MOST_AGREE else -1 if agreeing <= 1 - _MOST_AGREE else 0

    def _match(self, one: int, other: int) -> Preference:
        """Return the preference of the earlier copy over the later one, computed once."""
        pair = (min(one, other), max(one, other))
        if pair not in self._found:
            self._found[pair] = prefer(*(self._portraits[at] for at in pair))
        return self._found[pair]
