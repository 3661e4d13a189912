"""Read the ways to a picture from attributes: src, srcset, and those of lazy loaders. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from pixtrawl.model import Kind
from pixtrawl.sources.page.found import Way
from pixtrawl.sources.page.srcset import SrcsetCandidate, largest, parse_srcset
from pixtrawl.sources.page.upgrade import stated_width
from pixtrawl.sources.page.values import NAMING, Sized, best_first, expanded, pictures_in

__all__ = ["DECOR", "Lazy", "lazy_ways", "looks_decor", "number", "own_ways", "srcset_ways"]

_EXTENSION: Final = r"\.(?:jpe?g|jfif|png|gif|webp|avif|bmp|tiff?|heic|jxl)"
# The general rule of Mozilla's Readability: any attribute whose value is the URL of a picture file,
# or a list of these with descriptors. Bare file names count in attributes of lazy loaders only.
_ADDRESS: Final = re.compile(rf"[^\s\"'<>{{}}]+{_EXTENSION}(?:[?#][^\s\"'<>]*)?", re.IGNORECASE)
_ROOTED: Final = re.compile(r"(?:https?:)?//?[^/]", re.IGNORECASE)
_CALLED: Final = re.compile(r"[\"']([^\"'\s<>(){}]{1,2000}/[^\"'\s<>(){}]{1,2000})[\"']")
_LIST: Final = re.compile(rf"{_EXTENSION}[^\s,]*\s+[0-9.]+[wx]\b", re.IGNORECASE)
_LOOSE: Final = re.compile(r"(?:https?:)?/{1,2}[^\s\"'<>{}]+", re.IGNORECASE)

# Attributes of lazy loaders, which count even without a file name.
_LAZY: Final = re.compile(
    r"(?:data-)?(?:lazy[-_]?)?(?:src|original|original-src|actualsrc|srv|img-src|image|img|url|"
    r"hi-res-src|large_image|full|full-src|zoom-image|zoom-src|large-file|orig-file|medium-file|"
    r"native-src|pin-media|bg|bg-image|background|background-image|postersrc|lowsrc|iurl|lazy|"
    r"lazyload|lazy-src|flickity-lazyload|flickity-lazyload-src|pswp-src|thumb|poster)|ng-src|original"
)
# Attributes that a script copies into src, in place of a placeholder.
_LOADERS: Final = re.compile(
    r"(?:data-)?(?:lazy[-_]?)?(?:src|original|original-src|actualsrc|srv|img-src|lazy|lazyload|lazy-src|"
    r"flickity-lazyload|flickity-lazyload-src)|ng-src"
)
# Attributes whose JSON holds sizes of a single picture, even in several objects.
_ONE_PICTURE: Final = re.compile(r"src|srcset|interchange|dynamic|sizes|responsive|sources")
_LAZY_LIST: Final = re.compile(r"(?:data-)?(?:[a-z-]*srcset|flickity-lazyload-srcset)")
_NEVER: Final = frozenset(
    ["src", "srcset", "alt", "title", "href", "class", "id", "style", "sizes", "action", "content",
     "background", "poster", "data", "cite", "aria-label", "value", "name", "usemap", "longdesc",
     "download", "data-widths"]
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
DECOR: Final = re.compile(
    r"(?:^|[/_.\s-])(?:logo|icons?|sprite|avatar|emoji|badge|spacer|pixel|blank|button|banner|"
    r"gravatar|favicon|ads?|advert|tracking|captcha)(?:$|[/_.\s\d-])",
    re.IGNORECASE,
)
_SMALL_PX: Final = 400
_MOST_PX: Final = 65_535
_OTHERS: Final = 2  # further candidates of a srcset that are kept as fall-backs

Attributes = Mapping[str, str | None]


class Lazy(Struct, frozen=True):
    """URLs in an element's attributes other than src and srcset, better ones first."""

    good: list[Way]  # of lazy loaders, or of attributes named as something better than src
    guesses: list[Way]  # of any other attribute
    listed: list[SrcsetCandidate]
    low: list[Way]
    replaces: bool  # the page's script copies the first good one into src
    gallery: list[list[Way]]  # other pictures that JSON names


def number(text: str | None) -> int | None:
    """Parse a width or height attribute in pixels: `300`, `300px`.

    None for 0, negative numbers, `100%`, `auto`, and more than 65,535.
    """
    match = re.fullmatch(r"\s*\+?([0-9]{1,6})(?:\.[0-9]*)?(?:px)?\s*", text or "")
    pixels = int(match[1]) if match else 0
    return pixels if 0 < pixels <= _MOST_PX else None


def looks_decor(url: str) -> bool:
    """Return whether the file name is that of a logo, an icon or the like."""
    return DECOR.search(url[:2000].partition("?")[0].rpartition("/")[2]) is not None


def srcset_ways(candidates: list[SrcsetCandidate]) -> list[Way]:
    """Return the largest candidate, then the next largest ones."""
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


def lazy_ways(attributes: Attributes, *, loose: bool = True) -> Lazy:
    """Read every attribute that may hold an address.

    `loose` accepts any URL in known attributes. Without it they must name an image file, because
    attributes of a div or a link have many meanings.
    """
    good: list[tuple[int, bool, Way]] = []
    guesses: list[Way] = []
    low: list[Way] = []
    listed: list[SrcsetCandidate] = []
    gallery: list[list[Way]] = []
    for name, value in _values(attributes, gallery, good):
        if _LAZY_LIST.fullmatch(name) or _LIST.search(value[:2000]):
            listed += parse_srcset(value)
        elif _is_address(name, value, loose=loose):
            better = _BEST.search(name) is not None
            known = _LAZY.fullmatch(name) is not None
            if _WORST.search(name) and not better:
                low.append(Way(value, Kind.THUMBNAIL, weak=True))
            elif known or better or not loose:
                order = 0 if _ORIGINAL.search(name) else 1 if better else 2
                sure = "/" in value and _LOADERS.fullmatch(name) is not None
                good.append((order, sure, Way(value)))
            else:
                guesses.append(Way(value, weak=True))
    good.sort(key=lambda one: one[0])
    ways = [way for _, _, way in good]
    return Lazy(ways, guesses, listed, low, bool(good) and good[0][1], gallery)


def _values(
    attributes: Attributes, gallery: list[list[Way]], good: list[tuple[int, bool, Way]]
) -> Iterator[tuple[str, str]]:
    """Yield attributes with plain values; add those of JSON and script calls to the lists."""
    for name, text in attributes.items():
        value = (text or "").strip()
        if not value or name in _NEVER:
            continue
        if name.startswith("on"):
            if name == "onclick":
                good += [(1, False, Way(url)) for url in _called(value)]
            continue
        if value[0] in "{[":
            found = [best_first(one) for one in _of_json(name, value)]
            if len(found) == 1 and "src" in attributes:
                good += [(1, False, way) for way in found[0]]
            else:
                gallery += found
            if found:
                continue
        if "{" in value or "%7" in value or "[" in value:
            filled = expanded(value, attributes)
            if filled is None:
                continue
            value = filled
        yield name, value


def _of_json(name: str, value: str) -> list[list[Sized]]:
    found = pictures_in(value)
    if len(found) > 1 and _ONE_PICTURE.search(name):
        return [[one for picture in found for one in picture]]
    return found


def _called(script: str) -> list[str]:
    """Return URLs of image files passed to a function: `show('/big.jpg')`."""
    found = (match[1] for match in _CALLED.finditer(script[:8000]))
    return [url for url in found if _ADDRESS.fullmatch(url)][:3]


def own_ways(
    attributes: Attributes,
    beside: Sequence[tuple[str, SrcsetCandidate]] = (),
    lazy: Lazy | None = None,
) -> list[Way]:
    """Return all ways of an img-like element, best first; always with the one that is shown.

    `beside` are the candidates of the picture's source elements, each with its type; `lazy` is the
    result of `lazy_ways` if it is known already.
    """
    lazy = lazy_ways(attributes) if lazy is None else lazy
    src = expanded((attributes.get("src") or "").strip(), attributes) or ""
    listed = [*lazy.listed, *parse_srcset(attributes.get("srcset") or "")]
    lists = _best_list(listed, beside)
    sized = any(one.width or one.density != 1 for one in (*listed, *(one for _, one in beside)))
    first, rest = Way(src), [*lists, *lazy.good]
    may_stand_in = _may_stand_in(src)
    sized = sized or (bool(lazy.listed) and may_stand_in)
    if src and ((not lazy.good and not sized) or (lazy.good and _is_wider(src, lazy.good[0].ref))):
        if may_stand_in and lazy.guesses and not rest:
            return _unique([*lazy.guesses, Way(src, weak=True), *lazy.low])
        # Lists hold other formats or smaller sizes: src comes first.
        return _unique([first, *rest, *lazy.guesses, *lazy.low])
    if lazy.good and _is_named_best(lazy.good[0], attributes):
        rest = [*lazy.good, *lists]
    if src and not _STAND_IN.search(src.partition("?")[0]):
        # Next to other URLs it may be a blank or blurred placeholder shared by many elements.
        kind = Kind.THUMBNAIL if lazy.replaces else Kind.ORIGINAL
        rest.append(Way(src, kind, weak=True))
    return _unique([*rest, *lazy.guesses, *lazy.low])


def _unique(ways: list[Way]) -> list[Way]:
    return list(dict.fromkeys(ways))


def _may_stand_in(src: str) -> bool:
    """Return whether it may be a placeholder: a data: URI, a GIF, a name like blank.png."""
    path = src[:2000].partition("?")[0].lower()
    return path.startswith("data:") or path.endswith(".gif") or bool(_STAND_IN.search(path))


def _is_named_best(way: Way, attributes: Attributes) -> bool:
    """Return whether the attribute is named original or full: better than a srcset."""
    names = (name for name, value in attributes.items() if value and value.strip() == way.ref)
    return any(_BEST.search(name) for name in names)


def _best_list(
    listed: list[SrcsetCandidate], beside: Sequence[tuple[str, SrcsetCandidate]]
) -> list[Way]:
    """Merge all srcsets, largest first; of equal sizes, older formats first."""
    plain = [one for kind, one in beside if not kind.endswith(("webp", "avif", "jxl"))]
    newer = [one for kind, one in beside if kind.endswith(("webp", "avif", "jxl"))]
    return srcset_ways([*listed, *plain, *newer])


def _is_address(name: str, value: str, *, loose: bool) -> bool:
    if len(value) > 8000:
        return False
    known = _LAZY.fullmatch(name) is not None
    if _ADDRESS.fullmatch(value):
        rooted = _ROOTED.match(value) is not None
        return known or rooted or ("/" in value and not NAMING.search(name))
    believed = loose or "bg" in name or "background" in name
    return believed and known and bool(_LOOSE.fullmatch(value))


def _is_wider(url: str, other: str) -> bool:
    one, two = stated_width(url), stated_width(other)
    return one is not None and two is not None and one > two
