"""Read sitemaps: pages and pictures of a site (sitemaps.org 0.9, Google's image extension). Pure.

They are read as text, so that no entity is expanded and broken XML is accepted.
"""

from __future__ import annotations

import html
import re
import zlib
from collections.abc import Iterator
from typing import Final

from msgspec import Struct, field

__all__ = ["Sitemap", "read_sitemap", "sitemaps_of_robots", "unpacked"]

_MAX_BYTES: Final = 32 * 2**20  # unpacked; the protocol allows 50 MB and 50,000 addresses
_MAX_ADDRESSES: Final = 50_000
_MAX_URL: Final = 4000

_ENTRY: Final = re.compile(r"<(?:[\w-]{1,30}:)?(?:url|sitemap)[\s>]", re.IGNORECASE)
_LOC: Final = re.compile(
    r"<(?P<name>(?:[\w-]{1,30}:)?(?:loc|title|caption|license))\s*>"
    r"\s*(?:<!\[CDATA\[)?(?P<text>[^<\]]{1,4000})",
    re.IGNORECASE,
)
_ROBOTS_LINE: Final = re.compile(
    r"^[ \t]*sitemap[ \t]*:[ \t]*(\S{1,4000})", re.IGNORECASE | re.MULTILINE
)


class SitemapImage(Struct, frozen=True):
    """A picture that a page of the site holds."""

    url: str
    page_url: str
    title: str | None = None
    license: str | None = None


class Sitemap(Struct):
    """The content of one sitemap."""

    sitemaps: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    images: list[SitemapImage] = field(default_factory=list)


def unpacked(body: bytes) -> bytes:
    """Return the body, gunzipped if needed, cut at 32 MiB."""
    if not body.startswith(b"\x1f\x8b"):
        return body[:_MAX_BYTES]
    try:
        return zlib.decompressobj(wbits=31).decompress(body, _MAX_BYTES)
    except zlib.error:
        return b""


def read_sitemap(text: str) -> Sitemap:
    """Read any text; skip entries that are no URL."""
    found = Sitemap()
    is_index = (
        re.search(r"<(?:[\w-]{1,30}:)?sitemapindex[\s>]", text[:4096], re.IGNORECASE) is not None
    )
    for entry in _entries(text):
        if is_index:
            found.sitemaps += [value for name, value in entry if name == "loc"][:1]
        else:
            _take_page(entry, found)
        if len(found.pages) + len(found.sitemaps) + len(found.images) >= _MAX_ADDRESSES:
            break
    return found


def _entries(text: str) -> Iterator[list[tuple[str, str]]]:
    """Yield the (element, text) pairs of each url or sitemap element."""
    starts = _ENTRY.finditer(text)
    first = next(starts, None)
    while first is not None:
        following = next(starts, None)
        end = following.start() if following else len(text)
        pairs = _LOC.finditer(text, first.end(), end)
        yield [(m["name"].lower(), html.unescape(m["text"]).strip()) for m in pairs]
        first = following


def _take_page(entry: list[tuple[str, str]], found: Sitemap) -> None:
    page = next((value for name, value in entry if name == "loc"), "")
    if not _is_address(page):
        return
    found.pages.append(page)
    current: dict[str, str] = {}
    for name, value in entry:
        local = name.rpartition(":")[2]
        if ":" in name and local == "loc":
            _take_image(current, page, found)
            current = {"loc": value}
        elif ":" in name:
            current[local] = value
    _take_image(current, page, found)


def _take_image(values: dict[str, str], page: str, found: Sitemap) -> None:
    if _is_address(values.get("loc", "")):
        title = values.get("title") or values.get("caption")
        found.images.append(SitemapImage(values["loc"], page, title, values.get("license")))


def _is_address(text: str) -> bool:
    return text[:8].lower().startswith(("http://", "https://")) and len(text) <= _MAX_URL


def sitemaps_of_robots(text: str) -> list[str]:
    """Return the sitemaps that a robots.txt names (RFC 9309 2.2.4), at most 100."""
    return [one for one in _ROBOTS_LINE.findall(text)[:100] if _is_address(one)]
