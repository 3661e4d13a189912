"""A search page that behaves as Google's image search does in 2026, with an older face from 2021.

Words, names and markup are our own where the shape allows it. Class names mean nothing here; with
the variant `random-classes` they change with every request. What a reader may rely on, as on the
web: records in script data, `data-docid` and `data-lpage` on a result, `/imgres?imgurl=` links on
hover, a panel on click, scrolling by XHR, `/sorry/` and consent pages.
"""

from __future__ import annotations

import itertools
import json
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib import resources
from typing import Final
from urllib.parse import quote, urlencode

from pixtrawl.playground.messages import ServerRequest, ServerResponse
from pixtrawl.playground.search.filters import google_filter
from pixtrawl.playground.search.gates import Gates
from pixtrawl.playground.search.google_records import (
    frames,
    grid_script,
    grid_script_2021,
    hidden_table,
    inline_thumbnail_script,
)
from pixtrawl.playground.search.listing import Listings, Original
from pixtrawl.playground.search.variants import Variant

INLINE: Final = 8  # thumbnails of the first page that stand in the page as data: URIs
RELATED_EVERY: Final = 25  # results between two cells of related searches
_DOT: Final = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
_CLASSES_2026: Final = {
    "tile": "eA0Zlc WghbWd FnEtTd mkpRId m3LIae RLdvSe qyKxnc ivg-i PZPZlf GMCzAd",
    "thumb": "YQ4gaf zr758c wA1Bge", "full": "sFlh5c FyHeAf iPVvYb", "panel": "p7sI2 PUxBg",
    "related": "NQyKp hqr5vc", "more": "RVQdVd", "wrap": "H8Rx8c", "chip": "bqW4cb",
}  # fmt: skip
_CLASSES_2021: Final = {
    "tile": "isv-r PNCib MSM1fd BUooTd", "thumb": "rg_i Q4LuWd", "full": "n3VNCb",
    "panel": "tvh9oe BIB1wf", "related": "isv-r PNCib iPukc J3Tg1d", "more": "mye4qd",
    "wrap": "bRMDJf islir", "chip": "hIOe2",
}  # fmt: skip


@dataclass
class GooglePages:
    """Answers for /search and what hangs on it.

    `first`: results in the page, `batch`: results per scroll, `pause`: results after which the
    'More results' button has to be pressed.
    """

    listings: Listings
    gates: Gates
    thumbnail: Callable[[Original], bytes]
    first: int = 30
    batch: int = 20
    pause: int = 90
    ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def answer(self, request: ServerRequest, variant: Variant, path: str) -> ServerResponse | None:
        """Return the answer to `path` (without the variant's prefix); None if it is not ours."""
        if path == "/search":
            return self._search(request, variant)
        if path == "/imgpanel":
            return self._panel(request)
        if path == "/imgres":
            target = escape(request.query.get("imgurl", ""))
            return ServerResponse(f"<!doctype html><img src='{target}'>".encode())
        if path in {"/", "/webhp"}:
            return ServerResponse(_HOME.replace("PREFIX", variant.prefix).encode())
        return self.gates.own_pages(request, variant, path)

    def _search(self, request: ServerRequest, variant: Variant) -> ServerResponse:
        query = " ".join(request.query.get("q", "").split())
        images = request.query.get("udm") == "2" or request.query.get("tbm") == "isch"
        if not images or not query:
            return ServerResponse(
                _page(query, "<p>Web results are not part of this site.</p>").encode()
            )
        further = "asearch" in request.query or request.query.get("start", "0") != "0"
        stopped = self.gates.check(request, variant, query, further=further)
        if stopped is not None:
            return stopped
        entries = self.listings.select(query, google_filter(request.query))
        page = _GooglePage(self, request, variant, query)
        if "asearch" in request.query:
            return page.batch_answer(entries, int(request.query.get("start", "0") or 0))
        if not entries or "no-results" in variant.gates:
            return ServerResponse(_page(query, _nothing(query)).encode())
        return page.whole(entries, int(request.query.get("start", "0") or 0) * 10)

    def _panel(self, request: ServerRequest) -> ServerResponse:
        wanted = request.query.get("docid")
        for entry in self.listings.all(" ".join(request.query.get("q", "").split())):
            if entry.docid == wanted:
                about = {"url": entry.url, "page": entry.page_url, "title": entry.title}
                return ServerResponse(json.dumps(about).encode(), content_type="application/json")
        return ServerResponse(status=404)


class _GooglePage:
    """One result page or one batch of it."""

    def __init__(self, pages: GooglePages, request: ServerRequest, variant: Variant, query: str):
        self.pages = pages
        self.variant = variant
        self.query = query
        self.parameters = {k: v for k, v in request.query.items() if k not in {"start", "async"}}
        self.parameters.pop("asearch", None)
        self.old = variant.layout == "2021"
        random = variant.random_classes or request.query.get("classes") == "random"
        known = _CLASSES_2021 if self.old else _CLASSES_2026
        self.names = {k: _random_names() for k in known} if random else known

    def whole(self, entries: Sequence[Original], start: int) -> ServerResponse:
        shown = entries[start : start + self.pages.first]
        ids = {e.docid: f"dimg_{next(self.pages.ids)}" for e in shown}
        inline = {e.docid for e in shown[: INLINE if start == 0 else 0]}
        tiles = "".join(
            self.tile(e, number, ids[e.docid], deferred=e.docid in inline)
            for number, e in enumerate(shown, start + 1)
        )
        scripts = [
            inline_thumbnail_script(ids[e.docid], self.pages.thumbnail(e))
            for e in shown
            if e.docid in inline
        ]
        scripts.append(self.records(shown))
        end = start + len(shown)
        conf = {
            "prefix": self.variant.prefix, "q": self.query, "more": urlencode(self.parameters),
            "next": end if end < len(entries) else None, "pause": self.pages.pause,
            "step": self.pages.pause, "hidden": hidden_table(self.by_hover(shown)),
            "panel": "Sva75c", "grid": "islrg" if self.old else "rso", "button": "pg-more",
            "full": self.names["full"],
        }  # fmt: skip
        body = self.chips() + _GRID.format(
            grid=conf["grid"], tiles=tiles, panel=self.names["panel"], more=self.names["more"],
            setter="window.pgPending=[];function _setImagesSrc(i,s){pgPending.push([i,s]);}",
            scripts="".join(f"<script nonce='x'>{text}</script>" for text in scripts if text),
            conf=json.dumps(conf).replace("<", "\\u003c"), code=_code(),
        )  # fmt: skip
        return self.pages.gates.dress(_page(self.query, body), self.variant)

    def batch_answer(self, entries: Sequence[Original], start: int) -> ServerResponse:
        """Return the answer to a request for more results; `start` counts results here."""
        shown = entries[start : start + self.pages.batch]
        end = start + len(shown)
        tiles = "".join(
            self.tile(e, number, f"dimg_{next(self.pages.ids)}", deferred=False)
            for number, e in enumerate(shown, start + 1)
        )
        hidden = hidden_table(self.by_hover(shown))
        tiles += f"<script type='application/x-hidden'>{hidden}</script>"
        tiles += f"<div class='arc-npt' data-ved='{end}'></div>"
        token = str(end) if end < len(entries) else ""
        body = frames(tiles, self.in_clear(shown), token)
        return ServerResponse(body, content_type="application/json; charset=utf-8")

    def in_clear(self, entries: Sequence[Original]) -> list[Original]:
        """Return the entries whose original stands in script data."""
        if self.variant.layout == "mixed":
            return [e for e in entries if e.index % 4 < 2]
        return [] if self.variant.layout in {"hover", "click"} else list(entries)

    def by_hover(self, entries: Sequence[Original]) -> list[Original]:
        """Return the entries whose link gets its address on hover."""
        if self.variant.layout == "mixed":
            return [e for e in entries if e.index % 4 != 3]
        return [] if self.variant.layout == "click" else list(entries)

    def records(self, entries: Sequence[Original]) -> str:
        shown = self.in_clear(entries)
        if not shown:
            return ""
        return grid_script_2021(shown) if self.old else grid_script(shown)

    def tile(self, entry: Original, number: int, element_id: str, *, deferred: bool) -> str:
        names, alt = self.names, escape(entry.title, quote=True)
        source = _DOT if deferred else escape(entry.thumb_url)
        image = (
            f"<img id='{element_id}' class='{names['thumb']}' src='{source}' alt='{alt}' "
            f"width='{entry.thumb_width}' height='{entry.thumb_height}'>"
        )
        page = escape(entry.page_url, quote=True)
        if self.old:
            start = (
                f"<div class='{names['tile']}' jsname='N9Xkfe' data-ri='{number - 1}' "
                f"data-id='{entry.docid}' data-tbnid='{entry.docid}' data-ow='{entry.width}' "
                f"data-oh='{entry.height}' data-tw='{entry.thumb_width}'>"
            )
        else:
            start = (
                f"<div class='{names['tile']}' jsname='dTDiAc' data-docid='{entry.docid}' "
                f"data-lpage='{page}' data-hveid='CA{number}' data-ved='2ah{number}' "
                f"jsaction='trigger.open' data-attrid='images universal'>"
            )
        out = (
            f"{start}<a jsname='sTFXNd' role='button' tabindex='0'><h3>"
            f"<div class='{names['wrap']}'>{image}</div></h3></a>"
            f"<a data-out href='{page}' target='_blank'><span>"
            f"{escape(entry.site)}</span><div>{alt}</div></a></div>"
        )
        return out + (self.related() if number % RELATED_EVERY == 0 else "")

    def related(self) -> str:
        """Return a cell of related searches: looks like a result, and is none."""
        links = "".join(
            f"<a href='{escape(self.search_link(text))}'><img class='{self.names['thumb']}' "
            f"alt='{escape(text, quote=True)}' width='90' height='90' "
            f"src='/images?q=tbn:related{n}&amp;s'><span>{escape(text)}</span></a>"
            for n, text in enumerate(related_queries(self.query))
        )
        return f"<div class='{self.names['related']}'><h3>Related searches</h3>{links}</div>"

    def chips(self) -> str:
        links = "".join(
            f"<a class='{self.names['chip']}' href='{escape(self.search_link(text))}'>"
            f"<img src='/images?q=tbn:chip{n}&amp;s' width='46' height='46' alt=''>"
            f"<span>{escape(text)}</span></a>"
            for n, text in enumerate(related_queries(self.query))
        )
        return f"<div role='navigation'>{links}</div>"

    def search_link(self, text: str) -> str:
        return f"{self.variant.prefix}/search?q={quote(text)}&udm=2&sa=X"


def related_queries(query: str) -> list[str]:
    """Return the related queries that the page offers."""
    plain = re.sub(r"\s+site:\S+", "", query)
    return [f"{plain} {word}" for word in ("young", "drawing", "wallpaper", "black and white")]


def _random_names() -> str:
    return " ".join("x" + secrets.token_hex(3) for _ in range(2))


def _code() -> str:
    return resources.files(__package__).joinpath("google_script.js").read_text("utf-8")


def _nothing(query: str) -> str:
    return (
        f"<div id='topstuff'><div role='heading'>Your search - <b>{escape(query)}</b> - "
        "did not match any image results.</div><p>Suggestions:</p><ul><li>Make sure all words are "
        "spelled correctly.</li><li>Try different keywords.</li></ul></div>"
    )


def _page(query: str, body: str) -> str:
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{escape(query)} - "
        "Playground Search</title><style>#rso,#islrg{display:flex;flex-wrap:wrap;gap:8px}"
        "#Sva75c{position:fixed;right:0;top:0;max-width:40%}#Sva75c img{max-width:100%}</style>"
        f"</head><body><form role='search' action='search'><input name='q' value='"
        f"{escape(query, quote=True)}'><input type='hidden' name='udm' value='2'></form>{body}"
        "</body></html>"
    )


_HOME: Final = (
    "<!doctype html><html><head><title>Playground Search</title></head><body>"
    "<h1>Playground Search</h1><p>A made-up image search, served from this machine.</p>"
    "<form role='search' action='PREFIX/search'><input name='q' autofocus>"
    "<input type='hidden' name='udm' value='2'><button>Search images</button></form></body></html>"
)
_GRID: Final = (
    "<script nonce='x'>{setter}</script><div id='center_col'><div id='{grid}' role='list'>{tiles}"
    "</div></div>{scripts}<div id='Sva75c' role='dialog' class='{panel}' hidden></div>"
    "<input type='button' id='pg-more' role='button' class='{more}' value='Show more results' "
    "style='display:none'><div style='height:40px'></div>"
    "<script type='application/json' id='pg-conf'>{conf}</script><script>{code}</script>"
)
