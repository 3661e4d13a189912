"""An element's attributes as ways to its picture: src, srcset, and those of lazy loaders. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from pixtrawl.model import Kind
from pixtrawl.sources.page_found import Way
from pixtrawl.sources.page_srcset import SrcsetCandidate, largest, parse_srcset
from pixtrawl.sources.page_upgrade import stated_width

__all__ = ["lazy_ways", "number", "own_ways", "srcset_ways"]

_EXTENSION: Final = r"\.(?:jpe?g|jfif|png|gif|webp|avif|bmp|tiff?|heic|jxl)"
# The general rule of Mozilla's Readability: any attribute whose value is the address of a picture
# file, or a list of such with descriptors.
_ADDRESS: Final = re.compile(rf"[^\s\"'<>{{}}]+{_EXTENSION}(?:[?#][^\s\"'<>]*)?", re.IGNORECASE)
_LIST: Final = re.compile(rf"{_EXTENSION}[^\s,]*\s+[0-9.]+[wx]\b", re.IGNORECASE)
_LOOSE: Final = re.compile(r"(?:https?:)?/{1,2}[^\s\"'<>{}]+", re.IGNORECASE)

# Attributes of lazy loaders that are believed without a file name in them.
_LAZY: Final = re.compile(
    r"(?:data-)?(?:lazy[-_]?)?(?:src|original|original-src|actualsrc|srv|img-src|image|img|url|"
    r"hi-res-src|large_image|full|full-src|zoom-image|zoom-src|large-file|orig-file|medium-file|"
    r"native-src|pin-media|bg|bg-image|background|background-image|postersrc|lowsrc|iurl|lazy|"
    r"lazyload|lazy-src|flickity-lazyload|flickity-lazyload-src|pswp-src|thumb|poster)|ng-src|original"
)
_LAZY_LIST: Final = re.compile(r"(?:data-)?(?:[a-z-]*srcset|flickity-lazyload-srcset)")
_NEVER: Final = frozenset(
    ["src", "srcset", "alt", "title", "href", "class", "id", "style", "sizes", "action", "content",
     "background", "poster", "data", "cite", "aria-label", "value", "name", "usemap", "longdesc"]
)  # fmt: skip
_BEST: Final = re.compile(r"orig|full|native|master|raw|hi-?res|zoom|large|big|max", re.IGNORECASE)
_ORIGINAL: Final = re.compile(r"orig|full|native|master|raw", re.IGNORECASE)
_WORST: Final = re.compile(
    r"low|thumb|small|medium|lqip|tiny|preview|placeholder|blur|mini|fallback", re.IGNORECASE
)
_STAND_IN: Final = re.compile(
    r"(?:placeholder|blank|spacer|loading|loader|lazy|transparent|pixel|1x1|empty|dummy)[^/]*\Z",
    re.IGNORECASE,
)
_SMALL_PX: Final = 400
_OTHERS: Final = 2  # further candidates of a srcset that are kept as fall-backs

Attributes = Mapping[str, str | None]


def number(text: str | None) -> int | None:
    """Pixels of a width or height attribute: `300`, `300px`; None for 100% and the like."""
    match = re.fullmatch(r"\s*\+?([0-9]{1,6})(?:\.[0-9]*)?(?:px)?\s*", text or "")
    return int(match[1]) if match else None


def srcset_ways(candidates: list[SrcsetCandidate]) -> list[Way]:
    """The largest, then the next largest ones."""
    best = largest(candidates)
    if best is None:
        return []
    others = sorted(
        (one for one in candidates if one.url != best.url),
        key=lambda one: (-(one.width or 0), -one.density),
    )
    ways = [Way(best.url)]
    for place, one in enumerate(others):
        small = place >= _OTHERS or (one.width is not None and one.width < _SMALL_PX)
        ways.append(Way(one.url, Kind.THUMBNAIL if small else Kind.ORIGINAL))
    return ways


def lazy_ways(
    attributes: Attributes, *, loose: bool = True
) -> tuple[list[Way], list[SrcsetCandidate], list[Way]]:
    """What lazy attributes hold: better ones first, candidates of srcsets, low ones.

    `loose` takes known attributes at their word; else they have to name a file, because the
    attributes of a div or a link mean many things.
    """
    good: list[tuple[int, Way]] = []
    low: list[Way] = []
    listed: list[SrcsetCandidate] = []
    for name, text in attributes.items():
        value = (text or "").strip()
        if not value or name in _NEVER or name.startswith("on"):
            continue
        if _LAZY_LIST.fullmatch(name) or _LIST.search(value[:2000]):
            listed += parse_srcset(value)
        elif _is_address(name, value, loose=loose):
            if _WORST.search(name) and not _BEST.search(name):
                low.append(Way(value, Kind.THUMBNAIL, weak=True))
            else:
                order = 0 if _ORIGINAL.search(name) else 1 if _BEST.search(name) else 2
                good.append((order, Way(value)))
    good.sort(key=lambda pair: pair[0])
    return [way for _, way in good], listed, low


def own_ways(
    attributes: Attributes, beside: Sequence[tuple[str, SrcsetCandidate]] = ()
) -> list[Way]:
    """All ways of an img-like element, best first.

    `beside` are the candidates of a picture's source elements, each with its type.
    """
    lazy, listed, low = lazy_ways(attributes)
    src = (attributes.get("src") or "").strip()
    listed += parse_srcset(attributes.get("srcset") or "")
    lists = _best_list(listed, beside)
    sized = any(one.width or one.density != 1 for one in (*listed, *(one for _, one in beside)))
    first = Way(src)
    # Beside other addresses it may be a blank or blurred stand-in that many elements share.
    last = Way(src, Kind.THUMBNAIL if lazy else Kind.ORIGINAL, weak=True)
    if src and ((not lazy and not sized) or (lazy and _is_wider(src, lazy[0].ref))):
        ways = [first, *lists, *lazy, *low]  # other formats, or smaller: src is what came first
    else:
        named = bool(lazy) and _is_named_best(lazy[0], attributes)
        ways = [*lazy, *lists, *low] if named else [*lists, *lazy, *low]
        if src and not _STAND_IN.search(src.partition("?")[0]):
            ways.append(last)
    return list(dict.fromkeys(ways))


def _is_named_best(way: Way, attributes: Attributes) -> bool:
    """An attribute that is called original or full is better than a srcset, any other is not."""
    names = (name for name, value in attributes.items() if value and value.strip() == way.ref)
    return any(_BEST.search(name) for name in names)


def _best_list(
    listed: list[SrcsetCandidate], beside: Sequence[tuple[str, SrcsetCandidate]]
) -> list[Way]:
    """Candidates of all srcsets together; of equally large ones, those of older formats first."""
    plain = [one for kind, one in beside if not kind.endswith(("webp", "avif", "jxl"))]
    newer = [one for kind, one in beside if kind.endswith(("webp", "avif", "jxl"))]
    return srcset_ways([*listed, *plain, *newer])


def _is_address(name: str, value: str, *, loose: bool) -> bool:
    if len(value) > 8000:
        return False
    if _ADDRESS.fullmatch(value):
        return True
    believed = loose or "bg" in name or "background" in name
    return believed and bool(_LAZY.fullmatch(name)) and bool(_LOOSE.fullmatch(value))


def _is_wider(url: str, other: str) -> bool:
    one, two = stated_width(url), stated_width(other)
    return one is not None and two is not None and one > two
