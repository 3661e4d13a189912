"""The surroundings of a picture: picture element, link, figure, navigation. Pure."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from pixtrawl import urls
from pixtrawl.sources.html import Element
from pixtrawl.sources.page.attributes import lazy_ways, srcset_ways
from pixtrawl.sources.page.found import FoundPictures, Way
from pixtrawl.sources.page.srcset import SrcsetCandidate, parse_srcset
from pixtrawl.sources.page.upgrade import has_image_name

__all__ = ["Around", "is_image_link"]

_CLIMB: Final = 8  # ancestors that are searched for link, figure or navigation
_CONTENT: Final = frozenset({"article", "main", "figure"})
_CHROME_TAGS: Final = frozenset({"nav", "footer", "aside"})
_CHROME_ROLES: Final = frozenset({"navigation", "contentinfo", "complementary", "menubar"})
_CHROME_NAMES: Final = frozenset(
    [
        "nav",
        "navbar",
        "navigation",
        "menu",
        "sidebar",
        "footer",
        "breadcrumb",
        "breadcrumbs",
        "masthead",
        "site-header",
        "site-footer",
        "widget",
        "widget-area",
        "social",
        "share",
        "avatar",
        "byline",
    ]
)
_LEAD: Final = re.compile(
    r"(?:^|[-_\s])(?:featured|hero|lead|main|primary|big|cover|media|article|story|post)[-_]?"
    r"(?:image|img|photo|picture|figure)s?(?:$|[-_\s])",
    re.IGNORECASE,
)
_PARAMETERS: Final = frozenset(
    ["img", "image", "src", "url", "pic", "picture", "photo", "file", "imgurl", "mediaurl"]
)


def is_image_link(url: str) -> bool:
    """Return whether the path names an image file, not a page about one (`/wiki/File:Cat.jpg`)."""
    last = url.partition("#")[0].partition("?")[0].rpartition("/")[2]
    return has_image_name(url) and ":" not in unquote(last)


class Around:
    """The ancestors of one picture, up to a few steps."""

    def __init__(self, element: Element) -> None:
        self.link: Element | None = None
        self.figure: Element | None = None
        self._picture: Element | None = None
        self.decor = False  # in navigation or the like, without content in between
        content = False
        parent = element.parent
        for _ in range(_CLIMB):
            if parent is None:
                break
            tag = parent.tag
            if tag == "picture":
                self._picture = self._picture or parent
            elif tag == "a":
                self.link = self.link or parent
            elif tag == "figure":
                self.figure = self.figure or parent
            content = content or tag in _CONTENT
            self.decor = self.decor or (not content and _is_chrome(parent))
            parent = parent.parent

    def names_lead(self, element: Element) -> bool:
        """Return whether class or id (own or the parent's) marks it as the page's picture."""
        parent = element.parent
        names = [element.get("class"), element.get("id")]
        if parent is not None:
            names += [parent.get("class"), parent.get("id")]
        return any(_LEAD.search(one[:500]) for one in names) or element.get("itemprop") == "image"

    def sources(self) -> list[tuple[str, SrcsetCandidate]]:
        """Return candidates of the picture's source elements, each with its type."""
        if self._picture is None:
            return []
        found = []
        for source in self._picture.all("source")[:30]:
            kind = source.get("type").lower()
            if kind.endswith("svg+xml"):
                continue
            listed = lazy_ways(source.attributes).listed + parse_srcset(source.get("srcset"))
            found += [(kind, one) for one in listed]
        return found

    def full_ways(self, pictures: FoundPictures) -> list[Way]:
        """Return the image file that the surrounding link leads to or names for its script."""
        if self.link is None:
            return []
        href = self.link.get("href")
        target = pictures.absolute(href) if href else None
        if target is not None and target[:5].lower() != "data:" and is_image_link(target):
            return [Way(href)]
        lazy = lazy_ways(self.link.attributes, loose=False)
        return [*lazy.good, *srcset_ways(lazy.listed)]

    def likely_ways(self, pictures: FoundPictures) -> list[Way]:
        """Return a link target that is probably a file: a download, or named in a parameter."""
        if self.link is None:
            return []
        href = self.link.get("href")
        target = pictures.absolute(href) if href else None
        if target is None or target[:5].lower() == "data:":
            return []
        if has_image_name(self.link.get("download")):
            return [Way(href, weak=True)]
        for pair in target.partition("#")[0].partition("?")[2].split("&")[:30]:
            name, _, value = pair.partition("=")
            value = unquote(value)
            rooted = value.startswith(("/", "http://", "https://"))
            if name.lower() in _PARAMETERS and rooted and is_image_link(value):
                joined = urls.join(target, value)
                return [Way(joined, weak=True)] if joined else []
        return []


def _is_chrome(element: Element) -> bool:
    """Return whether it is navigation, sidebar or footer, by tag, role, class or id."""
    if element.tag in _CHROME_TAGS or element.get("role").lower() in _CHROME_ROLES:
        return True
    names = f"{element.get('class')[:500]} {element.get('id')[:100]}".lower().split()
    return element.tag != "body" and not _CHROME_NAMES.isdisjoint(names)
