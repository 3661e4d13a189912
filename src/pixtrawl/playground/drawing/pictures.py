"""Made-up photographs: any number per keyword, each decided by (seed, slug, index) alone.

A picture is a scene (hills, sea, city, flowers, forest, desert) in a palette of its dominant
colour, with what the query names standing in it where `motifs` knows the word. Everything in it is
placed at random, and uneven light lies over it: both set the signs of the low frequencies from
which perceptual hashes are built, so two pictures differ in about half of the bits.
"""

from __future__ import annotations

import io
import re
import zlib
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from pixtrawl.playground.drawing.canvas import Canvas, surface
from pixtrawl.playground.drawing.motifs import Motif, chance_motif, motif_of, place, scenes_of
from pixtrawl.playground.drawing.palettes import COLORS, Palette, palette_of
from pixtrawl.playground.drawing.photographs import Photograph, photograph
from pixtrawl.playground.drawing.scenes import SCENES

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
_SCENES: Final = tuple(SCENES)
_EXTENSIONS: Final = {"jpeg": "jpg", "png": "png", "webp": "webp", "gif": "gif", "avif": "avif"}
_LIGHT: Final = 5.5  # deviation of the light over a picture, grey levels
_GRAIN: Final = 2.0  # of a photograph, grey levels


@dataclass(frozen=True, slots=True)
class Traits:
    """The facts of a picture that are known without drawing it. Sizes in pixels."""

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
    """Return one path component for any keyword; different keywords never share one."""
    word = re.sub(r"[^a-z0-9]+", "-", keyword.casefold()).strip("-")[:40] or "q"
    return f"{word}.{zlib.crc32(keyword.encode()):08x}"


def generator(*parts: object) -> np.random.Generator:
    """Return random numbers that depend on nothing but `parts`."""
    text = "\x1f".join(str(part) for part in parts).encode()
    return np.random.Generator(
        np.random.PCG64((zlib.crc32(text) << 32) | zlib.adler32(text[::-1]) | len(text))
    )


def traits_of(seed: int, slug: str, index: int) -> Traits:
    """Return everything about picture `index` of a keyword except its pixels."""
    rng = generator(seed, slug, index, "traits")
    draw = [float(value) for value in rng.random(6)]
    kind, picture_format = _kind_and_format(draw[0])
    width, height = _SIZES[int(np.searchsorted(_SIZE_SHARES, draw[1], side="right"))]
    if picture_format != "jpeg" and width * height > 640 * 480:
        width, height = width * 5 // 8, height * 5 // 8  # the slow encoders get fewer pixels
    license_id, version = LICENSES[int(draw[3] * len(LICENSES))]
    scenes = scenes_of(slug, _SCENES)
    drawn = Traits(
        width=width,
        height=height,
        format=picture_format,
        kind=kind,
        scene=scenes[int(draw[2] * len(scenes))],
        color=COLORS[int(draw[4] * len(COLORS))],
        license=license_id,
        license_version=version,
        creator=_PEOPLE[index % len(_PEOPLE)],
        age_days=int(900 * draw[5] ** 2),
    )
    photo = photograph(slug, index)
    return drawn if photo is None else _traits_of_photograph(photo, drawn)


def _traits_of_photograph(photo: Photograph, drawn: Traits) -> Traits:
    width, height = photo.size
    return replace(
        drawn,
        width=width,
        height=height,
        format="jpeg",
        kind="photo",
        color=photo.color,
        license=photo.license,
        license_version=photo.license_version,
        creator=photo.creator,
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


def draw_scene(seed: int, slug: str, index: int, size: tuple[int, int]) -> Image.Image:
    """Return the picture in RGB at any size in pixels, always with the same composition."""
    photo = photograph(slug, index)
    if photo is not None:
        return ImageOps.fit(photo.open(), size)
    traits = traits_of(seed, slug, index)
    rng = generator(seed, slug, index, "pixels")
    palette = palette_of(traits.color, rng)
    if traits.kind == "line":
        return _line_drawing(rng, palette, size, motif_of(slug))
    canvas = Canvas(size)
    spot = SCENES[traits.scene](canvas, rng, palette)
    motif = motif_of(slug) or chance_motif(traits.scene, rng)
    if motif is not None:
        place(canvas, motif, palette, spot, flip=bool(rng.random() < 0.5))
    grainy = traits.kind == "photo" and traits.format != "png"  # grain makes a PNG twice as large
    canvas.light(rng, _LIGHT, _GRAIN if grainy else 0.0)
    return ImageOps.posterize(canvas.image, 4) if traits.kind == "clipart" else canvas.image


def _line_drawing(
    rng: np.random.Generator, palette: Palette, size: tuple[int, int], motif: Motif | None
) -> Image.Image:
    """Draw the query's motif, large on a map; only the map where it names none."""
    canvas = Canvas(size)
    canvas.image.paste(_contours(rng, palette, size))
    if motif is not None:
        spot = float(rng.uniform(0.35, 0.65)), 0.94, float(rng.uniform(0.6, 0.8))
        place(canvas, motif, palette, spot, flip=bool(rng.random() < 0.5))
    return canvas.image


def _contours(rng: np.random.Generator, palette: Palette, size: tuple[int, int]) -> Image.Image:
    """Return a map of a made-up country: lines of equal height over tinted paper."""
    field = surface(rng, 1.6)
    levels = Image.fromarray(np.clip(128 + 48 * field, 0, 255).astype(np.uint8))
    large = np.asarray(levels.resize(size, Image.Resampling.BICUBIC))
    steps = np.arange(256)
    paper = np.array([(248, 244, 232)]) - 0.35 * (255 - steps[:, None]) * (
        1 - np.array(palette.horizon) / 300
    )
    paper[steps % 24 < 3] *= 0.45
    return Image.fromarray(paper.clip(0, 255).astype(np.uint8)[large])


def encode(image: Image.Image, picture_format: str, **options: Any) -> bytes:
    """Encode `image` as a file, with settings that favour speed over size."""
    out = io.BytesIO()
    fast: dict[str, Any] = {
        "jpeg": {"quality": 82}, "png": {"compress_level": 1}, "webp": {"method": 0, "quality": 80},
        "avif": {"speed": 10, "quality": 60}, "gif": {},
    }[picture_format]  # fmt: skip
    image.save(out, picture_format.upper(), **{**fast, **options})
    return out.getvalue()


def picture(seed: int, slug: str, index: int) -> bytes:
    """Return the file of picture `index` of a keyword."""
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
    """Return a JPEG of `height` pixels of the same scene."""
    traits = traits_of(seed, slug, index)
    size = (max(1, round(traits.width * height / traits.height)), height)
    return encode(draw_scene(seed, slug, index, size), "jpeg", quality=70)
