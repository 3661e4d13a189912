"""One picture of many images for an assistant: numbered tiles, bounded in pixels and bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Final

from PIL import Image, ImageDraw

from pixtrawl.dataset.lettering import lettered
from pixtrawl.transform import Transform

__all__ = ["MOST_TILES", "TILE", "numbered_sheet"]

MOST_TILES: Final = 48
_TILE_PX: Final = 150
_COLUMNS: Final = 6
_MARGIN_PX: Final = 6
_CAPTION_PX: Final = 18
_LETTERS_PX: Final = 14
_PAPER: Final = (255, 255, 255)
_INK: Final = (20, 20, 20)
_MISSING: Final = (225, 225, 225)
_MOST_BYTES: Final = 300_000
# The tiles come from the contained decoders. PNG: the format with the least to go wrong when this
# process reads it again.
TILE: Final = Transform(mode="keep_ratio_largest", size=_TILE_PX, upscale=False, encode="png")


def numbered_sheet(numbers: Sequence[int], tiles: Mapping[int, bytes]) -> bytes:
    """Return a JPEG with a tile for each number, in rows of six; those without a picture are grey.

    It has 942 x 1,398 pixels and 300,000 bytes at the most.
    """
    columns = max(1, min(_COLUMNS, len(numbers)))
    rows = max(1, -(-len(numbers) // columns))
    step_x, step_y = _TILE_PX + _MARGIN_PX, _TILE_PX + _CAPTION_PX + _MARGIN_PX
    sheet = Image.new("RGB", (columns * step_x + _MARGIN_PX, rows * step_y + _MARGIN_PX), _PAPER)
    pen = ImageDraw.Draw(sheet)
    for at, number in enumerate(numbers):
        row, column = divmod(at, columns)
        left, top = _MARGIN_PX + column * step_x, _MARGIN_PX + row * step_y
        picture = _opened(tiles.get(number))
        sheet.paste(
            picture,
            (left + (_TILE_PX - picture.width) // 2, top + (_TILE_PX - picture.height) // 2),
        )
        text, font = lettered(str(number), _LETTERS_PX)
        pen.text((left, top + _TILE_PX + 1), text, _INK, font)
    return _encoded(sheet)


def _opened(tile: bytes | None) -> Image.Image:
    if tile is None:
        return Image.new("RGB", (_TILE_PX, _TILE_PX), _MISSING)
    picture = Image.open(io.BytesIO(tile), formats=("PNG",))
    if max(picture.size) > _TILE_PX:
        return Image.new("RGB", (_TILE_PX, _TILE_PX), _MISSING)
    ground = Image.new("RGB", picture.size, _PAPER)
    whole = picture.convert("RGBA")
    ground.paste(whole, mask=whole.getchannel("A"))
    return ground


def _encoded(sheet: Image.Image) -> bytes:
    data = b""
    for quality in (80, 60, 40, 20):
        out = io.BytesIO()
        sheet.save(out, "JPEG", quality=quality, optimize=True)
        data = out.getvalue()
        if len(data) <= _MOST_BYTES:
            break
    return data
