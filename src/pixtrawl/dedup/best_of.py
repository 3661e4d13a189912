"""Choose the best of all copies of a picture.

One comparison in fifty is wrong, so a copy need not win every one: of those that came out on top in
some pass, the one that wins most comparisons is taken (Copeland's rule). What beats the original by
mistake, such as a screenshot taken for more of the scene, loses to all other copies without a bar.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pixtrawl.dedup.original import prefer
from pixtrawl.portrait import Portrait

__all__ = ["best_of"]

_PASSES: Final = 2
_OPPONENTS: Final = 16  # of each finalist; a comparison takes 5 to 120 ms


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
    return best, matches.why(best, 0) if best else ""


class _Matches:
    """Comparisons of copies, each made once."""

    def __init__(self, portraits: Sequence[Portrait]) -> None:
        self._portraits = portraits
        self._found: dict[tuple[int, int], tuple[int, str]] = {}

    def won(self, one: int, other: int) -> int:
        """Return 1 where `one` is better, -1 where the other is, 0 where neither."""
        sign = 1 if one < other else -1
        return sign * self._match(min(one, other), max(one, other))[0]

    def why(self, one: int, other: int) -> str:
        """Return how a pair was decided."""
        return self._match(min(one, other), max(one, other))[1]

    def score(self, one: int, finalists: list[int]) -> int:
        """Return wins less defeats, against the other finalists and some more."""
        rest = [other for other in range(len(self._portraits)) if other not in finalists]
        against = [*finalists, *rest[: max(0, _OPPONENTS - len(finalists))]]
        return sum(self.won(one, other) for other in against if other != one)

    def _match(self, first: int, second: int) -> tuple[int, str]:
        found = self._found.get((first, second))
        if found is None:
            preferred = prefer(self._portraits[first], self._portraits[second])
            won = 0 if preferred.first is None else 1 if preferred.first else -1
            found = self._found[first, second] = (won, preferred.why)
        return found
