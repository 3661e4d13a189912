"""A search page and its continuation that behave as Bing's image search does in 2026.

Words and markup are our own where the shape allows it. A reader may rely on what holds on the web:
the attribute `m` of a result (JSON, escaped once), sizes in its link (`exph`, `expw`, `mediaurl`,
`cdnurl`), `data-nextUrl`, filters in `qft`, repeats at the end, a positive 'no results' sentence.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from pixtrawl.playground.messages import ServerRequest, ServerResponse
from pixtrawl.playground.search.filters import bing_filter
from pixtrawl.playground.search.gates import Gates
from pixtrawl.playground.search.google import related_queries
from pixtrawl.playground.search.listing import Listings, Original
from pixtrawl.playground.search.variants import Variant

PAGE: Final = 35  # results per page
RELATED: Final = 4  # tiles of related searches at the end of a page
_KEPT: Final = ("q", "qft", "adlt", "mkt", "setlang", "cc", "form")


@dataclass
class BingPages:
    """Answers for /images/search and /images/async. `cap`: entries of one listing."""

    listings: Listings
    gates: Gates
    cap: int = 100

    def answer(self, request: ServerRequest, variant: Variant, path: str) -> ServerResponse | None:
        """Return the answer to `path` (without the variant's prefix); None if it is not ours."""
        if path not in {"/images/search", "/images/async"}:
            return None
        query = " ".join(request.query.get("q", "").split())
        first = _number(request.query.get("first"), 1)
        stopped = self._gate(request, variant, query, further=first > 1)
        if stopped is not None:
            return stopped
        entries = self.listings.select(query, bing_filter(request.query))[: self.cap]
        whole = path == "/images/search"
        if not query or not entries or "no-results" in variant.gates:
            return _wrap(_nothing(query), query, whole=whole)
        count = min(_number(request.query.get("count"), PAGE), 150)
        shown = entries[first - 1 : first - 1 + count]
        if not shown:  # past the end the last page comes again, as on the web
            shown = entries[-count:]
        grid = self._grid(request, variant, query, shown, first + len(shown), first)
        return _wrap(grid, query, whole=whole)

    def _gate(
        self, request: ServerRequest, variant: Variant, query: str, *, further: bool
    ) -> ServerResponse | None:
        stops = {"captcha"} | ({"captcha-later"} if further else set())
        if variant.gates & stops:
            return _wrap(_CAPTCHA, query, whole=True)
        plain = variant.gates - {"captcha", "captcha-later", "no-results", "consent-dialog"}
        bare = Variant(variant.prefix, variant.layout, plain, variant.random_classes)
        return self.gates.check(request, bare, query, further=further)

    def _grid(
        self,
        request: ServerRequest,
        variant: Variant,
        query: str,
        shown: Sequence[Original],
        following: int,
        first: int,
    ) -> str:
        given = request.query
        kept: dict[str, str] = {name: given[name] for name in _KEPT if name in given}
        parameters: dict[str, str] = {
            **kept,
            "async": "1",
            "first": str(following),
            "count": str(PAGE),
        }
        next_url = f"{variant.prefix}/images/async?{urlencode(parameters)}"
        cached = self.listings.cached_copies
        tiles = [tile(entry, number, cached) for number, entry in enumerate(shown, first)]
        tiles += [
            _related_tile(text, variant.prefix, len(tiles) + n)
            for n, text in enumerate(related_queries(query)[:RELATED])
        ]
        rows = "".join(
            f"<ul class='dgControl_list' data-row='{n // 6}'>{''.join(tiles[n : n + 6])}</ul>"
            for n in range(0, len(tiles), 6)
        )
        return (
            f"<div class='dgControl hover' id='mmComponent_images_1' data-iid='images.1' "
            f"data-nextUrl='{escape(next_url, quote=True)}'>{rows}</div>"
        )


def tile(entry: Original, number: int, cached: bool = True) -> str:
    """Return one result; with a link to the search engine's own copy if `cached`."""
    digest = hashlib.md5(entry.url.encode(), usedforsecurity=False).hexdigest().upper()
    thumb = entry.thumb_url.replace("/images?q=tbn:", "/th?id=OIP.").replace("&s", "&pid=15.1")
    about = {
        "sid": "", "cturl": "", "cid": digest[:8], "purl": entry.page_url, "murl": entry.url,
        "turl": thumb, "md5": digest.lower(), "shkey": "", "t": _marked(entry),
        "mid": digest, "desc": f"{entry.title}, shown on {entry.site}",
    }  # fmt: skip
    detail = {
        "view": "detailV2", "ccid": digest[:8], "id": digest, "thid": f"OIP.{entry.docid}",
        "mediaurl": entry.url, "cdnurl": cached_copy(entry) if cached else "", "exph": entry.height,
        "expw": entry.width, "q": entry.query, "FORM": "IRPRST", "selectedIndex": number - 1,
    }  # fmt: skip
    href = escape("/images/search?" + urlencode(detail), quote=True)
    host = urlsplit(entry.page_url).netloc
    return (
        f"<li data-idx='{number}'><div class='iuscp isv'><div class='imgpt'>"
        f"<a class='iusc' href='{href}' m='{escape(json.dumps(about), quote=True)}'>"
        f"<div class='img_cont hoff'><img class='mimg' src='{escape(thumb, quote=True)}' "
        f"alt='{escape(entry.title, quote=True)}'></div></a><div class='img_info hon'>"
        f"<span class='nowrap'>{entry.width}\u00d7{entry.height} \u00b7 {entry.traits.format}"
        f"</span></div></div><div class='infopt'><div class='lnkw'><a href='"
        f"{escape(entry.page_url, quote=True)}'>{host}</a></div></div></div></li>"
    )


def cached_copy(entry: Original) -> str:
    """Return the search engine's own full-size copy: there even where the original is not."""
    slug, index = entry.page_url.split("/")[-2:]
    page = urlsplit(entry.page_url)
    return f"{page.scheme}://{page.netloc}/sound/{slug}/{index}.jpg"


def _marked(entry: Original) -> str:
    """Return the title with highlight marks from the private-use area around the query."""
    return entry.title.replace(entry.query, f"\ue000{entry.query}\ue001")


def _related_tile(text: str, prefix: str, number: int) -> str:
    about = {"murl": "", "turl": f"/th?id=OIP.related{number}", "purl": "", "cid": f"R{number}"}
    href = f"{prefix}/images/search?q={quote(text)}&FORM=IRMHRS"
    return (
        f"<li data-idx='{number}'><div class='iuscp'><div class='imgpt'><a class='iusc' "
        f"href='{escape(href, quote=True)}' m='{escape(json.dumps(about), quote=True)}'>"
        f"<img src='{about['turl']}' alt=''>{escape(text)}</a></div></div></li>"
    )


def _wrap(body: str, query: str, *, whole: bool) -> ServerResponse:
    if not whole:
        return ServerResponse(body.encode())
    return ServerResponse(
        (
            f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{escape(query)} - "
            f"Search Images</title></head><body><div id='mmComponent'>{body}</div></body></html>"
        ).encode()
    )


def _nothing(query: str) -> str:
    return f"<div class='no_res'>There are no results for <strong>{escape(query)}</strong></div>"


def _number(text: str | None, default: int) -> int:
    return max(1, int(text)) if text and text.isdigit() else default


_CAPTCHA: Final = (
    "<div class='captcha'><h2>One last step</h2><p>Please verify that you are not a robot. Enter "
    "the characters you see below.</p><form><input name='captcha'></form></div>"
)
