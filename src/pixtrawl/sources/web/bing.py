"""Bing Images over HTTP: no key, no browser.

Asks for the fragment that Bing's own page loads on scrolling and follows the next URL in each
answer; without a fragment, asks for the full page. Verified against a recorded page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final
from urllib.parse import parse_qsl, urlencode

from pixtrawl.config import parse
from pixtrawl.errors import SourceStop
from pixtrawl.model import SourceOutcome
from pixtrawl.net.interface import Response
from pixtrawl.sources.base import Position, SourceInfo
from pixtrawl.sources.filters import Words
from pixtrawl.sources.web.bing_page import (
    ASYNC_PATH,
    CONSENT_BANNER,
    FULL_PATH,
    is_frame,
    read_page,
    says_nothing,
)
from pixtrawl.sources.web.html_source import HtmlSource, ResultPage, SearchRequest, WebSearch

_COUNT: Final = 35  # results an answer, as the page itself asks


def _custom_size(text: str) -> str:
    width, height = parse.size_px(text)
    return f"imagesize-custom_{width}_{height}"


def _size(text: str) -> str:
    known = text.strip().lower()
    return f"imagesize-{known}" if known in {"small", "medium", "large"} else _custom_size(text)


_COLOURS: Final = (
    "red", "orange", "yellow", "green", "teal", "blue", "purple", "pink", "brown", "black", "white",
)  # fmt: skip
_WORDS: Final[Words] = {
    "size": _size,
    "color": {
        "color": "color2-color",
        "gray": "color2-bw",
        "transparent": "photo-transparent",
        **{name: f"color2-FGcls_{name.upper()}" for name in _COLOURS},
    },
    "type": {
        "photo": "photo-photo",
        "clipart": "photo-clipart",
        "lineart": "photo-linedrawing",
        "animated": "photo-animatedgif",
        "face": "face-face",
    },
    "aspect": {name: f"aspect-{name}" for name in ("square", "wide", "tall")},
    "date": {  # in minutes
        "day": "age-lt1440",
        "week": "age-lt10080",
        "month": "age-lt43200",
        "year": "age-lt525600",
    },
    "license": {
        "any": "licenseType-Any",
        "public": "license-L1",
        "open": "license-L2_L3_L4_L5_L6_L7",
        "commercial": "license-L2_L3_L4",
        "modify": "license-L2_L3_L5_L6",
    },
}


class Bing(HtmlSource):
    """Bing Images."""

    name: ClassVar[str] = "bing"
    words: ClassVar[Words] = _WORDS
    otherwise: ClassVar[frozenset[str]] = frozenset({"site", "lang", "region", "safe"})
    max_pages: ClassVar[int] = 100  # of 35; Bing ends near 1,000 results
    consent_banner: ClassVar[str] = CONSENT_BANNER
    reject_cookies: ClassVar[Mapping[str, str]] = {"BCP": "AD=0&AL=0&SM=0"}
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Bing Images",
        base_url="https://www.bing.com",
        sentence="Reads result pages over HTTP: originals, their pages, sizes, full-size copies.",
        verified="recorded",
        delay_s=1.0,
        limit="about 1000 a query",
        terms="Microsoft's terms ask for its API, which was shut down in August 2025; robots.txt "
        "disallows /images/async and /images/search to crawlers.",
    )

    async def prepare(self, search: WebSearch) -> None:
        """Set the headers and cookies that go with the filters."""
        filters = search.query.filters
        market, language = _market(filters.lang, filters.region)
        # Bing prefers this header to its own parameter. The interface stays English, because the
        # "no results" sentence is known in English.
        search.headers["Accept-Language"] = f"{market},{language};q=0.9"
        if filters.safe:
            search.cookies["SRCHHPGUSR"] = f"ADLT={_ADULT.get(filters.safe, 'DEMOTE')}"

    async def page(self, search: WebSearch) -> ResultPage:
        """Ask for the fragment; if the first is missing or malformed, for the full page."""
        try:
            return await super().page(search)
        except SourceStop as stop:
            if search.number or stop.outcome is not SourceOutcome.CHANGED:
                raise
        search.memo["whole"] = True
        return await super().page(search)

    def request(self, search: WebSearch) -> SearchRequest:
        """Ask for the next page as the last one named it, else for the first."""
        if search.number:
            asked, path = search.next, ASYNC_PATH
        elif search.memo.get("whole"):
            asked = urlencode({**_parameters_of(search), "form": "HDRSC2", "first": "1"})
            path = FULL_PATH
        else:
            more = {"async": "1", "first": "1", "count": str(_COUNT), "mmasync": "1"}
            asked, path = urlencode({**_parameters_of(search), **more}), ASYNC_PATH
        search.memo.setdefault("asked", []).append(asked)
        return SearchRequest(path, asked)

    def parse(self, search: WebSearch, response: Response) -> ResultPage | None:
        """Read the answer, and the URL of the next one."""
        document = search.document(response)
        filters = search.query.filters
        word = search.words.get("license") if filters.license != "any" else None
        page = read_page(document, search.query.text, word and f"bing:{word}")
        if page.results:
            following = self._following(search, page.next_query, page.shown)
            return ResultPage(
                results=page.results, more=bool(following), next=following, related=page.related
            )
        if says_nothing(document):
            return ResultPage(nothing=True)
        is_end = is_frame(document) and not document.has(CONSENT_BANNER)
        return ResultPage(end=True) if is_end else None

    def position(self, search: WebSearch) -> dict[str, str | int]:
        """Return the query string of the next page; "" at the end."""
        return {"next": search.next, "rank": search.rank}

    def resume(self, search: WebSearch, position: Position) -> None:
        """Resume at the query string."""
        following, rank = position.get("next"), position.get("rank")
        if isinstance(following, str) and isinstance(rank, int):
            search.number = 1 if following else self.max_pages
            search.next, search.rank = following, max(0, rank)

    def _following(self, search: WebSearch, named: str | None, shown: int) -> str:
        """Return the next page's query string; "" if there is none or it was already asked."""
        asked: list[str] = search.memo["asked"]
        if named is None:  # not named: count on
            parameters = dict(parse_qsl(asked[-1]))
            first = parameters.get("first", "1")
            start = int(first) if first.isascii() and first.isdigit() and len(first) < 8 else 1
            parameters |= {"async": "1", "first": str(start + (shown or _COUNT))}
            named = urlencode(parameters)
        return "" if named in asked else named


def _parameters_of(search: WebSearch) -> dict[str, str]:
    """Return the query and its filters as parameters."""
    filters = search.query.filters
    text = search.query.text
    if filters.site:
        text += f" site:{''.join(filters.site.split())}"
    parameters = {"q": text, "mkt": _market(filters.lang, filters.region)[0], "setlang": "en"}
    if search.words:
        parameters["qft"] = "".join(f"+filterui:{word}" for word in search.words.values())
    if filters.safe:
        parameters["adlt"] = filters.safe
    return parameters


_ADULT: Final = {"off": "OFF", "moderate": "DEMOTE", "strict": "STRICT"}
_REGIONS: Final = {
    "en": "US", "ja": "JP", "zh": "CN", "ko": "KR", "sv": "SE", "da": "DK", "cs": "CZ",
    "el": "GR", "uk": "UA", "pt": "BR", "hi": "IN", "ar": "SA", "he": "IL", "vi": "VN",
}  # fmt: skip


def _market(lang: str | None, region: str | None) -> tuple[str, str]:
    """Return Bing's market (`de-DE`) and its language, from the user's region or language."""
    language, _, part = (lang or "en").replace("_", "-").partition("-")
    language = language.lower()
    country = region or part or _REGIONS.get(language, language)
    return f"{language}-{country.upper()}", language
