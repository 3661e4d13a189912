"""What a Bing Images answer says: tiles, the way to the next page, related queries; pure.

A tile is whatever element has an attribute `m` that holds JSON with `murl`; class names are not
looked at, so that renaming them changes nothing. Sizes stand in the tile's own link (`expw`,
`exph`), and so does Bing's full-size copy (`cdnurl`).
"""

from __future__ import annotations

import json
import re
from enum import Enum, auto
from typing import Final
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct

from pixtrawl.sources.html import Document, Element

ASYNC_PATH: Final = "/images/async"
FULL_PATH: Final = "/images/search"

_MAX_TILES: Final = 500
_MAX_RELATED: Final = 100
_MAX_PIXELS: Final = 10**6  # on a side; more is a mistake
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}")
# Bing marks the words that were looked for in titles with characters of private use.
_PRIVATE: Final = re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff\ud800-\udfff\x00-\x1f\x7f]")
_WEB_URL: Final = re.compile(r"https?://[^\s\x00-\x1f\x7f\ud800-\udfff]+", re.IGNORECASE)

_NOTHING: Final = re.compile(r"there are no results for|no results found for", re.IGNORECASE)
_CAPTCHA_TEXT: Final = re.compile(
    r"verify that you are not a robot|verify you are (?:a )?human|enter the characters you see"
    r"|solve the challenge|unusual traffic",
    re.IGNORECASE,
)
_CAPTCHA_FORM: Final = (
    ".captcha, #captcha, form[action*=captcha], iframe[src*=captcha], iframe[src*=turnstile], "
    "[name=cf-turnstile-response], script[src*=turnstile]"
)
_NEEDS_SCRIPT: Final = re.compile(r"(?:enable|turn on|requires?) javascript", re.IGNORECASE)
_SCRIPT_LINK: Final = "a[href*=enablejs], meta[content*=enablejs]"
_CONSENT: Final = "#bnp_container, #bnp_btn_accept, #bnp_btn_reject"


class State(Enum):
    """What an answer without tiles is."""

    NOTHING = auto()  # it says itself that there are no results
    CAPTCHA = auto()
    CONSENT = auto()
    JS_WALL = auto()
    SOFT_BLOCK = auto()  # nothing to read, and it loads itself again
    END = auto()  # the frame of a list of results, with none in it
    UNKNOWN = auto()


class Tile(Struct, frozen=True):
    """One result. `original` or `cached` is set, or both."""

    original: str | None
    cached: str | None
    thumb: str | None
    page: str | None
    title: str | None
    width: int | None
    height: int | None
    aside: bool = False  # of a related search, shown among the results

    @property
    def url(self) -> str:
        return self.original or self.cached or ""


class BingPage(Struct, frozen=True):
    """An answer: its tiles (those of related searches last), each URL once.

    `next_query` is the query string of the next page: "" where the page says that there is none,
    None where it does not say.
    """

    tiles: tuple[Tile, ...]
    shown: int  # results on the page, repeated ones included, related ones not
    next_query: str | None
    related: tuple[str, ...]


def read_page(document: Document, text: str) -> BingPage:
    """The results in an answer to the query `text`; whatever has a wrong form is passed over."""
    tiles = [tile for element in document.all("[m]")[:_MAX_TILES] if (tile := _tile(element))]
    tiles.sort(key=lambda tile: tile.aside)  # stable: in the order of the page otherwise
    once = {tile.url: tile for tile in reversed(tiles)}
    ordered = tuple(dict.fromkeys(once[tile.url] for tile in tiles))
    shown = sum(not tile.aside for tile in tiles)
    return BingPage(ordered, shown, _next_query(document), _related(document, text))


def state_of(document: Document) -> State:
    """Why an answer has no tiles, by positive signs only."""
    text = document.text()
    if _CAPTCHA_TEXT.search(text) or document.has(_CAPTCHA_FORM):
        return State.CAPTCHA
    if _NOTHING.search(text):
        return State.NOTHING
    if document.has(_CONSENT):
        return State.CONSENT
    if document.has("[data-nexturl]") and not document.has("[m]"):
        return State.END
    if _NEEDS_SCRIPT.search(text) or document.has(_SCRIPT_LINK):
        return State.JS_WALL
    if not text and document.has("meta[http-equiv=refresh], noscript iframe"):
        return State.SOFT_BLOCK
    return State.UNKNOWN


def _tile(element: Element) -> Tile | None:
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
    original = _web_url(data.get("murl"))
    # Where the original is plain http, Bing names its own copy in `mediaurl` instead.
    cached = _web_url(link.get("cdnurl")) or _web_url(link.get("mediaurl"))
    if original is None and cached is None:
        return None
    return Tile(
        original=original,
        cached=cached if cached != original else None,
        thumb=_web_url(data.get("turl")),
        page=_web_url(data.get("purl")),
        title=_title(data.get("t")),
        width=_pixels(link.get("expw")),
        height=_pixels(link.get("exph")),
        aside="t" not in data,
    )


def _parameters(href: str) -> dict[str, str]:
    """The parameters of a link, the first of each name."""
    try:
        found = parse_qs(urlsplit(href[:20_000]).query, max_num_fields=100)
    except ValueError:
        return {}
    return {name: values[0] for name, values in found.items()}


def _web_url(value: object) -> str | None:
    return value if isinstance(value, str) and _WEB_URL.fullmatch(value) else None


def _title(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    return " ".join(_PRIVATE.sub("", value[:2000]).split()) or None


def _pixels(text: str | None) -> int | None:
    if text is None or not _NUMBER.fullmatch(text) or int(text) > _MAX_PIXELS:
        return None
    return int(text)


def _next_query(document: Document) -> str | None:
    """Several lists may be on a page; those of related searches have an empty next URL."""
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
    """The texts of links to other searches; links to this one with a filter have its own text."""
    found: dict[str, str] = {}
    for link in document.all(f'a[href*="{FULL_PATH}?"]')[:1000]:
        parameters = _parameters(link.get("href"))
        other = " ".join(_PRIVATE.sub(" ", parameters.get("q", "")).split())
        if not other or "view" in parameters or "qft" in parameters:
            continue
        if other.casefold() != text.casefold():
            found.setdefault(other.casefold(), other)
    return tuple(found.values())[:_MAX_RELATED]
