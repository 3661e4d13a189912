"""Find pictures in a page's data: JSON-LD, CSS, the state in scripts, any text. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from pixtrawl.model import Kind
from pixtrawl.sources.page.attributes import number
from pixtrawl.sources.page.found import Facts, FoundPictures, Lead, Tier, Way
from pixtrawl.sources.page.upgrade import has_image_name
from pixtrawl.sources.script_data import ScriptDataError, read_value

__all__ = ["css_ways", "read_json_ld", "read_state", "read_text"]

_MAX_CHARS: Final = 4_000_000
_MAX_NODES: Final = 20_000
_MAX_ADDRESSES: Final = 2000

_IMAGE_KEYS: Final = frozenset(
    ["image", "images", "photo", "photos", "primaryImageOfPage", "associatedMedia", "contentUrl",
     "screenshot", "logo", "thumbnailUrl", "thumbnail"]
)  # fmt: skip
_LEAD_KEYS: Final = frozenset(["image", "primaryImageOfPage"])
_DECOR_KEYS: Final = frozenset(["logo", "publisher", "author", "creator", "provider", "brand"])


def read_json_ld(text: str, pictures: FoundPictures) -> None:
    """Add each schema.org ImageObject, and the values of `image` and the like."""
    text = text[:_MAX_CHARS].strip()
    text = text.removeprefix("<!--").removesuffix("-->").strip()
    text = text.removeprefix("<![CDATA[").removesuffix("]]>").strip().rstrip(";")
    for key, node, decor in _nodes(_json(text)):
        tier = Tier.DECOR if decor else Tier.DATA
        lead = Lead.PRIMARY if key == "primaryImageOfPage" else Lead.JSON_LD
        alone = key in {"", "@graph"} and isinstance(node, dict)
        lead = lead if alone or key in _LEAD_KEYS else Lead.NOT
        if isinstance(node, str):
            thumb = key.startswith("thumb")
            kind = Kind.THUMBNAIL if thumb else Kind.ORIGINAL
            pictures.add(tier, [Way(node, kind)], lead=lead)
        else:
            ways = _ways_of(node)
            if ways:
                pictures.add(tier, ways, _facts_of(node), lead)


def _json(text: str) -> Any:
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        pass  # comments, trailing commas and the like: not strict JSON
    try:
        return read_value(text)
    except ScriptDataError:
        return None


def _nodes(value: Any) -> Iterator[tuple[str, dict[str, Any] | str, bool]]:
    """Yield (key, image object or URL, whether logo or portrait), in document order."""
    stack: list[tuple[str, Any, bool]] = [("", value, False)]
    for _ in range(_MAX_NODES):
        if not stack:
            return
        key, node, decor = stack.pop()
        if isinstance(node, list):
            stack.extend((key, one, decor) for one in reversed(node[:_MAX_NODES]))
        elif isinstance(node, dict):
            if key in _IMAGE_KEYS or _is_image(node):
                yield key, node, decor
            for name, inner in reversed(list(node.items())[:500]):
                covered = name in {"contentUrl", "thumbnailUrl", "thumbnail"} and _is_image(node)
                if not covered:
                    stack.append((str(name), inner, decor or name in _DECOR_KEYS))
        elif isinstance(node, str) and key in _IMAGE_KEYS:
            yield key, node, decor


def _is_image(node: dict[str, Any]) -> bool:
    kinds = node.get("@type")
    names = kinds if isinstance(kinds, list) else [kinds]
    return any(
        isinstance(one, str) and one.endswith(("ImageObject", "Photograph")) for one in names
    )


def _ways_of(node: dict[str, Any]) -> list[Way]:
    ways = []
    content, url = node.get("contentUrl"), node.get("url")
    if isinstance(content, str):
        ways.append(Way(content))
    # The `url` of an ImageObject is often a page about the picture.
    if isinstance(url, str) and (has_image_name(url) or not ways):
        ways.append(Way(url))
    thumb = node.get("thumbnailUrl") or node.get("thumbnail")
    if isinstance(thumb, dict):
        thumb = thumb.get("contentUrl") or thumb.get("url")
    if isinstance(thumb, str):
        ways.append(Way(thumb, Kind.THUMBNAIL, weak=bool(ways)))
    return ways


def _facts_of(node: dict[str, Any]) -> Facts:
    license_ = _address(node.get("license")) or _address(node.get("acquireLicensePage"))
    is_link = bool(license_) and str(license_).startswith(("http://", "https://"))
    return Facts(
        title=_text(node.get("caption"))
        or _text(node.get("name"))
        or _text(node.get("description")),
        width=_pixels(node.get("width")),
        height=_pixels(node.get("height")),
        license=license_ if _address(node.get("license")) else None,
        license_url=license_ if is_link else None,
        creator=_text(node.get("creator"))
        or _text(node.get("author"))
        or _text(node.get("creditText")),
    )


def _text(value: Any) -> str | None:
    """Return a string, an object's name, or those of a list's first entries."""
    if isinstance(value, list):
        names = [name for one in value[:5] if not isinstance(one, list) and (name := _text(one))]
        return ", ".join(names) or None
    if isinstance(value, dict):
        value = value.get("name")
    return " ".join(value.split())[:500] or None if isinstance(value, str) else None


def _address(value: Any) -> str | None:
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        value = value.get("url") or value.get("@id") or value.get("name")
    return value.strip()[:2000] or None if isinstance(value, str) else None


def _pixels(value: Any) -> int | None:
    if isinstance(value, dict):
        value = value.get("value")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return int(value) if 0 < value < 10**6 else None
    return number(value) if isinstance(value, str) else None


_DECLARATION: Final = re.compile(
    r"(?P<name>background(?:-image)?|list-style(?:-image)?|content|border-image(?:-source)?|"
    r"--[a-z0-9-]{1,60})\s{0,9}:(?P<value>[^;{}]{1,4000000})",
    re.IGNORECASE,
)
_CSS_URL: Final = re.compile(
    r"url\(\s{0,9}(?:\"([^\"]{1,100000})\"|'([^']{1,100000})'|([^\s\"'()]{1,100000}))\s{0,9}\)"
    r"(?:\s{1,9}([0-9.]{1,9})(x|dppx)?)?",
    re.IGNORECASE,
)
_CSS_STRING: Final = re.compile(r"[\"']([^\"']{1,8000})[\"'](?:\s{1,9}([0-9.]{1,9})x)?")
_CSS_ESCAPE: Final = re.compile(r"\\(?:([0-9a-fA-F]{1,6})\s?|(.))")
_FONT: Final = re.compile(r"\.(?:woff2?|ttf|otf|eot|css)(?:[?#]|\Z)", re.IGNORECASE)


def css_ways(css: str) -> Iterator[list[Way]]:
    """Yield the pictures of a style sheet or style attribute; an image-set is one picture."""
    # A data: URI holds semicolons, which would end the declaration: mask it first.
    for match in _DECLARATION.finditer(_shielded(css[:_MAX_CHARS])):
        value = match["value"]
        if "image-set(" in value.lower():
            yield _image_set(value)
        else:
            for found in _CSS_URL.finditer(value):
                url = _css_text(found[1] or found[2] or found[3])
                if not _FONT.search(url):
                    yield [Way(url)]


def _shielded(css: str) -> str:
    return re.sub(r"(data:[a-zA-Z0-9/+.-]{1,60});", "\\1\x00", css)


def _css_text(text: str) -> str:
    def plain(match: re.Match[str]) -> str:
        code = int(match[1], 16) if match[1] else 0
        return match[2] or (chr(code) if 0 < code < 0x110000 else "\ufffd")

    return _CSS_ESCAPE.sub(plain, text.replace("\x00", ";"))


def _image_set(value: str) -> list[Way]:
    """Return the URLs by falling density, without type() arguments."""
    ways = [
        (_density(one[4]), Way(_css_text(one[1] or one[2] or one[3])))
        for one in _CSS_URL.finditer(value)
    ] or [
        (_density(one[2]), Way(_css_text(one[1])))
        for one in _CSS_STRING.finditer(value)
        if not one[1].startswith("image/")
    ]
    ways.sort(key=lambda pair: -pair[0])
    return [way for _, way in ways]


def _density(text: str | None) -> float:
    try:
        return float(text or 1)
    except ValueError:
        return 1.0


_QUOTED: Final = re.compile(r"[\"']((?:https?:/|/)/?[^\"'\s\\<>]{1,2000})(?=[\"'])", re.IGNORECASE)
_RELATIVE: Final = re.compile(r"[\"']([^\"'\s\\<>(){}]{1,2000})(?=[\"'])")
_BARE: Final = re.compile(r"https?://[^\s\"'<>()\\]{1,2000}", re.IGNORECASE)
_UNESCAPED: Final = (
    ("\\/", "/"),
    ("\\u002F", "/"),
    ("\\u002f", "/"),
    ("\\u0026", "&"),
    ("&amp;", "&"),
    ('\\"', '"'),
)


def read_state(text: str, pictures: FoundPictures, *, relative: bool = False) -> None:
    """Add quoted URLs of pictures in a script's data, grouped by their names.

    `relative` accepts `"thumbs/cat.jpg"` too: inline scripts of galleries name files relative to
    the page, but the state of an application may hold names that are no URLs.
    """
    _read(_RELATIVE if relative else _QUOTED, text, pictures, Tier.STATE, group=1)


def read_text(text: str, pictures: FoundPictures) -> None:
    """Add anything in the text that looks like the URL of a picture, as a last resort."""
    _read(_QUOTED, text, pictures, Tier.TEXT, group=1)
    _read(_BARE, text, pictures, Tier.TEXT, group=0)


def _read(
    pattern: re.Pattern[str], text: str, pictures: FoundPictures, tier: Tier, *, group: int
) -> None:
    text = text[:_MAX_CHARS]
    for escaped, plain in _UNESCAPED:
        text = text.replace(escaped, plain)
    seen: set[str] = set()
    for match in pattern.finditer(text):
        url = match[group].rstrip(".,;:!?")
        if has_image_name(url) and url not in seen:
            seen.add(url)
            pictures.add(tier, [Way(url)])
            if len(seen) >= _MAX_ADDRESSES:
                return
