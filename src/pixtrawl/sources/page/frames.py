"""Find documents that a page shows inside or instead of itself. Pure, bounded.

These are frames, meta refresh and scripts that redirect at once. A browser shows the other
document, so that a page with nothing else is not empty.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from itertools import chain
from typing import Final

from msgspec import Struct

from pixtrawl import urls
from pixtrawl.sources.html import Document, Element
from pixtrawl.sources.page.found import FoundPictures

__all__ = ["Shown", "shown_documents", "written_frames"]

_MAX: Final = 10  # documents of one page
_MAX_SCRIPT: Final = 50_000  # characters of a script that are searched
_MAX_REFRESH_S: Final = 60
_REFRESH: Final = re.compile(
    r"\s*([0-9]{0,6})[0-9.]*(?:\s*[;,]\s*|\s+)(?:url\s*=\s*)?[\"']?([^\"']+)", re.IGNORECASE
)
_GOES: Final = re.compile(
    r"(?<![\w$])(?:(?:window|document|self|top|parent|globalThis)\s{0,3}\.\s{0,3}){0,2}location"
    r"(?:\s{0,3}\.\s{0,3}href)?\s{0,3}"
    r"(?:=(?!=)\s{0,3}|\.\s{0,3}(?:replace|assign)\s{0,3}\(\s{0,3})"
    r"(?:\"([^\"\n]{1,4000})\"|'([^'\n]{1,4000})'|`([^`$\n]{1,4000})`)"
)
_FRAME_SOURCE: Final = re.compile(
    r"\ssrc\s{0,9}=\s{0,9}(?:\"([^\"]{1,4000})\"|'([^']{1,4000})'|([^\s\"'>]{1,4000}))",
    re.IGNORECASE,
)
_FRAMES: Final = "frame, iframe, object[data], embed[src]"
_SOURCES: Final = ("src", "data-src", "data-lazy-src", "data")
_NO_PIXELS: Final = re.compile(r"\s*[01](?:\.0*)?(?:px)?\s*")
_UNSEEN: Final = re.compile(
    r"display\s{0,3}:\s{0,3}none|visibility\s{0,3}:\s{0,3}hidden", re.IGNORECASE
)


class Shown(Struct, frozen=True):
    """A document; `instead` of the page (a redirect), or inside of it (a frame)."""

    url: str
    instead: bool


def shown_documents(document: Document, pictures: FoundPictures, text: str) -> list[Shown]:
    """Return the documents in a browser's order, each once. `text` is the page's."""
    found: dict[str, Shown] = {}
    ways = (_refreshes(document), _frames(document), _lost_frames(text), _scripts(document))
    for ref, instead in chain(*ways):
        url = pictures.absolute(ref.strip())
        if url is None or url[:5].lower() == "data:":
            continue
        url = url.partition("#")[0]
        found.setdefault(urls.canonical(url), Shown(url, instead))
        if len(found) >= _MAX:
            break
    return list(found.values())


def written_frames(document: Document) -> list[str]:
    """Return the documents that stand in the page itself, in `srcdoc`."""
    return [one.get("srcdoc") for one in document.all("iframe[srcdoc]")[:_MAX]]


def _refreshes(document: Document) -> Iterator[tuple[str, bool]]:
    for meta in document.all("meta[http-equiv][content]")[:20]:
        if meta.get("http-equiv").strip().lower() != "refresh":
            continue
        match = _REFRESH.match(meta.get("content")[:5000])
        if match and int(match[1] or 0) <= _MAX_REFRESH_S:
            yield match[2], True


def _frames(document: Document) -> Iterator[tuple[str, bool]]:
    for one in document.all(_FRAMES)[:200]:
        if one.tag in {"object", "embed"} and "html" not in one.get("type").lower():
            continue
        ref = next((ref for name in _SOURCES if (ref := one.get(name).strip())), "")
        is_page = not ref.lower().startswith(("about:", "javascript:", "data:"))
        if ref and is_page and not _is_unseen(one):
            yield ref, False


def _lost_frames(text: str) -> Iterator[tuple[str, bool]]:
    """Yield frames that the parser drops because text comes before their frameset."""
    at = -1
    lowered = text.lower() if "<frame" in text or "<FRAME" in text else ""
    for _ in range(_MAX):
        at = lowered.find("<frame", at + 1)
        end = lowered.find(">", at)
        if at < 0 or end < 0:
            return
        if match := _FRAME_SOURCE.search(text, at, min(end, at + 4000)):
            yield html.unescape(match[1] or match[2] or match[3]), False


def _is_unseen(frame: Element) -> bool:
    """Return whether a frame is invisible (counters, messages between windows)."""
    if frame.tag == "frame":
        return False
    sizes = (frame.get("width"), frame.get("height"))
    no_pixels = any(_NO_PIXELS.fullmatch(one) for one in sizes)
    return no_pixels or "hidden" in frame.attributes or bool(_UNSEEN.search(frame.get("style")))


def _scripts(document: Document) -> Iterator[tuple[str, bool]]:
    texts = [one.content for one in document.all("script:not([src])")[:50]]
    texts += [one.get("onload") for one in document.all("body[onload]")]
    for text in texts:
        for match in _GOES.finditer(text[:_MAX_SCRIPT]):
            yield (match[1] or match[2] or match[3]).replace("\\/", "/"), True
