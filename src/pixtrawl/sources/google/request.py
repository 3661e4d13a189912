"""Build the URL of a Google Images query, filters included. Pure.

The parameters are those of maintained clients in 2025 and 2026; `udm=2` is the present form,
`tbm=isch` the older one, which still works. The interface language is always English, because the
few words that are searched for in a page (no results, more results) are English.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from pixtrawl.model import Filters

FILTERS: Final = frozenset(
    {"size", "color", "type", "aspect", "date", "license", "site", "lang", "region", "safe"}
)

_SIZES: Final = {"small": "isz:i", "medium": "isz:m", "large": "isz:l"}
_AT_LEAST: Final = (  # names of `islt`, with the width and height each stands for
    ("70mp", 9600, 7200), ("40mp", 7216, 5412), ("20mp", 5120, 3840), ("15mp", 4480, 3360),
    ("12mp", 4096, 3072), ("10mp", 3648, 2736), ("8mp", 3264, 2448), ("6mp", 2816, 2112),
    ("4mp", 2272, 1704), ("2mp", 1600, 1200), ("xga", 1024, 768), ("svga", 800, 600),
    ("vga", 640, 480), ("qsvga", 400, 300),
)  # fmt: skip
_COLORS: Final = {"color": "ic:color", "gray": "ic:gray", "transparent": "ic:trans"}
_SHADES: Final = frozenset(
    {"red", "orange", "yellow", "green", "teal", "blue", "purple", "pink", "white", "black",
     "brown", "gray"}
)  # fmt: skip
_TYPES: Final = frozenset({"photo", "face", "clipart", "lineart", "animated"})
_ASPECTS: Final = {"square": "s", "wide": "w", "tall": "t"}
_DATES: Final = {"hour": "qdr:h", "day": "qdr:d", "week": "qdr:w", "month": "qdr:m",
                 "year": "qdr:y"}  # fmt: skip
_RANGE: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)\.\.(\d{4})-(\d\d)-(\d\d)")
_LICENSES: Final = {"any": "sur:cl", "open": "sur:cl", "modify": "sur:cl", "commercial": "sur:ol"}
_SAFE: Final = {"off": "off", "moderate": "images", "strict": "active"}


def search_url(
    base_url: str, text: str, filters: Filters, *, old_form: bool = False
) -> tuple[str, tuple[str, ...]]:
    """Return the URL, and a sentence for each filter that Google cannot apply as given."""
    notes: list[str] = []
    params: dict[str, str] = {"q": text}
    if filters.site:
        params["q"] = f"{text} site:{filters.site}"
    params |= {"tbm": "isch"} if old_form else {"udm": "2"}
    params["hl"] = "en"
    tbs = [word for word in _tbs(filters, notes) if word]
    if tbs:
        params["tbs"] = ",".join(tbs)
    params |= _plain(filters, notes)
    return f"{_search_path(base_url)}?{urlencode(params, quote_via=quote)}", tuple(notes)


def _search_path(base_url: str) -> str:
    base = base_url.split("?", 1)[0].rstrip("/")
    return base if urlsplit(base).path.endswith("/search") else f"{base}/search"


def _tbs(filters: Filters, notes: list[str]) -> list[str]:
    words = [
        _size(filters.size, notes),
        _color(filters.color, notes),
        _date(filters.date, notes),
        _license(filters.license, notes),
    ]
    if filters.type:
        known = filters.type in _TYPES
        words.append(f"itp:{filters.type}" if known else _cannot("type", filters.type, notes))
    return words


def _size(word: str | None, notes: list[str]) -> str:
    if not word:
        return ""
    if word in _SIZES:
        return _SIZES[word]
    match = re.fullmatch(r"(\d{1,6})x(\d{1,6})", word)
    if match is None:
        return _cannot("size", word, notes)
    width, height = int(match[1]), int(match[2])
    for name, name_width, name_height in _AT_LEAST:
        if name_width <= width and name_height <= height:
            return f"isz:lt,islt:{name}"
    return ""  # below the smallest step: no filter is needed


def _color(word: str | None, notes: list[str]) -> str:
    if not word:
        return ""
    if word in _COLORS:
        return _COLORS[word]
    return f"ic:specific,isc:{word}" if word in _SHADES else _cannot("color", word, notes)


def _date(word: str | None, notes: list[str]) -> str:
    if not word:
        return ""
    if word in _DATES:
        return _DATES[word]
    match = _RANGE.fullmatch(word)
    if match is None:
        return _cannot("date", word, notes)
    y1, m1, d1, y2, m2, d2 = match.groups()
    return f"cdr:1,cd_min:{m1}/{d1}/{y1},cd_max:{m2}/{d2}/{y2}"


def _license(word: str | None, notes: list[str]) -> str:
    if not word:
        return ""
    if word not in _LICENSES:
        notes.append(
            f"google cannot be asked for the licence {word!r}; asking for Creative Commons"
        )
    return _LICENSES.get(word, "sur:cl")


def _plain(filters: Filters, notes: list[str]) -> dict[str, str]:
    params: dict[str, str] = {}
    if filters.lang:
        params["lr"] = f"lang_{filters.lang.split('-')[0].lower()}"
    if filters.region:
        # Image results follow `cr`; `gl` alone only moves the interface.
        params |= {"cr": f"country{filters.region.upper()}", "gl": filters.region.lower()}
    params |= _mapped("imgar", "aspect", filters.aspect, _ASPECTS, notes)
    params |= _mapped("safe", "safe", filters.safe, _SAFE, notes)
    return params


def _mapped(
    param: str, name: str, word: str | None, table: Mapping[str, str], notes: list[str]
) -> dict[str, str]:
    if not word:
        return {}
    if word not in table:
        _cannot(name, word, notes)
        return {}
    return {param: table[word]}


def _cannot(name: str, word: str, notes: list[str]) -> str:
    notes.append(f"google cannot be asked for {name} {word!r}; the filter is left out")
    return ""
