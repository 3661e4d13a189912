"""Junk of the web, drawn in seeded variants: captchas, human checks, logos, "image removed" tiles,
previews with watermarks.
"""

from __future__ import annotations

import math
from random import Random

from PIL import Image, ImageDraw

from bench.junk_strokes import (
    LETTERS,
    WHITE,
    WORDS,
    Colour,
    Photos,
    centred,
    colour,
    font,
    photo,
    words,
)

__all__ = [
    "captcha_grid", "captcha_letters", "captcha_slider", "human_check", "logo", "removed_tile",
    "watermark_across", "watermark_tiled",
]  # fmt: skip


def captcha_letters(rng: Random, photos: Photos) -> Image.Image:
    """Distorted letters with lines and dots of noise."""
    width, height = rng.choice(((200, 70), (160, 60), (240, 80), (300, 100), (250, 90), (400, 150)))
    light = rng.random() < 0.85
    ground = colour(rng, 200, 255) if light else colour(rng, 0, 60)
    image = Image.new("RGB", (width, height), ground)
    tones = (0, 130) if light else (150, 255)
    letters = rng.randint(4, 7)
    for at in range(letters):
        tile = Image.new("RGBA", (height, height), (0, 0, 0, 0))
        centred(ImageDraw.Draw(tile), (height / 2, height / 2), rng.choice(LETTERS),
                 height * rng.uniform(0.5, 0.75), colour(rng, *tones))  # fmt: skip
        tile = tile.rotate(rng.uniform(-35, 35), Image.Resampling.BICUBIC)
        left = round(width * (at + 0.5) / letters - height / 2)
        image.paste(tile, (left, rng.randint(-height // 10, height // 10)), tile)
    draw = ImageDraw.Draw(image)
    for _ in range(rng.randint(3, 12)):
        ends = [rng.randint(0, width), rng.randint(0, height), rng.randint(0, width),
                rng.randint(0, height)]  # fmt: skip
        draw.line(ends, fill=colour(rng, *tones), width=rng.choice((1, 1, 2)))
    for _ in range(rng.choice((0, 100, 400, 1200))):
        draw.point((rng.randint(0, width), rng.randint(0, height)), fill=colour(rng))
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
    image = Image.new("RGB", (side, side + head + foot), WHITE)
    draw = ImageDraw.Draw(image)
    draw.rectangle((pad, pad, side - pad, head), fill=rng.choice(((26, 115, 232), (74, 144, 226),
                   (0, 131, 143), (85, 85, 85))))  # fmt: skip
    thing = rng.choice(("traffic lights", "buses", "bicycles", "crosswalks", "boats"))
    draw.text((30, head * 0.2), "Select all images with", fill=WHITE, font=font(side / 25))
    draw.text((30, head * 0.45), thing, fill=WHITE, font=font(side / 13))
    whole = rng.choice(photos) if cells == 4 else None
    cell = (side - 2 * pad) // cells
    whole = whole.resize((cell * cells, cell * cells)) if whole else None
    for at in range(cells * cells):
        x, y = at % cells * cell, at // cells * cell
        part = (whole.crop((x, y, x + cell - 4, y + cell - 4)) if whole
                else photo(rng, photos, (cell - 4, cell - 4)))  # fmt: skip
        image.paste(part, (pad + x + 2, head + 4 + y))
    draw.rectangle((side - side // 4, side + head + foot * 0.2, side - 2 * pad,
                    side + head + foot * 0.8), fill=(26, 115, 232))  # fmt: skip
    centred(draw, (side * 0.86, side + head + foot / 2), "VERIFY", side / 28, WHITE)
    return image


def captcha_slider(rng: Random, photos: Photos) -> Image.Image:
    """A photograph with a cut-out piece, above a slider."""
    width = rng.choice((320, 360, 520))
    height = width * 5 // 9
    image = Image.new("RGB", (width + 40, height + 150), WHITE)
    draw = ImageDraw.Draw(image)
    draw.text((20, 18), "Slide to complete the puzzle", fill=(60, 60, 60), font=font(18))
    image.paste(photo(rng, photos, (width, height)), (20, 50))
    piece = width // 7
    left, top = 20 + rng.randint(width // 2, width - piece - 5), 50 + rng.randint(5, height - 60)
    hole = Image.new("RGB", (piece, piece), (20, 20, 20))
    image.paste(hole, (left, top), Image.new("L", hole.size, 150))
    draw.rectangle((left, top, left + piece, top + piece), outline=WHITE, width=2)
    bar = height + 70
    draw.rounded_rectangle((20, bar, 20 + width, bar + 44), 22, fill=(235, 238, 242))
    draw.ellipse((22, bar + 2, 62, bar + 42), fill=(60, 140, 240))
    centred(draw, (width / 2 + 30, bar + 22), "Drag the slider", 15, (140, 140, 140))
    return image


def human_check(rng: Random, photos: Photos) -> Image.Image:
    """A page that asks whether one is human: a few lines and a box, much empty ground."""
    width, height = rng.choice(((1280, 720), (1024, 768), (800, 600), (1440, 900), (600, 400),
                                (390, 844), (1920, 1080)))  # fmt: skip
    dark = rng.random() < 0.2
    ground, ink = ((34, 34, 34), (217, 217, 217)) if dark else (WHITE, (49, 49, 49))
    image = Image.new("RGB", (width, height), ground)
    draw = ImageDraw.Draw(image)
    left, top, unit = width * rng.uniform(0.06, 0.25), height * rng.uniform(0.1, 0.25), width / 48
    unit = max(unit, 12)
    host = f"{rng.choice(WORDS)}{rng.choice(WORDS)}.example"
    draw.text((left, top), host, fill=ink, font=font(unit * 1.6))
    line = rng.choice(("Verify you are human by completing the action below.",
                       "Checking if the site connection is secure", "Are you a robot?",
                       "Please complete the security check to proceed"))  # fmt: skip
    draw.text((left, top + unit * 2.6), line, fill=ink, font=font(unit * 0.9))
    box = top + unit * 5
    fill = (50, 50, 50) if dark else (249, 249, 249)
    draw.rectangle((left, box, left + unit * 13, box + unit * 3.2), fill=fill,
                   outline=(200, 200, 200))  # fmt: skip
    draw.rectangle((left + unit, box + unit, left + unit * 2.2, box + unit * 2.2),
                   outline=(120, 120, 120), width=2)  # fmt: skip
    word = rng.choice(("I'm not a robot", "Verify you are human"))
    draw.text((left + unit * 3, box + unit * 1.1), word, fill=ink, font=font(unit * 0.8))
    for at in range(rng.randint(0, 4)):
        draw.text((left, box + unit * (5 + at * 1.4)), words(rng, 9), fill=ink,
                  font=font(unit * 0.7))  # fmt: skip
    if rng.random() < 0.5:
        centred(draw, (width / 2, height * 0.95), "Ray ID: 7f3a9c02be11", unit * 0.55, ink)
    return image


def logo(rng: Random, photos: Photos) -> Image.Image:
    """A sign of a few flat colours in the middle of an even ground, with or without a name."""
    side = rng.choice((300, 500, 800, 1000, 1200))
    wide = rng.random() < 0.4
    size = (side, side * rng.choice((1, 2)) // 2 if wide else side)
    ground = WHITE if rng.random() < 0.75 else colour(rng)
    image = Image.new("RGB", size, ground)
    draw = ImageDraw.Draw(image)
    inks = [colour(rng, 0, 200) for _ in range(rng.randint(1, 3))]
    radius = min(size) * rng.uniform(0.2, 0.36)
    x = size[0] * (0.28 if wide else 0.5)
    named = wide or rng.random() < 0.6
    y = size[1] * (0.4 if named and not wide else 0.5)
    radius = min(radius, x * 0.85, y * 0.85)
    _sign(draw, rng, (x, y), radius, inks, ground)
    if named:
        name = rng.choice(WORDS).upper() if rng.random() < 0.5 else words(rng, rng.randint(1, 2))
        at = (size[0] * 0.72, y) if wide else (x, size[1] * 0.86)
        room = size[0] * (0.42 if wide else 0.8)
        centred(draw, at, name, min(room / len(name) * 1.6, size[1] * 0.16), inks[0])
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
        centred(draw, at, rng.choice(LETTERS), radius * 1.1, inner)
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
    ground = colour(rng, 215, 255) if light else colour(rng, 20, 90)
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
        centred(draw, (width / 2, down), line, size, ink)
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
    text, letter = rng.choice(WORDS) + "stock", width * rng.uniform(0.025, 0.06)
    across = letter * len(text) * rng.uniform(0.7, 1.0)
    down = letter * rng.uniform(2, 5)
    shift = rng.choice((0, 0.5))
    for row in range(int(side / down) + 1):
        for column in range(-1, int(side / across) + 1):
            left = (column + shift * (row % 2)) * across
            draw.text((left, row * down), text, fill=ink, font=font(letter))
    layer = layer.rotate(rng.choice((0, 30, 45, -30, 20)), Image.Resampling.BILINEAR)
    left, top = (layer.width - size[0]) // 2, (layer.height - size[1]) // 2
    layer = layer.crop((left, top, left + size[0], top + size[1]))
    return _marked(photo(rng, photos, size), rng, layer)


def watermark_across(rng: Random, photos: Photos) -> Image.Image:
    """A photograph under one large name, and often crossed lines and a bar."""
    width = rng.choice((450, 612, 800, 1000))
    size = (width, width * rng.choice((2, 3)) // rng.choice((3, 4)))
    layer = Image.new("RGBA", size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    ink = (255, 255, 255, round(255 * rng.uniform(0.3, 0.65)))
    text = rng.choice(WORDS) + "stock"
    letter = width / len(text) * rng.uniform(1.0, 1.7)
    draw.text((size[0] / 2, size[1] / 2), text, fill=ink, font=font(letter), anchor="mm")
    if rng.random() < 0.6:
        layer = layer.rotate(rng.choice((0, 20, 30, -20)), Image.Resampling.BICUBIC)
        draw = ImageDraw.Draw(layer)
    if rng.random() < 0.5:
        draw.line((0, 0, *size), fill=ink, width=max(1, width // 300))
        draw.line((0, size[1], size[0], 0), fill=ink, width=max(1, width // 300))
    image = _marked(photo(rng, photos, size), rng, layer)
    if rng.random() < 0.3:
        bar = Image.new("RGB", (size[0], size[1] + 40), (0, 0, 0))
        bar.paste(image)
        ImageDraw.Draw(bar).text((10, size[1] + 10), f"{text}.example  2BX{rng.randint(100, 999)}",
                                 fill=WHITE, font=font(20))  # fmt: skip
        image = bar
    return image
