"""How many wrong labels the class check finds: `python -m bench.class_check`.

Drawn things on photographs (`bench.training_things`), the features of networks that come in
packages (`bench.packaged_models`), and wrong images of four kinds: of any other label, of the label
beside (labels mixed up in pairs), nearly all under one dirty label, and of none of the labels; with
labels of 6 to 28 images ("sizes"), and with a quarter of the images twice ("copies").
Counted are recall and precision of what `pixtrawl audit` doubts, and of the order of all images by
how probable a wrong label is: its mean precision, and its recall as far down as it is right nine
times of ten. So it shows whether the order is at fault, or where it is cut. Each figure is the mean
of several draws. The bound is the order's recall at 0.9 by the outputs of the same regression
fitted to the true labels: what the features allow. Thresholds were chosen on the first ten kinds of
things and one half of the photographs; `--held-out` takes the other ten kinds and the other half,
and for twenty labels all kinds.
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
from pixtrawl.catalog.views.pairs import CheckedImage
from pixtrawl.scoring.classes.check import audit
from pixtrawl.scoring.classes.copies import copies_of
from pixtrawl.scoring.classes.label_model import true_labels
from pixtrawl.scoring.classes.unseen import unseen
from pixtrawl.scoring.classes.votes import VOTERS, votes_of
from pixtrawl.scoring.classes.wrong_labels import wrong_chances
from pixtrawl.scoring.likeness.neighbours import near_neighbours
from pixtrawl.scoring.models.interface import Vectors, unit

KINDS = list(CLASSES)
# Labels, images of each, kind of noise, its share (of a dirty label: that of the others).
SETS = (
    (2, 28, "any", 0.15), (3, 28, "any", 0.20), (6, 28, "any", 0.15), (10, 28, "any", 0.0),
    (10, 28, "any", 0.05), (10, 28, "any", 0.15), (10, 28, "any", 0.40), (10, 14, "any", 0.15),
    (20, 28, "any", 0.15), (20, 28, "any", 0.20), (20, 28, "any", 0.30), (10, 28, "pairs", 0.15),
    (10, 28, "dirty", 0.03), (10, 28, "sizes", 0.15), (10, 24, "copies", 0.15),
    (6, 28, "outside", 0.15),
)  # fmt: skip
DIRTY = 0.45
EACH = 44


def vectors_of(network: str, held_out: bool) -> Vectors:
    """Return the features of drawn pictures by a network, so many for each kind.

    They are kept in the cache: drawing and seeing them takes minutes.
    """
    half = "held" if held_out else "first"
    kept = dedup_photos.cache_folder() / "class-check" / f"{network}-{half}-{EACH}.npy"
    if kept.exists():
        return np.asarray(np.load(kept))
    found = _seen(network, held_out)
    kept.parent.mkdir(parents=True, exist_ok=True)
    np.save(kept, found)
    return found


def _seen(network: str, held_out: bool) -> Vectors:
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
            few = 6 + 2 * at if noise == "sizes" else each
            for _ in range(min(few, each)):
                source = kind
                if self._random.random() < wanted:
                    source = self._other(at, noise, others)
                source = source if self._left[source] else kind
                if self._left[source]:
                    rows.append(self._left[source].pop())
                    own.append(at)
                    wrong.append(source != kind)
        if noise == "copies":
            again = self._random.permutation(len(rows))[: len(rows) // 4].tolist()
            for part in (rows, own, wrong):
                part += [part[at] for at in again]
        self.rows, self.own, self.wrong = np.array(rows), np.array(own), np.array(wrong)

    def vectors(self, features: Vectors) -> Vectors:
        """Return the features; those of copies differ a little, as after a weak compression."""
        found = features[self.rows]
        first = np.zeros(len(self.rows), bool)
        first[np.unique(self.rows, return_index=True)[1]] = True
        noise = self._random.normal(size=found.shape)
        return unit(np.where(first[:, None], found, found * (1 + 0.04 * noise)).astype(np.float32))

    def _other(self, at: int, noise: str, others: Sequence[int]) -> int:
        labels = len(self._chosen)
        if noise == "outside":
            return int(self._random.choice(others))
        if noise == "pairs":
            return self._chosen[at ^ 1]
        return self._chosen[(at + 1 + int(self._random.integers(labels - 1))) % labels]


def figures(drawn: Drawn, vectors: Vectors) -> tuple[float, ...]:
    """Return how many are doubted, recall and precision of the doubts; the mean precision of the
    order, its recall at 0.9, and the bound of the last.
    """
    images = [
        CheckedImage(at, f"{label:02d}", str(at), "a.test") for at, label in enumerate(drawn.own)
    ]
    found = audit(images, vectors, lambda rows: vectors[:0], by="embedding", model="m").doubts
    doubted = np.zeros(len(images), bool)
    doubted[[int(one.file_name) for one in found]] = True
    both = float((doubted & drawn.wrong).sum())
    total = max(int(drawn.wrong.sum()), 1)
    ranked = _of_order(drawn, _ordered(vectors, drawn.own))
    _, kinds = np.unique(drawn.rows // EACH, return_inverse=True)
    right = [kinds[(drawn.own == one) & ~drawn.wrong] for one in range(int(drawn.own.max()) + 1)]
    of_label = np.array([np.bincount(one).argmax() for one in right])
    everything = np.arange(len(kinds))
    order = np.argsort(kinds, kind="stable")
    outputs = np.zeros((len(kinds), int(kinds.max()) + 1))
    outputs[order] = unseen(vectors, order, kinds[order], np.ones(len(kinds)), outputs.shape[1])[0]
    mine = outputs[everything, of_label[drawn.own]]
    outputs[everything, of_label[drawn.own]] = -np.inf
    bound = _of_order(drawn, outputs.max(axis=1) - mine)
    precision = both / doubted.sum() if doubted.any() else float("nan")
    return float(doubted.sum()), both / total, precision, *ranked, bound[1]


def _ordered(vectors: Vectors, own: np.ndarray) -> np.ndarray:
    """Return for each image how probable it is that its label is wrong."""
    near, cosines = near_neighbours(vectors, VOTERS)
    copies = copies_of(near, cosines, own)
    labels = int(own.max()) + 1
    found = true_labels(vectors, own, votes_of(near, cosines, own, labels, copies), labels, copies)
    wrong = np.zeros(len(own))
    wrong[found.order] = wrong_chances(found, own[found.order])[0]
    return wrong


def _of_order(drawn: Drawn, wrong: np.ndarray) -> tuple[float, float]:
    """Return the mean precision of an order, the surest first, and its recall at 0.9."""
    order = np.argsort(-wrong, kind="stable")
    right = np.cumsum(drawn.wrong[order])
    precision = right / np.arange(1, len(order) + 1)
    total = max(int(drawn.wrong.sum()), 1)
    mean = float((precision * drawn.wrong[order]).sum() / total)
    return mean, float((right / total)[precision >= 0.9].max(initial=0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=4, help="data sets of each kind (4)")
    parser.add_argument("--networks", nargs="+", default=["lite0", "lite0+lite2"])
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--first-draw", type=int, default=0, help="number of the first (0)")
    given = parser.parse_args()
    dedup_photos.fetch()
    fetch_emoji()
    names = {one for network in given.networks for one in network.split("+")}
    features = {name: vectors_of(name, given.held_out) for name in sorted(names)}
    print(
        "| features | labels | images of each | wrong | doubted | recall | precision "
        "| of the order | recall at 0.9 | bound |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    half = range(10, 20) if given.held_out else range(10)
    for network in given.networks:
        rows = np.concatenate([features[name] for name in network.split("+")], axis=1)
        for labels, each, noise, share in SETS:
            kinds = half if labels <= len(half) else range(len(KINDS))
            found = []
            for seed in range(given.first_draw, given.first_draw + given.draws):
                drawn = Drawn(kinds, labels, each, noise, share, seed)
                found.append(figures(drawn, drawn.vectors(rows)))
            count, *others = np.nanmean(found, axis=0)
            shown = " | ".join(f"{one:.2f}" for one in others)
            what = f"{network} | {labels} | {each} | {noise} {share:.0%} | {count:.0f}"
            print(f"| {what} | {shown} |", flush=True)


if __name__ == "__main__":
    main()
