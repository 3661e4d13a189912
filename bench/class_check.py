"""How many swapped labels the class check finds: `python -m bench.class_check`.

Drawn things on photographs (`bench.training_things`), the features of a network that comes in a
package (`bench.packaged_models`), and a share of the images put under another label. Counted are
recall and precision of what `pixtrawl audit` doubts, the mean of several draws. `--held-out` takes
the photographs that served for nothing else: thresholds were chosen on the others.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from random import Random

import numpy as np
import onnxruntime

from bench import dedup_photos
from bench.packaged_models import FEATURES, INPUT, MEAN, STD, image_features
from bench.training_things import CLASSES, fetch_emoji, grounds, scene
from pixtrawl.catalog.look_pairs import CheckedImage
from pixtrawl.scoring.class_check import audit
from pixtrawl.scoring.model import Vectors, unit

SETS = ((6, 28, 0.15), (10, 24, 0.15), (20, 24, 0.15), (20, 24, 0.20))  # labels, images, swapped


def vectors_of(held_out: bool, each: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the features of drawn pictures, and the number of the class of each."""
    with tempfile.TemporaryDirectory() as folder:
        session = onnxruntime.InferenceSession(str(image_features(Path(folder))))
    rng = Random("audit held out" if held_out else "audit")
    rows, kinds = [], []
    for kind, label in enumerate(CLASSES):
        for _ in range(each):
            image = scene(rng, label, grounds(held_out)).convert("RGB").resize((224, 224))
            pixels = ((np.asarray(image, np.float32) / 255 - MEAN) / STD).transpose(2, 0, 1)
            rows.append(session.run([FEATURES], {INPUT: pixels[None].astype(np.float32)})[0][0])
            kinds.append(kind)
    return np.array(rows), np.array(kinds)


def swapped(
    rows: np.ndarray, kinds: np.ndarray, labels: int, each: int, share: float, seed: int
) -> tuple[Vectors, list[CheckedImage], np.ndarray]:
    """Draw a data set, and say which of its images have another label than their own."""
    random = np.random.default_rng(seed)
    chosen = random.permutation(len(CLASSES))[:labels]
    left = {kind: random.permutation(np.flatnonzero(kinds == kind)).tolist() for kind in chosen}
    picked, images, wrong = [], [], []
    for at, kind in enumerate(chosen):
        for number in range(each):
            other = chosen[(at + 1 + random.integers(labels - 1)) % labels]
            source = other if random.random() < share and left[other] else kind
            if not left[source]:
                continue
            picked.append(left[source].pop())
            name = f"{CLASSES_IN_ORDER[kind]}/{number}"
            images.append(CheckedImage(len(images), CLASSES_IN_ORDER[kind], name, "a.test"))
            wrong.append(source != kind)
    return unit(rows[picked]), images, np.array(wrong)


CLASSES_IN_ORDER = list(CLASSES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=4, help="data sets of each kind (4)")
    parser.add_argument("--held-out", action="store_true")
    given = parser.parse_args()
    dedup_photos.fetch()
    fetch_emoji()
    rows, kinds = vectors_of(given.held_out, 30)
    print("| labels | images of each | swapped | recall | precision |")
    print("| --- | --- | --- | --- | --- |")
    for labels, each, share in SETS:
        found = []
        for seed in range(given.draws):
            vectors, images, wrong = swapped(rows, kinds, labels, each, share, seed)
            doubts = audit(images, vectors, vectors[:0], by="embedding", model="m").doubts
            names = {one.file_name for one in doubts}
            hit = np.array([one.file_name in names for one in images])
            both = (hit & wrong).sum()
            found.append((both / max(wrong.sum(), 1), both / max(hit.sum(), 1)))
        recall, precision = np.mean(found, axis=0)
        print(f"| {labels} | {each} | {share:.0%} | {recall:.2f} | {precision:.2f} |", flush=True)


if __name__ == "__main__":
    main()
