"""Read a Bing Images answer: results, the way to the next page, related queries. Pure.

A result is any element with an attribute `m` of JSON with `murl`; class names are ignored, because
they change. The tile's own link holds the size (`expw`, `exph`) and Bing's full-size copy
(`cdnurl`).
"""

from __future__ import annotations

import json
import re
from typing import Final
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct

from pixtrawl.model import Alternate, Kind
from pixtrawl.sources.html import Document, Element
from pixtrawl.sources.results import ImageResult, one_line, pixels, related_queries, web_url

ASYNC_PATH: Final = "/images/async"
FULL_PATH: Final = "/images/search"

_MAX_TILES: Final = 500
_NOTHING: Final = re.compile(r"there are no results for|no results found for", re.IGNORECASE)
CONSENT_BANNER: Final = "#bnp_container, #bnp_btn_accept, #bnp_btn_reject"


class BingPage(Struct, frozen=True):
    """The content of an answer: results (those of related searches last), each URL once.

    `next_query` is the query string of the next page: "" if the page states that there is none,
    None if it states nothing.
    """

    results: tuple[ImageResult, ...]
    shown: int  # results on the page, repeated ones included, related ones not
    next_query: str | None
    related: tuple[str, ...]


def read_page(document: Document, text: str, claim: str | None = None) -> BingPage:
    """Read the answer to the query `text`; skip malformed parts.

    `claim` is the licence filter of the query; it applies to every result.
    """
    tiles = [
        tile for element in document.all("[m]")[:_MAX_TILES] if (tile := _tile(element, claim))
    ]
    tiles.sort(key=lambda tile: tile[1])  # stable: in the order of the page otherwise
    once: dict[str | None, ImageResult] = {}
    for result, _ in tiles:
        once.setdefault(result.url, result)
    shown = sum(not aside for _, aside in tiles)
    return BingPage(tuple(once.values()), shown, _next_query(document), _related(document, text))


def says_nothing(document: Document) -> bool:
    """Return whether the answer states that there are no results."""
    return _NOTHING.search(document.text()) is not None


def is_frame(document: Document) -> bool:
    """Return whether the answer is an empty frame of a list of results."""
    return document.has("[data-nexturl]") and not document.has("[m]")


def _tile(element: Element, claim: str | None) -> tuple[ImageResult, bool] | None:
    """Return one result, and whether it belongs to a related search."""
    raw = element.get("m")
    if "murl" not in raw or len(raw) > 100_000:
        return None
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    link = _parameters(element.get("href"))
    original = web_url(data.get("murl"))
    # Where the original is plain http, Bing names its own copy in `mediaurl` instead.
    cached = web_url(link.get("cdnurl")) or web_url(link.get("mediaurl"))
    if original is None and cached is None:
        return None
    copies = (Alternate(cached, Kind.CACHED),) if original and cached else ()
    result = ImageResult(
        url=original or cached,
        kind=Kind.ORIGINAL if original else Kind.CACHED,
        thumb_url=web_url(data.get("turl")),
        page_url=web_url(data.get("purl")),
        title=one_line(data.get("t")),
        page_text=one_line(data.get("desc")),
        width=pixels(link.get("expw")),
        height=pixels(link.get("exph")),
        license=claim,
        alternates=copies,
    )
    return result, "t" not in data


def _parameters(href: str) -> dict[str, str]:
    """Return a link's parameters, the first of each name."""
    try:
        found = parse_qs(urlsplit(href[:20_000]).query, max_num_fields=100)
    except ValueError:
        return {}
    return {name: values[0] for name, values in found.items()}


def _next_query(document: Document) -> str | None:
    """Return the next URL's query; lists of related searches have an empty one."""
    fields = [element.get("data-nexturl") for element in document.all("[data-nexturl]")[:50]]
    for field in fields:
        try:
            parts = urlsplit(field)
        except ValueError:
            continue
        if parts.path.endswith(ASYNC_PATH) and parts.query:
            return parts.query
    return "" if fields else None


def _related(document: Document, text: str) -> tuple[str, ...]:
    """Return the queries of links to other searches, without links that only add a filter."""
    links = document.all(f'a[href*="{FULL_PATH}?"]')[:1000]
    asked = (_parameters(link.get("href")) for link in links)
    others = (one.get("q", "") for one in asked if "view" not in one and "qft" not in one)
    return related_queries(others, text)
