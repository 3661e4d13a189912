"""Bing Images over HTTP: no key, no browser.

Asks the fragment that Bing's own page loads on scrolling and follows the next URL that each answer
carries; where there is no such fragment, the full page. Verified against a recorded page.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import ClassVar, Final
from urllib.parse import parse_qsl, urlencode

from msgspec import Struct, field

from pixtrawl.config import parse
from pixtrawl.errors import SourceStop
from pixtrawl.model import Alternate, Candidate, Kind, Query
from pixtrawl.net.interface import Response
from pixtrawl.sources import consent, stops
from pixtrawl.sources.base import Page, SourceContext, SourceInfo
from pixtrawl.sources.filters import Words, in_words_of
from pixtrawl.sources.html import Document, TooComplexError
from pixtrawl.sources.settings import common_settings, read_settings
from pixtrawl.sources.walls import wall_of
from pixtrawl.sources.web.bing_page import (
    ASYNC_PATH,
    FULL_PATH,
    BingPage,
    State,
    Tile,
    read_page,
    state_of,
)

BASE_URL: Final = "https://www.bing.com"
DELAY_S: Final = 1.0

_COUNT: Final = 35  # results an answer, as the page itself asks
_MAX_PAGES: Final = 100  # Bing ends near 1,000 results; this ends a server that never does
_MAX_BYTES: Final = 8 * 2**20
_REJECT_COOKIE: Final = "BCP=AD=0&AL=0&SM=0"  # what the banner's "reject" button sets


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
_BLOCKS: Final[Mapping[State, tuple[str, str]]] = {
    State.CAPTCHA: ("captcha", "bing asks to prove that a person is asking"),
    State.JS_WALL: ("js_wall", "bing answers only where JavaScript runs"),
    State.SOFT_BLOCK: ("soft_block", "bing answers with an empty page that loads itself again"),
}
_OTHERWISE: Final = frozenset({"site", "lang", "region", "safe"})


class Bing:
    """Bing Images."""

    name: ClassVar[str] = "bing"
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Bing Images",
        base_url=BASE_URL,
        sentence="Reads result pages over HTTP: originals, their pages, sizes, full-size copies.",
        verified="recorded",
        groups=("auto",),
        filters=frozenset(_WORDS) | _OTHERWISE,
        settings=common_settings(BASE_URL, DELAY_S),
        delay_s=DELAY_S,
        limit="about 1000 a query",
        license="unknown",
        terms="Microsoft's terms ask for its API, which was shut down in August 2025; robots.txt "
        "disallows /images/async and /images/search to crawlers.",
    )

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = read_settings(self.name, self.info, settings)

    async def discover(self, query: Query, context: SourceContext) -> AsyncGenerator[Page, None]:
        """Pages of candidates as Bing ranks them. Raises SourceStop."""
        search = _Search(self._settings.base_url, query, context)
        step = await search.begin()
        for _ in range(_MAX_PAGES):
            if step is None:
                return
            fresh = search.fresh(step)
            if not fresh:  # Bing repeats itself at its end
                return
            following = search.following(step)
            position = {"next": following, "rank": search.rank}
            yield Page(fresh, position, step.page.related)
            step = await search.ask_next(following) if following else None

    async def aclose(self) -> None:
        """Holds nothing."""


class _Step(Struct, frozen=True):
    """One answer and the query string that it answers."""

    query_string: str
    page: BingPage


class _Search(Struct):
    """One query on its way through the pages."""

    base_url: str
    query: Query
    context: SourceContext
    rank: int = 0
    _seen: set[str] = field(default_factory=set)
    _asked: set[str] = field(default_factory=set)
    _cookies: list[str] = field(default_factory=list)
    _headers: dict[str, str] = field(default_factory=dict)
    _license: str | None = None
    _answered_consent: bool = False

    async def begin(self) -> _Step | None:
        """The first answer, or the one after an earlier run's last."""
        parameters = self._parameters()
        position = self.context.position or {}
        rank = position.get("rank")
        if isinstance(rank, int) and "next" in position:
            self.rank = max(0, rank)
            following = str(position["next"])
            return await self.ask_next(following) if following else None
        more = {"async": "1", "first": "1", "count": str(_COUNT), "mmasync": "1"}
        try:
            step = await self._ask(ASYNC_PATH, urlencode(parameters | more))
        except SourceStop as stop:
            if stop.outcome != "changed":
                raise
            step = None  # the fragment is gone or of another form: the page may still be there
        if step is None:
            page = {"form": "HDRSC2", "first": "1"}
            step = await self._ask(FULL_PATH, urlencode(parameters | page), last=True)
        return step

    async def ask_next(self, query_string: str) -> _Step | None:
        """The next answer; None at the end."""
        return await self._ask(ASYNC_PATH, query_string)

    def fresh(self, step: _Step) -> tuple[Candidate, ...]:
        """The candidates of an answer that no earlier one had."""
        found = []
        for tile in step.page.tiles:
            if tile.url not in self._seen:
                self._seen.add(tile.url)
                self.rank += 1
                found.append(self._candidate(tile))
        return tuple(found)

    def following(self, step: _Step) -> str:
        """Query string of the next page; "" where there is none, or it would be asked again."""
        following = step.page.next_query
        if following is None:  # not said: counted on
            parameters = dict(parse_qsl(step.query_string))
            first = parameters.get("first", "1")
            start = int(first) if first.isascii() and first.isdigit() and len(first) < 8 else 1
            parameters |= {"async": "1", "first": str(start + (step.page.shown or _COUNT))}
            following = urlencode(parameters)
        return "" if following in self._asked else following

    async def _ask(self, path: str, query_string: str, *, last: bool = False) -> _Step | None:
        """One answer, or None where it is an end that has to be taken for one.

        `last` tells that there is no other place to ask: an empty list is then no answer either.
        """
        self._asked.add(query_string)
        url = f"{self.base_url}{path}?{query_string}"
        response = await self._get(url)
        document = self._document(response)
        page = read_page(document, self.query.text)
        if not page.tiles and self._is_consent(response, document):
            response = await self._reject(url, response, document)
            document = self._document(response)
            page = read_page(document, self.query.text)
            if not page.tiles and self._is_consent(response, document):
                raise stops.consent(self.context, response, "bing")
        if page.tiles:
            return _Step(query_string, page)
        state = state_of(document)
        if state is State.END and not last:
            return None
        if self.rank and (state is State.NOTHING or document.is_blank):
            return None  # behind the last page, whose place was counted and not given
        raise self._stop(state, response, document)

    async def _get(self, url: str) -> Response:
        headers = dict(self._headers)
        if self._cookies:
            headers["Cookie"] = "; ".join(self._cookies)
        response = await self.context.http.get(url, headers=headers, max_bytes=_MAX_BYTES)
        stops.check_status(self.context, response, "bing")
        return response

    def _document(self, response: Response) -> Document:
        try:
            return Document(response.text)
        except TooComplexError as error:
            raise stops.changed(self.context, response, "bing", str(error)) from None

    def _is_consent(self, response: Response, document: Document) -> bool:
        return state_of(document) is State.CONSENT or consent.is_consent(response, document)

    async def _reject(self, url: str, response: Response, document: Document) -> Response:
        """Answers the consent page once with "reject all", and asks again."""
        if self._answered_consent:
            raise stops.consent(self.context, response, "bing")
        self._answered_consent = True
        self._cookies.append(_REJECT_COOKIE)
        answer = consent.reject_all(response, document)
        if answer is not None:
            self._cookies += consent.cookies_of(await consent.send(self.context.http, answer))
        return await self._get(url)

    def _stop(self, state: State, response: Response, document: Document) -> SourceStop:
        if state is State.NOTHING:
            return stops.no_results("bing", response.status)
        if state in _BLOCKS:
            kind, message = _BLOCKS[state]
            return stops.blocked(self.context, response, "bing", kind, message)
        if (wall := wall_of(response, document)) is not None:
            return stops.blocked(self.context, response, "bing", wall[0], f"bing {wall[1]}")
        message = "bing's answer holds no results and does not say that there are none"
        return stops.changed(self.context, response, "bing", message)

    def _parameters(self) -> dict[str, str]:
        """What is asked, without the place in the list; sets the headers that go with it."""
        filters = self.query.filters
        words = in_words_of("bing", self.query, self.context, _WORDS, also=_OTHERWISE)
        self._license = words.get("license") if filters.license != "any" else None
        text = self.query.text
        if filters.site:
            text += f" site:{''.join(filters.site.split())}"
        market, language = _market(filters.lang, filters.region)
        # Bing prefers this header to its own parameter; the interface stays English, because the
        # sentence that there are no results is known in English.
        self._headers["Accept-Language"] = f"{market},{language};q=0.9"
        parameters = {"q": text, "mkt": market, "setlang": "en"}
        if words:
            parameters["qft"] = "".join(f"+filterui:{word}" for word in words.values())
        if filters.safe:
            parameters["adlt"] = filters.safe
            self._cookies.append(f"SRCHHPGUSR=ADLT={_ADULT.get(filters.safe, 'DEMOTE')}")
        return parameters

    def _candidate(self, tile: Tile) -> Candidate:
        alternates = (Alternate(tile.cached, Kind.CACHED),) if tile.original and tile.cached else ()
        return Candidate(
            url=tile.url,
            query=self.query.text,
            label=self.query.label,
            source="bing",
            rank=self.rank,
            kind=Kind.ORIGINAL if tile.original else Kind.CACHED,
            page_url=tile.page,
            title=tile.title,
            width=tile.width,
            height=tile.height,
            thumb_url=tile.thumb,
            license=self._license and f"bing:{self._license}",
            alternates=alternates,
        )


_ADULT: Final = {"off": "OFF", "moderate": "DEMOTE", "strict": "STRICT"}
_REGIONS: Final = {
    "en": "US", "ja": "JP", "zh": "CN", "ko": "KR", "sv": "SE", "da": "DK", "cs": "CZ",
    "el": "GR", "uk": "UA", "pt": "BR", "hi": "IN", "ar": "SA", "he": "IL", "vi": "VN",
}  # fmt: skip


def _market(lang: str | None, region: str | None) -> tuple[str, str]:
    """Bing's market (`de-DE`) and the language in it, from what the user said of either."""
    language, _, part = (lang or "en").replace("_", "-").partition("-")
    language = language.lower()
    country = region or part or _REGIONS.get(language, language)
    return f"{language}-{country.upper()}", language
