"""Real photographs in the listings of some words, where packages that carry them are installed.

`pip install 'pixtrawl[demo]'` brings scikit-image and scikit-learn, whose wheels hold a few free
photographs. `credits.tsv` names those used, their makers and licences, as their packages state
them. The packages are not imported: only the files are read.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from PIL import Image

MARK: Final = ".photos"
"""End of the slug of a listing that begins with photographs."""


@dataclass(frozen=True, slots=True)
class Photograph:
    """A photograph or a part of one. `box`: left, top, right, bottom in pixels."""

    file: Path
    box: tuple[int, int, int, int]
    title: str
    creator: str
    license: str
    license_version: str
    color: str
    source: str

    @property
    def size(self) -> tuple[int, int]:
        return self.box[2] - self.box[0], self.box[3] - self.box[1]

    def open(self) -> Image.Image:
        """Return the pixels in RGB."""
        with Image.open(self.file) as image:
            return image.convert("RGB").crop(self.box)


@lru_cache(maxsize=1)
def album() -> dict[str, tuple[Photograph, ...]]:
    """Return the photographs on this machine, by word; empty without the packages."""
    out: dict[str, tuple[Photograph, ...]] = {}
    text = files("pixtrawl.playground").joinpath("credits.tsv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines(), delimiter="\t"):
        parts = _parts(row)
        for word in row["words"].split():
            out[word] = (*out.get(word, ()), *parts)
    return out


def _parts(row: dict[str, str]) -> tuple[Photograph, ...]:
    spec = find_spec(row["package"])
    folders = (spec.submodule_search_locations if spec else None) or []
    file = next((p for f in folders if (p := Path(f) / row["file"]).is_file()), None)
    if file is None:
        return ()
    with Image.open(file) as image:
        width, height = image.size
    across, down = (int(number) for number in row["cut"].split("x"))
    w, h = width // across, height // down
    columns = (
        row["title"],
        row["creator"],
        row["license"],
        row["version"],
        row["color"],
        row["source"],
    )
    return tuple(
        Photograph(file, (x * w, y * h, (x + 1) * w, (y + 1) * h), *columns)
        for y in range(down)
        for x in range(across)
    )


def marked(slug: str) -> str:
    """Return `slug`, with `MARK` where there are photographs for its words."""
    return slug + MARK if _named(slug) else slug


def photograph(slug: str, index: int) -> Photograph | None:
    """Return the photograph that is picture `index` of a marked slug; None for drawn ones."""
    if not slug.endswith(MARK):
        return None
    found = _named(slug)
    return found[index] if 0 <= index < len(found) else None


def _named(slug: str) -> tuple[Photograph, ...]:
    words = slug.partition(".")[0].split("-")
    return next((album()[word] for word in words if album().get(word)), ())
