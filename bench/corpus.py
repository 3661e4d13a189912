"""The pictures: generated from a fixed seed, so that every machine fetches the same 2,000.

1,700 JPEG (a third progressive, one in 25 grey), 200 PNG, 76 WebP, 12 GIF, 12 AVIF, 640x480 to
1600x1200. Soft shapes under noise: entropy decoding costs follow bytes, as with photographs.
"""

from __future__ import annotations

import hashlib
import io
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

_SEED = 20_240


@dataclass(frozen=True, slots=True)
class Corpus:
    """`names` in `folder`, each with its SHA-256."""

    folder: Path
    sha256: dict[str, str]

    @property
    def names(self) -> list[str]:
        return list(self.sha256)


def corpus(folder: Path, count: int = 2000) -> Corpus:
    """Makes it, or finds it made."""
    index = folder / f"corpus-{count}.json"
    images = folder / "img"
    if not index.exists():
        images.mkdir(parents=True, exist_ok=True)
        with ProcessPoolExecutor() as pool:
            made = dict(pool.map(_make, range(count), [images] * count, chunksize=20))
        index.write_text(json.dumps(made))
    return Corpus(images, json.loads(index.read_text()))


def _make(number: int, folder: Path) -> tuple[str, str]:
    rng = np.random.default_rng(_SEED + number)
    width = int(rng.integers(640, 1601))
    height = max(480, int(width * rng.uniform(0.6, 0.9)))
    kind = _kind(number % 1000)
    if kind != "jpg":
        width, height = width // 2, height // 2
    soft = rng.integers(0, 255, (height // 60 + 2, width // 60 + 2, 3), dtype=np.uint8)
    picture = Image.fromarray(soft).resize((width, height), Image.Resampling.BICUBIC)
    grain = rng.normal(0, rng.uniform(2, 9), (height, width, 1)).astype(np.int16)
    pixels = np.asarray(picture).astype(np.int16) + grain
    picture = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    data = _encode(picture, kind, number, int(rng.integers(60, 92)))
    name = f"{number:06d}.{kind}"
    (folder / name).write_bytes(data)
    return name, hashlib.sha256(data).hexdigest()


def _kind(number: int) -> str:
    for limit, kind in ((850, "jpg"), (950, "png"), (988, "webp"), (994, "gif")):
        if number < limit:
            return kind
    return "avif"


def _encode(picture: Image.Image, kind: str, number: int, quality: int) -> bytes:
    buffer = io.BytesIO()
    if kind == "jpg":
        picture = picture.convert("L") if number % 25 == 7 else picture
        picture.save(buffer, "JPEG", quality=quality, progressive=number % 20 < 7)
    elif kind == "png":
        picture.quantize(64, Image.Quantize.FASTOCTREE).save(buffer, "PNG")
    elif kind == "gif":
        picture.quantize(64, Image.Quantize.FASTOCTREE).save(buffer, "GIF")
    else:
        fast = {"speed": 9} if kind == "avif" else {"method": 1}
        picture.save(buffer, kind.upper(), quality=quality, **fast)
    return buffer.getvalue()
