"""Search filters of both result pages, as one question about an entry: is it kept?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import urlsplit

from pixtrawl.playground.search.listing import Original

Keep = Callable[[Original], bool]
_GOOGLE_TYPES: Final = {
    "photo": "photo", "clipart": "clipart", "lineart": "line", "animated": "animated",
}  # fmt: skip
_BING_TYPES: Final = {
    "photo": "photo", "clipart": "clipart", "linedrawing": "line", "animatedgif": "animated",
    "transparent": "transparent",
}  # fmt: skip
_DAYS: Final = {"h": 0.05, "d": 1.0, "w": 7.0, "m": 31.0, "y": 365.0}
_OPEN: Final = frozenset({"by", "by-sa", "cc0", "pdm", "by-nc", "by-nd", "by-nc-sa"})
_COMMERCIAL: Final = frozenset({"by", "by-sa", "cc0", "pdm", "by-nd"})
_MODIFY: Final = frozenset({"by", "by-sa", "cc0", "pdm", "by-nc", "by-nc-sa"})
BING_LICENSES: Final = {
    "licenseType-Any": _OPEN,
    "license-L1": frozenset({"pdm", "cc0"}),
    "license-L2_L3_L4_L5_L6_L7": _OPEN - {"pdm"},
    "license-L2_L3_L4": _COMMERCIAL,
    "license-L2_L3_L5_L6": _MODIFY,
    "license-L2_L3": _COMMERCIAL & _MODIFY,
}


def size_class(entry: Original) -> str:
    """Return small | medium | large | wallpaper, by the pixels of the picture."""
    pixels = entry.width * entry.height
    if pixels < 200_000:
        return "small"
    if pixels < 450_000:
        return "medium"
    return "large" if pixels < 900_000 else "wallpaper"


def google_filter(parameters: dict[str, str]) -> Keep:
    """Read `tbs`, `imgar` and `site:` of a Google-like request."""
    tests = list(_google_tests(parameters))
    return lambda entry: all(test(entry) for test in tests)


def _google_tests(parameters: dict[str, str]) -> Iterator[Keep]:
    pairs = (part.partition(":")[::2] for part in parameters.get("tbs", "").split(","))
    tbs = dict(pair for pair in pairs if pair[0])
    size, color, kind = tbs.get("isz"), tbs.get("isc"), tbs.get("itp")
    if size in {"l", "m", "i"}:
        wanted = {"l": {"large", "wallpaper"}, "m": {"medium"}, "i": {"small"}}[size]
        yield lambda entry: size_class(entry) in wanted
    if size == "lt":
        least = {"qsvga": 400, "vga": 640, "svga": 800, "xga": 1024}.get(tbs.get("islt", ""), 1600)
        yield lambda entry: entry.width >= least
    if color:
        yield lambda entry: entry.traits.color == color
    if tbs.get("ic") == "gray":
        yield lambda entry: entry.traits.color in {"gray", "black", "white"}
    if tbs.get("ic") == "trans":
        yield lambda entry: entry.traits.kind == "transparent"
    if kind:
        yield lambda entry: entry.traits.kind == _GOOGLE_TYPES.get(kind, kind)
    if tbs.get("qdr") in _DAYS:
        days = _DAYS[tbs["qdr"]]
        yield lambda entry: entry.traits.age_days <= days
    if tbs.get("sur") or tbs.get("il"):
        yield lambda entry: entry.traits.license in _OPEN
    aspect = {"t": "tall", "xt": "tall", "s": "square", "w": "wide", "xw": "wide"}.get(
        parameters.get("imgar", "")
    )
    if aspect:
        yield lambda entry: entry.traits.aspect == aspect
    yield from _site_test(parameters.get("q", ""))


def bing_filter(parameters: dict[str, str]) -> Keep:
    """Read `qft` and `site:` of a Bing-like request."""
    given = parameters.get("qft", "").replace("+", " ").split()
    tests = [test for part in given for test in _bing_tests(part.removeprefix("filterui:"))]
    tests += _site_test(parameters.get("q", ""))
    return lambda entry: all(test(entry) for test in tests)


def _bing_tests(name: str) -> Iterator[Keep]:
    if name in BING_LICENSES:
        allowed = BING_LICENSES[name]
        yield lambda entry: entry.traits.license in allowed
    group, _, value = name.partition("-")
    if group == "imagesize" and value.startswith("custom_"):
        least_w, least_h = (int(side) for side in value.removeprefix("custom_").split("_"))
        yield lambda entry: entry.width >= least_w and entry.height >= least_h
    elif group == "imagesize":
        yield lambda entry: size_class(entry) == value
    elif group == "color2" and value == "bw":
        yield lambda entry: entry.traits.color in {"gray", "black", "white"}
    elif group == "color2" and value.startswith("FGcls_"):
        yield lambda entry: entry.traits.color == value.removeprefix("FGcls_").lower()
    elif group == "photo":
        yield lambda entry: entry.traits.kind == _BING_TYPES.get(value, value)
    elif group == "aspect":
        yield lambda entry: entry.traits.aspect == value
    elif group == "age":
        days = int(value.removeprefix("lt")) / 1440  # given in minutes
        yield lambda entry: entry.traits.age_days <= days


def _site_test(query: str) -> Iterator[Keep]:
    for word in query.split():
        if word.startswith("site:"):
            site = word.removeprefix("site:")
            yield lambda entry, site=site: site in urlsplit(entry.page_url).netloc  # type: ignore[misc]
