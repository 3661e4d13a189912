"""DuckDuckGo Images: no key, no browser; the index is Bing's.

A page gives a token that is bound to the query and the User-Agent; `i.js` answers with results
where the token fits. Written from the requests of maintained clients: no answer was recorded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final
from urllib.parse import parse_qsl, urlsplit

from pixtrawl.net.interface import Response
from pixtrawl.sources.api import values as value
from pixtrawl.sources.api.json_source import (
    ApiSearch,
    Batch,
    ImageResult,
    JsonSource,
    Place,
    ShapeError,
)
from pixtrawl.sources.base import ReplayHints, SourceInfo
from pixtrawl.sources.filters import Words

BASE_URL: Final = "https://duckduckgo.com"
DELAY_S: Final = 1.0

_MAX_QUERY: Final = 499  # characters
_TOKENS_KEPT: Final = 1000
_TOKEN: Final = re.compile(r"""vqd=(?:"([\d-]{3,120})"|'([\d-]{3,120})'|([\d-]{3,120})[&"'])""")
_ANOMALY: Final = re.compile(r"anomaly|bots use duckduckgo too", re.IGNORECASE)
_WAIT: Final = (
    "it refuses an address for about an hour: run the same command again later; or take another "
    "source meanwhile (bing has the same index)"
)
# Slots of the parameter `f`, in this order; empty ones stay.
_SLOTS: Final = ("date", "size", "color", "type", "aspect", "license")
_COLOURS: Final = (
    "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "teal", "white",
)  # fmt: skip


class DuckDuckGo(JsonSource):
    """DuckDuckGo Images."""

    name: ClassVar[str] = "duckduckgo"
    replay: ClassVar[ReplayHints] = ReplayHints(front=b'<!doctype html><script>vqd="4-1";</script>')
    words: ClassVar[Words] = {
        "date": {word: f"time:{word.title()}" for word in ("day", "week", "month", "year")},
        "size": {word: f"size:{word.title()}" for word in ("small", "medium", "large")},
        "color": {
            "color": "color:color",
            "gray": "color:Monochrome",
            **{word: f"color:{word.title()}" for word in _COLOURS},
        },
        "type": {
            "photo": "type:photo",
            "clipart": "type:clipart",
            "animated": "type:gif",
            "lineart": "type:line",
        },
        "aspect": {word: f"layout:{word.title()}" for word in ("square", "tall", "wide")},
        "license": {
            "any": "",
            "open": "license:Share",
            "public": "license:Public",
            "commercial": "license:ShareCommercially",
            "modify": "license:Modify",
        },
    }
    otherwise: ClassVar[frozenset[str]] = frozenset({"site", "lang", "region", "safe"})
    info: ClassVar[SourceInfo] = SourceInfo(
        title="DuckDuckGo Images",
        base_url=BASE_URL,
        sentence="Bing's index without Bing: originals, their pages and sizes; refuses easily.",
        delay_s=DELAY_S,
        limit="about 500 a query",
        terms="There is no public interface: robots.txt and terms do not foresee programs, and an "
        "address that asks often is refused for about an hour.",
    )

    def __init__(self, settings: Mapping[str, str]) -> None:
        super().__init__(settings)
        self._tokens: dict[str, str] = {}

    async def batch(self, search: ApiSearch, place: Place) -> Batch:
        """Ask for about a hundred results."""
        text = _text(search)
        token = self._tokens.get(text) or await self._fetch_token(search, text)
        following = place.get("next")
        params = _first(search, text) if following is None else dict(parse_qsl(str(following)))
        answer = await self._results(search, {**params, "vqd": token})
        claim = search.words.get("license", "").replace("license:", "duckduckgo:")
        return read_results(answer, claim or None)

    async def _fetch_token(self, search: ApiSearch, text: str) -> str:
        # with the final slash: without it the site redirects
        response = await search.get(
            "/", {"q": text, "iar": "images", "t": "h_"}, {"Accept": "text/html"}
        )
        self._check(search, response)
        match = _TOKEN.search(response.text)
        if match is None:
            if (wall := search.wall(response)) is not None:
                raise wall
            if "duckduckgo" in response.text[:100_000].lower():
                message = "duckduckgo gives no token: it does so to addresses that asked too often"
                raise search.blocked(response, "soft_block", message, _WAIT)
            raise ShapeError("duckduckgo's page holds no token (vqd)")
        token = match[1] or match[2] or match[3]
        if len(self._tokens) >= _TOKENS_KEPT:
            self._tokens.clear()
        self._tokens[text] = token
        return token

    async def _results(self, search: ApiSearch, params: dict[str, str]) -> Any:
        headers = {
            "Accept": "*/*",
            "Referer": f"{search.base_url}/",
            "Sec-Fetch-Dest": "empty",
            "Sec-Fetch-Mode": "cors",
            "Sec-Fetch-Site": "same-origin",
        }
        response = await search.get("/i.js", params, headers)
        if response.status == 403:
            self._tokens.pop(params.get("q", ""), None)
            message = "duckduckgo answers with status 403 where its results should be"
            raise search.blocked(response, "forbidden", message, _WAIT)
        self._check(search, response)
        return search.read(response)

    def _check(self, search: ApiSearch, response: Response) -> None:
        """Raise SourceStop for a refusal or a challenge page."""
        shown = "html" in response.headers.get("content-type", "")
        anomaly = shown and _ANOMALY.search(response.text[:200_000])
        if response.status == 202 or (anomaly and _TOKEN.search(response.text) is None):
            message = "duckduckgo shows a captcha"
            raise search.blocked(response, "captcha", message)
        search.check(response)


def _text(search: ApiSearch) -> str:
    text = search.query.text
    if search.query.filters.site:
        text += f" site:{''.join(search.query.filters.site.split())}"
    return text[:_MAX_QUERY]


def _first(search: ApiSearch, text: str) -> dict[str, str]:
    filters = search.query.filters
    language, _, part = (filters.lang or "").replace("_", "-").lower().partition("-")
    region = filters.region or part or {"": "wt", "en": "us"}.get(language, language)
    return {
        "o": "json",
        "q": text,
        "l": f"{region}-{language or ('en' if filters.region else 'wt')}",
        "p": {"off": "-1", "strict": "1"}.get(filters.safe or "", "1"),
        "f": ",".join(search.words.get(name, "") for name in _SLOTS),
    }


def read_results(answer: Any, claim: str | None = None) -> Batch:
    """Read one answer of `i.js`; `claim` is the licence filter. Raises ShapeError."""
    results = value.at(answer, "results")
    if not isinstance(results, list):
        raise ShapeError("duckduckgo's answer has no list of results")
    found = tuple(one for one in (_found(result, claim) for result in results) if one)
    # the answer to this query, and empty
    empty = not results and any(key in answer for key in ("query", "queryEncoded", "vqd"))
    following = value.at(answer, "next")
    place = None
    if found and isinstance(following, str) and following:
        query = urlsplit(following[:4000]).query if "?" in following[:4000] else ""
        place = {"next": query} if "s=" in query else None
    return Batch(found, place, empty)


def _found(result: Any, claim: str | None) -> ImageResult | None:
    url = value.url(result, "image")
    if url is None:
        return None
    return ImageResult(
        url=url,
        page_url=value.url(result, "url"),
        title=value.plain(result, "title"),
        width=value.pixels(result, "width"),
        height=value.pixels(result, "height"),
        thumb_url=value.url(result, "thumbnail"),
        license=claim,
    )
