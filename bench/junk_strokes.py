"""Strokes, words and parts of photographs, of which pictures for measuring are drawn: seeded."""

from __future__ import annotations

from functools import lru_cache
from random import Random

from PIL import Image, ImageDraw, ImageFont

__all__ = [
    "LETTERS", "WHITE", "WORDS", "Colour", "Photos", "centred", "colour", "font", "photo", "words",
]  # fmt: skip

Colour = tuple[int, int, int]
Photos = list[Image.Image]
WHITE: Colour = (255, 255, 255)
LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZabcdefghkmnpqrstuvwxyz23456789"
WORDS = (
    "river", "garden", "market", "window", "silver", "morning", "paper", "orange", "winter",
    "harbour", "stone", "bridge", "letter", "summer", "forest", "music", "travel", "coffee",
    "north", "valley", "open", "light", "table", "house", "number", "family",
)  # fmt: skip


@lru_cache(maxsize=256)
def _font_of(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size_px)


def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return _font_of(max(round(size), 6))


def colour(rng: Random, low: int = 0, high: int = 255) -> Colour:
    return rng.randint(low, high), rng.randint(low, high), rng.randint(low, high)


def words(rng: Random, count: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(count)).capitalize()


def photo(rng: Random, photos: Photos, size: tuple[int, int]) -> Image.Image:
    """Return a random part of a photograph in `size`."""
    image = rng.choice(photos)
    share = rng.uniform(0.6, 1.0)
    width = min(image.width, image.height * size[0] / size[1]) * share
    height = width * size[1] / size[0]
    left, top = rng.uniform(0, image.width - width), rng.uniform(0, image.height - height)
    return image.resize(size, Image.Resampling.LANCZOS, (left, top, left + width, top + height))


def centred(draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size: float,
             fill: Colour) -> None:  # fmt: skip
    draw.text(at, text, fill=fill, font=font(size), anchor="mm")
