"""How many wrong labels the class check finds: `python -m bench.class_check`.

Drawn things on photographs (`bench.training_things`), the features of networks that come in
packages (`bench.packaged_models`), and wrong images of four kinds: of any other label, of the label
beside (labels mixed up in pairs), nearly all under one dirty label, and of none of the labels.
Counted are recall and precision of what `pixtrawl audit` doubts, and of the order of all images by
how probable a wrong label is: its mean precision, and its recall as far down as it is right nine
times of ten. So it shows whether the order is at fault, or where it is cut. Each figure is the mean
of several draws. Thresholds were chosen on the first ten kinds of things and one half of the
photographs; `--held-out` takes the other ten kinds and the other half, and for twenty labels all
kinds.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import onnxruntime

from bench import dedup_photos
from bench.packaged_models import FEATURES, INPUT, MEAN, NETWORKS, STD, image_features
from bench.training_things import CLASSES, fetch_emoji, grounds, scene
from pixtrawl.catalog.look_pairs import CheckedImage
from pixtrawl.scoring.class_check import audit
from pixtrawl.scoring.label_model import label_chances
from pixtrawl.scoring.model import Vectors, unit

KINDS = list(CLASSES)
# Labels, images of each, kind of noise, its share (of a dirty label: that of the others).
SETS = (
    (6, 28, "any", 0.15), (10, 28, "any", 0.15), (20, 28, "any", 0.15), (20, 28, "any", 0.20),
    (10, 28, "pairs", 0.15), (10, 28, "dirty", 0.03), (6, 28, "outside", 0.15),
)  # fmt: skip
DIRTY = 0.45
EACH = 44


def vectors_of(network: str, held_out: bool) -> Vectors:
    """Return the features of drawn pictures by a network, so many for each kind."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        path = image_features(Path(folder), network)
        session = onnxruntime.InferenceSession(str(path), options)
    side = NETWORKS[network][1]
    rng = Random("check held out" if held_out else "check")
    rows = []
    for label in KINDS:
        for _ in range(EACH):
            image = scene(rng, label, grounds(held_out)).convert("RGB").resize((side, side))
            pixels = ((np.asarray(image, np.float32) / 255 - MEAN) / STD).transpose(2, 0, 1)
            rows.append(session.run([FEATURES], {INPUT: pixels[None].astype(np.float32)})[0][0])
    return unit(np.array(rows))


class Drawn:
    """A data set with wrong images: rows of features, numbers of labels, and which are wrong."""

    def __init__(
        self, kinds: Sequence[int], labels: int, each: int, noise: str, share: float, seed: int
    ) -> None:
        self._random = np.random.default_rng(seed)
        self._chosen = self._random.permutation(kinds)[:labels].tolist()
        others = [kind for kind in kinds if kind not in self._chosen]
        self._left = {
            kind: self._random.permutation(range(EACH * kind, EACH * (kind + 1))).tolist()
            for kind in (*self._chosen, *others)
        }
        rows, own, wrong = [], [], []
        for at, kind in enumerate(self._chosen):
            wanted = DIRTY if noise == "dirty" and at == 0 else share
            for _ in range(each):
                source = kind
                if self._random.random() < wanted:
                    source = self._other(at, noise, others)
                source = source if self._left[source] else kind
                if self._left[source]:
                    rows.append(self._left[source].pop())
                    own.append(at)
                    wrong.append(source != kind)
        self.rows, self.own, self.wrong = np.array(rows), np.array(own), np.array(wrong)

    def _other(self, at: int, noise: str, others: Sequence[int]) -> int:
        labels = len(self._chosen)
        if noise == "outside":
            return int(self._random.choice(others))
        if noise == "pairs":
            return self._chosen[at ^ 1]
        return self._chosen[(at + 1 + int(self._random.integers(labels - 1))) % labels]


def figures(drawn: Drawn, vectors: Vectors) -> tuple[float, float, float, float]:
    """Return recall and precision of the doubts; of the order: precision, recall at 0.9."""
    images = [
        CheckedImage(at, f"{label:02d}", str(at), "a.test") for at, label in enumerate(drawn.own)
    ]
    found = audit(images, vectors, vectors[:0], by="embedding", model="m").doubts
    doubted = np.zeros(len(images), bool)
    doubted[[int(one.file_name) for one in found]] = True
    both = float((doubted & drawn.wrong).sum())
    chances = label_chances(vectors, drawn.own, int(drawn.own.max()) + 1)
    order = np.argsort(chances[np.arange(len(images)), drawn.own], kind="stable")
    right = np.cumsum(drawn.wrong[order])
    precision = right / np.arange(1, len(order) + 1)
    total = max(int(drawn.wrong.sum()), 1)
    mean = float((precision * drawn.wrong[order]).sum() / total)
    at_nine = float((right / total)[precision >= 0.9].max(initial=0))
    return both / total, both / max(int(doubted.sum()), 1), mean, at_nine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=4, help="data sets of each kind (4)")
    parser.add_argument("--networks", nargs="+", default=["lite0", "lite0+lite2"])
    parser.add_argument("--held-out", action="store_true")
    given = parser.parse_args()
    dedup_photos.fetch()
    fetch_emoji()
    names = {one for network in given.networks for one in network.split("+")}
    features = {name: vectors_of(name, given.held_out) for name in sorted(names)}
    print("| features | labels | wrong | recall | precision | of the order | recall at 0.9 |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    half = range(10, 20) if given.held_out else range(10)
    for network in given.networks:
        rows = np.concatenate([features[name] for name in network.split("+")], axis=1)
        for labels, each, noise, share in SETS:
            kinds = half if labels <= len(half) else range(len(KINDS))
            found = []
            for seed in range(given.draws):
                drawn = Drawn(kinds, labels, each, noise, share, seed)
                found.append(figures(drawn, unit(rows[drawn.rows])))
            shown = " | ".join(f"{one:.2f}" for one in np.mean(found, axis=0))
            print(f"| {network} | {labels} | {noise} {share:.0%} | {shown} |", flush=True)


if __name__ == "__main__":
    main()
