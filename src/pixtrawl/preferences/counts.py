"""Counts of what owners say of the images of a data set, for its card. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Final

from pixtrawl.preferences import PURPOSES, Says, says_in

__all__ = ["PREFERENCE_NAMES", "PREFERENCE_TEXT", "count_preferences", "preference_rows"]

PREFERENCE_NAMES: Final = ("use", "no", "yes", "nothing said")
PREFERENCE_TEXT: Final = (
    "What the owners of the kept images say of a use, in robots.txt, headers, tdmrep.json, the",
    "page or the file; column `ai_preferences` has the words. Nothing said is no permission.",
    "",
)


def count_preferences(counts: Counter[tuple[str, str]], kept: object) -> None:
    """Add one image by purpose and answer; `kept` is as `says_in` takes it."""
    if kept:
        for purpose in PURPOSES:
            counts[purpose, says_in(kept, purpose) or Says.UNSET] += 1


def preference_rows(counts: Counter[tuple[str, str]], images: int) -> list[tuple[str, ...]]:
    """Return a row of text for each purpose: its name, noes, yeses, and all other images."""
    rows = []
    for purpose in PURPOSES:
        said = [counts[purpose, word] for word in (Says.NO, Says.YES)]
        rows.append((purpose, *(f"{count:,}" for count in (*said, images - sum(said)))))
    return rows
