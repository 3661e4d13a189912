"""Runs inside an environment of its own: `python dedup_rivals_run.py FOLDER`, one JSON line a tool.

Imports nothing of the project. A tool that is not installed is left out, with a word on stderr.
Times are processor seconds of this process and its children, all threads, without imports.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from PIL import Image

Pairs = Iterable[tuple[str, str]]


def _close(names: list[str], bits: np.ndarray, radius: int) -> list[tuple[str, str]]:
    signs = 2 * bits.astype(np.float32) - 1  # some tools want a NumPy without bitwise_count
    found = []
    for at in range(1, len(names)):
        distances = (signs.shape[1] - signs[:at] @ signs[at]) / 2
        found += [(names[k], names[at]) for k in np.flatnonzero(distances <= radius)]
    return found


def imagehash_phash(files: list[Path]) -> Pairs:
    import imagehash

    bits = np.stack([imagehash.phash(Image.open(f)).hash.ravel() for f in files])
    return _close([f.name for f in files], bits, 8)


def imagehash_dhash(files: list[Path]) -> Pairs:
    import imagehash

    bits = np.stack([imagehash.dhash(Image.open(f)).hash.ravel() for f in files])
    return _close([f.name for f in files], bits, 4)


def pdqhash_31(files: list[Path]) -> Pairs:
    import pdqhash

    bits = np.stack([pdqhash.compute(np.asarray(Image.open(f).convert("RGB")))[0] for f in files])
    return _close([f.name for f in files], bits, 31)


def _imagededup(method: str, **options: int) -> Callable[[list[Path]], Pairs]:
    def run(files: list[Path]) -> Pairs:
        from imagededup import methods

        finder = getattr(methods, method)(verbose=False)
        folder = str(files[0].parent)
        encodings = finder.encode_images(image_dir=folder, num_enc_workers=0)
        options_ = {"max_distance_threshold": 10, **options}
        found = finder.find_duplicates(encoding_map=encodings, num_dist_workers=0, **options_)
        return [(a, b) for a, others in found.items() for b in others]

    return run


def _fastdup(similarity: float) -> Callable[[list[Path]], Pairs]:
    def run(files: list[Path]) -> Pairs:
        import fastdup

        with tempfile.TemporaryDirectory() as work:
            known = fastdup.create(work_dir=work, input_dir=str(files[0].parent))
            known.run(
                ccthreshold=similarity,
                threshold=similarity,
                nearest_neighbors_k=20,
                overwrite=True,
                print_summary=False,
            )
            table = known.similarity()
        pairs = table[table["distance"] >= similarity]
        return [
            (Path(a).name, Path(b).name)
            for a, b in zip(pairs["filename_from"], pairs["filename_to"], strict=True)
        ]

    return run


def _cleanvision(files: list[Path]) -> Pairs:
    from cleanvision import Imagelab

    lab = Imagelab(data_path=str(files[0].parent), verbose=False)
    lab.find_issues({"near_duplicates": {}, "exact_duplicates": {}}, n_jobs=1, verbose=False)
    sets = [one for kind in ("near", "exact") for one in lab.info[f"{kind}_duplicates"]["sets"]]
    names = [sorted(Path(file).name for file in one) for one in sets]
    return [(a, b) for one in names for at, b in enumerate(one) for a in one[:at]]


TOOLS: dict[str, Callable[[list[Path]], Pairs]] = {
    "imagehash phash <= 8": imagehash_phash,
    "imagehash dhash <= 4": imagehash_dhash,
    "pdqhash <= 31": pdqhash_31,
    "imagededup PHash <= 10 (its default)": _imagededup("PHash"),
    "imagededup PHash <= 4": _imagededup("PHash", max_distance_threshold=4),
    "imagededup DHash <= 10 (its default)": _imagededup("DHash"),
    "cleanvision (its default)": _cleanvision,
    "fastdup >= 0.90": _fastdup(0.90),
    "fastdup >= 0.95": _fastdup(0.95),
}


def _processor_seconds() -> float:
    return sum(os.times()[:4])


def main() -> None:
    files = sorted(Path(sys.argv[1]).iterdir())
    for tool, run in TOOLS.items():
        try:
            importlib.import_module(tool.split()[0])
        except ImportError as error:
            print(f"{tool}: {error}", file=sys.stderr)
            continue
        start = _processor_seconds()
        try:
            pairs = [list(pair) for pair in run(files)]
        except (
            ArithmeticError,
            LookupError,
            OSError,
            RuntimeError,
            TypeError,
            ValueError,
        ) as error:
            # A tool that fails is named, and the next one runs.
            print(f"{tool}: {type(error).__name__}: {error}", file=sys.stderr)
            continue
        seconds = _processor_seconds() - start
        print(json.dumps({"tool": tool, "pairs": pairs, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    main()
