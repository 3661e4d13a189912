from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.pipeline import pictures
from tests.warm_decoders import SPAWN

from pixtrawl.images.decoders import program


@pytest.fixture(autouse=True)
def _decoders_started_as_users_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "_spawn", SPAWN)


def _picture(seed: int, width: int = 160, height: int = 120) -> Image.Image:
    random = np.random.default_rng(seed)
    total = np.zeros((height, width, 3))
    for cells, strength in ((3, 1.0), (6, 0.6), (12, 0.4), (24, 0.25)):
        coarse = random.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
        layer = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        total += strength * (np.asarray(layer, dtype=np.float64) - 128)
    return Image.fromarray(np.clip(total + 128, 0, 255).astype(np.uint8))


def _encoded(picture: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    return pictures.encoded(picture, kind, **options)


@pytest.fixture
def picture() -> Callable[..., Image.Image]:
    """Coloured blobs of four sizes, as in nature: each seed has a hash of its own."""
    return _picture


@pytest.fixture
def encoded() -> Callable[..., bytes]:
    """A picture as the bytes of a file."""
    return _encoded


@pytest.fixture
def jpegs(tmp_path: Path) -> Callable[[int], list[str]]:
    """Writes so many different JPEG files into the staging folder and returns their names."""

    def write(count: int) -> list[str]:
        names = [f"good-{number}" for number in range(count)]
        for number, name in enumerate(names):
            (tmp_path / name).write_bytes(_encoded(_picture(number)))
        return names

    return write
