"""Junk of the web and what looks like it, drawn in seeded variants, to measure the junk rules with.

Junk: captchas, human checks, logos, "image removed" tiles, previews with watermarks. Not junk:
photographs, product shots on white, charts, drawings, memes, scans of text, line art, collages.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from bench import dedup_photos

__all__ = ["DRAWN", "JUNK", "KEPT", "Sample", "encoded", "samples"]

Colour = tuple[int, int, int]
Photos = list[Image.Image]
_WHITE: Colour = (255, 255, 255)
_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZabcdefghkmnpqrstuvwxyz23456789"
_WORDS = (
    "river", "garden", "market", "window", "silver", "morning", "paper", "orange", "winter",
    "harbour", "stone", "bridge", "letter", "summer", "forest", "music", "travel", "coffee",
    "north", "valley", "open", "light", "table", "house", "number", "family",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sample:
    """One encoded picture of a kind; `half` 0 is for fixing thresholds, 1 for reporting."""

    kind: str
    half: int
    data: bytes


@lru_cache(maxsize=256)
def _font_of(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size_px)


def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return _font_of(max(round(size), 6))


def _colour(rng: Random, low: int = 0, high: int = 255) -> Colour:
    return rng.randint(low, high), rng.randint(low, high), rng.randint(low, high)


def _words(rng: Random, count: int) -> str:
    return " ".join(rng.choice(_WORDS) for _ in range(count)).capitalize()


def _photo(rng: Random, photos: Photos, size: tuple[int, int]) -> Image.Image:
    """Return a random part of a photograph in `size`."""
    image = rng.choice(photos)
    share = rng.uniform(0.6, 1.0)
    width = min(image.width, image.height * size[0] / size[1]) * share
    height = width * size[1] / size[0]
    left, top = rng.uniform(0, image.width - width), rng.uniform(0, image.height - height)
    return image.resize(size, Image.Resampling.LANCZOS, (left, top, left + width, top + height))


def _centred(draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size: float,
             fill: Colour) -> None:  # fmt: skip
    draw.text(at, text, fill=fill, font=_font(size), anchor="mm")


# -- junk ----------------------------------------------------------------------------------------


def captcha_letters(rng: Random, photos: Photos) -> Image.Image:
    """Distorted letters with lines and dots of noise."""
    width, height = rng.choice(((200, 70), (160, 60), (240, 80), (300, 100), (250, 90), (400, 150)))
    light = rng.random() < 0.85
    ground = _colour(rng, 200, 255) if light else _colour(rng, 0, 60)
    image = Image.new("RGB", (width, height), ground)
    tones = (0, 130) if light else (150, 255)
    letters = rng.randint(4, 7)
    for at in range(letters):
        tile = Image.new("RGBA", (height, height), (0, 0, 0, 0))
        _centred(ImageDraw.Draw(tile), (height / 2, height / 2), rng.choice(_LETTERS),
                 height * rng.uniform(0.5, 0.75), _colour(rng, *tones))  # fmt: skip
        tile = tile.rotate(rng.uniform(-35, 35), Image.Resampling.BICUBIC)
        left = round(width * (at + 0.5) / letters - height / 2)
        image.paste(tile, (left, rng.randint(-height // 10, height // 10)), tile)
    draw = ImageDraw.Draw(image)
    for _ in range(rng.randint(3, 12)):
        ends = [rng.randint(0, width), rng.randint(0, height), rng.randint(0, width),
                rng.randint(0, height)]  # fmt: skip
        draw.line(ends, fill=_colour(rng, *tones), width=rng.choice((1, 1, 2)))
    for _ in range(rng.choice((0, 100, 400, 1200))):
        draw.point((rng.randint(0, width), rng.randint(0, height)), fill=_colour(rng))
    if rng.random() < 0.6:
        image = _waved(image, rng, ground)
    return image


def _waved(image: Image.Image, rng: Random, ground: Colour) -> Image.Image:
    out = Image.new("RGB", image.size, ground)
    swing, period, phase = rng.uniform(2, 5), rng.uniform(25, 70), rng.uniform(0, 6)
    for x in range(image.width):
        shift = round(swing * math.sin(2 * math.pi * x / period + phase))
        out.paste(image.crop((x, 0, x + 1, image.height)), (x, shift))
    return out


def captcha_grid(rng: Random, photos: Photos) -> Image.Image:
    """A head line on colour, above a grid of small photographs with white gaps."""
    side, cells = rng.choice((400, 450, 600)), rng.choice((3, 3, 4))
    head, foot, pad = side // 4, side // 7, 7
    image = Image.new("RGB", (side, side + head + foot), _WHITE)
    draw = ImageDraw.Draw(image)
    draw.rectangle((pad, pad, side - pad, head), fill=rng.choice(((26, 115, 232), (74, 144, 226),
                   (0, 131, 143), (85, 85, 85))))  # fmt: skip
    thing = rng.choice(("traffic lights", "buses", "bicycles", "crosswalks", "boats"))
    draw.text((30, head * 0.2), "Select all images with", fill=_WHITE, font=_font(side / 25))
    draw.text((30, head * 0.45), thing, fill=_WHITE, font=_font(side / 13))
    whole = rng.choice(photos) if cells == 4 else None
    cell = (side - 2 * pad) // cells
    whole = whole.resize((cell * cells, cell * cells)) if whole else None
    for at in range(cells * cells):
        x, y = at % cells * cell, at // cells * cell
        part = (whole.crop((x, y, x + cell - 4, y + cell - 4)) if whole
                else _photo(rng, photos, (cell - 4, cell - 4)))  # fmt: skip
        image.paste(part, (pad + x + 2, head + 4 + y))
    draw.rectangle((side - side // 4, side + head + foot * 0.2, side - 2 * pad,
                    side + head + foot * 0.8), fill=(26, 115, 232))  # fmt: skip
    _centred(draw, (side * 0.86, side + head + foot / 2), "VERIFY", side / 28, _WHITE)
    return image


def captcha_slider(rng: Random, photos: Photos) -> Image.Image:
    """A photograph with a cut-out piece, above a slider."""
    width = rng.choice((320, 360, 520))
    height = width * 5 // 9
    image = Image.new("RGB", (width + 40, height + 150), _WHITE)
    draw = ImageDraw.Draw(image)
    draw.text((20, 18), "Slide to complete the puzzle", fill=(60, 60, 60), font=_font(18))
    image.paste(_photo(rng, photos, (width, height)), (20, 50))
    piece = width // 7
    left, top = 20 + rng.randint(width // 2, width - piece - 5), 50 + rng.randint(5, height - 60)
    hole = Image.new("RGB", (piece, piece), (20, 20, 20))
    image.paste(hole, (left, top), Image.new("L", hole.size, 150))
    draw.rectangle((left, top, left + piece, top + piece), outline=_WHITE, width=2)
    bar = height + 70
    draw.rounded_rectangle((20, bar, 20 + width, bar + 44), 22, fill=(235, 238, 242))
    draw.ellipse((22, bar + 2, 62, bar + 42), fill=(60, 140, 240))
    _centred(draw, (width / 2 + 30, bar + 22), "Drag the slider", 15, (140, 140, 140))
    return image


def human_check(rng: Random, photos: Photos) -> Image.Image:
    """A page that asks whether one is human: a few lines and a box, much empty ground."""
    width, height = rng.choice(((1280, 720), (1024, 768), (800, 600), (1440, 900), (600, 400),
                                (390, 844), (1920, 1080)))  # fmt: skip
    dark = rng.random() < 0.2
    ground, ink = ((34, 34, 34), (217, 217, 217)) if dark else (_WHITE, (49, 49, 49))
    image = Image.new("RGB", (width, height), ground)
    draw = ImageDraw.Draw(image)
    left, top, unit = width * rng.uniform(0.06, 0.25), height * rng.uniform(0.1, 0.25), width / 48
    unit = max(unit, 12)
    host = f"{rng.choice(_WORDS)}{rng.choice(_WORDS)}.example"
    draw.text((left, top), host, fill=ink, font=_font(unit * 1.6))
    line = rng.choice(("Verify you are human by completing the action below.",
                       "Checking if the site connection is secure", "Are you a robot?",
                       "Please complete the security check to proceed"))  # fmt: skip
    draw.text((left, top + unit * 2.6), line, fill=ink, font=_font(unit * 0.9))
    box = top + unit * 5
    fill = (50, 50, 50) if dark else (249, 249, 249)
    draw.rectangle((left, box, left + unit * 13, box + unit * 3.2), fill=fill,
                   outline=(200, 200, 200))  # fmt: skip
    draw.rectangle((left + unit, box + unit, left + unit * 2.2, box + unit * 2.2),
                   outline=(120, 120, 120), width=2)  # fmt: skip
    word = rng.choice(("I'm not a robot", "Verify you are human"))
    draw.text((left + unit * 3, box + unit * 1.1), word, fill=ink, font=_font(unit * 0.8))
    for at in range(rng.randint(0, 4)):
        draw.text((left, box + unit * (5 + at * 1.4)), _words(rng, 9), fill=ink,
                  font=_font(unit * 0.7))  # fmt: skip
    if rng.random() < 0.5:
        _centred(draw, (width / 2, height * 0.95), "Ray ID: 7f3a9c02be11", unit * 0.55, ink)
    return image


def logo(rng: Random, photos: Photos) -> Image.Image:
    """A sign of a few flat colours in the middle of an even ground, with or without a name."""
    side = rng.choice((300, 500, 800, 1000, 1200))
    wide = rng.random() < 0.4
    size = (side, side * rng.choice((1, 2)) // 2 if wide else side)
    ground = _WHITE if rng.random() < 0.75 else _colour(rng)
    image = Image.new("RGB", size, ground)
    draw = ImageDraw.Draw(image)
    inks = [_colour(rng, 0, 200) for _ in range(rng.randint(1, 3))]
    radius = min(size) * rng.uniform(0.2, 0.36)
    x = size[0] * (0.28 if wide else 0.5)
    named = wide or rng.random() < 0.6
    y = size[1] * (0.4 if named and not wide else 0.5)
    radius = min(radius, x * 0.85, y * 0.85)
    _sign(draw, rng, (x, y), radius, inks, ground)
    if named:
        name = rng.choice(_WORDS).upper() if rng.random() < 0.5 else _words(rng, rng.randint(1, 2))
        at = (size[0] * 0.72, y) if wide else (x, size[1] * 0.86)
        room = size[0] * (0.42 if wide else 0.8)
        _centred(draw, at, name, min(room / len(name) * 1.6, size[1] * 0.16), inks[0])
    return image


def _sign(draw: ImageDraw.ImageDraw, rng: Random, at: tuple[float, float], radius: float,
          inks: list[Colour], ground: Colour) -> None:  # fmt: skip
    x, y = at
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=inks[0]) if (
        rng.random() < 0.5
    ) else draw.regular_polygon((x, y, radius), rng.randint(3, 8), rng.uniform(0, 90), inks[0])
    inner = inks[-1] if len(inks) > 1 else ground
    kind = rng.randint(0, 3)
    if kind == 0:
        draw.ellipse((x - radius / 2, y - radius / 2, x + radius / 2, y + radius / 2), fill=inner)
    elif kind == 1:
        draw.regular_polygon((x, y, radius * 0.6), rng.randint(3, 6), rng.uniform(0, 90), inner)
    elif kind == 2:
        _centred(draw, at, rng.choice(_LETTERS), radius * 1.1, inner)
    else:
        draw.pieslice((x - radius, y - radius, x + radius, y + radius), rng.randint(0, 180),
                      rng.randint(200, 330), fill=inner)  # fmt: skip
    if len(inks) > 2:
        draw.line((x - radius, y + radius * 0.4, x + radius, y - radius * 0.4), fill=inks[1],
                  width=max(2, round(radius / 6)))  # fmt: skip


def removed_tile(rng: Random, photos: Photos) -> Image.Image:
    """A small tile that says the picture is not there, with or without a sign."""
    width, height = rng.choice(((200, 200), (150, 150), (161, 81), (300, 300), (250, 250),
                                (320, 240), (400, 300), (100, 100), (500, 375)))  # fmt: skip
    light = rng.random() < 0.8
    ground = _colour(rng, 215, 255) if light else _colour(rng, 20, 90)
    grey = rng.randint(40, 160) if light else rng.randint(170, 255)
    ink = (grey, grey, grey)
    image = Image.new("RGB", (width, height), ground)
    draw = ImageDraw.Draw(image)
    lines = rng.choice((("image", "removed"), ("Image not", "available"), ("No image",),
                        ("This image is", "no longer", "available"), ("Photo", "deleted"),
                        ("404", "not found"), ("The image you are", "requesting does",
                        "not exist"), ("Content not", "available")))  # fmt: skip
    longest = max(map(len, lines))
    size = min(width / longest * rng.uniform(1.1, 1.6), height / 5)
    signed = rng.random() < 0.5
    if signed:
        box = (width * 0.35, height * 0.12, width * 0.65, height * 0.42)
        draw.rectangle(box, outline=ink, width=max(2, width // 60))
        draw.polygon(((box[0], box[3]), (width * 0.47, height * 0.25), (width * 0.6, box[3])),
                     fill=ink)  # fmt: skip
        if rng.random() < 0.5:
            draw.line((box[0], box[1], box[2], box[3]), fill=ink, width=max(2, width // 60))
    middle = height * (0.66 if signed else 0.5)
    for at, line in enumerate(lines):
        down = middle + (at - (len(lines) - 1) / 2) * size * 1.25
        _centred(draw, (width / 2, down), line, size, ink)
    if rng.random() < 0.4:
        draw.rectangle((0, 0, width - 1, height - 1), outline=ink, width=rng.choice((1, 2, 4)))
    return image


def _marked(image: Image.Image, rng: Random, layer: Image.Image) -> Image.Image:
    image = image.convert("RGBA")
    image.alpha_composite(layer)
    return image.convert("RGB")


def watermark_tiled(rng: Random, photos: Photos) -> Image.Image:
    """A photograph under the repeated name of a seller."""
    width = rng.choice((450, 612, 800))
    size = (width, width * rng.choice((2, 3)) // rng.choice((3, 4)))
    side = round(1.5 * width)
    layer = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    tint = 255 if rng.random() < 0.8 else 0
    ink = (tint, tint, tint, round(255 * rng.uniform(0.25, 0.6)))
    text, letter = rng.choice(_WORDS) + "stock", width * rng.uniform(0.025, 0.06)
    across = letter * len(text) * rng.uniform(0.7, 1.0)
    down = letter * rng.uniform(2, 5)
    shift = rng.choice((0, 0.5))
    for row in range(int(side / down) + 1):
        for column in range(-1, int(side / across) + 1):
            left = (column + shift * (row % 2)) * across
            draw.text((left, row * down), text, fill=ink, font=_font(letter))
    layer = layer.rotate(rng.choice((0, 30, 45, -30, 20)), Image.Resampling.BILINEAR)
    left, top = (layer.width - size[0]) // 2, (layer.height - size[1]) // 2
    layer = layer.crop((left, top, left + size[0], top + size[1]))
    return _marked(_photo(rng, photos, size), rng, layer)


def watermark_across(rng: Random, photos: Photos) -> Image.Image:
    """A photograph under one large name, and often crossed lines and a bar."""
    width = rng.choice((450, 612, 800, 1000))
    size = (width, width * rng.choice((2, 3)) // rng.choice((3, 4)))
    layer = Image.new("RGBA", size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    ink = (255, 255, 255, round(255 * rng.uniform(0.3, 0.65)))
    text = rng.choice(_WORDS) + "stock"
    letter = width / len(text) * rng.uniform(1.0, 1.7)
    draw.text((size[0] / 2, size[1] / 2), text, fill=ink, font=_font(letter), anchor="mm")
    if rng.random() < 0.6:
        layer = layer.rotate(rng.choice((0, 20, 30, -20)), Image.Resampling.BICUBIC)
        draw = ImageDraw.Draw(layer)
    if rng.random() < 0.5:
        draw.line((0, 0, *size), fill=ink, width=max(1, width // 300))
        draw.line((0, size[1], size[0], 0), fill=ink, width=max(1, width // 300))
    image = _marked(_photo(rng, photos, size), rng, layer)
    if rng.random() < 0.3:
        bar = Image.new("RGB", (size[0], size[1] + 40), (0, 0, 0))
        bar.paste(image)
        ImageDraw.Draw(bar).text((10, size[1] + 10), f"{text}.example  2BX{rng.randint(100, 999)}",
                                 fill=_WHITE, font=_font(20))  # fmt: skip
        image = bar
    return image


# -- not junk ------------------------------------------------------------------------------------


def product(rng: Random, things: Photos) -> Image.Image:
    """A thing cut out, on white or nearly white."""
    thing = rng.choice(things)
    side = rng.choice((500, 800, 1000))
    share = side * rng.uniform(0.5, 0.9) / max(thing.size)
    thing = thing.resize((max(1, round(thing.width * share)), max(1, round(thing.height * share))))
    if rng.random() < 0.5:
        thing = thing.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    ground = rng.choice((255, 255, 250, 245))
    image = Image.new("RGB", (side, side), (ground, ground, ground))
    image.paste(thing, ((side - thing.width) // 2, (side - thing.height) // 2), thing)
    return image


def garment(rng: Random, things: Photos) -> Image.Image:
    """A plain garment in one colour with folds and a little shading, on white."""
    side, tint = rng.choice((500, 800)), _colour(rng, 10, 240)
    mask = Image.new("L", (side, side), 0)
    draw = ImageDraw.Draw(mask)
    s = side
    draw.polygon(
        [
            (s * x, s * y)
            for x, y in (
                (0.35, 0.12),
                (0.65, 0.12),
                (0.92, 0.3),
                (0.82, 0.45),
                (0.7, 0.38),
                (0.7, 0.9),
                (0.3, 0.9),
                (0.3, 0.38),
                (0.18, 0.45),
                (0.08, 0.3),
            )
        ],
        fill=255,
    )
    shade = Image.effect_noise((16, 16), rng.uniform(20, 60)).resize(
        (s, s), Image.Resampling.BICUBIC
    )
    flat = Image.new("RGB", (s, s), tint)
    cloth = Image.blend(flat, Image.merge("RGB", (shade,) * 3), rng.uniform(0.08, 0.25))
    image = Image.new("RGB", (s, s), _WHITE)
    image.paste(cloth, mask=mask.filter(ImageFilter.GaussianBlur(2)))
    return image


def chart(rng: Random, photos: Photos) -> Image.Image:
    """Bars, lines, points or a pie, with axes, ticks, a title and a legend."""
    width = rng.choice((640, 800, 1200))
    height = width * rng.choice((3, 2)) // 4 if rng.random() < 0.7 else width
    ground = _WHITE if rng.random() < 0.8 else rng.choice(((234, 234, 242), (30, 30, 36)))
    ink = (40, 40, 40) if sum(ground) > 380 else (220, 220, 220)
    image = Image.new("RGB", (width, height), ground)
    draw = ImageDraw.Draw(image)
    unit = width / 45
    _centred(draw, (width / 2, height * 0.06), _words(rng, rng.randint(2, 5)), unit * 1.3, ink)
    hues = [_colour(rng, 20, 220) for _ in range(rng.randint(1, 5))]
    box = (width * 0.12, height * 0.13, width * 0.94, height * 0.86)
    kind = rng.choice(("bars", "bars", "lines", "points", "pie", "area"))
    if kind == "pie":
        _pie(draw, rng, width, height, hues, ink, unit)
    else:
        _axes(draw, rng, box, ink, unit)
        _data(draw, rng, box, hues, kind)
    if rng.random() < 0.6:
        for at, hue in enumerate(hues):
            y = height * 0.16 + at * unit * 1.5
            draw.rectangle((width * 0.8, y, width * 0.8 + unit, y + unit), fill=hue)
            draw.text((width * 0.83, y), rng.choice(_WORDS), fill=ink, font=_font(unit * 0.9))
    return image


def _pie(draw: ImageDraw.ImageDraw, rng: Random, width: int, height: int, hues: list[Colour],
         ink: Colour, unit: float) -> None:  # fmt: skip
    x, y, radius = width * 0.42, height * 0.53, height * 0.36
    start = 0.0
    hues = [*hues, *(_colour(rng, 20, 220) for _ in range(3))]
    for hue in hues:
        end = start + 360 / len(hues) * rng.uniform(0.7, 1.25)
        draw.pieslice((x - radius, y - radius, x + radius, y + radius), start, min(end, 360), hue)
        middle = math.radians((start + end) / 2)
        _centred(draw, (x + radius * 1.15 * math.cos(middle), y + radius * 1.15 * math.sin(middle)),
                 f"{rng.randint(3, 40)} %", unit, ink)  # fmt: skip
        start = end


def _axes(draw: ImageDraw.ImageDraw, rng: Random, box: tuple[float, float, float, float],
          ink: Colour, unit: float) -> None:  # fmt: skip
    left, top, right, bottom = box
    draw.line((left, top, left, bottom, right, bottom), fill=ink, width=2)
    grid = rng.random() < 0.5
    ticks = rng.randint(4, 9)
    for at in range(ticks + 1):
        y = bottom - (bottom - top) * at / ticks
        draw.line((left - unit / 2, y, right if grid else left, y), fill=(190, 190, 190))
        draw.text((left - unit, y), str(at * 20), fill=ink, font=_font(unit * 0.9), anchor="rm")
        x = left + (right - left) * at / ticks
        _centred(draw, (x, bottom + unit), str(2010 + at), unit * 0.9, ink)
    _centred(draw, ((left + right) / 2, bottom + unit * 2.4), _words(rng, 2), unit, ink)


def _data(draw: ImageDraw.ImageDraw, rng: Random, box: tuple[float, float, float, float],
          hues: list[Colour], kind: str) -> None:  # fmt: skip
    left, top, right, bottom = box
    many = rng.randint(5, 16) if kind == "bars" else rng.randint(8, 60)
    step = (right - left) / many
    for index, hue in enumerate(hues):
        if kind == "bars":
            each = step * 0.8 / len(hues)
            for at in range(many):
                x = left + at * step + step * 0.1 + index * each
                draw.rectangle((x, bottom - (bottom - top) * rng.uniform(0.05, 0.95), x + each,
                                bottom), fill=hue)  # fmt: skip
        elif kind == "points":
            for _ in range(many * 2):
                x, y = rng.uniform(left, right), rng.uniform(top, bottom)
                draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=hue)
        else:
            level, line = rng.uniform(0.3, 0.7), []
            for at in range(many + 1):
                level = min(max(level + rng.uniform(-0.12, 0.12), 0.03), 0.97)
                line.append((left + at * step, bottom - (bottom - top) * level))
            if kind == "area":
                draw.polygon([*line, (right, bottom), (left, bottom)], fill=hue)
            draw.line(line, fill=hue, width=3)


def meme(rng: Random, photos: Photos) -> Image.Image:
    """A photograph with large white text with a black edge, above and below or on a white band."""
    width = rng.choice((500, 600, 720))
    image = _photo(rng, photos, (width, width * rng.choice((3, 4)) // 4))
    if rng.random() < 0.4:
        band = Image.new("RGB", (width, image.height + width // 4), _WHITE)
        band.paste(image, (0, width // 4))
        ImageDraw.Draw(band).text((15, 15), _words(rng, 4) + "\n" + _words(rng, 4),
                                  fill=(0, 0, 0), font=_font(width / 18))  # fmt: skip
        return band
    draw = ImageDraw.Draw(image)
    for y in (0.1, 0.9):
        draw.text((width / 2, image.height * y), _words(rng, rng.randint(2, 4)).upper(),
                  fill=_WHITE, stroke_fill=(0, 0, 0), stroke_width=3, anchor="mm",
                  font=_font(width / 16))  # fmt: skip
    return image


def scan(rng: Random, photos: Photos) -> Image.Image:
    """A page of text, slightly turned, on paper with noise."""
    width = rng.choice((800, 1000, 1240))
    height = round(width * rng.choice((1.414, 1.3, 0.75)))
    paper = rng.randint(215, 255)
    image = Image.new("L", (width, height), paper)
    draw = ImageDraw.Draw(image)
    letter = width / rng.randint(38, 75)
    y = height * 0.08
    while y < height * rng.uniform(0.7, 0.93):
        draw.text((width * 0.1, y), _words(rng, round(width * 0.8 / letter / 3.4)),
                  fill=rng.randint(10, 70), font=_font(letter))  # fmt: skip
        y += letter * rng.choice((1.4, 1.4, 1.4, 2.6))
    image = image.rotate(rng.uniform(-1.5, 1.5), Image.Resampling.BICUBIC, fillcolor=paper)
    noise = Image.effect_noise(image.size, rng.uniform(4, 18))
    return Image.blend(image, noise, 0.12).convert("RGB")


def line_art(rng: Random, photos: Photos) -> Image.Image:
    """Black strokes on white: curves, hatching and closed forms, as in a colouring book."""
    side = rng.choice((600, 800, 1000))
    image = Image.new("RGB", (side, side), _WHITE)
    draw = ImageDraw.Draw(image)
    stroke = rng.choice((2, 3, 5))
    for _ in range(rng.randint(8, 40)):
        x, y, r = rng.uniform(0, side), rng.uniform(0, side), side * rng.uniform(0.03, 0.3)
        form = rng.randint(0, 2)
        if form == 0:
            draw.ellipse((x - r, y - r * rng.uniform(0.4, 1), x + r, y + r), outline=(0, 0, 0),
                         width=stroke)  # fmt: skip
        elif form == 1:
            draw.arc((x - r, y - r, x + r, y + r), rng.randint(0, 180), rng.randint(180, 360),
                     (0, 0, 0), stroke)  # fmt: skip
        else:
            points = [(x + rng.uniform(-r, r), y + rng.uniform(-r, r)) for _ in range(6)]
            draw.line(points, fill=(0, 0, 0), width=stroke, joint="curve")
    return image


def line_photo(rng: Random, photos: Photos) -> Image.Image:
    """A pencil drawing made from a photograph's contours."""
    image = _photo(rng, photos, (900, 700)).convert("L").filter(ImageFilter.GaussianBlur(2))
    edges = image.filter(ImageFilter.FIND_EDGES).point(lambda v: max(0, 255 - 5 * v))
    return edges.crop((8, 8, 892, 692)).convert("RGB")


def collage(rng: Random, photos: Photos) -> Image.Image:
    """Several photographs in a grid, with or without gaps."""
    across, down = rng.choice(((2, 2), (3, 2), (3, 3), (2, 3), (4, 4), (2, 1)))
    cell, gap = rng.choice((200, 300)), rng.choice((0, 4, 10, 20))
    ground = rng.choice((_WHITE, (0, 0, 0), _WHITE))
    image = Image.new("RGB", (across * (cell + gap) + gap, down * (cell + gap) + gap), ground)
    for at in range(across * down):
        corner = gap + at % across * (cell + gap), gap + at // across * (cell + gap)
        image.paste(_photo(rng, photos, (cell, cell)), corner)
    return image


def screenshot(rng: Random, photos: Photos) -> Image.Image:
    """A web page with a bar, text in columns and a picture or two."""
    width, height = rng.choice(((1280, 800), (1440, 900), (390, 844), (1024, 768)))
    image = Image.new("RGB", (width, height), _WHITE)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width, height * 0.09), fill=_colour(rng))
    draw.text((20, height * 0.03), _words(rng, 2), fill=_WHITE, font=_font(24))
    shown = (width * 2 // 5, height // 3)
    image.paste(_photo(rng, photos, shown), (20, round(height * 0.13)))
    for at in range(26):
        left = 20 if at > 12 else shown[0] + 40
        y = height * 0.13 + (at if at <= 12 else at - 13) * 22 + (shown[1] + 20 if at > 12 else 0)
        draw.text((left, y), _words(rng, 5), fill=(40, 40, 40), font=_font(15))
    return image


_Draw = Callable[[Random, Photos], Image.Image]
JUNK: dict[str, _Draw] = {
    "captcha: letters": captcha_letters, "captcha: grid": captcha_grid,
    "captcha: slider": captcha_slider, "human check page": human_check, "logo": logo,
    "removed tile": removed_tile, "watermark, tiled": watermark_tiled,
    "watermark, across": watermark_across,
}  # fmt: skip
DRAWN: dict[str, _Draw] = {
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
    return _photo(rng, [image], (480, 360)) if rng.random() < 0.5 else image.resize(
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
