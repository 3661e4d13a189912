"""Read one HTML page: its pictures by rank, and its links. Pure, bounded.

Pictures are searched for in this order: links to image files, picture and srcset, lazy attributes,
noscript, meta and link elements, JSON-LD, CSS and other elements with pictures, the state in
scripts; only if all of these give nothing, any text that looks like a URL.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from pixtrawl import urls
from pixtrawl.model import Kind
from pixtrawl.sources.html import Document, Element, TooComplexError
from pixtrawl.sources.page.around import Around, is_image_link
from pixtrawl.sources.page.attributes import DECOR, lazy_ways, number, own_ways, srcset_ways
from pixtrawl.sources.page.beside import TextBeside
from pixtrawl.sources.page.found import Facts, FoundPicture, FoundPictures, Lead, Tier, Way, Wish
from pixtrawl.sources.page.frames import Shown, shown_documents, written_frames
from pixtrawl.sources.page.head import page_license, read_head, reservations, robots_words
from pixtrawl.sources.page.state import css_ways, read_json_ld, read_state, read_text

__all__ = ["PageContent", "is_image_link", "read_page"]

_MAX_ELEMENTS: Final = 40_000
_MAX_LINKS: Final = 5000
_SMALL_PX: Final = 100  # pictures shown smaller rank after the others
_IMG: Final = frozenset({"img", "amp-img", "amp-anim", "image"})
_STATE: Final = re.compile(
    r"__[A-Z_]*(?:STATE|DATA|PROPS|NUXT|APOLLO|CONTEXT|STORE)[A-Z_]*__|window\.__|__NUXT__"
)
_DATA_TYPES: Final = frozenset({"application/json", "text/json", "text/x-component"})
# Attributes with a URL, of other elements that may be a picture.
_OTHERS: Final = {
    "video": "poster", "input": "src", "object": "data", "embed": "src", "area": "href",
    "table": "background", "td": "background", "tr": "background", "body": "background",
    "th": "background",
}  # fmt: skip
_BY_NAME: Final = frozenset({"object", "embed", "area"})  # only if the URL names an image


class PageContent(Struct):
    """The content of one page."""

    pictures: list[FoundPicture] = field(default_factory=list)
    links: list[str] = field(default_factory=list)  # other pages, absolute
    following: list[str] = field(default_factory=list)  # rel=next
    robots: list[str] = field(default_factory=list)  # of meta robots, ours included
    document: Document | None = None  # None: too complex, read as text
    any_image: bool = False  # any sign of a picture
    shown: list[Shown] = field(default_factory=list)  # documents that a browser shows in it
    reserved: list[str] = field(default_factory=list)  # of meta tdm-reservation

    @property
    def nofollow(self) -> bool:
        """Whether the page asks not to follow its links."""
        words = {word.strip().lower() for text in self.robots for word in text.split(",")}
        return bool(words & {"nofollow", "none"})

    @property
    def has_content(self) -> bool:
        """Whether it has a picture other than logos and the like."""
        return any(one.tier < Tier.DECOR for one in self.pictures)


def read_page(text: str, url: str, wish: Wish | None = None) -> PageContent:
    """Read the text that came from `url`. Never raises for what a page holds."""
    pictures = FoundPictures(url, wish or Wish())
    try:
        document = Document(text)
    except TooComplexError:
        read_text(text, pictures)
        return PageContent(pictures.found(), any_image=pictures.seen_any)
    base = document.first("base[href]")
    if base is not None:
        joined = urls.join(url, base.get("href").strip())
        if joined and urls.scheme_of(joined) in {"http", "https"}:
            pictures.base = joined
    page = _PageWalk(document, pictures)
    page.read()
    for written in written_frames(document):
        _read_written(written, pictures)
    if not len(pictures) and not pictures.seen_any:
        read_text(text, pictures)
    found = pictures.found()
    _apply_license(found, page_license(document, pictures))
    return PageContent(
        found,
        page.links,
        page.following,
        robots_words(document),
        document,
        pictures.seen_any,
        shown_documents(document, pictures, text),
        reservations(document),
    )


def _read_written(text: str, pictures: FoundPictures) -> None:
    """Read a document inside the page's own text; as plain text if too complex."""
    try:
        _PageWalk(Document(text), pictures).read()
    except TooComplexError:
        read_text(text, pictures)


class _PageWalk:
    """One pass over the elements, in document order."""

    def __init__(self, document: Document, pictures: FoundPictures) -> None:
        self._document = document
        self._pictures = pictures
        self._captions: dict[int, str] = {}
        self._beside = TextBeside(document)
        self._links: dict[str, None] = {}
        self._following: dict[str, None] = {}

    @property
    def links(self) -> list[str]:
        return list(self._links)

    @property
    def following(self) -> list[str]:
        return list(self._following)

    def read(self) -> None:
        for element in self._document.all("*")[:_MAX_ELEMENTS]:
            self._one(element)
        read_head(self._document, self._pictures)

    def _one(self, element: Element) -> None:
        tag = element.tag
        if self._pictures.full and tag != "a":
            return
        if tag in _IMG:
            self._image(element)
        elif tag in {"a", "link"}:
            self._link(element)
        elif tag == "script":
            self._script(element)
        elif tag == "style":
            self._css(element.content)
        elif tag in _OTHERS:
            self._other(element)
        elif tag == "svg":
            self._pictures.seen_any = True
        elif tag not in {"source", "meta"} and element.attributes:
            self._lazy(element)
        if element.get("style"):
            self._css(element.get("style"))

    def _image(self, element: Element) -> None:
        """Add an img-like element: its own ways, those of picture and surrounding link."""
        if element.tag == "image":
            refs = (element.get("href"), element.get("xlink:href"))
            self._pictures.add(Tier.STYLE, [Way(ref) for ref in refs if ref])
            return
        if _is_tracking(element):
            self._pictures.seen_any = True
            return
        around = Around(element)
        lazy = lazy_ways(element.attributes)
        ways = own_ways(element.attributes, around.sources(), lazy)
        decor = around.decor or self._looks_decor(element)
        width, height = number(element.get("width")), number(element.get("height"))
        full = around.full_ways(self._pictures)
        if full:
            lesser = [Way(way.ref, _lesser(way, width), weak=True) for way in ways]
            ways, decor, width, height = [*full, *lesser], False, None, None
        else:
            ways = [*around.likely_ways(self._pictures), *ways]
        alt = " ".join(element.get("alt")[:2000].split()) or None
        beside = None if decor else self._beside.of(element, self._caption(around.figure))
        facts = Facts(self._title(element, around), width, height, alt=alt, page_text=beside)
        tier = Tier.DECOR if decor else Tier.SMALL if _is_small(width, height) else Tier.BODY
        named = tier == Tier.BODY and around.names_lead(element)
        self._pictures.add(tier, ways, facts, Lead.NAMED if named else Lead.NOT)
        for others in lazy.gallery:
            self._pictures.add(Tier.BODY, others)

    def _title(self, element: Element, around: Around) -> str | None:
        own = element.get("alt") or self._caption(around.figure)
        own = own or element.get("aria-label") or element.get("title")
        if not own.strip() and around.link is not None:
            own = around.link.get("aria-label") or around.link.get("title")
        return " ".join(own[:2000].split()) or None

    def _caption(self, figure: Element | None) -> str:
        if figure is None:
            return ""
        if figure.key not in self._captions:
            captions = figure.all("figcaption") if len(self._captions) < 500 else []
            self._captions[figure.key] = captions[0].text[:2000] if captions else ""
        return self._captions[figure.key]

    def _looks_decor(self, element: Element) -> bool:
        names = (element.get("class"), element.get("id"), element.get("alt")[:200])
        file = element.get("src")[:2000].rpartition("/")[2]
        return any(DECOR.search(text) for text in (*names, file))

    def _link(self, element: Element) -> None:
        """Add a link to an image file, to a page or to the next page."""
        href = element.get("href")
        target = self._pictures.absolute(href) if href else None
        if target is None or target[:5].lower() == "data:":
            if element.tag == "a":
                self._lazy(element)
            return
        words = element.get("rel").lower().split()
        if "next" in words:
            self._following.setdefault(target)
        if element.tag == "link":
            return
        if is_image_link(target):
            title = element.get("aria-label") or element.get("title") or element.text[:500]
            width = number(element.get("data-pswp-width"))
            height = number(element.get("data-pswp-height"))
            self._pictures.add(Tier.BODY, [Way(href)], Facts(title.strip() or None, width, height))
        else:
            self._lazy(element)
            if "nofollow" not in words and len(self._links) < _MAX_LINKS:
                self._links.setdefault(target.partition("#")[0])

    def _script(self, element: Element) -> None:
        kind = element.get("type").partition(";")[0].strip().lower()
        if kind == "application/ld+json":
            read_json_ld(element.content, self._pictures)
            return
        if kind in _DATA_TYPES or element.get("id").startswith("__"):
            read_state(element.content, self._pictures)
        elif not element.get("src"):
            text = element.content
            read_state(text, self._pictures, relative=_STATE.search(text) is None)

    def _css(self, css: str) -> None:
        for ways in css_ways(css):
            self._pictures.add(Tier.STYLE, ways)

    def _other(self, element: Element) -> None:
        ref = element.get(_OTHERS[element.tag])
        if element.tag == "input" and element.get("type").lower() != "image":
            return
        if element.tag == "area":
            target = self._pictures.absolute(ref) if ref else None
            if target is not None and not is_image_link(target):
                self._links.setdefault(target)
        named = element.tag not in _BY_NAME or is_image_link(ref)
        if ref and (named or element.get("type").lower().startswith("image/")):
            tier = Tier.DECOR if element.tag == "input" else Tier.STYLE
            self._pictures.add(tier, [Way(ref)])
        self._lazy(element)

    def _lazy(self, element: Element) -> None:
        """Add the lazy-loader attributes of a div, figure or link."""
        lazy = lazy_ways(element.attributes, loose=False)
        ways = [*lazy.good, *srcset_ways(lazy.listed)]
        if ways:
            self._pictures.add(Tier.BODY, [*ways, *lazy.low])
        for others in lazy.gallery:
            self._pictures.add(Tier.BODY, others)


def _is_tracking(element: Element) -> bool:
    """Return whether it is invisible: without a size, or a hidden pixel."""
    sizes = [element.get("width").strip(), element.get("height").strip()]
    if all(size.removesuffix("px") == "0" for size in sizes):
        return not any(name.startswith("data-") for name in element.attributes)
    style = element.get("style").replace(" ", "").lower()
    hidden = "hidden" in element.attributes or "display:none" in style
    hidden = hidden or "visibility:hidden" in style
    return hidden and any(size.removesuffix("px") in {"0", "1"} for size in sizes)


def _is_small(width: int | None, height: int | None) -> bool:
    stated = [one for one in (width, height) if one is not None]
    return bool(stated) and max(stated) < _SMALL_PX


def _lesser(way: Way, width: int | None) -> Kind:
    """Mark a small picture inside a link to the file as its thumbnail."""
    if way.kind is Kind.ORIGINAL and width is not None and width >= 400:
        return Kind.ORIGINAL
    return Kind.THUMBNAIL


def _apply_license(pictures: list[FoundPicture], claim: str | None) -> None:
    """Apply the page's rel=license to pictures that name no licence."""
    if claim is None:
        return
    for picture in pictures:
        facts = picture.facts
        if facts.license is None and facts.license_url is None and picture.tier < Tier.DECOR:
            picture.facts = replace(facts, license=claim, license_url=claim)
