"""Read attribute values other than plain URLs: templates, JSON, lists in brackets. Pure.

Scripts of shops and galleries make URLs from them: `shoe_{width}x.jpg` with the widths beside it
(lazysizes), `{"large.jpg": [1500, 1000]}` (Amazon), the properties of React and Astro components,
`[small.jpg, small], [large.jpg, large]` (Foundation).
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from pixtrawl.model import Kind
from pixtrawl.sources.page.found import Way
from pixtrawl.sources.page.srcset import parse_srcset
from pixtrawl.sources.page.upgrade import has_image_name
from pixtrawl.sources.script_data import ScriptDataError, read_value

__all__ = ["NAMING", "Sized", "best_first", "expanded", "pictures_in"]

_MAX_CHARS: Final = 1_000_000
_MAX_ADDRESS: Final = 8000
_MAX_DEPTH: Final = 40
_MAX_NODES: Final = 20_000
_USUAL_PX: Final = 2048  # the largest width that lazysizes asks for by itself

_PLACEHOLDER: Final = re.compile(
    r"(?:\$?\{\{?|%7B(?:%7B)?|\[)\s{0,3}([a-z][a-z_-]{0,29})\s{0,3}(?:\}\}?|%7D(?:%7D)?|\])",
    re.IGNORECASE,
)
_WIDTHS: Final = frozenset(
    [
        "width",
        "w",
        "imgwidth",
        "image_width",
        "image-width",
        "size",
        "sz",
        "maxwidth",
        "max_width",
        "max-width",
        "px",
    ]
)
_HEIGHTS: Final = frozenset(["height", "h", "imgheight", "maxheight", "max_height", "max-height"])
_OTHERS: Final = {
    "dpr": "1", "density": "1", "pixel_ratio": "1", "quality": "90", "q": "90", "format": "jpg",
    "ext": "jpg", "extension": "jpg", "fmt": "jpg",
}  # fmt: skip
_STATING: Final = (
    "data-widths", "data-sizes", "data-max-width", "data-maxwidth", "data-image-width",
    "data-original-width", "data-width",
)  # fmt: skip

# Attributes and keys with these names hold the name of a file, not its URL.
NAMING: Final = re.compile(
    r"(?:^|[-_])(?:file-?_?names?|titles?|captions?|alt|names?|id|ids|itemid|keys?|labels?|"
    r"desc(?:ription)?|tooltip|text|download|alias|slug|sort|tags?|credit|author|copyright)"
    r"(?:$|[-_])",
    re.IGNORECASE,
)
_ADDRESS: Final = re.compile(r"[^\s\"'<>{}]+")
_ROOTED: Final = re.compile(r"(?:https?:)?//?", re.IGNORECASE)
_HOLDS_IMAGE: Final = re.compile(
    r"(?:image|img|photo|picture)(?:_?-?(?:url|src|href))?|original|full|large|src", re.IGNORECASE
)
_LIST: Final = re.compile(r"\S\s+[0-9.]{1,9}[wx](?:\s*,|\s*\Z)")
_BRACKETS: Final = re.compile(r"\[\s{0,9}([^\[\],\s]{1,8000})\s{0,9},([^\[\]]{0,200})\]")
_NUMBER: Final = re.compile(r"([0-9]{2,5})(?:w|px|x[0-9]{2,5})?", re.IGNORECASE)
# Widths in pixels that words in keys stand for.
_WORDS: Final = (
    (re.compile(r"orig|full|native|master|raw|hi-?res|zoom|max", re.IGNORECASE), 5000),
    (re.compile(r"xx?-?l(?:arge)?\b|huge|retina", re.IGNORECASE), 2500),
    (re.compile(r"large|big|\blg\b|desktop|\bl\b", re.IGNORECASE), 1500),
    (re.compile(r"medium|\bmd\b|tablet|\bm\b", re.IGNORECASE), 600),
    (re.compile(r"small|\bsm\b|mobile|phone|\bs\b", re.IGNORECASE), 300),
    (re.compile(r"thumb|tiny|preview|lqip|blur|placeholder|icon|\bxs\b|low", re.IGNORECASE), 100),
)
_PLAIN: Final = re.compile(
    r"(?:src|url|href|uri|link|image|img|photo|picture|path|file|source)(?:_?-?(?:url|src))?|srcset",
    re.IGNORECASE,
)
_PLAIN_PX: Final = 1000
_THUMB_PX: Final = 300


class Sized(Struct, frozen=True):
    """A URL with its width in pixels, as stated or implied by its key."""

    url: str
    width_px: float


def expanded(text: str, attributes: Mapping[str, str | None]) -> str | None:
    """Fill a URL template for a large screen, as the page's script does; None if unknown.

    Text without a placeholder is returned unchanged.
    """
    if not _PLACEHOLDER.search(text[:_MAX_ADDRESS]):
        return text
    width = max(_stated(attributes), default=_USUAL_PX)
    values = {
        **_OTHERS,
        **dict.fromkeys(_WIDTHS, str(width)),
        **dict.fromkeys(_HEIGHTS, str(_height(width, attributes))),
    }
    filled = _PLACEHOLDER.sub(
        lambda match: values.get(match[1].lower(), match[0]), text[:_MAX_ADDRESS]
    )
    return None if _PLACEHOLDER.search(filled) else filled


def _stated(attributes: Mapping[str, str | None]) -> list[int]:
    for name in _STATING:
        found = re.findall(r"(?<![0-9.])[0-9]{2,5}(?![0-9.])", (attributes.get(name) or "")[:2000])
        if found:
            return [int(one) for one in found]
    return []


def _height(width: int, attributes: Mapping[str, str | None]) -> int:
    """Return the height by the aspect ratio, else the width: servers fit pictures into both."""
    text = (attributes.get("data-aspectratio") or attributes.get("data-aspect-ratio") or "").strip()
    match = re.fullmatch(r"[0-9]{1,4}(?:\.[0-9]{1,20})?", text)
    ratio = float(match[0]) if match else 0.0
    return round(width / ratio) if ratio > 0.01 else width


def pictures_in(text: str) -> list[list[Sized]]:
    """Return the pictures that JSON or a list in brackets names, each with its addresses."""
    text = text.strip()
    if text[:1] not in {"{", "["} or len(text) > _MAX_CHARS:
        return []
    value = _json(text)
    if value is None:
        bracketed = _bracketed(text)
        return [bracketed] if bracketed else []
    return list(_Walk().pictures("", value, 0))


def best_first(sized: list[Sized]) -> list[Way]:
    """Return the ways of one picture, widest first; small ones count as thumbnails."""
    ordered = sorted(sized, key=lambda one: -one.width_px)
    return [
        Way(one.url, Kind.THUMBNAIL if one.width_px <= _THUMB_PX else Kind.ORIGINAL)
        for one in ordered
    ]


def _json(text: str) -> Any:
    for form in (text, html.unescape(text)):
        try:
            return json.loads(form, strict=False)
        except (ValueError, RecursionError):
            continue
    try:
        return read_value(text)  # a JavaScript literal
    except ScriptDataError:
        return None


def _bracketed(text: str) -> list[Sized]:
    """Read Foundation's interchange: `[url, query], [url, query]`, the last one largest."""
    found = []
    for place, match in enumerate(_BRACKETS.finditer(text)):
        url, query = match[1].strip("\"'"), match[2].strip(" ()\"'")
        if has_image_name(url) and not re.fullmatch(r"[0-9.]*", query):
            found.append(Sized(url, (_width_of(query) or _PLAIN_PX) + place))
    return found if "]," in text.replace(" ", "") or len(found) == 1 else []


class _Walk:
    """One pass over a value; each object that names sizes is one picture."""

    def __init__(self) -> None:
        self._left = _MAX_NODES

    def pictures(self, key: str, value: Any, depth: int) -> Iterator[list[Sized]]:
        """Yield the pictures below a value that stands under `key`."""
        self._left -= 1
        if self._left < 0 or depth > _MAX_DEPTH:
            return
        if isinstance(value, str):
            found = _of_text(key, value)
            if found:
                yield found
            elif value[:1] in {"{", "["} and len(value) > 2:  # JSON inside of JSON
                inner = _json(value) if len(value) < _MAX_CHARS and depth < 3 else None
                if inner is not None:
                    yield from self.pictures(key, inner, depth + 10)
        elif isinstance(value, list):
            if _is_astro(value):
                yield from self.pictures(key, value[1], depth + 1)
                return
            for one in value:
                yield from self.pictures(key, one, depth + 1)
        elif isinstance(value, dict):
            yield from self._object(value, depth)

    def _object(self, value: dict[str, Any], depth: int) -> Iterator[list[Sized]]:
        own: list[Sized] = [
            Sized(name, _area_width(size)) for name, size in value.items() if _is_picture("", name)
        ]
        stated = _width_in(value)
        others: list[list[Sized]] = []
        for name, wrapped in value.items():
            inner = wrapped[1] if isinstance(wrapped, list) and _is_astro(wrapped) else wrapped
            found = list(self.pictures(name, inner, depth + 1))
            size = _width_of(name)
            plain = isinstance(inner, str) and _PLAIN.fullmatch(name) is not None
            sized = isinstance(inner, str | dict) and size is not None
            if found and (plain or sized):
                listed = len(found[0]) > 1
                width = size or stated or _PLAIN_PX
                own += [Sized(one.url, one.width_px if listed else width) for one in found[0]]
                others += found[1:]
            else:
                others += found
        if own:
            yield own
        yield from others


def _of_text(key: str, value: str) -> list[Sized]:
    value = value.strip()
    if _LIST.search(value[:_MAX_ADDRESS]):
        listed = parse_srcset(value[:_MAX_ADDRESS])
        return [Sized(one.url, one.width or one.density * _PLAIN_PX) for one in listed]
    filled = expanded(value, {}) if "{" in value or "%7" in value else value
    if filled is None or not _is_picture(key, filled):
        return []
    return [Sized(filled, _PLAIN_PX)]


def _is_picture(key: str, value: str) -> bool:
    if len(value) > _MAX_ADDRESS or not _ADDRESS.fullmatch(value):
        return False
    rooted = _ROOTED.match(value) is not None
    if has_image_name(value):
        if rooted:
            return True
        return "/" in value if not NAMING.search(key) and key else bool(_PLAIN.fullmatch(key))
    last = value.partition("?")[0].rpartition("/")[2]
    return rooted and "//" in value and "." not in last and bool(_HOLDS_IMAGE.fullmatch(key))


def _is_astro(value: list[Any]) -> bool:
    """Return whether it is Astro's `[type, value]` for a component's property."""
    return (
        len(value) == 2 and type(value[0]) is int and 0 <= value[0] <= 10
        and isinstance(value[1], str | list | dict)
    )  # fmt: skip


def _width_of(key: str) -> float | None:
    """Return the width that a key states (`1200w`, `large`); None where it states none."""
    number = _NUMBER.fullmatch(key.strip())
    if number:
        return float(number[1])
    density = re.fullmatch(r"([1-4](?:\.[0-9]{1,3})?)x", key.strip())
    if density:
        return float(density[1]) * _PLAIN_PX
    return next((width for word, width in _WORDS if word.search(key)), None)


def _width_in(value: dict[str, Any]) -> float | None:
    for name in ("width", "w", "imageWidth"):
        size = value.get(name)
        if isinstance(size, list) and _is_pair_of_numbers(size):
            size = size[1]
        if isinstance(size, int | float) and not isinstance(size, bool) and 0 < size < 10**5:
            return float(size)
    return None


def _is_pair_of_numbers(value: list[Any]) -> bool:
    return len(value) == 2 and all(type(one) in {int, float} for one in value)


def _area_width(size: Any) -> float:
    """Return the width of `{url: [width, height]}` or `{url: width}`."""
    first = size[0] if isinstance(size, list) and size else size
    if isinstance(first, int | float) and not isinstance(first, bool) and 0 < first < 10**5:
        return float(first)
    return (_width_of(first) or _PLAIN_PX) if isinstance(first, str) else _PLAIN_PX
