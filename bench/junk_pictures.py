"""Samples of junk and of what looks like it, in two halves, to measure the junk rules with.

Junk: captchas, human checks, logos, "image removed" tiles, previews with watermarks
(`bench.junk_drawn`). Not junk: photographs, product shots on white, charts, drawings, memes, scans
of text, line art, collages (`bench.junk_lookalikes`).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from PIL import Image

from bench import dedup_photos
from bench.junk_drawn import (
    captcha_grid,
    captcha_letters,
    captcha_slider,
    human_check,
    logo,
    removed_tile,
    watermark_across,
    watermark_tiled,
)
from bench.junk_lookalikes import (
    chart,
    collage,
    garment,
    line_art,
    line_photo,
    meme,
    product,
    scan,
    screenshot,
)
from bench.junk_strokes import Photos, photo

__all__ = ["DRAWN", "JUNK", "KEPT", "Draw", "Sample", "encoded", "samples"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One encoded picture of a kind; `half` 0 is for fixing thresholds, 1 for reporting."""

    kind: str
    half: int
    data: bytes


Draw = Callable[[Random, Photos], Image.Image]
JUNK: dict[str, Draw] = {
    "captcha: letters": captcha_letters, "captcha: grid": captcha_grid,
    "captcha: slider": captcha_slider, "human check page": human_check, "logo": logo,
    "removed tile": removed_tile, "watermark, tiled": watermark_tiled,
    "watermark, across": watermark_across,
}  # fmt: skip
DRAWN: dict[str, Draw] = {
    "chart": chart, "garment on white": garment, "meme": meme, "scan of text": scan,
    "line art": line_art, "pencil drawing": line_photo, "collage": collage,
    "screenshot": screenshot,
}  # fmt: skip
KEPT = ("photograph", "part of a photograph", "product on white", "drawing", *DRAWN)
_QUALITIES = (92, 85, 75, 60)


def samples(each: int) -> Iterator[Sample]:
    """Yield all kinds, `each` drawn ones a half; photographs of one half are not in the other."""
    photos = [picture.image for picture in dedup_photos.photographs()]
    halves = photos[::2], photos[1::2]
    for half in (0, 1):
        for image in halves[half]:
            yield Sample("photograph", half, encoded(image, 85))
        for kind, draw in (JUNK | DRAWN).items():
            for at in range(each):
                rng = Random(f"{kind} {half} {at}")
                image = draw(rng, halves[half])
                lossless = kind in ("logo", "chart", "line art", "removed tile") and at % 2
                yield Sample(kind, half, encoded(image, 0 if lossless else rng.choice(_QUALITIES)))
    for half in (0, 1):
        for at, image in enumerate(halves[half] * 3):
            rng = Random(f"part {half} {at}")
            yield Sample("part of a photograph", half, encoded(_part(rng, image), 85))
    for at, picture in enumerate(dedup_photos.drawings()[::4]):
        yield Sample("drawing", at % 2, encoded(picture, 85))
    yield from _products(each)


def _part(rng: Random, image: Image.Image) -> Image.Image:
    return photo(rng, [image], (480, 360)) if rng.random() < 0.5 else image.resize(
        (400, 300), box=(image.width // 4, image.height // 4, image.width * 3 // 4,
                         image.height * 3 // 4))  # fmt: skip


def _products(each: int) -> Iterator[Sample]:
    things = dedup_photos.cut_out()
    for half in (0, 1):
        for at in range(2 * each):
            rng = Random(f"product {half} {at}")
            image = product(rng, things[half::2])
            yield Sample("product on white", half, encoded(image, rng.choice(_QUALITIES)))


def encoded(image: Image.Image, quality: int) -> bytes:
    """Return a JPEG of `quality`, or a PNG for 0."""
    out = io.BytesIO()
    if quality:
        image.convert("RGB").save(out, "JPEG", quality=quality)
    else:
        image.save(out, "PNG")
    return out.getvalue()
