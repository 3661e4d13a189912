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

TILE = (100, 75)  # px
GAP = 6  # px
MARGIN = 24  # px
LABEL_WIDTH = 132  # px
ACROSS = 9  # images of a label
WIDE = 1.9  # widths a height: wider ones are shown whole
LINE = 19  # px
STEP = 7.6  # px a character
COLORS = 256  # of the palette: keeps the file small
PAPER, INK, FAINT = "#f6f5f1", "#22252b", "#7a7f88"
PANEL, TEXT, GOOD, QUIET = "#1d2027", "#d9dce2", "#8fd19e", "#8b93a1"
EXTENSIONS = {".jpg", ".png", ".webp", ".gif", ".avif", ".bmp"}


def rows(dataset: Path) -> Iterator[tuple[str, int, list[Path]]]:
    """Labels with the number of their images and the first ones."""
    for folder in sorted(path for path in dataset.iterdir() if path.is_dir()):
        files = sorted(path for path in folder.iterdir() if path.suffix in EXTENSIONS)
        if files:
            yield folder.name, len(files), files[:ACROSS]


def draw(dataset: Path, text: str, target: Path) -> None:
    """Writes the picture as PNG. Raises OSError for an image that cannot be read."""
    labels = list(rows(dataset))
    columns = _columns(text.rstrip())
    width = 2 * MARGIN + LABEL_WIDTH + ACROSS * (TILE[0] + GAP) - GAP
    grid = MARGIN + len(labels) * (TILE[1] + GAP) - GAP
    height = grid + 3 * MARGIN + max(map(len, columns)) * LINE
    sheet = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(sheet)
    for number, (label, count, files) in enumerate(labels):
        top = MARGIN + number * (TILE[1] + GAP)
        pen.text((MARGIN, top + 18), label, fill=INK, font=ImageFont.load_default(15))
        pen.text((MARGIN, top + 40), f"{count} images", fill=FAINT, font=ImageFont.load_default(12))
        for column, path in enumerate(files):
            place = (MARGIN + LABEL_WIDTH + column * (TILE[0] + GAP), top)
            sheet.paste(_tile(path), place, _rounded())
    pen.rectangle((0, grid + MARGIN, width, height), fill=PANEL)
    for number, lines in enumerate(columns):
        _write_lines(pen, lines, (MARGIN + number * width * 43 // 100, grid + 2 * MARGIN))
    sheet.quantize(COLORS).save(target, optimize=True)


def _tile(path: Path) -> Image.Image:
    with Image.open(path) as image:
        flat = ImageOps.exif_transpose(image).convert("RGBA")
    paper = Image.new("RGBA", flat.size, PAPER)
    whole = Image.alpha_composite(paper, flat).convert("RGB")
    if whole.width > WIDE * whole.height:  # what it shows may stand at its very side
        return ImageOps.pad(whole, TILE, color=PAPER)
    return ImageOps.fit(whole, TILE, centering=(0.5, 0.95))  # things stand low in a tall picture


def _rounded() -> Image.Image:
    mask = Image.new("L", (TILE[0] * 3, TILE[1] * 3))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, *mask.size), 15, fill=255)
    return mask.reduce(3)


def _columns(text: str) -> list[list[str]]:
    """The verdict's paragraphs in two columns: what came home and where it is; why not the rest."""
    first, table, *middle, last = text.split("\n\n")
    halves = ["\n\n".join((first, table, last.replace("   once more:", "\nonce more:")))]
    return [half.splitlines() for half in (*halves, "\n\n".join(middle))]


def _write_lines(pen: ImageDraw.ImageDraw, lines: list[str], place: tuple[int, int]) -> None:
    """Each run of words where it starts in the text, so that tables keep their shape."""
    font = ImageFont.load_default(14)
    for number, line in enumerate(lines):
        good = line.startswith("complete")
        tint = GOOD if good else TEXT if line.startswith("  ") else QUIET
        for words in re.finditer(r"\S+(?: \S+)*", line):
            left = place[0] + words.start() * STEP
            pen.text((left, place[1] + number * LINE), words[0], fill=tint, font=font)


if __name__ == "__main__":
    folder, verdict, picture = map(Path, sys.argv[1:])
    draw(folder, verdict.read_text(encoding="utf-8"), picture)
