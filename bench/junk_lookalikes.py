"""Pictures that resemble junk and are none, drawn in seeded variants: products, garments, charts,
memes, scans, line art, pencil drawings, collages, screenshots.
"""

from __future__ import annotations

import math
from random import Random

from PIL import Image, ImageDraw, ImageFilter

from bench.junk_strokes import WHITE, WORDS, Colour, Photos, centred, colour, font, photo, words

__all__ = [
    "chart", "collage", "garment", "line_art", "line_photo", "meme", "product", "scan",
    "screenshot",
]  # fmt: skip


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
    side, tint = rng.choice((500, 800)), colour(rng, 10, 240)
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
    image = Image.new("RGB", (s, s), WHITE)
    image.paste(cloth, mask=mask.filter(ImageFilter.GaussianBlur(2)))
    return image


def chart(rng: Random, photos: Photos) -> Image.Image:
    """Bars, lines, points or a pie, with axes, ticks, a title and a legend."""
    width = rng.choice((640, 800, 1200))
    height = width * rng.choice((3, 2)) // 4 if rng.random() < 0.7 else width
    ground = WHITE if rng.random() < 0.8 else rng.choice(((234, 234, 242), (30, 30, 36)))
    ink = (40, 40, 40) if sum(ground) > 380 else (220, 220, 220)
    image = Image.new("RGB", (width, height), ground)
    draw = ImageDraw.Draw(image)
    unit = width / 45
    centred(draw, (width / 2, height * 0.06), words(rng, rng.randint(2, 5)), unit * 1.3, ink)
    hues = [colour(rng, 20, 220) for _ in range(rng.randint(1, 5))]
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
            draw.text((width * 0.83, y), rng.choice(WORDS), fill=ink, font=font(unit * 0.9))
    return image


def _pie(draw: ImageDraw.ImageDraw, rng: Random, width: int, height: int, hues: list[Colour],
         ink: Colour, unit: float) -> None:  # fmt: skip
    x, y, radius = width * 0.42, height * 0.53, height * 0.36
    start = 0.0
    hues = [*hues, *(colour(rng, 20, 220) for _ in range(3))]
    for hue in hues:
        end = start + 360 / len(hues) * rng.uniform(0.7, 1.25)
        draw.pieslice((x - radius, y - radius, x + radius, y + radius), start, min(end, 360), hue)
        middle = math.radians((start + end) / 2)
        centred(draw, (x + radius * 1.15 * math.cos(middle), y + radius * 1.15 * math.sin(middle)),
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
        draw.text((left - unit, y), str(at * 20), fill=ink, font=font(unit * 0.9), anchor="rm")
        x = left + (right - left) * at / ticks
        centred(draw, (x, bottom + unit), str(2010 + at), unit * 0.9, ink)
    centred(draw, ((left + right) / 2, bottom + unit * 2.4), words(rng, 2), unit, ink)


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
    image = photo(rng, photos, (width, width * rng.choice((3, 4)) // 4))
    if rng.random() < 0.4:
        band = Image.new("RGB", (width, image.height + width // 4), WHITE)
        band.paste(image, (0, width // 4))
        ImageDraw.Draw(band).text((15, 15), words(rng, 4) + "\n" + words(rng, 4),
                                  fill=(0, 0, 0), font=font(width / 18))  # fmt: skip
        return band
    draw = ImageDraw.Draw(image)
    for y in (0.1, 0.9):
        draw.text((width / 2, image.height * y), words(rng, rng.randint(2, 4)).upper(),
                  fill=WHITE, stroke_fill=(0, 0, 0), stroke_width=3, anchor="mm",
                  font=font(width / 16))  # fmt: skip
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
        draw.text((width * 0.1, y), words(rng, round(width * 0.8 / letter / 3.4)),
                  fill=rng.randint(10, 70), font=font(letter))  # fmt: skip
        y += letter * rng.choice((1.4, 1.4, 1.4, 2.6))
    image = image.rotate(rng.uniform(-1.5, 1.5), Image.Resampling.BICUBIC, fillcolor=paper)
    noise = Image.effect_noise(image.size, rng.uniform(4, 18))
    return Image.blend(image, noise, 0.12).convert("RGB")


def line_art(rng: Random, photos: Photos) -> Image.Image:
    """Black strokes on white: curves, hatching and closed forms, as in a colouring book."""
    side = rng.choice((600, 800, 1000))
    image = Image.new("RGB", (side, side), WHITE)
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
    image = photo(rng, photos, (900, 700)).convert("L").filter(ImageFilter.GaussianBlur(2))
    edges = image.filter(ImageFilter.FIND_EDGES).point(lambda v: max(0, 255 - 5 * v))
    return edges.crop((8, 8, 892, 692)).convert("RGB")


def collage(rng: Random, photos: Photos) -> Image.Image:
    """Several photographs in a grid, with or without gaps."""
    across, down = rng.choice(((2, 2), (3, 2), (3, 3), (2, 3), (4, 4), (2, 1)))
    cell, gap = rng.choice((200, 300)), rng.choice((0, 4, 10, 20))
    ground = rng.choice((WHITE, (0, 0, 0), WHITE))
    image = Image.new("RGB", (across * (cell + gap) + gap, down * (cell + gap) + gap), ground)
    for at in range(across * down):
        corner = gap + at % across * (cell + gap), gap + at // across * (cell + gap)
        image.paste(photo(rng, photos, (cell, cell)), corner)
    return image


def screenshot(rng: Random, photos: Photos) -> Image.Image:
    """A web page with a bar, text in columns and a picture or two."""
    width, height = rng.choice(((1280, 800), (1440, 900), (390, 844), (1024, 768)))
    image = Image.new("RGB", (width, height), WHITE)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width, height * 0.09), fill=colour(rng))
    draw.text((20, height * 0.03), words(rng, 2), fill=WHITE, font=font(24))
    shown = (width * 2 // 5, height // 3)
    image.paste(photo(rng, photos, shown), (20, round(height * 0.13)))
    for at in range(26):
        left = 20 if at > 12 else shown[0] + 40
        y = height * 0.13 + (at if at <= 12 else at - 13) * 22 + (shown[1] + 20 if at > 12 else 0)
        draw.text((left, y), words(rng, 5), fill=(40, 40, 40), font=font(15))
    return image
