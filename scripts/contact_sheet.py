"""Draws a data set's images and a command's verdict into one picture.

    python scripts/contact_sheet.py .demo/images .demo/verdict.txt docs/img/demo.png

makes the picture of the README after `make demo`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

TILE = (88, 66)  # px
GAP = 4  # px
LABEL_WIDTH = 130  # px
ACROSS = 10  # images of a label
LINE = 17  # px
COLORS = 128  # of the palette: keeps the file small
EXTENSIONS = {".jpg", ".png", ".webp", ".gif", ".avif", ".bmp"}


def rows(dataset: Path) -> Iterator[tuple[str, list[Path]]]:
    """Labels with their first images."""
    for folder in sorted(path for path in dataset.iterdir() if path.is_dir()):
        files = sorted(path for path in folder.iterdir() if path.suffix in EXTENSIONS)
        if files:
            yield folder.name, files[:ACROSS]


def draw(dataset: Path, text: str, target: Path) -> None:
    """Writes the picture as PNG. Raises OSError for an image that cannot be read."""
    labels = list(rows(dataset))
    lines = [line.rstrip() for line in text.splitlines()]
    width = LABEL_WIDTH + ACROSS * (TILE[0] + GAP) + GAP
    height = GAP + len(labels) * (TILE[1] + GAP) + (len(lines) + 1) * LINE
    sheet = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(13)
    for row, (label, files) in enumerate(labels):
        top = GAP + row * (TILE[1] + GAP)
        pen.text((GAP * 2, top + TILE[1] // 2 - 8), label, fill="#223", font=font)
        for column, path in enumerate(files):
            with Image.open(path) as image:
                tile = ImageOps.fit(image.convert("RGB"), TILE)
            sheet.paste(tile, (LABEL_WIDTH + column * (TILE[0] + GAP), top))
    _write_lines(pen, lines, height - len(lines) * LINE - LINE // 2, font)
    sheet.quantize(COLORS).save(target, optimize=True)


def _write_lines(
    pen: ImageDraw.ImageDraw,
    lines: list[str],
    top: int,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    """Each run of words where it starts in the text, so that tables keep their shape."""
    step = 7.3  # px a character
    for number, line in enumerate(lines):
        for words in re.finditer(r"\S+(?: \S+)*", line):
            place = (GAP * 2 + words.start() * step, top + number * LINE)
            pen.text(place, words[0], fill="#223", font=font)


if __name__ == "__main__":
    folder, verdict, picture = map(Path, sys.argv[1:])
    draw(folder, verdict.read_text(encoding="utf-8"), picture)
