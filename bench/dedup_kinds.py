"""A small folder of many kinds of pictures, for all tools: copies, and variants that are none.

Photographs, products on white, charts, memes, scans and faces, each with eight edits; products and
charts also with variants (other dyes, other data). Names say what belongs together:
`<kind><number>v<variant>[_<edit>].jpg`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from bench import dedup_edits as edits, dedup_photos as photos, dedup_variants as variants
from bench.junk_lookalikes import meme, scan

EDITS = (
    "q30", "resize50", "thumb225", "crop5", "crop10 middle", "bright+25", "grey", "watermark text",
)  # fmt: skip
_EACH = 14
_SIDE = 640


@dataclass(frozen=True, slots=True)
class Name:
    """What a file's name says."""

    kind: str
    family: str
    variant: str
    edit: str


def name_of(stem: str) -> Name:
    whole, _, edit = stem.partition("_")
    family, _, variant = whole.partition("v")
    return Name(family.rstrip("0123456789"), family, variant, EDITS[int(edit)] if edit else "")


def _faces() -> list[Image.Image]:
    """Faces of 25 pixels, enlarged: scikit-image's part of LFW, where it is installed."""
    try:
        from skimage import data  # no dependency: optional material
    except ImportError:
        return []
    faces = (255 * data.lfw_subset()[:_EACH]).astype(np.uint8)
    return [Image.fromarray(face).convert("RGB").resize((250, 250)) for face in faces]


def pictures() -> Iterator[tuple[str, list[Image.Image]]]:
    """Yield (kind, variants of one family); only the first variant is edited."""
    shown = photos.photographs()[::5]
    for picture in shown[: 2 * _EACH]:
        yield "photograph", [picture.image]
    for number in range(_EACH):
        rng = random.Random(f"rivals {number}")
        yield "meme", [meme(rng, [p.image for p in shown])]
        yield "scan", [scan(rng, [])]
    for face in _faces():
        yield "face", [face]
    for name, cut in variants.cut_outs()[:: 70 // _EACH]:
        family = variants.product(name, cut)
        yield "product", [image for kind in family.values() for image in kind[:3]][:8]
    try:
        for _name, family in variants.charts(2):
            yield "chart", [*family["other data"], *family["other colours"][1:]]
    except ImportError as error:
        print(f"no charts: {error}")


def write_into(folder: Path) -> None:
    """Write the files; seeded, so twice the same."""
    folder.mkdir(parents=True)
    counts: dict[str, int] = {}
    for kind, images in pictures():
        number = counts[kind] = counts.get(kind, -1) + 1
        for variant, image in enumerate(images):
            image.thumbnail((_SIDE, _SIDE))
            name = f"{kind}{number}v{variant}"
            (folder / f"{name}.jpg").write_bytes(edits.encoded(image, quality=92))
        for at, edit in enumerate(EDITS):
            (folder / f"{kind}{number}v0_{at}.jpg").write_bytes(edits.edited(images[0], edit))
