"""Junk in layouts, fonts and languages other than those of `bench.junk_drawn`.

Thresholds were fixed on these, too, since 2026-11-29. Fonts: `python -m bench.junk_layouts`
downloads five packages of Debian (nothing is installed) and seven of PyPI into
`$PIXTRAWL_BENCH_CACHE/fonts`; licences are OFL, Apache-2.0 and GPL with the font exception, as
each package states.
"""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

from PIL import Image, ImageDraw, ImageFont

from bench.dedup_photos import cache_folder

__all__ = ["LAYOUTS", "fetch"]

_DEBIAN = (
    "fonts-liberation", "fonts-freefont-ttf", "fonts-comic-neue", "fonts-open-sans",
    "fonts-wqy-microhei",
)  # fmt: skip
_PYPI = (
    "font-roboto", "font-lato", "font-source-serif-pro", "font-amatic-sc", "font-caladea",
    "font-intuitive", "font-fredoka-one",
)  # fmt: skip

Photos = list[Image.Image]
Colour = tuple[int, int, int]
_WHITE: Colour = (255, 255, 255)

_ASK = (
    "Bitte alle Bilder mit Bussen anklicken", "Sélectionnez toutes les images", "请点击所有的灯笼",
    "Выберите все изображения с лодками", "Seleccione todos los semáforos", "Click each image",
)  # fmt: skip
_SLIDE = (
    "Schieben, um das Bild zu vervollständigen", "请拖动滑块完成拼图", "Faites glisser",
    "Переместите ползунок", "Arrastre la pieza", "Drag to fit the piece",
)  # fmt: skip
_GONE = (
    ("Bild nicht", "verfügbar"), ("Image", "indisponible"), ("图片已删除",), ("Нет фото",),
    ("Imagen no", "disponible"), ("no photo",), ("IMAGE", "UNAVAILABLE"), ("Foto ontbreekt",),
)  # fmt: skip
_HUMAN = (
    ("Sind Sie ein Mensch?", "Bitte bestätigen Sie, dass Sie kein Roboter sind."),
    ("Vérification de sécurité", "Cochez la case pour continuer vers le site."),
    ("安全验证", "请完成验证以继续访问"),
    ("Проверка браузера", "Подтвердите, что вы не робот"),
    ("One more step", "Please complete the security check to access this page."),
)
_NAMES = ("Nordwind", "Bäckerei Klee", "Лада", "山水", "Olea", "KRANICH", "Fábrica 9", "mint&co")


def fetch() -> None:
    """Download the fonts. Raise CalledProcessError."""
    place = cache_folder() / "fonts"
    place.mkdir(parents=True, exist_ok=True)
    for package in _DEBIAN:
        subprocess.run(["apt-get", "download", "-q", package], cwd=place, check=True)
        (file,) = place.glob(f"{package}_*.deb")
        subprocess.run(["dpkg", "-x", file, place], check=True)
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    subprocess.run(
        [uv, "pip", "install", "-q", "--no-deps", "--target", str(place / "pypi"), *_PYPI],
        check=True,
    )


@cache
def _faces(chinese: bool) -> tuple[Path, ...]:
    files = sorted((cache_folder() / "fonts").rglob("*.tt[fc]"))
    if chinese:
        return tuple(file for file in files if "wqy" in file.name)
    # Letters of all languages above: not every display face has them.
    known = ("Liberation", "FreeS", "OpenSans", "Roboto", "SourceSerif", "FreeMono")
    return tuple(file for file in files if file.name.startswith(known) and "Thin" not in file.name)


@cache
def _display_faces() -> tuple[Path, ...]:
    known = ("Amatic", "Caladea", "Intuitive", "Fredoka", "Lato", "ComicNeue", "Roboto-Black")
    files = sorted((cache_folder() / "fonts").rglob("*.ttf"))
    return tuple(file for file in files if file.name.startswith(known))


@cache
def _loaded(face: Path, size_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(face, size_px)


def _font(rng: Random, text: str, size: float) -> ImageFont.FreeTypeFont:
    chinese = any(ord(letter) > 0x2E80 for letter in text)
    return _loaded(rng.choice(_faces(chinese)), max(round(size), 6))


def _tint(rng: Random, low: int, high: int) -> Colour:
    return rng.randint(low, high), rng.randint(low, high), rng.randint(low, high)


def _part(rng: Random, photos: Photos, size: tuple[int, int]) -> Image.Image:
    image = rng.choice(photos)
    width = min(image.width, image.height * size[0] / size[1]) * rng.uniform(0.4, 1)
    height = width * size[1] / size[0]
    left, top = rng.uniform(0, image.width - width), rng.uniform(0, image.height - height)
    return image.resize(size, Image.Resampling.BICUBIC, (left, top, left + width, top + height))


def letters(rng: Random, photos: Photos) -> Image.Image:
    """Letters of one display face on a striped or speckled ground, under arcs."""
    width, height = rng.choice(((180, 60), (220, 80), (280, 96), (350, 120)))
    image = Image.new("RGB", (width, height), _tint(rng, 210, 250))
    draw = ImageDraw.Draw(image)
    for at in range(0, width, rng.choice((8, 13, 1000))):
        draw.line((at, 0, at + height // 2, height), fill=_tint(rng, 190, 235))
    face, count = rng.choice(_display_faces()), rng.randint(4, 6)
    for at in range(count):
        tile = Image.new("RGBA", (height * 2, height * 2), (0, 0, 0, 0))
        font = _loaded(face, round(height * rng.uniform(0.55, 0.85)))
        ImageDraw.Draw(tile).text((height, height), rng.choice("ABCDEFGHKMNPRSTWXYZ23456789"),
                                  fill=_tint(rng, 0, 140), font=font, anchor="mm")  # fmt: skip
        slant = (1, rng.uniform(-0.5, 0.5), 0, rng.uniform(-0.15, 0.15), 1, 0)
        tile = tile.rotate(rng.uniform(-28, 28)).transform(tile.size, Image.Transform.AFFINE, slant)
        at_px = (round(width * (at + 0.5) / count) - height, -height // 2)
        image.paste(tile, at_px, tile)
    for _ in range(rng.randint(2, 6)):
        x, y = rng.randint(0, width), rng.randint(0, height)
        draw.arc((x - width // 2, y - height // 2, x + width // 2, y + height // 2),
                 rng.randint(0, 180), rng.randint(190, 360), _tint(rng, 0, 150),
                 rng.choice((1, 2)))  # fmt: skip
    return image


def grid(rng: Random, photos: Photos) -> Image.Image:
    """Tiles with wide gaps on white, a coloured or white head with an example, signs below."""
    side = rng.choice((360, 480, 560, 640))
    cells, gap = rng.choice((3, 3, 3, 4)), rng.choice((4, 6, 10))
    head, foot = round(side * rng.uniform(0.2, 0.34)), round(side * rng.uniform(0.12, 0.2))
    image = Image.new("RGB", (side, side + head + foot), _WHITE)
    draw = ImageDraw.Draw(image)
    ink = (40, 40, 40)
    if rng.random() < 0.75:
        draw.rectangle((gap, gap, side - gap, head - gap), fill=_tint(rng, 20, 160))
        ink = _WHITE
    text = rng.choice(_ASK)
    draw.text((side * 0.05, head * 0.35), text, fill=ink, font=_font(rng, text, side / 24))
    if rng.random() < 0.5:
        shown = round(head * 0.7)
        image.paste(_part(rng, photos, (shown, shown)), (side - shown - 2 * gap, head // 7))
    cell = (side - gap) // cells
    for at in range(cells * cells):
        corner = gap + at % cells * cell, head + at // cells * cell
        image.paste(_part(rng, photos, (cell - gap, cell - gap)), corner)
    for at in range(3):
        x = side * (0.06 + 0.09 * at)
        draw.ellipse((x, side + head + foot * 0.3, x + foot * 0.4, side + head + foot * 0.7),
                     outline=(110, 110, 110), width=2)  # fmt: skip
    draw.rounded_rectangle((side * 0.72, side + head + foot * 0.2, side * 0.97,
                            side + head + foot * 0.82), 4, fill=_tint(rng, 40, 150))  # fmt: skip
    return image


def slider(rng: Random, photos: Photos) -> Image.Image:
    """A photograph with a missing piece, text below or above, a track with a square knob."""
    width, pad = rng.choice((280, 310, 400, 480)), rng.choice((10, 16, 24))
    height, track = round(width * rng.uniform(0.45, 0.65)), rng.choice((32, 40, 48))
    top = pad if rng.random() < 0.5 else pad + 34
    image = Image.new("RGB", (width + 2 * pad, top + height + track + 3 * pad), _WHITE)
    draw, text = ImageDraw.Draw(image), rng.choice(_SLIDE)
    if top > pad:
        draw.text((pad, pad), text, fill=(70, 70, 70), font=_font(rng, text, 15))
    image.paste(_part(rng, photos, (width, height)), (pad, top))
    piece = width // 6
    x, y = (
        pad + rng.randint(width // 3, width - piece - 4),
        top + rng.randint(4, height - piece - 4),
    )
    image.paste(Image.new("RGB", (piece, piece), _tint(rng, 0, 255)), (x, y),
                Image.new("L", (piece, piece), rng.choice((110, 160))))  # fmt: skip
    bar = top + height + pad
    draw.rectangle((pad, bar, pad + width, bar + track), fill=_tint(rng, 225, 247),
                   outline=(225, 225, 225))  # fmt: skip
    knob = _tint(rng, 30, 190) if rng.random() < 0.7 else _WHITE
    draw.rectangle((pad + 1, bar + 1, pad + track, bar + track - 1), fill=knob,
                   outline=(200, 200, 200))  # fmt: skip
    draw.text((pad + track * 0.35, bar + track * 0.25), ">>", fill=(90, 90, 90),
              font=_font(rng, ">", track * 0.4))  # fmt: skip
    if top == pad:
        draw.text((pad + width / 2, bar + track / 2), text[:24], fill=(140, 140, 140), anchor="mm",
                  font=_font(rng, text, 13))  # fmt: skip
    return image


def check_page(rng: Random, photos: Photos) -> Image.Image:
    """A heading, a sentence and a box in the middle of a page."""
    width, height = rng.choice(((1366, 768), (1200, 675), (800, 600), (414, 896)))
    ground = rng.choice((_WHITE, (245, 247, 250), (27, 29, 36)))
    ink = (45, 45, 45) if sum(ground) > 380 else (225, 225, 225)
    image = Image.new("RGB", (width, height), ground)
    draw, unit = ImageDraw.Draw(image), max(width / 50, 13)
    head, line = rng.choice(_HUMAN)
    x, y = width / 2, height * rng.uniform(0.25, 0.4)
    draw.text((x, y), head, fill=ink, font=_font(rng, head, unit * 1.7), anchor="mm")
    draw.text((x, y + unit * 2.4), line, fill=ink, font=_font(rng, line, unit * 0.8), anchor="mm")
    box = (x - unit * 6, y + unit * 4, x + unit * 6, y + unit * 7)
    draw.rectangle(box, outline=(170, 170, 170), width=2)
    draw.rectangle(
        (box[0] + unit, box[1] + unit, box[0] + 2 * unit, box[1] + 2 * unit), outline=ink
    )
    return image


def logo(rng: Random, photos: Photos) -> Image.Image:
    """Letters or rings with a name beside or below, on white or one colour."""
    size = rng.choice(((400, 400), (640, 640), (900, 450), (1024, 1024)))
    image = Image.new("RGB", size, _WHITE if rng.random() < 0.7 else _tint(rng, 0, 255))
    draw, ink = ImageDraw.Draw(image), _tint(rng, 0, 190)
    name, x, y = rng.choice(_NAMES), size[0] / 2, size[1] / 2
    radius = size[1] * rng.uniform(0.14, 0.24)
    for at in range(rng.randint(1, 3)):
        shift = at * radius * 0.7
        draw.ellipse((x - radius + shift, y - radius * 1.5, x + radius + shift, y + radius * 0.5),
                     outline=ink, width=round(radius / 4))  # fmt: skip
    font = _font(rng, name, size[0] * 0.6 / max(len(name), 3))
    draw.text((x, y + radius * 1.3), name, fill=ink, font=font, anchor="mm")
    return image


def gone(rng: Random, photos: Photos) -> Image.Image:
    """A small tile with a camera or a cross and a few words."""
    width, height = rng.choice(((120, 120), (180, 180), (240, 180), (300, 225), (350, 350)))
    image = Image.new("RGB", (width, height), _tint(rng, 222, 250))
    draw, grey = ImageDraw.Draw(image), rng.randint(60, 150)
    ink = (grey, grey, grey)
    words = rng.choice(_GONE)
    x, y, unit = width / 2, height * 0.36, height * 0.13
    if rng.random() < 0.5:
        draw.rounded_rectangle((x - unit * 1.4, y - unit, x + unit * 1.4, y + unit), 4, outline=ink,
                               width=max(2, width // 70))  # fmt: skip
        draw.ellipse((x - unit / 2, y - unit / 2, x + unit / 2, y + unit / 2), outline=ink, width=2)
    else:
        for turn in (-1, 1):
            draw.line((x - unit, y - turn * unit, x + unit, y + turn * unit), fill=ink, width=3)
    size = min(width * 0.8 / max(map(len, words)) * 1.7, height * 0.12)
    for at, line in enumerate(words):
        draw.text((x, height * 0.66 + at * size * 1.25), line, fill=ink, anchor="mm",
                  font=_font(rng, line, size))  # fmt: skip
    return image


def watermark(rng: Random, photos: Photos) -> Image.Image:
    """A name in slanting rows all over a photograph, with a darker edge or without."""
    width = rng.choice((400, 550, 700, 900))
    size = (width, round(width * rng.choice((0.67, 0.75, 1.0))))
    image = _part(rng, photos, size).convert("RGBA")
    side = round(math.hypot(*size))
    layer = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw, text = (
        ImageDraw.Draw(layer),
        rng.choice(("© fotohaus", "agence·photo", "图库网", "STOCKPIX")),
    )
    font = _font(rng, text, width * rng.uniform(0.03, 0.07))
    alpha = round(255 * rng.uniform(0.25, 0.6))
    step_x, step_y = font.getlength(text) * rng.uniform(1.2, 1.8), font.size * rng.uniform(2.5, 5)
    for row in range(int(side / step_y) + 1):
        for column in range(-1, int(side / step_x) + 1):
            at = ((column + 0.5 * (row % 2)) * step_x, row * step_y)
            draw.text((at[0] + 1, at[1] + 1), text, fill=(0, 0, 0, alpha // 2), font=font)
            draw.text(at, text, fill=(255, 255, 255, alpha), font=font)
    layer = layer.rotate(rng.choice((25, 35, 45, -35)), Image.Resampling.BILINEAR)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    image.alpha_composite(layer.crop((left, top, left + size[0], top + size[1])))
    return image.convert("RGB")


LAYOUTS: dict[str, Callable[[Random, Photos], Image.Image]] = {
    "captcha: letters": letters, "captcha: grid": grid, "captcha: slider": slider,
    "human check page": check_page, "logo": logo, "removed tile": gone,
    "watermark, tiled": watermark,
}  # fmt: skip


if __name__ == "__main__":
    fetch()
