"""Read a saved Google page without a browser: records in scripts and links, thumbnails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import parse_qs, urlsplit

from pixtrawl.errors import SourceStop
from pixtrawl.model import Candidate, Kind, Query, SourceOutcome
from pixtrawl.sources.google.outcome import ONLY_THUMBNAILS, stop_for
from pixtrawl.sources.google.records import records_in
from pixtrawl.sources.google.state import State, classify
from pixtrawl.sources.html import Document, Element, TooComplexError
from pixtrawl.sources.results import ImageResult, candidate_of

_CAPTCHA: Final = (
    "form#captcha-form, form[action*=sorry], [data-sitekey], iframe[src*=captcha], "
    "[name=g-recaptcha-response]"
)
_TILES: Final = (
    "[data-docid] img, [data-tbnid] img, [data-lpage] img, [data-ri] img, a[href*='/imgres?'], "
    "img[src*='q=tbn:'], img[data-src*='q=tbn:']"
)
_LEADING: Final = "[data-lpage], a[href^='/url?'], a[href*='google.'][href*='/url?']"
_MAX_TILES: Final = 1000


def read(page: str, query: Query, source: str) -> tuple[tuple[Candidate, ...], SourceStop | None]:
    """Return candidates of a saved page, and the stop that a live query would have raised."""
    records = records_in(page)
    originals = (one for one in records if one.url)
    candidates = _made(originals, query, source)
    if candidates:
        return candidates, None
    try:
        facts, shown = _facts(page), tuple(_thumbnails(Document(page)))
    except TooComplexError as error:
        return (), SourceStop(SourceOutcome.CHANGED, message=str(error))
    state = classify("/search", 200, facts, records=len(records))
    message = ONLY_THUMBNAILS if state is State.GRID else ""
    stop = stop_for(state, visible=False, message=message)
    return _made(shown, query, source) if state is State.GRID else (), stop


def _made(results: Iterable[ImageResult], query: Query, source: str) -> tuple[Candidate, ...]:
    made = (candidate_of(one, query, source, rank) for rank, one in enumerate(results, 1))
    return tuple(one for one in made if one)


def _thumbnails(document: Document) -> Iterator[ImageResult]:
    """Yield the thumbnails of a static page, where no script ran, each with its page."""
    for tile in document.all(_LEADING)[:_MAX_TILES]:
        image = next(iter(tile.all("img")), None)
        thumb = (image.get("src") or image.get("data-src")) if image is not None else ""
        page = tile.get("data-lpage") or _target(tile)
        if image is None or not thumb.startswith(("http", "data:image/")) or not page:
            continue
        yield ImageResult(
            url=thumb, kind=Kind.THUMBNAIL, page_url=page, title=image.get("alt"),
        )  # fmt: skip


def _target(link: Element) -> str:
    try:
        given = parse_qs(urlsplit(link.get("href")[:20_000]).query, max_num_fields=50)
    except ValueError:
        return ""
    return next(iter(given.get("url") or given.get("q") or [""]))


def _facts(page: str) -> dict[str, object]:
    """Return the facts.js result for a static page, as far as it can be read without scripts."""
    document = Document(page)
    return {
        "text": document.text(),
        "noscript": " ".join(_inside(page, "noscript"))[:5000],
        "chars": len(page),
        "captcha": document.has(_CAPTCHA),
        "consentForm": document.has("form[action*=consent], form input[name=set_eom]"),
        "password": document.has("input[type=password]"),
        "tiles": len(document.all(_TILES)),
    }


def _inside(page: str, tag: str) -> list[str]:
    """Return the texts between the tags of a kind, as they are written."""
    pieces = page.split(f"<{tag}")[1:20]
    return [piece.partition(f"</{tag}")[0].partition(">")[2] for piece in pieces]
