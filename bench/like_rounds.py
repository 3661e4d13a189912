"""How far two rounds of likes and dislikes take a data set: `python -m bench.like_rounds`.

One kind of drawn things on photographs with 40 % of others among them (`bench.training_things`),
300 pictures, in the order of a source that knows nothing. In each round a person looks at the
first twenty that are not yet decided (with `--uncertain`, from the second round on, at those that
`pixtrawl like` names), likes the right ones and refuses the others; then the rest is ordered anew.
Counted is the share of right ones among the first hundred that are left, before and after, by looks
and by the features of a network that comes in a package (`bench.packaged_models`), and the seconds
of a round.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random

import pixtrawl
from bench import dedup_photos
from bench.packaged_models import image_features
from bench.training_takers import encoded, served
from bench.training_things import CLASSES, fetch_emoji, grounds, scene

ROUNDS, DECISIONS, FIRST = 2, 20, 100


def planted(label: str, count: int, rng: Random) -> list[tuple[bool, bytes]]:
    """Return pictures, each with whether it is of the class: 60 % are."""
    others = [name for name in CLASSES if name != label]
    found = []
    for _ in range(count):
        right = rng.random() < 0.6
        drawn = label if right else rng.choice(others)
        found.append((right, encoded(scene(rng, drawn, grounds(False)))))
    return found


def precision(order: Sequence[str], right: set[str], refused: set[str]) -> float:
    first = [name for name in order if name not in refused][:FIRST]
    return sum(name in right for name in first) / len(first)


def ordered(folder: Path, decided: set[str]) -> list[str]:
    """Return the images' SHA-256, the best first; decided ones are as good as their decision."""
    ds = pixtrawl.open(folder)
    return [
        one.info.sha256
        for one in sorted(
            ds, key=lambda one: (one.info.sha256 not in decided, -(one.scores.get("liked") or 0))
        )
    ]


def rounds(folder: Path, right: set[str], uncertain: bool) -> tuple[list[float], list[float]]:
    """Return the precision before and after each round, and the seconds of each."""
    order = [one.info.sha256 for one in sorted(pixtrawl.open(folder), key=lambda one: one.number)]
    liked: set[str] = set()
    refused: set[str] = set()
    found, seconds = [precision(order, right, refused)], []
    next_: list[str] = []
    for _ in range(ROUNDS):
        looked_at = next_ or [name for name in order if name not in liked | refused][:DECISIONS]
        ds = pixtrawl.open(folder)
        by_hash = {one.info.sha256: one for one in ds}
        began = time.monotonic()
        good = [by_hash[name] for name in looked_at if name in right]
        bad = [by_hash[name] for name in looked_at if name not in right]
        if bad:
            ds.reject(bad, refill=False)
        (label,) = ds.like(good).labels
        if uncertain:
            hashes = {one.file_name: one.info.sha256 for one in ds}
            next_ = [hashes[name] for name in label.uncertain[:DECISIONS]]
        order = ordered(folder, liked | {one.info.sha256 for one in good})
        seconds.append(time.monotonic() - began)
        liked |= {one.info.sha256 for one in good}
        refused |= {one.info.sha256 for one in bad}
        found.append(precision(order, right, refused))
    return found, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--labels", default="cat,ship,book", help="a set for each")
    parser.add_argument("--features", default="looks,EfficientNet-lite0")
    parser.add_argument("--uncertain", action="store_true", help="decide on the least certain")
    given = parser.parse_args()
    dedup_photos.fetch()
    fetch_emoji()
    print("| set | features | before | after one round | after two | seconds a round |")
    print("| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        models = {"looks": None, "EfficientNet-lite0": image_features(Path(folder))}
        for label in given.labels.split(","):
            pictures = planted(label, given.images, Random(f"likes {label}"))
            files = {f"/{at:04d}.jpg": data for at, (_, data) in enumerate(pictures)}
            with served(files) as address:
                listed = Path(folder) / f"{label}.txt"
                listed.write_text("\n".join(address + path for path in files))
                for features in given.features.split(","):
                    model = models[features]
                    out = Path(folder) / f"{label} {features}"
                    pixtrawl.download(
                        listed, output=out, dedup="exact", junk="keep",
                        allow_address="127.0.0.0/8", progress=False,
                    )  # fmt: skip
                    if model is not None:
                        pixtrawl.open(out).score(model, "what")
                    right_hashes = _hashes(data for is_right, data in pictures if is_right)
                    found, seconds = rounds(out, right_hashes, given.uncertain)
                    shown = " | ".join(f"{value:.2f}" for value in found)
                    print(
                        f"| {label} | {features} | {shown} | {statistics.mean(seconds):.1f} |",
                        flush=True,
                    )


def _hashes(pictures: Iterable[bytes]) -> set[str]:
    return {hashlib.sha256(data).hexdigest() for data in pictures}


if __name__ == "__main__":
    main()
