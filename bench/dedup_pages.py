"""Pages of one layout with other words in them: letters, slides, tables, diagrams, quotes; seeded.

The layout (margins, sizes, rules, boxes) is drawn from the name; the words from name and number.
"""

from __future__ import annotations

import random

from PIL import Image, ImageDraw

KINDS = ("letter", "slide", "table", "diagram", "quote", "form")
_WORDS = [
    "water",
    "market",
    "annual",
    "result",
    "paper",
    "garden",
    "signal",
    "winter",
    "number",
    "people",
    "report",
    "engine",
    "valley",
    "summer",
    "history",
    "letter",
    "island",
    "method",
    "travel",
    "public",
    "nature",
    "market",
    "budget",
    "screen",
    "member",
    "theory",
    "river",
    "the",
    "of",
    "and",
    "in",
    "to",
    "for",
    "with",
    "from",
    "by",
    "on",
    "at",
    "as",
    "is",
    "are",
    "was",
    "new",
    "old",
    "two",
    "more",
    "than",
    "first",
]
Variants = dict[str, list[Image.Image]]


class Page:
    """A layout; `drawn` fills it with words."""

    def __init__(self, kind: str, number: int) -> None:
        self.kind, self.name = kind, f"{kind} {number} page"
        rng = random.Random(self.name)
        self._size = rng.choice(((620, 800), (800, 600), (720, 720)))
        self._paper = rng.choice(("white", "#faf6ea", "#f0f2f6", "#20242c"))
        self._ink = "#e8e8e8" if self._paper == "#20242c" else rng.choice(("black", "#303848"))
        self._accent = rng.choice(("#b01e28", "#123c78", "#1e7a3c", "#806020"))
        self._font = rng.randrange(16, 24)
        self._rows, self._columns = rng.randrange(5, 9), rng.randrange(3, 6)

    def drawn(self, words: int) -> Image.Image:
        image = Image.new("RGB", self._size, self._paper)
        rng = random.Random(f"{self.name} {words}")
        getattr(self, "_" + self.kind)(ImageDraw.Draw(image), rng)
        return image

    def variants(self) -> Variants:
        return {"other words": [self.drawn(number) for number in range(5)]}

    def _line(self, rng: random.Random, count: int) -> str:
        return " ".join(rng.choice(_WORDS) for _ in range(count))

    def _text(self, draw, rng, top: float, bottom: float) -> None:  # type: ignore[no-untyped-def]
        width, size = self._size[0], self._font
        y = top
        while y + size < bottom:
            line = self._line(rng, 14)
            while draw.textlength(line, font_size=size) > 0.8 * width:
                line = line.rsplit(" ", 1)[0]
            if rng.random() < 0.2:
                line = line[: len(line) // 2]
            draw.text((0.1 * width, y), line, self._ink, font_size=size)
            y += 1.5 * size

    def _letter(self, draw, rng) -> None:  # type: ignore[no-untyped-def]
        width, height = self._size
        draw.rectangle((0.1 * width, 0.05 * height, 0.2 * width, 0.1 * height), fill=self._accent)
        self._text(draw, rng, 0.16 * height, 0.9 * height)

    def _slide(self, draw, rng) -> None:  # type: ignore[no-untyped-def]
        width, height = self._size
        draw.rectangle((0, 0, width, 0.16 * height), fill=self._accent)
        title = self._line(rng, 4).capitalize()
        draw.text((0.06 * width, 0.04 * height), title, "white", font_size=2 * self._font)
        for row in range(self._rows):
            y = (0.24 + 0.7 * row / self._rows) * height
            draw.ellipse((0.06 * width, y + 6, 0.06 * width + 12, y + 18), fill=self._accent)
            text = self._line(rng, rng.randrange(3, 6))
            draw.text((0.1 * width, y), text, self._ink, font_size=1.3 * self._font)

    def _table(self, draw, rng) -> None:  # type: ignore[no-untyped-def]
        width, height = self._size
        for row in range(self._rows + 1):
            y = (0.08 + 0.84 * row / self._rows) * height
            draw.line((0.06 * width, y, 0.94 * width, y), fill=self._ink, width=2)
            for column in range(self._columns if row < self._rows else 0):
                x = (0.07 + 0.88 * column / self._columns) * width
                wordy = row == 0 or column == 0
                text = rng.choice(_WORDS) if wordy else f"{rng.uniform(1, 9999):.1f}"
                draw.text((x, y + 8), text, self._ink, font_size=self._font)

    def _diagram(self, draw, rng) -> None:  # type: ignore[no-untyped-def]
        width, height = self._size
        for row in range(3):
            for column in range(3):
                x, y = (0.08 + 0.31 * column) * width, (0.08 + 0.31 * row) * height
                box = (x, y, x + 0.22 * width, y + 0.16 * height)
                draw.rounded_rectangle(box, 8, outline=self._accent, width=3)
                draw.text((x + 8, y + 8), self._line(rng, 1), self._ink, font_size=self._font)
                if column < 2:
                    middle = y + 0.08 * height
                    draw.line((box[2], middle, x + 0.31 * width, middle), self._ink, 3)

    def _quote(self, draw, rng) -> None:  # type: ignore[no-untyped-def]
        width, height = self._size
        for row in range(4):
            place = (width / 2, (0.25 + 0.13 * row) * height)
            text = self._line(rng, 4)
            draw.text(place, text, self._ink, anchor="mm", font_size=1.9 * self._font)
        draw.line((0.4 * width, 0.8 * height, 0.6 * width, 0.8 * height), self._accent, 4)

    def _form(self, draw, rng) -> None:  # type: ignore[no-untyped-def]
        width, height = self._size
        for row in range(self._rows):
            y = (0.06 + 0.9 * row / self._rows) * height
            draw.text((0.06 * width, y), self._line(rng, 2), self._ink, font_size=self._font)
            box = (0.4 * width, y, 0.94 * width, y + 1.6 * self._font)
            draw.rectangle(box, outline=self._accent, width=2)
            draw.text((0.42 * width, y + 4), self._line(rng, 3), self._ink, font_size=self._font)


def pages(each: int) -> list[Page]:
    return [Page(kind, number) for kind in KINDS for number in range(each)]
