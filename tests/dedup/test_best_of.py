"""Of several copies of a picture one is chosen by all comparisons, not by the last."""

from __future__ import annotations

from itertools import permutations

import pytest
from tests.dedup.test_original import described, scene

from pixtrawl.dedup.originals.best_of import best_of
from pixtrawl.dedup.originals.preference import Preference
from pixtrawl.portrait import Portrait


def test_one_wrong_comparison_does_not_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    """What beats the original by mistake and loses to all others is not kept."""
    copies = [described(scene(9), quality) for quality in (40, 92, 50, 60)]

    def judged(first: Portrait, second: Portrait) -> Preference:
        pair = (round(first.quality, -1), round(second.quality, -1))
        better = first.quality > second.quality
        return Preference(not better if {*pair} == {50.0, 90.0} else better, "by quality")

    monkeypatch.setattr("pixtrawl.dedup.originals.best_of.prefer", judged)
    for order in permutations(copies):
        assert order[best_of(order)[0]].quality > 90


def test_a_coarse_file_is_kept_though_only_its_finer_copy_wins_against_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def judged(first: Portrait, second: Portrait) -> Preference:
        finer = first.quality > second.quality
        if {round(first.quality), round(second.quality)} == {30, 97}:
            return Preference(not finer, "is what the other was made from", is_sure=True)
        return Preference(finer, "is compressed less")

    monkeypatch.setattr("pixtrawl.dedup.originals.best_of.prefer", judged)
    copies = [described(scene(9), quality) for quality in (30, 97, 60, 75)]
    for order in permutations(copies):
        assert round(order[best_of(order)[0]].quality) == 30


@pytest.mark.parametrize(
    ("qualities", "is_sure", "best"),
    [
        ((97, 92, 40, 50, 60, 75), False, 92),
        ((97, 92, 40, 50, 60, 75), True, 97),
        ((97, 92, 40), False, 97),
    ],
    ids=["no trace of an edit", "a trace of one", "few others"],
)
def test_what_only_one_copy_shows_was_added_unless_there_is_a_trace_or_few_others(
    monkeypatch: pytest.MonkeyPatch, qualities: tuple[int, ...], is_sure: bool, best: int
) -> None:
    def judged(first: Portrait, second: Portrait) -> Preference:
        pair = (first.quality, second.quality)
        misfit = 0.02 if max(pair) > 95 else 0.0  # the finest of all bears a mark
        return Preference(pair[0] > pair[1], "is compressed less", 1.0, misfit, is_sure)

    monkeypatch.setattr("pixtrawl.dedup.originals.best_of.prefer", judged)
    copies = [described(scene(9), quality) for quality in qualities]
    for order in permutations(copies[:3]):
        everything = [*order, *copies[3:]]
        assert round(everything[best_of(everything)[0]].quality) == best
