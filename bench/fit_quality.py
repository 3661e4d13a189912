"""What fitting into 256 px at a reduced scale costs: PSNR beside a full decode and exact area.

    python -m bench.fit_quality CORPUS_FOLDER [COUNT]

Both are encoded as JPEG at quality 95 and compared with the area average before it was encoded.
"""

from __future__ import annotations

import io
import statistics
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pixtrawl.images.fit import fit
from pixtrawl.transform import Transform

_SIDE = 256


def main(folder: Path, count: int) -> None:
    paths = sorted(path for path in folder.iterdir() if path.suffix == ".jpg")
    ours = Transform(mode="keep_ratio_largest", size=_SIDE, encode="jpg", quality=95)
    plain = Transform(encode="jpg", quality=95)
    pairs = []
    for path in paths[:: max(1, len(paths) // count)][:count]:
        data = path.read_bytes()
        source = Image.open(io.BytesIO(data)).convert("RGB")
        picture = fit(ours, data, "jpeg")
        exact = _by_area(np.asarray(source, np.float64), picture.width, picture.height)
        png = io.BytesIO()
        Image.fromarray(np.clip(exact + 0.5, 0, 255).astype(np.uint8)).save(png, "PNG")
        area = fit(plain, png.getvalue(), "png")
        pairs.append((_psnr_db(picture.data, exact), _psnr_db(area.data, exact)))
    means = [statistics.fmean(values) for values in zip(*pairs, strict=True)]
    worst = max(area - ours for ours, area in pairs)
    print(f"{len(pairs)} pictures: ours {means[0]:.2f} dB, full decode + area {means[1]:.2f} dB, "
          f"{means[1] - means[0]:.2f} dB lost in the mean, {worst:.2f} at most")  # fmt: skip


def _by_area(pixels: np.ndarray[Any, Any], width: int, height: int) -> np.ndarray[Any, Any]:
    """Exact area averaging: each source pixel counts by the share of it that falls inside."""

    def weights(old: int, new: int) -> np.ndarray[Any, Any]:
        edges = np.linspace(0, old, new + 1)
        left, right = edges[:-1, None], edges[1:, None]
        pixel = np.arange(old)[None]
        inside = np.minimum(right, pixel + 1) - np.maximum(left, pixel)
        return np.clip(inside, 0, 1) * new / old

    rows = np.tensordot(weights(pixels.shape[0], height), pixels, (1, 0))
    return np.moveaxis(np.tensordot(weights(pixels.shape[1], width), rows, (1, 1)), 0, 1)


def _psnr_db(data: bytes, exact: np.ndarray[Any, Any]) -> float:
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.float64)
    return float(10 * np.log10(255**2 / max(float(np.mean((pixels - exact) ** 2)), 1e-9)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 200)
