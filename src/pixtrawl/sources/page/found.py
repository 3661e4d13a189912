"""Collect the pictures of one page, each once, however many ways lead to it.

The readers (`links`, `state`) add ways to pictures in any order. Here URLs are made absolute,
filtered, upgraded to originals and merged if they belong to one picture. Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from enum import IntEnum
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from pixtrawl import urls
from pixtrawl.model import Kind
from pixtrawl.sources.page.upgrade import stated_width, upgraded

__all__ = ["Facts", "FoundPicture", "FoundPictures", "Lead", "Tier", "Way", "Wish"]

MAX_PICTURES: Final = 5000  # of one page
_MAX_URL: Final = 8000
_MAX_DATA: Final = 12 * 2**20
_MAX_ALTERNATES: Final = 4
_SMALL_PX: Final = 400  # a resized copy below it is a thumbnail; WordPress's "medium" is 300
_MAX_TEXT: Final = 500
_LARGE_PX: Final = 400
_SHOWN_SMALL_PX: Final = 200
_PIXEL_PX: Final = 2  # as wide and high as a tracking pixel

# A data: URI of less than 133 base64 characters is a spacer or a blurred dot, not a picture
# (threshold of Mozilla's Readability).
_PLACEHOLDER_CHARS: Final = 133
_DATA_IMAGE: Final = re.compile(r"data:image/(?P<kind>[a-z0-9.+-]+)", re.IGNORECASE)
_SVG: Final = re.compile(r"\.svgz?(?:[?#]|\Z)", re.IGNORECASE)
_ICO: Final = re.compile(r"(?:\.ico|/favicon[^/]*)(?:[?#]|\Z)", re.IGNORECASE)
_THUMB: Final = re.compile(
    r"/thumb(?:s|nails?)?/|[/_.-]thumb(?:s|nail)?\.[a-z]{3,4}(?:\?|\Z)|[._-](?:tn|th)\.[a-z]{3,4}\Z",
    re.IGNORECASE,
)


class Tier(IntEnum):
    """The place where a picture was found; pictures are ranked in this order."""

    LEAD = 0  # the page's picture: in the body and named by the head, or the first one named there
    BODY = 1
    SMALL = 2  # in the body, and shown small
    META = 3
    DATA = 4  # JSON-LD
    STYLE = 5
    STATE = 6
    TEXT = 7
    DECOR = 10  # logos, avatars, navigation


class Lead(IntEnum):
    """Ways in which a page names its lead picture; the first that it uses counts."""

    OPEN_GRAPH = 0
    TWITTER = 1
    PRIMARY = 2  # JSON-LD's primaryImageOfPage
    JSON_LD = 3
    IMAGE_SRC = 4
    NAMED = 5  # by its class or id: featured-image, hero
    NOT = 9


class Wish(Struct, frozen=True):
    """The user's requirements for a page. `min_size` applies to stated sizes, in pixels."""

    upgrade: bool = True
    icons: bool = False
    svg: bool = False
    min_size: tuple[int, int] = (0, 0)


class Way(Struct, frozen=True):
    """One address of a picture as the page gives it.

    `weak`: it may be shared by several pictures (a placeholder, a file type's icon), so that two
    pictures that share it are not merged.
    """

    ref: str
    kind: Kind = Kind.ORIGINAL
    weak: bool = False


class Facts(Struct, frozen=True):
    """The facts that a page states about a picture."""

    title: str | None = None
    width: int | None = None
    height: int | None = None
    license: str | None = None
    license_url: str | None = None
    creator: str | None = None
    alt: str | None = None
    page_text: str | None = None  # what stands beside it


class FoundPicture(Struct):
    """One picture: its addresses, best first, with what is said of it."""

    ways: list[tuple[str, Kind]]
    tier: int
    facts: Facts
    lead: int = Lead.NOT
    thumb_url: str | None = None


class _Mention(Struct):
    ways: list[tuple[str, Kind]]
    strong: list[bytes]
    weak: list[bytes]
    tier: int
    facts: Facts
    lead: int


class FoundPictures(Struct):
    """Collects the mentions of pictures on a page at `base` (its own URL, or of `<base>`)."""

    base: str
    wish: Wish = field(default_factory=Wish)
    _mentions: list[_Mention] = field(default_factory=list)
    _weak: Counter[bytes] = field(default_factory=Counter)
    seen_any: bool = False  # any sign of a picture, even of one that does not count

    def __len__(self) -> int:
        return len(self._mentions)

    @property
    def full(self) -> bool:
        """Whether the page has as many mentions as are kept."""
        return len(self._mentions) >= MAX_PICTURES

    def absolute(self, ref: str) -> str | None:
        """Resolve `ref` against the base; an absolute URL stays byte for byte."""
        ref = ref.strip("\t\n\f\r ")
        if not ref or len(ref) > _MAX_DATA:
            return None
        if ref[:5].lower() == "data:":
            return ref
        if len(ref) > _MAX_URL or ref[0] == "#":
            return None
        if ref[:8].lower().startswith(("http://", "https://")) and urls.check(ref) is None:
            return ref
        url = urls.join(self.base, ref)
        return url if url and urls.scheme_of(url) in {"http", "https"} else None

    def add(
        self,
        tier: Tier,
        ways: Iterable[Way],
        facts: Facts | None = None,
        lead: Lead = Lead.NOT,
    ) -> None:
        """Add one mention: `ways` lead to one picture, best first."""
        facts = facts or Facts()
        self.seen_any = True
        if self.full or self._unwanted(facts):
            return
        mention = _Mention([], [], [], tier, facts, lead)
        absolute = [(url, way) for way in ways if (url := self.absolute(way.ref)) is not None]
        # A URL in two attributes is taken once; it is weak only if both are.
        strong = {url for url, way in absolute if not way.weak}
        taken: set[str] = set()
        for url, way in absolute:
            if url in taken or (way.weak and url in strong):
                continue
            if self._counts(url, alone=not mention.ways):
                taken.add(url)
                self._take(mention, url, way)
        if mention.strong or mention.weak:
            self._mentions.append(mention)
            self._weak.update(set(mention.weak))

    def _take(self, mention: _Mention, url: str, way: Way) -> None:
        kind = Kind.DATA if url[:5].lower() == "data:" else way.kind
        better = upgraded(url) if self.wish.upgrade and kind is not Kind.DATA else None
        if better is not None and not way.weak:
            mention.ways.append((better, Kind.ORIGINAL))
            mention.strong.append(urls.url_key(better))
        if kind is Kind.ORIGINAL and _is_small(url, resized=better is not None):
            kind = Kind.THUMBNAIL
        mention.ways.append((url, kind))
        (mention.weak if way.weak else mention.strong).append(urls.url_key(url))

    def _counts(self, url: str, *, alone: bool) -> bool:
        if url[:5].lower() == "data:":
            match = _DATA_IMAGE.match(url)
            if match is None or not alone:  # next to a real URL it is a preview
                return False
            is_svg = match["kind"].lower() == "svg+xml"
            payload = len(url) - url.find(",") - 1
            return payload >= _PLACEHOLDER_CHARS and (self.wish.svg or not is_svg)
        if not self.wish.svg and _SVG.search(url):
            return False
        return self.wish.icons or not _ICO.search(url)

    def _unwanted(self, facts: Facts) -> bool:
        """Return whether a stated size is a tracking pixel's, an icon's or below the minimum."""
        width, height = facts.width, facts.height
        if width is not None and height is not None and max(width, height) <= _PIXEL_PX:
            return True
        if width is not None and height is not None and max(width, height) <= 32:
            return not self.wish.icons
        least = self.wish.min_size
        too_narrow = width is not None and width < least[0]
        return too_narrow or (height is not None and height < least[1])

    def found(self) -> list[FoundPicture]:
        """Return every picture once, by rank: the page's lead first, then tier by tier."""
        index: dict[bytes, FoundPicture] = {}
        pictures: list[FoundPicture] = []
        for mention in sorted(self._mentions, key=lambda one: one.tier):
            own = [key for key in mention.weak if self._weak[key] == 1]
            keys = [*mention.strong, *own]
            picture = next((index[key] for key in keys if key in index), None)
            ways = self._ways_of(mention)
            if not ways:
                continue
            if picture is None:
                picture = FoundPicture(ways, mention.tier, mention.facts, mention.lead)
                pictures.append(picture)
            else:
                _merge(picture, ways, mention)
            for key in keys:
                index.setdefault(key, picture)
        for picture in pictures:
            _settle(picture)
        _promote(pictures)
        return sorted(pictures, key=lambda one: one.tier)

    def _ways_of(self, mention: _Mention) -> list[tuple[str, Kind]]:
        """Return ways without placeholders: weak URLs that several pictures share."""
        shared = {key for key in mention.weak if self._weak[key] > 1} - set(mention.strong)
        if not shared:
            return mention.ways
        return [way for way in mention.ways if urls.url_key(way[0]) not in shared]


def _promote(pictures: list[FoundPicture]) -> None:
    """Move the page's lead picture to the front; without one, the first large one."""
    named = [one for one in pictures if one.lead != Lead.NOT and one.tier != Tier.DECOR]
    lead = min(named, key=lambda one: one.lead, default=None) or _first_large(pictures)
    if lead is not None:
        lead.tier = Tier.LEAD
        pictures.remove(lead)
        pictures.insert(0, lead)


def _first_large(pictures: list[FoundPicture]) -> FoundPicture | None:
    """Return the first large picture of the content if only small ones come before it."""
    for one in pictures:
        if one.tier == Tier.BODY:
            shown = max(one.facts.width or 0, one.facts.height or 0)
            if shown >= _LARGE_PX:
                return one
            if not 0 < shown < _SHOWN_SMALL_PX:
                return None
    return None


def _is_small(url: str, *, resized: bool) -> bool:
    """Return whether a URL is by its form that of a thumbnail."""
    width = stated_width(url)
    if width is not None:
        return width < _SMALL_PX and (resized or _THUMB.search(url) is not None)
    return _THUMB.search(url) is not None


def _merge(picture: FoundPicture, ways: list[tuple[str, Kind]], mention: _Mention) -> None:
    known = {url for url, _ in picture.ways}
    picture.ways += [way for way in ways if way[0] not in known]
    if picture.tier in {Tier.BODY, Tier.SMALL} and mention.tier in {Tier.META, Tier.DATA}:
        picture.tier = Tier.LEAD
    picture.lead = min(picture.lead, mention.lead)
    old, new = picture.facts, mention.facts
    values = {name: getattr(old, name) for name in Facts.__struct_fields__}
    missing = {name: getattr(new, name) for name, value in values.items() if value is None}
    picture.facts = Facts(**{**values, **missing})


def _settle(picture: FoundPicture) -> None:
    """Sort by kind (stable), limit the number; mark the first thumbnail as such."""
    unique = dict.fromkeys(picture.ways)
    ordered = sorted(unique, key=lambda way: way[1].preference)
    thumb = next((url for url, kind in ordered if kind is Kind.THUMBNAIL), None)
    if ordered[0][1] is not Kind.THUMBNAIL:
        picture.thumb_url = thumb
    picture.ways = ordered[: 1 + _MAX_ALTERNATES]
    facts = picture.facts
    if facts.title is not None and len(facts.title) > _MAX_TEXT:
        picture.facts = replace(facts, title=facts.title[:_MAX_TEXT])
