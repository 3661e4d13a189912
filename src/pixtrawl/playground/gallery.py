"""Galleries: web pages that hold pictures in every way pages do.

`/gallery/STYLE/KEYWORD?page=N` shows ten pictures of a keyword in one way; `STYLES` lists them.
`Galleries.truth` gives the best URL of each picture on such a page.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from pixtrawl.playground.messages import ServerRequest, ServerResponse
from pixtrawl.playground.search.listing import Listings, Original

PER_PAGE: Final = 10
WIDTHS: Final = (320, 640, 1024)  # of the files behind srcset, pixels
_DOT: Final = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


def _sized(entry: Original, width: int) -> str:
    slug, index = entry.page_url.split("/")[-2:]
    return f"{_host(entry)}/sized/{width}/{slug}/{index}.jpg"


def _wordpress(entry: Original, size: str = "") -> str:
    slug, index = entry.page_url.split("/")[-2:]
    return f"{_host(entry)}/wp-content/uploads/2026/05/{slug}_{index}{size}.jpg"


def _host(entry: Original) -> str:
    parts = urlsplit(entry.url if entry.url.startswith("http:") else entry.page_url)
    return f"{parts.scheme}://{parts.netloc}"


def _srcset(entry: Original) -> str:
    return ", ".join(f"{_sized(entry, width)} {width}w" for width in WIDTHS)


def _img(entry: Original) -> str:
    return f"<img src='{entry.url}' alt='{escape(entry.title, quote=True)}'>"


def _img_srcset(entry: Original) -> str:
    return f"<img src='{_sized(entry, 320)}' srcset='{_srcset(entry)}' sizes='100vw' alt=''>"


def _picture(entry: Original) -> str:
    return (
        f"<picture><source type='image/jpeg' srcset='{_srcset(entry)}'>"
        f"<img src='{_sized(entry, 320)}' alt=''></picture>"
    )


def _lazy(entry: Original) -> str:
    names = ("data-src", "data-original", "data-lazy-src", "data-lazy", "data-srcset")
    name = names[entry.index % len(names)]
    value = f"{entry.url} 1x" if name == "data-srcset" else entry.url
    return f"<img class='lazyload' src='{_DOT}' {name}='{value}' alt=''>"


def _noscript(entry: Original) -> str:
    return f"<img src='{_DOT}' alt=''><noscript><img src='{entry.url}' alt=''></noscript>"


def _css(entry: Original) -> str:
    return f"<div class='tile' style=\"background-image: url('{entry.url}')\"></div>"


def _link(entry: Original) -> str:
    return f"<a href='{entry.url}'><img src='{_sized(entry, 320)}' alt=''></a>"


def _wordpress_img(entry: Original) -> str:
    return f"<img class='wp-image' src='{_wordpress(entry, '-300x225')}' alt=''>"


def _nothing(entry: Original) -> str:
    return f"<p>{escape(entry.title)}</p>"


@dataclass(frozen=True, slots=True)
class Style:
    """One way of holding pictures: markup per picture, the URL to be found, extra head lines."""

    sentence: str
    body: Callable[[Original], str]
    best: Callable[[Original], str] = lambda entry: entry.url
    head: Callable[[list[Original]], str] = lambda entries: ""


def _og(entries: list[Original]) -> str:
    return "".join(f"<meta property='og:image' content='{entry.url}'>" for entry in entries)


def _json_ld(entries: list[Original]) -> str:
    graph = [
        {"@type": "ImageObject", "contentUrl": e.url, "license": e.traits.license_url,
         "creator": {"@type": "Person", "name": e.traits.creator}}
        for e in entries
    ]  # fmt: skip
    text = json.dumps({"@context": "https://schema.org", "@graph": graph})
    return f"<script type='application/ld+json'>{text}</script>"


def _state(entries: list[Original]) -> str:
    text = json.dumps({"props": {"photos": [{"src": e.url} for e in entries]}})
    text = text.replace("/", "\\/")
    return f"<script id='__NEXT_DATA__' type='application/json'>{text}</script>"


def _largest(entry: Original) -> str:
    return _sized(entry, WIDTHS[-1])


STYLES: Final = {
    "img": Style("plain img elements", _img),
    "srcset": Style("img with srcset and sizes", _img_srcset, _largest),
    "picture": Style("picture with source elements", _picture, _largest),
    "lazy": Style("a placeholder, and the URL in a lazy-loading attribute", _lazy),
    "noscript": Style("a placeholder, and the picture in noscript", _noscript),
    "css": Style("CSS backgrounds", _css),
    "links": Style("thumbnails that link to the file", _link),
    "wordpress": Style("WordPress file names with a size", _wordpress_img, _wordpress),
    "og": Style("og:image in the head", _nothing, head=_og),
    "json-ld": Style("JSON-LD in the head", _nothing, head=_json_ld),
    "state": Style("script state", _nothing, head=_state),
    "scroll": Style("pictures that are loaded on scrolling", _img),
    "noai": Style(
        "a page that opts out by meta robots", _img,
        head=lambda entries: "<meta name='robots' content='noai, noimageai'>",
    ),
    "private": Style("pages that robots.txt disallows", _img),
}  # fmt: skip


@dataclass
class Galleries:
    """Answers for /gallery/ and /sitemap.xml."""

    listings: Listings

    def truth(self, style: str, keyword: str, page: int = 1) -> list[str]:
        """Return the best URL of each picture of a page. Raises KeyError for an unknown style."""
        return [STYLES[style].best(entry) for entry in self._entries(keyword, page)]

    def url(self, style: str, keyword: str, page: int = 1) -> str:
        """Return where a page is."""
        return f"{self.listings.site_url}{_path(style, keyword, page)}"

    def answer(self, request: ServerRequest, path: str) -> ServerResponse | None:
        """Return the answer to `path`, or None where it is not ours."""
        if path == "/sitemap.xml":
            return self._sitemap()
        if path in {"/gallery", "/gallery/"}:
            return self._index()
        parts = path.split("/")
        if len(parts) != 4 or parts[1] != "gallery" or parts[2] not in STYLES:
            return None
        keyword = unquote(parts[3])
        number = request.query.get("page", "1")
        page = int(number) if number.isdigit() else 1
        if request.query.get("format") == "json":
            return self._batch(parts[2], keyword, page)
        return self._page(parts[2], keyword, page)

    def _entries(self, keyword: str, page: int) -> list[Original]:
        entries = self.listings.all(keyword)
        return list(entries[(page - 1) * PER_PAGE : page * PER_PAGE])

    def _last(self, keyword: str) -> int:
        return max(1, math.ceil(len(self.listings.all(keyword)) / PER_PAGE))

    def _page(self, name: str, keyword: str, page: int) -> ServerResponse:
        style = STYLES[name]
        entries = self._entries(keyword, page)
        head, foot, scroll = style.head(entries), "", ""
        if page < self._last(keyword):
            following = _path(name, keyword, page + 1)
            if name == "scroll":
                scroll = f" data-next-url='{following}&amp;format=json'"
                foot = _SCROLL
            else:
                head += f"<link rel='next' href='{following}'>"
                foot = f"<a rel='next' href='{following}'>Next page</a>"
        title = f"{escape(keyword)}, page {page}"
        body = "".join(f"<figure>{style.body(entry)}</figure>" for entry in entries)
        return ServerResponse(
            (
                "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
                f"<title>{title}</title>{head}</head><body><h1>{title}</h1><p>{style.sentence}</p>"
                f"<main id='grid'{scroll}>{body}</main>{foot}</body></html>"
            ).encode(),
            200 if entries else 404,
        )

    def _batch(self, name: str, keyword: str, page: int) -> ServerResponse:
        following = page < self._last(keyword)
        value = {
            "items": [{"src": e.url, "title": e.title} for e in self._entries(keyword, page)],
            "next": f"{_path(name, keyword, page + 1)}&format=json" if following else None,
        }
        return ServerResponse(json.dumps(value).encode(), content_type="application/json")

    def _index(self) -> ServerResponse:
        rows = "".join(
            f"<li><a href='{_path(name, 'tabby cat', 1)}'>{name}</a>: {style.sentence}</li>"
            for name, style in STYLES.items()
        )
        return ServerResponse(f"<!doctype html><title>Galleries</title><ul>{rows}</ul>".encode())

    def _sitemap(self) -> ServerResponse:
        rows = "".join(
            f"<url><loc>{escape(self.url(name, 'tabby cat'))}</loc></url>"
            for name in STYLES
            if name != "private"
        )
        space = "http://www.sitemaps.org/schemas/sitemap/0.9"
        body = f"<?xml version='1.0' encoding='UTF-8'?><urlset xmlns='{space}'>{rows}</urlset>"
        return ServerResponse(body.encode(), content_type="application/xml")


def _path(style: str, keyword: str, page: int) -> str:
    return f"/gallery/{style}/{quote(keyword, safe='')}?page={page}"


_SCROLL: Final = (
    "<div style='height:2000px'></div><script>(function(){var grid=document.getElementById('grid'),"
    "busy=false;function more(){var next=grid.dataset.nextUrl;if(busy||!next)return;busy=true;"
    "fetch(next).then(function(a){return a.json();}).then(function(a){a.items.forEach(function(i){"
    "var img=document.createElement('img');img.src=i.src;grid.appendChild(img);});"
    "grid.dataset.nextUrl=a.next||'';busy=false;});}window.addEventListener('scroll',function(){"
    "if(document.documentElement.scrollHeight-scrollY-innerHeight<800)more();});})();</script>"
)
