"""Made-up photographs: any number per keyword, each decided by (seed, slug, index) alone.

A picture is a small random field (24 x 24 cosine terms with falling weight) seen through palettes
and cut by crisp shapes: hills, a sea, a skyline, flowers. The field sets the sign of every low
frequency of the picture, so two pictures differ in about half of the bits of a perceptual hash,
which is built from just those signs. Drawing at 800 x 600 costs about 5 ms with encoding.
"""

from __future__ import annotations

import colorsys
import io
import re
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Grid = NDArray[np.float32]

COLORS: Final = {
    "red": 0.99, "orange": 0.07, "yellow": 0.14, "green": 0.33, "teal": 0.48, "blue": 0.60,
    "purple": 0.75, "pink": 0.91, "brown": 0.06, "gray": 0.60, "black": 0.62, "white": 0.58,
}  # fmt: skip
"""Dominant colours that a picture may have, with their hue (0..1)."""

LICENSES: Final = (
    ("by", "4.0"), ("by-sa", "4.0"), ("cc0", "1.0"), ("pdm", "1.0"), ("by-nc", "4.0"),
    ("by-nd", "4.0"), ("by-nc-sa", "4.0"), ("all rights reserved", ""),
)  # fmt: skip
_PEOPLE: Final = ("A. Alder", "B. Birch", "C. Cedar", "D. Dogwood", "E. Elm", "F. Fir")
_SIZES: Final = (
    (320, 240), (480, 360), (640, 480), (640, 426), (500, 500), (426, 640), (800, 600),
    (800, 450), (600, 800), (1024, 768), (1280, 720), (1200, 1200), (1600, 1200), (800, 320),
)  # fmt: skip
_SIZE_SHARES: Final = np.cumsum([6, 9, 14, 12, 7, 9, 14, 8, 7, 7, 3, 1, 1, 2]) / 100
_SCENES: Final = ("hills", "sea", "city", "flowers", "forest", "stones")
_EXTENSIONS: Final = {"jpeg": "jpg", "png": "png", "webp": "webp", "gif": "gif", "avif": "avif"}
_TERMS: Final = 24
_GRID: Final = 64  # side of the field before it is enlarged, pixels


@dataclass(frozen=True, slots=True)
class Traits:
    """What is known of a picture without drawing it. Sizes in pixels."""

    width: int
    height: int
    format: str
    kind: str  # photo | clipart | line | animated | transparent
    scene: str
    color: str
    license: str
    license_version: str
    creator: str
    age_days: int

    @property
    def extension(self) -> str:
        return _EXTENSIONS[self.format]

    @property
    def aspect(self) -> str:
        """Square | wide | tall, with a tolerance of a tenth."""
        ratio = self.width / self.height
        return "wide" if ratio > 1.1 else "tall" if ratio < 0.9 else "square"

    @property
    def license_url(self) -> str | None:
        if self.license == "cc0":
            return "https://creativecommons.org/publicdomain/zero/1.0/"
        if self.license == "pdm":
            return "https://creativecommons.org/publicdomain/mark/1.0/"
        if not self.license_version:
            return None
        return f"https://creativecommons.org/licenses/{self.license}/{self.license_version}/"


def slug_of(keyword: str) -> str:
    """One path component for any keyword; different keywords never share one."""
    word = re.sub(r"[^a-z0-9]+", "-", keyword.casefold()).strip("-")[:40] or "q"
    return f"{word}.{zlib.crc32(keyword.encode()):08x}"


def generator(*parts: object) -> np.random.Generator:
    """Random numbers that depend on nothing but `parts`."""
    text = "\x1f".join(str(part) for part in parts).encode()
    return np.random.Generator(
        np.random.PCG64((zlib.crc32(text) << 32) | zlib.adler32(text[::-1]) | len(text))
    )


def traits_of(seed: int, slug: str, index: int) -> Traits:
    """Everything about picture `index` of a keyword except its pixels."""
    rng = generator(seed, slug, index, "traits")
    draw = [float(value) for value in rng.random(6)]
    kind, picture_format = _kind_and_format(draw[0])
    width, height = _SIZES[int(np.searchsorted(_SIZE_SHARES, draw[1], side="right"))]
    if picture_format != "jpeg" and width * height > 640 * 480:
        width, height = width * 5 // 8, height * 5 // 8  # the slow encoders get fewer pixels
    license_id, version = LICENSES[int(draw[3] * len(LICENSES))]
    return Traits(
        width=width,
        height=height,
        format=picture_format,
        kind=kind,
        scene=_SCENES[int(draw[2] * len(_SCENES))],
        color=list(COLORS)[int(draw[4] * len(COLORS))],
        license=license_id,
        license_version=version,
        creator=_PEOPLE[index % len(_PEOPLE)],
        age_days=int(900 * draw[5] ** 2),
    )


def _kind_and_format(draw: float) -> tuple[str, str]:
    table = (
        (0.72, "photo", "jpeg"), (0.80, "photo", "webp"), (0.86, "photo", "png"),
        (0.89, "photo", "avif"), (0.93, "clipart", "png"), (0.96, "transparent", "png"),
        (0.98, "animated", "gif"), (1.01, "line", "png"),
    )  # fmt: skip
    for limit, kind, picture_format in table:
        if draw < limit:
            return kind, picture_format
    raise AssertionError(draw)


@lru_cache(maxsize=8)
def _cosines(terms: int, size: int) -> Grid:
    x = (np.arange(size) + 0.5) * np.pi / size
    return np.cos(np.arange(terms)[:, None] * x[None, :]).astype(np.float32)


def _field(rng: np.random.Generator) -> Grid:
    """A smooth random surface, mean 0 and deviation 1."""
    k = np.arange(_TERMS)
    weight = (1.0 / (1.0 + np.hypot(k[:, None], k[None, :])) ** 1.15).astype(np.float32)
    signs = rng.choice([-1.0, 1.0], weight.shape)
    terms = (signs * rng.uniform(0.55, 1.45, weight.shape) * weight).astype(np.float32)
    terms[0, 0] = 0
    basis = _cosines(_TERMS, _GRID)
    surface = basis.T @ terms @ basis
    return (surface / np.float32(max(surface.std(), 1e-6))).astype(np.float32)


def _palette(rng: np.random.Generator, color: str, low: int, high: int) -> NDArray[np.uint8]:
    """256 colours from dark to light around the dominant one."""
    hue = COLORS[color] + float(rng.uniform(-0.03, 0.03))
    strength = 0.06 if color in {"gray", "black", "white"} else float(rng.uniform(0.4, 0.85))
    shift = float(rng.uniform(-0.12, 0.12)) if strength > 0.1 else 0.0
    ramp = np.linspace(0, 1, 256)
    stops = [colorsys.hls_to_rgb((hue + shift * (t - 0.5)) % 1, 0.5, strength) for t in (0, 0.5, 1)]
    tint = np.stack([np.interp(ramp, (0, 0.5, 1), [s[c] for s in stops]) for c in range(3)], axis=1)
    light = (low + (high - low) * ramp)[:, None]
    grey = tint @ np.array([0.299, 0.587, 0.114])
    colors: NDArray[np.uint8] = np.clip(
        light * (0.25 + 0.75 * tint / grey[:, None]), 0, 255
    ).astype(np.uint8)
    return colors


def _paint(field: Grid, palette: NDArray[np.uint8], size: tuple[int, int]) -> Image.Image:
    levels = np.clip(128 + 56 * field, 0, 255).astype(np.uint8)
    return Image.fromarray(palette[levels]).resize(size, Image.Resampling.BICUBIC)


def _tone(color: str) -> tuple[int, int]:
    return {"black": (0, 150), "white": (110, 255)}.get(color, (30, 250))


def draw_scene(seed: int, slug: str, index: int, size: tuple[int, int]) -> Image.Image:
    """The picture in RGB at any size in pixels; the composition does not depend on the size."""
    traits = traits_of(seed, slug, index)
    rng = generator(seed, slug, index, "pixels")
    field = _field(rng)
    low, high = _tone(traits.color)
    if traits.kind == "line":
        ink = np.where(np.abs(field) % 0.7 < 0.2, -1.6, 1.8) + 0.6 * np.sign(field)
        return _paint(ink.astype(np.float32), _palette(rng, "gray", 20, 255), size)
    if traits.kind == "clipart":
        field = (np.round(field * 1.5) / 1.5).astype(np.float32)
    back = _paint(field, _palette(rng, traits.color, low, high), size)
    other = list(COLORS)[int(rng.integers(len(COLORS)))]
    front_palette = _palette(rng, other, max(0, low - 20), int(low + (high - low) * 0.8))
    front = _paint(0.9 * field + 0.45 * _field(rng), front_palette, size)
    mask = Image.new("L", size, 0)
    _SHAPES[traits.scene](ImageDraw.Draw(mask), rng, *size)
    back.paste(front, (0, 0), mask)
    return back


def _hills(pen: ImageDraw.ImageDraw, rng: np.random.Generator, w: int, h: int) -> None:
    for ridge, strength in ((0.45, 150), (0.65, 255)):
        heights = ridge + 0.05 * np.cumsum(rng.normal(0, 1, 24)) / 2
        points = [(w * i / 23, h * float(y)) for i, y in enumerate(heights)]
        pen.polygon([(0, h), *points, (w, h)], fill=strength)


def _sea(pen: ImageDraw.ImageDraw, rng: np.random.Generator, w: int, h: int) -> None:
    horizon = h * float(rng.uniform(0.45, 0.65))
    pen.rectangle((0, horizon, w, h), fill=200)
    x, r = w * float(rng.uniform(0.2, 0.8)), min(w, h) * float(rng.uniform(0.06, 0.12))
    pen.ellipse((x - r, horizon - 3 * r, x + r, horizon - r), fill=230)
    for y in rng.uniform(horizon, h, 12):
        left = w * float(rng.random())
        pen.line((left, float(y), left + w * 0.2, float(y)), fill=90, width=max(1, h // 200))


def _city(pen: ImageDraw.ImageDraw, rng: np.random.Generator, w: int, h: int) -> None:
    x = 0.0
    while x < w:
        width = w * float(rng.uniform(0.05, 0.12))
        top = h * float(rng.uniform(0.3, 0.75))
        pen.rectangle((x, top, x + width, h), fill=int(rng.integers(140, 255)))
        step = max(4.0, w / 60)
        for column in np.arange(x + step / 2, x + width - step / 2, step):
            for row in np.arange(top + step, h, step * 2):
                if rng.random() < 0.4:
                    pen.rectangle((column, row, column + step / 2, row + step / 2), fill=30)
        x += width * 1.05


def _flowers(pen: ImageDraw.ImageDraw, rng: np.random.Generator, w: int, h: int) -> None:
    for _ in range(int(rng.integers(3, 7))):
        x, y = w * float(rng.uniform(0.1, 0.9)), h * float(rng.uniform(0.15, 0.9))
        r = min(w, h) * float(rng.uniform(0.08, 0.16))
        for angle in np.arange(0, 2 * np.pi, np.pi / 4):
            px, py = x + r * float(np.cos(angle)), y + r * float(np.sin(angle))
            pen.ellipse((px - r / 2, py - r / 2, px + r / 2, py + r / 2), fill=220)
        pen.ellipse((x - r / 2, y - r / 2, x + r / 2, y + r / 2), fill=60)


def _forest(pen: ImageDraw.ImageDraw, rng: np.random.Generator, w: int, h: int) -> None:
    for x in np.sort(rng.uniform(0, w, 14)):
        top = h * float(rng.uniform(0.2, 0.6))
        half = w * float(rng.uniform(0.03, 0.07))
        pen.polygon(
            [(float(x) - half, h * 0.92), (float(x), top), (float(x) + half, h * 0.92)], 210
        )


def _stones(pen: ImageDraw.ImageDraw, rng: np.random.Generator, w: int, h: int) -> None:
    for _ in range(18):
        x, y = w * float(rng.random()), h * float(rng.uniform(0.3, 1))
        a, b = w * float(rng.uniform(0.03, 0.12)), h * float(rng.uniform(0.03, 0.09))
        pen.ellipse((x - a, y - b, x + a, y + b), fill=int(rng.integers(80, 250)))


_SHAPES: Final = {
    "hills": _hills, "sea": _sea, "city": _city,
    "flowers": _flowers, "forest": _forest, "stones": _stones,
}  # fmt: skip


def encode(image: Image.Image, picture_format: str, **options: Any) -> bytes:
    """`image` as a file, with settings that favour speed over size."""
    out = io.BytesIO()
    fast: dict[str, Any] = {
        "jpeg": {"quality": 85}, "png": {"compress_level": 1}, "webp": {"method": 0, "quality": 80},
        "avif": {"speed": 10, "quality": 60}, "gif": {},
    }[picture_format]  # fmt: skip
    image.save(out, picture_format.upper(), **{**fast, **options})
    return out.getvalue()


def picture(seed: int, slug: str, index: int) -> bytes:
    """The file of picture `index` of a keyword."""
    traits = traits_of(seed, slug, index)
    image = draw_scene(seed, slug, index, (traits.width, traits.height))
    if traits.kind == "animated":
        dimmed = Image.blend(image, Image.new("RGB", image.size), 0.2)
        first, second = (
            frame.quantize(64, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
            for frame in (image, dimmed)
        )
        return encode(first, "gif", save_all=True, append_images=[second], duration=200)
    if traits.kind == "transparent":
        alpha = Image.new("L", image.size, 0)
        w, h = image.size
        ImageDraw.Draw(alpha).rounded_rectangle((0, 0, w, h), radius=min(w, h) // 8, fill=255)
        image.putalpha(alpha)
    return encode(image, traits.format)


def thumbnail(seed: int, slug: str, index: int, height: int = 180) -> bytes:
    """A JPEG of `height` pixels of the same scene."""
    traits = traits_of(seed, slug, index)
    size = (max(1, round(traits.width * height / traits.height)), height)
    return encode(draw_scene(seed, slug, index, size), "jpeg", quality=70)
