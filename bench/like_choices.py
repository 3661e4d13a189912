"""Which images to decide on next, over many sets: `python -m bench.like_choices`.

As `bench.like_rounds`, on the features alone, so that ten kinds of drawn things take a minute: two
rounds of twenty decisions on pools of images, a share of which show the kind. In the second round a
person decides on the first ones of the order that are undecided, or on those of which the order is
least certain, as `pixtrawl like` names them. Counted is the share of right ones among the first
hundred, means of ten kinds, and how many kinds reach 0.9. Weights were chosen on the first ten
kinds and one half of the photographs; `--held-out` takes the others.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import onnxruntime
from PIL import Image

from bench import dedup_photos
from bench.class_check import EACH, KINDS, vectors_of
from bench.packaged_models import FEATURES, INPUT, MEAN, NETWORKS, STD, image_features
from bench.training_takers import encoded
from bench.training_things import fetch_emoji, grounds, scene
from pixtrawl.scoring.likes.examples import fit, least_certain
from pixtrawl.scoring.models.interface import Vectors, unit

OF_KIND, ROUNDS, DECISIONS, FIRST = 180, 2, 20, 100
# Images, share of right ones, whether the wrong ones are of the three nearest kinds.
POOLS = ((300, 0.6, False), (200, 0.6, False), (300, 0.45, False), (300, 0.6, True),
         (300, 0.3, False))  # fmt: skip


def features(held_out: bool) -> tuple[Vectors, np.ndarray]:
    """Return the features of drawn pictures by lite0, and the number of the kind of each.

    They are kept in the cache: drawing and seeing them takes a minute and a half.
    """
    half = "held" if held_out else "first"
    numbers = range(10, 20) if held_out else range(10)
    kept = dedup_photos.cache_folder() / "class-check" / f"likes-{half}-{OF_KIND}.npy"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, _seen(half, numbers, held_out))
    kinds = np.concatenate([np.tile(numbers, OF_KIND), np.repeat(np.arange(len(KINDS)), EACH)])
    return np.concatenate([np.load(kept), vectors_of("lite0", held_out)]), kinds


def _seen(half: str, numbers: Sequence[int], held_out: bool) -> Vectors:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        path = image_features(Path(folder))
        session = onnxruntime.InferenceSession(str(path), options)
    side, rng, rows = NETWORKS["lite0"][1], Random(f"likes {half}"), []
    for _ in range(OF_KIND):
        for kind in numbers:
            data = encoded(scene(rng, KINDS[kind], grounds(held_out)))
            image = Image.open(io.BytesIO(data)).convert("RGB").resize((side, side))
            pixels = ((np.asarray(image, np.float32) / 255 - MEAN) / STD).transpose(2, 0, 1)
            rows.append(session.run([FEATURES], {INPUT: pixels[None].astype(np.float32)})[0][0])
    return unit(np.array(rows))


def rounds(vectors: Vectors, right: np.ndarray, uncertain: bool) -> list[float]:
    """Return the precision among the first hundred, before and after each round."""
    order, values = list(range(len(right))), list[float]()
    wanted: list[int] = []
    refused: list[int] = []
    found = [float(right[order[:FIRST]].mean())]
    for _ in range(ROUNDS):
        decided = {*wanted, *refused}
        if uncertain and values:
            asked: Sequence[int] = least_certain([(at, values[at]) for at in order], decided)[
                :DECISIONS
            ]
        else:
            asked = [at for at in order if at not in decided][:DECISIONS]
        for at in asked:
            (wanted if right[at] else refused).append(at)
        left = sorted({*range(len(right))} - {*refused})
        values = fit(vectors[left], vectors[wanted], vectors[refused]).scores(vectors).tolist()
        good = set(wanted)
        order = sorted(left, key=lambda at: (at not in good, -values[at]))
        found.append(float(right[order[:FIRST]].mean()))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--draws", type=int, default=1, help="pools of each kind (1)")
    given = parser.parse_args()
    dedup_photos.fetch()
    fetch_emoji()
    vectors, kinds = features(given.held_out)
    middles = unit(np.array([vectors[kinds == one].mean(axis=0) for one in range(len(KINDS))]))
    middles = unit(middles - middles.mean(axis=0))
    print("| images | right | wrong of | decided on | before | one round | two | reach 0.9 |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for images, share, close in POOLS:
        pools = []
        for kind in range(10, 20) if given.held_out else range(10):
            nearest = [one for one in np.argsort(-(middles @ middles[kind])) if one != kind]
            others = nearest[: 3 if close else None]
            for seed in range(given.draws):
                random = np.random.default_rng((seed, kind))
                good = random.permutation(np.flatnonzero(kinds == kind))[: int(share * images)]
                bad = random.permutation(np.flatnonzero(np.isin(kinds, others)))
                rows = random.permutation([*good, *bad[: images - len(good)]])
                pools.append((vectors[rows], kinds[rows] == kind))
        for uncertain in (False, True):
            found = np.array([rounds(*pool, uncertain) for pool in pools])
            shown = " | ".join(f"{one:.2f}" for one in found.mean(axis=0))
            what = f"{images} | {share:.0%} | {'three nearest' if close else 'any'} kinds"
            how = "uncertain" if uncertain else "first"
            reach = f"{int((found[:, -1] >= 0.9).sum())} of {len(found)}"
            print(f"| {what} | {how} | {shown} | {reach} |", flush=True)


if __name__ == "__main__":
    main()
