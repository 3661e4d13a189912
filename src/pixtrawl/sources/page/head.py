"""Read pictures and robots directives from a page's head. Pure."""

from __future__ import annotations

from typing import Final

from pixtrawl.model import Kind
from pixtrawl.net.robots.exclusion import PRODUCT_TOKEN
from pixtrawl.preferences.vocabulary import TDM
from pixtrawl.sources.html import Document, Element
from pixtrawl.sources.page.attributes import looks_decor, number
from pixtrawl.sources.page.found import Facts, FoundPictures, Lead, Tier, Way
from pixtrawl.sources.page.srcset import largest, parse_srcset

__all__ = ["page_license", "read_head", "robots_words"]

_MAX: Final = 500  # meta and link elements read
_OPEN_GRAPH: Final = frozenset({"og:image", "og:image:url", "og:image:secure_url"})
_OTHERS: Final = frozenset({"twitter:image", "twitter:image:src", "sailthru.image.full"})
_DETAILS: Final = {"og:image:width": "width", "og:image:height": "height", "og:image:alt": "title"}


def read_head(document: Document, pictures: FoundPictures) -> None:
    """Read meta and link elements that name pictures."""
    _open_graph(document, pictures)
    for link in document.all("link[href], link[imagesrcset]")[:_MAX]:
        _link(link, pictures)


def _open_graph(document: Document, pictures: FoundPictures) -> None:
    """Read Open Graph; properties of a picture follow its URL (https://ogp.me/#structured)."""
    current: list[Way] = []
    details: dict[str, str] = {}

    def done() -> None:
        if current:
            width, height = number(details.get("width")), number(details.get("height"))
            facts = Facts(details.get("title"), width, height)
            lead = Lead.NOT if looks_decor(current[0].ref) else Lead.OPEN_GRAPH
            pictures.add(Tier.META, current, facts, lead)

    for meta in document.all("meta[content]")[:_MAX]:
        name = (meta.get("property") or meta.get("name") or meta.get("itemprop")).strip().lower()
        content = meta.get("content").strip()
        if name == "og:image" or (name in _OPEN_GRAPH and not current):
            done()
            current, details = [Way(content)], {}
        elif name in _OPEN_GRAPH:
            current.append(Way(content))
        elif name in _DETAILS:
            details[_DETAILS[name]] = " ".join(content[:500].split())
        else:
            _other(name, meta, pictures)
    done()


def _other(name: str, meta: Element, pictures: FoundPictures) -> None:
    content = meta.get("content")
    if name in _OTHERS or (name == "image" and meta.get("itemprop")):
        lead = Lead.NOT if looks_decor(content) else Lead.TWITTER
        pictures.add(Tier.META, [Way(content)], lead=lead)
    elif name == "thumbnail":
        pictures.add(Tier.META, [Way(content, Kind.THUMBNAIL)])
    elif name == "msapplication-tileimage" and pictures.wish.icons:
        pictures.add(Tier.DECOR, [Way(content)])


def _link(link: Element, pictures: FoundPictures) -> None:
    words = link.get("rel").lower().split()
    href = link.get("href")
    if "image_src" in words or (link.get("itemprop").lower() == "image" and href):
        lead = Lead.NOT if looks_decor(href) else Lead.IMAGE_SRC
        pictures.add(Tier.META, [Way(href)], lead=lead)
    elif "preload" in words and link.get("as").lower() == "image":
        best = largest(parse_srcset(link.get("imagesrcset")))
        ways = [Way(best.url)] if best else []
        pictures.add(Tier.META, [*ways, *([Way(href)] if href else [])])
    elif pictures.wish.icons and any("icon" in word for word in words):
        pictures.add(Tier.DECOR, [Way(href)])


def robots_words(document: Document) -> list[str]:
    """Return the contents of robots meta elements that address all robots or pixtrawl."""
    names = {"robots", PRODUCT_TOKEN}
    found = document.all("meta[name][content]")[:_MAX]
    return [meta.get("content") for meta in found if meta.get("name").strip().lower() in names]


def reservations(document: Document) -> list[str]:
    """Return the contents of the meta elements `tdm-reservation` (TDM Reservation Protocol)."""
    found = document.all("meta[name][content]")[:_MAX]
    return [meta.get("content") for meta in found if meta.get("name").strip().lower() == TDM]


def page_license(document: Document, pictures: FoundPictures) -> str | None:
    """Return the one licence that the page names by rel=license; None where it names several."""
    found = {
        url
        for one in document.all("a[rel][href], link[rel][href]")[:5000]
        if "license" in one.get("rel").lower().split()
        and (url := pictures.absolute(one.get("href"))) is not None
    }
    return found.pop()[:2000] if len(found) == 1 else None
