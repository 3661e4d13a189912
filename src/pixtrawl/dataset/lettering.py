"""Choose a font that has the glyphs of a text, or rewrite the text in ASCII.

Pillow's default font has Latin letters only, so the fonts of the system are tried in turn. If none
has all glyphs, accents are dropped and other characters percent-encoded as in a URL, so that
captions still distinguish labels.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from PIL import ImageFont

__all__ = ["Font", "lettered"]

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

# Pillow looks these up in the system's font folders; fonts with many scripts come first.
_SYSTEM: Final = (
    "DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "Arial Unicode.ttf",
    "arial.ttf", "segoeui.ttf", "NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf",
    "DroidSansFallbackFull.ttf", "wqy-zenhei.ttc", "wqy-microhei.ttc", "PingFang.ttc",
    "Hiragino Sans GB.ttc", "AppleSDGothicNeo.ttc", "msyh.ttc", "YuGothM.ttc", "malgun.ttf",
    "NotoSansArabic-Regular.ttf", "NotoSansHebrew-Regular.ttf", "NotoSansDevanagari-Regular.ttf",
    "NotoSansThai-Regular.ttf", "Nirmala.ttf", "leelawui.ttf", "unifont.ttf",
)  # fmt: skip
_NOWHERE: Final = "\U0010ffff"  # a noncharacter: renders as the missing-glyph box


def lettered(text: str, size_px: int) -> tuple[str, Font]:
    """Return the text in a form that can be drawn, and the font to draw it with."""
    text = "".join(char if char.isprintable() else " " for char in text)
    if text.isascii():
        return text, _own(size_px)
    for font in (_own(size_px), *_installed(size_px)):
        if all(_has(font, char) for char in set(text)):
            return text, font
    return _plain(text), _own(size_px)


def _plain(text: str) -> str:
    bare = "".join(
        char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char)
    )
    return "".join(char if char.isascii() else quote(char) for char in bare)


@lru_cache(maxsize=8)
def _own(size_px: int) -> Font:
    return ImageFont.load_default(size_px)


@lru_cache(maxsize=8)
def _installed(size_px: int) -> tuple[Font, ...]:
    found: list[Font] = []
    for name in _SYSTEM:
        try:
            found.append(ImageFont.truetype(name, size_px))
        except OSError:
            continue  # not on this system
    return tuple(found)


@lru_cache(maxsize=10_000)
def _has(font: Font, char: str) -> bool:
    if char.isspace():
        return True
    return bytes(font.getmask(char)) != bytes(font.getmask(_NOWHERE))
