"""The queue of a crawl: breadth first, bounded. Pure."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct

from pixtrawl import urls

__all__ = ["CrawlRules", "PageQueue", "PageVisit", "Via"]

_MAX_QUEUE: Final = 5000
_MAX_SITEMAPS: Final = 20
_MAX_URL: Final = 4000
_MAX_HOPS: Final = 4  # bounds a chain of documents, like redirects
_NO_PAGE: Final = re.compile(
    r"\.(?:jpe?g|png|gif|webp|avif|svg|bmp|tiff?|ico|pdf|zip|gz|tgz|bz2|xz|7z|rar|tar|exe|dmg|iso|"
    r"mp[34]|m4[av]|webm|mov|avi|mkv|ogg|wav|flac|docx?|xlsx?|pptx?|odt|epub|css|js|mjs|json|xml|"
    r"rss|atom|txt|csv|woff2?|ttf|otf|apk|deb|rpm|torrent)\Z",
    re.IGNORECASE,
)


class Via(StrEnum):
    """The way in which a page was found."""

    START = "start"
    LINK = "link"
    NEXT = "next"  # rel=next: the next page of the same list
    SITEMAP = "sitemap"  # the address of a sitemap
    LISTED = "listed"  # a page that a sitemap names
    SHOWN = "shown"  # shown in a page (frame) or instead of it (refresh)


class CrawlRules(Struct, frozen=True):
    """Limits of a crawl. `depth` counts links from a start page; 0: only the page itself."""

    depth: int = 0
    max_pages: int = 50
    same_site: bool = True
    max_bytes: int = 64 * 2**20  # of one page, unpacked, with its data: URIs


class PageVisit(Struct, frozen=True):
    """One page to be visited."""

    url: str
    depth: int = 0
    via: Via = Via.START
    hops: int = 0  # chain of documents that led to this one


class PageQueue:
    """The queue of pages. Each page is visited once, however many links lead to it."""

    def __init__(self, rules: CrawlRules) -> None:
        self._rules = rules
        self._ahead: deque[PageVisit] = deque()
        self._known: set[bytes] = set()
        self._done: set[bytes] = set()
        self._sites: set[str] = set()
        self._refused: set[str] = set()
        self._sitemaps = 0
        self.visited = 0  # pages, sitemaps not counted

    def start(self, addresses: Iterable[str]) -> None:
        """Add the pages that the user named; the crawl stays on their sites."""
        for url in addresses:
            self._sites.add(_site(url))
            self._append(PageVisit(url))

    def moved(self, visit: PageVisit, url: str) -> None:
        """Mark a redirect's target as visited; the target of a start page adds its site."""
        self._known.add(urls.url_key(url))
        self._done.add(urls.url_key(url))
        if visit.via is Via.START:
            self._sites.add(_site(url))

    def links(self, visit: PageVisit, found: Iterable[str]) -> None:
        """Add the links of a visited page, if the depth allows another step."""
        if visit.depth < self._rules.depth:
            for url in found:
                if not _NO_PAGE.search(_path(url)) and self._ours(url):
                    self._append(PageVisit(url, visit.depth + 1, Via.LINK))

    def following(self, visit: PageVisit, found: Iterable[str]) -> None:
        """Add the next page of a visited list, before everything else."""
        for url in found:
            if self._ours(url):
                self._append(PageVisit(url, visit.depth, Via.NEXT), first=True)

    def shown(self, visit: PageVisit, url: str, *, instead: bool) -> bool:
        """Add a document that a visited page shows, before everything else; return whether added.

        A document that comes `instead` of the page may be on another site, like a redirect; a frame
        must be on the same site. False if it will not be visited.
        """
        if visit.hops >= _MAX_HOPS or urls.scheme_of(url) not in {"http", "https"}:
            return False
        if instead and visit.via in {Via.START, Via.SHOWN}:
            self._sites.add(_site(url))
        elif not self._ours(url):
            return False
        return self._append(PageVisit(url, visit.depth, Via.SHOWN, visit.hops + 1), first=True)

    def sitemaps(self, found: Iterable[str], *, depth: int) -> None:
        """Add sitemaps of the site, up to a limit."""
        for url in found:
            if self._sitemaps < _MAX_SITEMAPS and self._ours(url):
                self._sitemaps += self._append(PageVisit(url, depth, Via.SITEMAP))

    def listed(self, visit: PageVisit, found: Iterable[str]) -> None:
        """Add pages that a sitemap names."""
        for url in found:
            if self._ours(url) and not _NO_PAGE.search(_path(url)):
                self._append(PageVisit(url, visit.depth, Via.LISTED))

    def refuse(self, url: str) -> None:
        """Drop all pages of a host that asked to stop."""
        self._refused.add(urls.host_of(url))

    def take(self) -> PageVisit | None:
        """Return the next page; None at the end or at the page limit."""
        while self._ahead and self.visited < self._rules.max_pages:
            visit = self._ahead.popleft()
            if urls.host_of(visit.url) not in self._refused:
                self.visited += visit.via is not Via.SITEMAP
                self._done.add(urls.url_key(visit.url))
                return visit
        return None

    @property
    def ahead(self) -> int:
        """The number of pages in the queue."""
        return len(self._ahead)

    def _append(self, visit: PageVisit, *, first: bool = False) -> bool:
        key = urls.url_key(visit.url)
        full = len(self._ahead) >= _MAX_QUEUE or len(visit.url) > _MAX_URL
        if full or key in self._known or urls.check(visit.url) is not None:
            return False
        self._known.add(key)
        if first:
            self._ahead.appendleft(visit)
        else:
            self._ahead.append(visit)
        return True

    def _ours(self, url: str) -> bool:
        if urls.scheme_of(url) not in {"http", "https"}:
            return False
        return not self._rules.same_site or _site(url) in self._sites

    def position(self) -> dict[str, Any]:
        """Return the queue and the visited pages as plain values, to resume from."""
        room = max(0, self._rules.max_pages - self.visited)
        ahead = [[one.url, one.depth, one.via.value, one.hops] for one in list(self._ahead)[:room]]
        return {
            "ahead": ahead,
            "known": [key.hex() for key in self._done] if ahead else [],
            "sites": sorted(self._sites),
            "visited": self.visited,
        }

    def restore(self, position: Mapping[str, Any]) -> bool:
        """Resume from `position`; return False and change nothing if it is malformed."""
        try:
            ahead = [
                PageVisit(str(url), int(depth), Via(via), int(hops[0]) if hops else 0)
                for url, depth, via, *hops in position["ahead"]
            ]
            known = {bytes.fromhex(key) for key in position["known"]}
            sites = {str(site) for site in position["sites"]}
            visited = int(position["visited"])
        except (KeyError, TypeError, ValueError):
            return False
        self._ahead, self._done, self._sites = deque(ahead), known, sites
        self._known = known | {urls.url_key(one.url) for one in ahead}
        self.visited = visited
        return True


def _site(url: str) -> str:
    """Return the key of a host's site: the same with and without www."""
    return urls.host_of(url).removeprefix("www.")


def _path(url: str) -> str:
    return url.partition("#")[0].partition("?")[0]
