"""What the choice from a pool is worth to a probe: `python -m bench.pool_variety`.

Drawn things of twenty kinds and the features of `bench.class_check`, which are kept in the cache,
so that many draws cost little; the probe is that of `bench.training_proof`. Each kind has a pool of
36 pictures, 12 to 30 % of them of other kinds, in the order of a source that knows nothing; 12 are
kept. Training and held-out pictures share no photograph; draws with odd numbers take the halves of
the photographs the other way round. Compared are the first ones, those that are surely of their
label in the order of the source, those that `--relevant` keeps, and the last two after the class
check, whose doubts are refused and replaced from the pool. The bound is the first right ones.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from bench import dedup_photos
from bench.class_check import EACH, KINDS, vectors_of
from bench.training_things import fetch_emoji
from pixtrawl.catalog.views.pairs import CheckedImage
from pixtrawl.cores import usable_cores
from pixtrawl.scoring.classes.check import audit
from pixtrawl.scoring.classes.wrong_labels import LabelChances
from pixtrawl.scoring.likes.pool_values import Others, PoolView, own_label_chances, values_of
from pixtrawl.scoring.likes.selection import select
from pixtrawl.scoring.models.interface import unit

POOL, KEPT, RIGHT = 36, 12, 27
WRONG = (0.12, 0.30)
SURE, MISFIT = 0.9, 0.2
_ROUNDS = 4  # of class check, refusal and refill, at most

Array = np.ndarray[Any, Any]
Rule = Callable[[Array], Array]  # rows of a pool that are not refused, to those that are kept


class Draw:
    """Pools of all kinds, the probability that each picture is of its label, and what is right."""

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng(9000 + seed)
        left = [(EACH * kind + random.permutation(EACH)).tolist() for kind in range(len(KINDS))]
        right = [[some.pop() for _ in range(RIGHT)] for some in left]
        spare = [int(one) for one in random.permutation(np.concatenate(left))]
        rows = []
        for kind, own in enumerate(right):
            share = random.uniform(*WRONG)
            for wrong in (random.random(POOL) < share).tolist():
                if wrong or not own:
                    at = next(at for at, one in enumerate(spare) if one // EACH != kind)
                    rows.append(spare.pop(at))
                else:
                    rows.append(own.pop())
        half = bool(seed % 2)
        self.vectors = unit(vectors_of("lite0", half)[rows])
        self.held_out = vectors_of("lite0", not half)
        self.labels = np.repeat(np.arange(len(KINDS)), POOL)
        self.right = np.array(rows) // EACH == self.labels
        self.pools = np.split(np.arange(len(rows)), len(KINDS))
        chances = self._chances()
        self.own = np.concatenate([one.own for one in chances])
        self.sure = np.concatenate([one.right for one in chances])

    def view(self, rows: Array) -> PoolView:
        """Return what is known of some rows of a pool."""
        label, vectors = str(self.labels[rows[0]]), self.vectors[rows]
        count = len(rows)
        return PoolView(label, count, tuple(range(count)), vectors, 0, None, (), vectors[:0])

    def _chances(self) -> list[LabelChances]:
        views = [self.view(rows) for rows in self.pools]
        found = own_label_chances(views, Others((), self.vectors[:0]))
        return [one for one in found if one is not None]

    def checked(self, rule: Rule) -> Array:
        """Return what a rule keeps after the class check."""
        refused: set[int] = set()
        kept = self.kept(rule)
        for _ in range(_ROUNDS):
            found = self._doubts(np.sort(kept))
            if not found:
                break
            refused |= found
            kept = self.kept(rule, refused)
        return kept

    def kept(self, rule: Rule, refused: Sequence[int] | set[int] = ()) -> Array:
        """Return what a rule keeps of all pools."""
        return np.concatenate([rule(rows[~np.isin(rows, list(refused))]) for rows in self.pools])

    def _doubts(self, rows: Array) -> set[int]:
        vectors = self.vectors[rows]
        images = [
            CheckedImage(at, f"{self.labels[row]:02d}", str(row), "a.test")
            for at, row in enumerate(rows.tolist())
        ]
        found = audit(images, vectors, lambda some: vectors[:0], by="embedding", model="m").doubts
        return {int(one.file_name) for one in found}

    def surely(self, rows: Array) -> Array:
        """Keep those that are surely of their label, in the order of the source."""
        scores = self.own[rows].tolist()
        merits = [min(one, SURE) for one in scores]
        return rows[list(select(scores, KEPT, merits=merits, limit=MISFIT).kept)]

    def relevant(self, rows: Array) -> Array:
        """Keep what `--relevant` keeps."""
        values = values_of(self.view(rows), None, LabelChances(self.own[rows], self.sure[rows]))
        chosen = select(values.scores, KEPT, merits=values.merits, limit=values.limit)
        return rows[list(chosen.kept)]

    def accuracy(self, kept: Array) -> float:
        """Return the accuracy on held-out pictures of a probe trained on what was kept."""
        scaler = StandardScaler()
        known = scaler.fit_transform(self.vectors[np.sort(kept)])
        probe = LogisticRegression(C=0.01, max_iter=400).fit(known, self.labels[np.sort(kept)])
        kinds = np.repeat(np.arange(len(KINDS)), EACH)
        return float(probe.score(scaler.transform(self.held_out), kinds))


def first_ones(rows: Array) -> Array:
    """Keep the first of a pool."""
    return rows[:KEPT]


def figures(seed: int) -> dict[str, tuple[float, float]]:
    """Return accuracy and share of right pictures of each choice."""
    warnings.simplefilter("ignore")  # of the probe's solver, which stops at 400 steps
    draw = Draw(seed)
    choices = {
        "the first": draw.kept(first_ones),
        "the first, class check": draw.checked(first_ones),
        "surely of the label": draw.kept(draw.surely),
        "the same, class check": draw.checked(draw.surely),
        "`--relevant`": draw.kept(draw.relevant),
        "`--relevant`, class check": draw.checked(draw.relevant),
        "the first right ones": draw.kept(lambda rows: rows[draw.right[rows]][:KEPT]),
    }
    return {
        name: (draw.accuracy(rows), float(draw.right[rows].mean()))
        for name, rows in choices.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=10, help="sets of pools (10)")
    parser.add_argument("--first-draw", type=int, default=0, help="number of the first (0)")
    parser.add_argument("--step", type=int, default=1, help="2: of one half of photographs (1)")
    given = parser.parse_args()
    dedup_photos.fetch()
    fetch_emoji()
    for half in (False, True):
        vectors_of("lite0", half)
    seeds = [given.first_draw + given.step * at for at in range(given.draws)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(usable_cores(), mp_context=context) as pool:
        found = list(pool.map(figures, seeds))
    print("| kept | draws | right | accuracy | gain over the first |")
    print("| --- | --- | --- | --- | --- |")
    for name in found[0]:
        right = statistics.mean(one[name][1] for one in found)
        mean = statistics.mean(one[name][0] for one in found)
        gains = [100 * (one[name][0] - one["the first"][0]) for one in found]
        error = statistics.stdev(gains) / len(gains) ** 0.5 if len(gains) > 1 else 0.0
        gain = f"{statistics.mean(gains):+.1f} ± {error:.1f}"
        print(f"| {name} | {len(found)} | {right:.1%} | {100 * mean:.1f} | {gain} |")


if __name__ == "__main__":
    main()
