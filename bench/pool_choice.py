"""How many of the kept are right, by the best of a pool: `python -m bench.pool_choice`.

Drawn things on photographs and the features of a network that comes in a package, as in
`bench.class_check`, on its held-out half. Each label has a pool of 36 images with wrong ones among
them, in the order of a source that knows nothing, of which 12 are kept: the first ones, or those
that `--relevant` keeps by a model that reads no texts. Counted are the shares of right ones, and
recall and precision of what is refused as off topic.
"""

from __future__ import annotations

import argparse

import numpy as np

from bench import dedup_photos
from bench.class_check import KINDS, Drawn, vectors_of
from bench.training_things import fetch_emoji
from pixtrawl.scoring.likes.pool_values import Others, PoolView, own_label_chances, values_of
from pixtrawl.scoring.likes.selection import select
from pixtrawl.scoring.models.interface import Vectors

POOL, KEPT = 36, 12
# Labels, kind of noise, its share.
SETS = (
    (20, "any", 0.22), (10, "any", 0.3), (10, "pairs", 0.3), (6, "any", 0.4), (6, "outside", 0.3),
    (3, "any", 0.3), (2, "any", 0.2),
)  # fmt: skip


def figures(drawn: Drawn, vectors: Vectors, seed: int) -> tuple[float, ...]:
    """Return the shares of right images before and after, and how many are off topic, how many of
    those are wrong, and how many are wrong in all.
    """
    order = np.random.default_rng(seed).permutation(len(drawn.own))
    before, after, off = [], [], []
    pools = [order[drawn.own[order] == label] for label in range(int(drawn.own.max()) + 1)]
    views = [
        PoolView(
            str(label), len(pool), tuple(range(len(pool))), vectors[pool], 0, None, (), vectors[:0]
        )
        for label, pool in enumerate(pools)
    ]
    chances = own_label_chances(views, Others((), vectors[:0]))
    for pool, view, chance in zip(pools, views, chances, strict=True):
        values = values_of(view, None, chance)
        chosen = select(values.scores, KEPT, merits=values.merits, limit=values.limit)
        before += pool[:KEPT].tolist()
        after += pool[list(chosen.kept)].tolist()
        off += pool[list(chosen.misfits)].tolist()
    wrong = drawn.wrong
    shares = 1 - wrong[before].mean(), 1 - wrong[after].mean()
    return *shares, len(off), float(wrong[off].sum()), float(wrong.sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=2, help="data sets of each kind (2)")
    parser.add_argument("--network", default="lite0")
    given = parser.parse_args()
    dedup_photos.fetch()
    fetch_emoji()
    rows = vectors_of(given.network, held_out=True)
    print("| labels | wrong | first 12 right | kept right | off topic: recall | precision |")
    print("| --- | --- | --- | --- | --- | --- |")
    for labels, noise, share in SETS:
        kinds = range(len(KINDS)) if labels > 10 else range(10, 20)
        found = []
        for seed in range(given.draws):
            drawn = Drawn(kinds, labels, POOL, noise, share, seed)
            found.append(figures(drawn, drawn.vectors(rows), seed))
        before, after, off, hits, wrong = np.sum(found, axis=0)
        precision = f"{hits / off:.2f}" if off else "-"
        shares = f"{before / given.draws:.2f} | {after / given.draws:.3f}"
        print(
            f"| {labels} | {share:.0%} {noise} | {shares} | {hits / wrong:.2f} | {precision} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
