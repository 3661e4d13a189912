"""Families of pictures that differ by colour, data or words alone, and copies of some, inspected.

What inspection says of them is kept in the cache folder, for this version of the code that makes
and inspects them.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from bench import (
    dedup_charts,
    dedup_edits as edits,
    dedup_pages,
    dedup_photos as photos,
    dedup_prints,
    dedup_quality,
    dedup_variants as variants,
    dedup_wardrobe,
)
from bench.dedup_quality import info_of
from pixtrawl.model import ImageInfo

_SIDE = 560  # pixels of photographs, for edits of colour
_COPIED = 3  # every so many families are edited, too
_TURNS = (50, 120, 180, 240)  # degrees


@dataclass(slots=True)
class Family:
    """What inspection says of the variants of one thing, and of copies of the first one."""

    name: str
    variants: dict[str, list[ImageInfo]] = field(default_factory=dict)
    original: ImageInfo | None = None
    copies: dict[str, dict[str, ImageInfo]] = field(default_factory=dict)  # by kind and edit


def info(image: Image.Image) -> ImageInfo:
    return info_of(edits.encoded(image, quality=90))


def _floors() -> list[Image.Image]:
    return [picture.image for picture in photos.photographs()[::17]]


def _garments() -> Iterator[tuple[str, variants.Variants]]:
    for name, garment in dedup_wardrobe.wardrobe(2, _floors()):
        yield name, garment.variants()


def _printed() -> Iterator[tuple[str, variants.Variants]]:
    for name, garment in dedup_wardrobe.printed(3, _floors()):
        yield name, garment.printed()


def _drawn_charts() -> Iterator[tuple[str, variants.Variants]]:
    for chart in dedup_charts.charts(2):
        yield chart.name, chart.variants()


def _pages() -> Iterator[tuple[str, variants.Variants]]:
    for page in dedup_pages.pages(2):
        yield page.name, page.variants()


def _photographs() -> Iterator[tuple[str, variants.Variants]]:
    for picture in photos.photographs()[::2]:
        picture.image.thumbnail((_SIDE, _SIDE))
        turned = dedup_wardrobe.recoloured_in_part(picture.image, _TURNS)
        yield picture.name, {"hue of one thing": turned or [picture.image]}


GROUPS: dict[str, Callable[[], Iterator[tuple[str, variants.Variants]]]] = {
    "product": lambda: variants.products(35),
    "chart": lambda: variants.charts(4),
    "garment": _garments,
    "print": _printed,
    "drawn chart": _drawn_charts,
    "page": _pages,
    "photograph": _photographs,
}


def inspected(group: str) -> list[Family]:
    """Draw and inspect all families of a group."""
    found = []
    for number, (name, drawn) in enumerate(GROUPS[group]()):
        family = Family(name)
        for kind, images in drawn.items():
            distinct = {image.tobytes(): image for image in images}.values()
            family.variants[kind] = [info(image) for image in distinct]
        if number % _COPIED == 0:
            base = next(images[0] for images in drawn.values() if images)
            family.original = info(base)
            tones = {name: info(tone(base)) for name, tone in variants.TONES.items()}
            family.copies = {"edits of colour and tone": tones}
            if group != "photograph":  # those: bench.dedup_quality
                core = {name: info_of(edits.edited(base, name)) for name in edits.CORE}
                family.copies["core edits"] = core
        found.append(family)
    return found


def families(group: str, *, fresh: bool = False) -> list[Family]:
    """Return the families of a group, from the cache folder where they are of this code."""
    code = hashlib.sha256(dedup_quality.fingerprint().encode())
    for module in (variants, dedup_wardrobe, dedup_prints, dedup_charts, dedup_pages):
        code.update(Path(str(module.__file__)).read_bytes())
    kept = photos.cache_folder() / f"dedup-{group.replace(' ', '-')}-{code.hexdigest()[:12]}.pickle"
    if not fresh and kept.exists():
        loaded: list[Family] = pickle.loads(kept.read_bytes())
        return loaded
    found = inspected(group)
    kept.write_bytes(pickle.dumps(found))
    return found
