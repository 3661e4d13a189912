"""A contact sheet: pictures of each label in a grid, with their file names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from PIL import Image, ImageDraw

from pixtrawl.dataset.lettering import Font, lettered
from pixtrawl.dataset.pictures import thumbnail_of
from pixtrawl.errors import PictureError, UsageError
from pixtrawl.model import Sample

__all__ = ["contact_sheet", "small", "spread"]

_MARGIN: Final = 6  # px
_CAPTION: Final = 16  # px
_LETTERS: Final = 11  # px
_PAPER: Final = (255, 255, 255)
_INK: Final = (60, 60, 60)
_MISSING: Final = (225, 225, 225)
_MAX_SIDE: Final = 20_000  # px of the sheet


def contact_sheet(samples: Iterable[Sample], *, count: int, columns: int, size: int) -> Image.Image:
    """Return the sheet in RGB. Raises UsageError for a number below 1 or a sheet too large."""
    if min(count, columns, size) < 1:
        raise UsageError("show: count, columns and size are whole numbers from 1")
    chosen = spread(samples, count)
    columns = min(columns, max(len(chosen), 1))
    rows = max(1, -(-len(chosen) // columns))
    width = columns * (size + _MARGIN) + _MARGIN
    height = rows * (size + _CAPTION + _MARGIN) + _MARGIN
    if max(width, height) > _MAX_SIDE:
        raise UsageError(f"show: a sheet of {width}x{height} pixels is too large")
    sheet = Image.new("RGB", (width, height), _PAPER)
    pen = ImageDraw.Draw(sheet)
    for place, sample in enumerate(chosen):
        row, column = divmod(place, columns)
        left = _MARGIN + column * (size + _MARGIN)
        top = _MARGIN + row * (size + _CAPTION + _MARGIN)
        picture = small(sample, size) or Image.new("RGB", (size, size), _MISSING)
        sheet.paste(
            picture, (left + (size - picture.width) // 2, top + (size - picture.height) // 2)
        )
        text, font = lettered(sample.file_name, _LETTERS)
        pen.text((left, top + size + 1), _fitting(text, size, font), _INK, font)
    return sheet


def spread(samples: Iterable[Sample], count: int) -> Sequence[Sample]:
    """Return up to `count` images, taken from all labels in turn, ordered by label and number."""
    by_label: dict[str, list[Sample]] = {}
    for sample in samples:
        own = by_label.setdefault(sample.label, [])
        if len(own) < count:
            own.append(sample)
    chosen: list[Sample] = []
    for turn in range(count):
        for own in by_label.values():
            if turn < len(own) and len(chosen) < count:
                chosen.append(own[turn])
    return sorted(chosen, key=lambda sample: (sample.label, sample.number))


def small(sample: Sample, size: int) -> Image.Image | None:
    """Return the picture in RGB, at most `size` pixels a side; None if it cannot be read."""
    try:
        return thumbnail_of(sample, size)
    except (OSError, PictureError):  # deleted or damaged meanwhile
        return None


def _fitting(text: str, width: int, font: Font) -> str:
    """Cut a name to `width` pixels at its start, because its end holds the number."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"...{text}") > width:
        text = text[1:]
    return f"...{text}"
