"""Yandex Images over HTTP: no key, but a captcha soon stops clients other than browsers.

Results are JSON in an attribute `data-state`, one entity a picture, in two forms: with `viewerData`
(every copy that Yandex knows, with its size), or flat with `origUrl`. Both are read. Written from
the documented form; no result page was recorded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, ClassVar, Final

from pixtrawl.model import Alternate, Kind
from pixtrawl.net.interface import Response
from pixtrawl.sources.base import SourceInfo
from pixtrawl.sources.filters import Words
from pixtrawl.sources.html import Document
from pixtrawl.sources.results import ImageResult, pixels, plain_text, web_url
from pixtrawl.sources.script_data import ScriptDataError, objects_in, read_value, value_at
from pixtrawl.sources.web.html_source import HtmlSource, ResultPage, SearchRequest, WebSearch

BASE_URL: Final = "https://yandex.com"
DELAY_S: Final = 5.0
_PATH: Final = "/images/search"
_WINDOW: Final = "sw-1920-sh-1080-ww-1125-wh-999"
_MAX_COPIES: Final = 5

_COLOURS: Final = {
    "color": "color", "gray": "gray", "red": "red", "orange": "orange", "yellow": "yellow",
    "teal": "cyan", "green": "green", "blue": "blue", "purple": "violet", "white": "white",
    "black": "black",
}  # fmt: skip
_SHAPES: Final = {"wide": "horizontal", "tall": "vertical", "square": "square"}
_FAMILY: Final = {"off": "0", "moderate": "1", "strict": "2"}


def _region(text: str) -> str | None:
    return f"lr={text}" if text.isascii() and text.isdigit() and len(text) < 8 else None


# The web search shows "Ничего не нашли", with "ничего не найдено" in its title.
_NOTHING: Final = re.compile(
    r"ничего не на(?:шли|шлось|йдено)|no (?:images|pictures|results) (?:were )?found"
    r"|nothing (?:was )?found|no matching (?:images|results)",
    re.IGNORECASE,
)


class Yandex(HtmlSource):
    """Yandex Images."""

    name: ClassVar[str] = "yandex"
    words: ClassVar[Words] = {
        "size": {name: f"isize={name}" for name in ("small", "medium", "large")},
        "color": {ours: f"icolor={theirs}" for ours, theirs in _COLOURS.items()},
        "type": {
            **{name: f"type={name}" for name in ("photo", "clipart", "lineart", "face")},
            "animated": "itype=gifan",
        },
        "aspect": {ours: f"iorient={theirs}" for ours, theirs in _SHAPES.items()},
        "date": {"week": "recent=7D"},
        "site": lambda text: f"site={''.join(text.split())}",
        "region": _region,  # Yandex numbers its regions: 213 is Moscow
        "safe": {ours: f"family={theirs}" for ours, theirs in _FAMILY.items()},
    }
    max_pages: ClassVar[int] = 60  # of about 30
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Yandex Images",
        base_url=BASE_URL,
        sentence="Reads result pages over HTTP: originals, further copies, pages, sizes.",
        delay_s=DELAY_S,
        limit="about 1000 a query; a captcha comes sooner",
        terms="Yandex's terms of search forbid automated queries and point to its paid Search "
        "API; a captcha enforces that.",
    )

    async def prepare(self, search: WebSearch) -> None:
        """Set the cookie that keeps the family filter; it never expires."""
        family = search.parameters().get("family")
        if family is not None:
            search.cookies["yp"] = f"2147483647.sp.family%3A{family}"

    def request(self, search: WebSearch) -> SearchRequest:
        """Ask for page `number`, from 0; the first has no number."""
        asked = {name: word for name, word in search.parameters().items() if name != "family"}
        page = {"p": str(search.number)} if search.number else {}
        return SearchRequest(_PATH, {"text": search.query.text, "uinfo": _WINDOW, **asked, **page})

    def parse(self, search: WebSearch, response: Response) -> ResultPage | None:
        """Read every state that holds entities. Raises SourceStop for a captcha in JSON."""
        if _is_captcha(response):
            raise search.blocked(response, "captcha", "shows a captcha")
        document = search.document(response)
        results = [one for state in _states(document) for one in _entities(state)]
        if results:
            return ResultPage(results=tuple(results))
        title = document.first("title")
        text = f"{title.text if title else ''} {document.text()[:20_000]}"
        return ResultPage(nothing=True) if _NOTHING.search(text) else None


def _states(document: Document) -> Iterator[Any]:
    for element in document.all("[data-state]")[:200]:
        state = element.get("data-state")
        if '"entities"' in state:
            with suppress(ScriptDataError):
                yield read_value(state)


def _is_captcha(response: Response) -> bool:
    if response.headers.get("x-yandex-captcha"):
        return True
    start = response.body[:2000].lstrip()
    if not start.startswith(b"{"):
        return False
    try:
        return bool(value_at(read_value(response.text), "type") == "captcha")
    except ScriptDataError:
        return False


def _entities(state: Any) -> list[ImageResult]:
    """Return the entities of a list of results, sorted by `pos` if given."""
    found: list[tuple[float, ImageResult]] = []
    for holder in objects_in(state):
        entities = holder.get("entities")
        if not isinstance(entities, dict):
            continue
        for at, entity in enumerate(entities.values()):
            result = _result(entity) if isinstance(entity, dict) else None
            if result is not None:
                place = entity.get("pos")
                known = isinstance(place, int) and not isinstance(place, bool)
                found.append((min(place, 10**9) if known else at, result))
    found.sort(key=lambda one: one[0])  # stable
    return [result for _, result in found]


def _result(entity: dict[str, Any]) -> ImageResult | None:
    thumb = web_url(entity.get("image")) or web_url(value_at(entity, "viewerData", "thumb", "url"))
    copies = _copies(entity)
    if not copies and thumb is None:
        return None
    snippet = value_at(entity, "snippet") or value_at(entity, "viewerData", "snippet")
    url, width, height = copies[0] if copies else (None, None, None)
    return ImageResult(
        url=url,
        thumb_url=thumb,
        page_url=web_url(value_at(snippet, "url")),
        title=plain_text(value_at(snippet, "title")) or plain_text(entity.get("alt")),
        page_text=plain_text(value_at(snippet, "text")),
        width=width,
        height=height,
        alternates=tuple(Alternate(copy, Kind.ORIGINAL) for copy, _, _ in copies[1:_MAX_COPIES]),
    )


def _copies(entity: dict[str, Any]) -> list[tuple[str, int | None, int | None]]:
    """Return all listed copies of the picture, largest first."""
    found: list[tuple[str, int | None, int | None]] = []
    flat = web_url(entity.get("origUrl"))
    if flat is not None:
        sides = pixels(entity.get("origWidth")), pixels(entity.get("origHeight"))
        found.append((flat, *sides))
    for name in ("dups", "preview"):
        copies = value_at(entity, "viewerData", name)
        for copy in copies[:100] if isinstance(copies, list) else []:
            url = web_url(value_at(copy, "url"))
            if url is not None:
                found.append((url, pixels(value_at(copy, "w")), pixels(value_at(copy, "h"))))
    found.sort(key=lambda one: (one[1] or 0) * (one[2] or 0), reverse=True)
    return found
