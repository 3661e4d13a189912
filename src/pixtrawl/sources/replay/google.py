"""The part of Google's reader that needs no browser: records in scripts and links, thumbnails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qs, urlsplit

from pixtrawl.model import Candidate, Kind, Query, SourceOutcome
from pixtrawl.sources.google.outcome import ONLY_THUMBNAILS, stop_for
from pixtrawl.sources.google.records import records_in
from pixtrawl.sources.google.state import State, classify
from pixtrawl.sources.html import Document, Element, TooComplexError
from pixtrawl.sources.replay.replayed import Replayed

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


def read(page: str, query: Query) -> Replayed:
    """The part of Google's reader that needs no browser: records in scripts and links."""
    records = records_in(page)
    candidates = tuple(
        Candidate(
            url=record.url,
            query=query.text,
            label=query.label,
            source="google",
            rank=rank,
            page_url=record.page_url,
            title=record.title,
            width=record.width,
            height=record.height,
            thumb_url=record.thumb_url,
        )
        for rank, record in enumerate((one for one in records if one.url), 1)
        if record.url
    )
    if candidates:
        return Replayed(SourceOutcome.OK, candidates)
    try:
        facts, shown = _facts(page), tuple(_thumbnails(Document(page), query))
    except TooComplexError as error:
        return Replayed(SourceOutcome.CHANGED, detail={"message": str(error)})
    state = classify("/search", 200, facts, records=len(records))
    message = ONLY_THUMBNAILS if state is State.GRID else ""
    stop = stop_for(state, visible=False, message=message)
    return Replayed(stop.outcome, shown if state is State.GRID else (), stop.detail)


def _thumbnails(document: Document, query: Query) -> Iterator[Candidate]:
    """What a page at rest shows where no script ran: thumbnails, each with its page."""
    for tile in document.all(_LEADING)[:_MAX_TILES]:
        image = next(iter(tile.all("img")), None)
        thumb = (image.get("src") or image.get("data-src")) if image is not None else ""
        page = tile.get("data-lpage") or _target(tile)
        if image is None or not thumb.startswith(("http", "data:image/")) or not page:
            continue
        yield Candidate(
            url=thumb, query=query.text, label=query.label, source="google",
            kind=Kind.THUMBNAIL, page_url=page, title=image.get("alt")[:2000] or None,
        )  # fmt: skip


def _target(link: Element) -> str:
    try:
        given = parse_qs(urlsplit(link.get("href")[:20_000]).query, max_num_fields=50)
    except ValueError:
        return ""
    return next(iter(given.get("url") or given.get("q") or [""]))


def _facts(page: str) -> dict[str, object]:
    """What facts.js tells of a page, as far as a page at rest shows it."""
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
    """The texts between the tags of a kind, as they are written."""
    pieces = page.split(f"<{tag}")[1:20]
    return [piece.partition(f"</{tag}")[0].partition(">")[2] for piece in pieces]
