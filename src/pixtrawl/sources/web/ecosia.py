"""Ecosia Images over HTTP: no key, no browser. The index is Bing's.

The page is rendered on the server. Results are read from elements by their test ids; if these are
missing, from the initial state of the page's scripts.
Verified against a recorded page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice
from typing import Any, ClassVar, Final
from urllib.parse import parse_qs, urlsplit

from pixtrawl.net.interface import Response
from pixtrawl.sources.base import SourceInfo
from pixtrawl.sources.filters import Words
from pixtrawl.sources.html import Document, Element
from pixtrawl.sources.results import ImageResult, pixels, plain_text, related_queries, web_url
from pixtrawl.sources.script_data import ScriptDataError, objects_in, read_value, scripts_in
from pixtrawl.sources.web.html_source import HtmlSource, ResultPage, SearchRequest, WebSearch

BASE_URL: Final = "https://www.ecosia.org"
DELAY_S: Final = 2.0
_PATH: Final = "/images"
_MAX_SCRIPTS: Final = 50

_TILE: Final = "[data-test-id=images-result]"
_ORIGINAL: Final = "a[data-test-id=image-result-link][href]"
_SIZE: Final = "[data-test-id=image-result-dimensions]"
_NOTHING: Final = "[data-test-id=images-no-results]"
_RELATED: Final = "[data-test-id=query-expansions-item] a[href]"
_DIMENSIONS: Final = re.compile(r"(\d{1,6})\s?[×x]\s?(\d{1,6})")


class Ecosia(HtmlSource):
    """Ecosia Images."""

    name: ClassVar[str] = "ecosia"
    words: ClassVar[Words] = {
        "type": {
            "photo": "imageType=photo",
            "clipart": "imageType=clipart",
            "lineart": "imageType=line",
            "animated": "imageType=animatedgif",
        },
        "color": {"transparent": "imageType=transparent"},
        "date": {name: f"freshness={name}" for name in ("day", "week", "month")},
    }
    max_pages: ClassVar[int] = 50  # of 24; the recorded query had 21
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Ecosia Images",
        base_url=BASE_URL,
        sentence="Reads result pages over HTTP; the pictures are those of Bing's index.",
        verified="recorded",
        delay_s=DELAY_S,
        limit="about 500 a query",
        terms="Ecosia's terms do not allow automated queries; a Cloudflare check stops many "
        "clients that are no browser.",
    )

    def request(self, search: WebSearch) -> SearchRequest:
        """Ask for page `number`, from 0; the first has no number."""
        page = {"p": str(search.number)} if search.number else {}
        return SearchRequest(_PATH, {"q": search.query.text, **search.parameters(), **page})

    def parse(self, search: WebSearch, response: Response) -> ResultPage | None:
        """Read the elements, else the scripts' data."""
        document = search.document(response)
        results = tuple(one for tile in document.all(_TILE) if (one := _from_tile(tile)))
        results = results or tuple(_from_scripts(response.text))
        if not results:
            return ResultPage(nothing=True) if document.has(_NOTHING) else None
        related = (_parameter(link, "q") for link in document.all(_RELATED))
        return ResultPage(
            results=results,
            more=_has_page(document, search.number + 1),
            related=related_queries(related, search.query.text),
        )


def _from_tile(tile: Element) -> ImageResult | None:
    links = tile.all(_ORIGINAL)
    url = web_url(links[0].get("href")) if links else None
    if url is None:
        return None
    original = links[0].get("href")
    pages = [link.get("href") for link in tile.all("a[href]") if link.get("href") != original]
    thumbs = [image.get("src") for image in tile.all("img[src]")]
    headings = [heading.text for heading in tile.all("h2")]
    text = " ".join(element.text for element in tile.all(_SIZE)[:2])
    size = _DIMENSIONS.search(text)
    return ImageResult(
        url=url,
        thumb_url=web_url(thumbs[0]) if thumbs else None,
        page_url=next((one for one in map(web_url, pages) if one), None),
        title=plain_text(headings[0] if headings else tile.get("aria-label")),
        width=pixels(size[1]) if size else None,
        height=pixels(size[2]) if size else None,
    )


def _from_scripts(page: str) -> list[ImageResult]:
    """Read the results from the page's JSON, without relying on elements."""
    found: list[ImageResult] = []
    for attributes, content in islice(scripts_in(page), _MAX_SCRIPTS):
        if "application/json" not in attributes:
            continue
        try:
            state = read_value(content)
        except ScriptDataError:
            continue
        found += [one for record in objects_in(state) if (one := _from_record(record))]
    return found


def _from_record(record: Mapping[str, Any]) -> ImageResult | None:
    url = web_url(record.get("imageUrl"))
    if url is None or "sourceUrl" not in record:
        return None
    return ImageResult(
        url=url,
        thumb_url=web_url(record.get("thumbnailUrl")),
        page_url=web_url(record["sourceUrl"]),
        title=plain_text(record.get("title")),
        width=pixels(record.get("width")),
        height=pixels(record.get("height")),
    )


def _has_page(document: Document, number: int) -> bool:
    """Return whether page `number` (from 0) is linked; True on pages cut before the links."""
    linked = {_parameter(link, "p") for link in document.all(f'a[href*="{_PATH}?"]')[:500]} - {""}
    return not linked or any(one.isdigit() and int(one[:6]) >= number for one in linked)


def _parameter(link: Element, name: str) -> str:
    try:
        return parse_qs(urlsplit(link.get("href")[:20_000]).query, max_num_fields=50)[name][0]
    except (ValueError, KeyError):
        return ""
