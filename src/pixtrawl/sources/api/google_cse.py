"""Google's Programmable Search JSON API: for users who still have access. Ends on 2027-01-01.

Verified against a recorded answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from pixtrawl.errors import SourceStop
from pixtrawl.model import SourceOutcome
from pixtrawl.net.interface import Response
from pixtrawl.sources.api import values as value
from pixtrawl.sources.api.json_source import (
    ApiSearch,
    Batch,
    ImageResult,
    JsonSource,
    Place,
    ShapeError,
    key_setting,
)
from pixtrawl.sources.base import SourceInfo, SourceSetting
from pixtrawl.sources.filters import Words

BASE_URL: Final = "https://www.googleapis.com"
DELAY_S: Final = 1.0

MOST: Final = 100  # results a query
_PER_PAGE: Final = 10
_END: Final = (
    "Google closed this API to new customers on 2026-01-20 and ends it for all on 2027-01-01"
)
_COLOURS: Final = (
    "black", "blue", "brown", "gray", "green", "orange", "pink", "purple", "red", "teal", "white",
    "yellow",
)  # fmt: skip


class GoogleCse(JsonSource):
    """Google Programmable Search, images."""

    name: ClassVar[str] = "google_cse"
    words: ClassVar[Words] = {
        "size": {"small": "small", "medium": "medium", "large": "xlarge"},
        "color": {
            "color": "imgColorType=color",
            "gray": "imgColorType=gray",
            "transparent": "imgColorType=trans",
            **{word: f"imgDominantColor={word}" for word in _COLOURS if word != "gray"},
        },
        "type": {word: word for word in ("photo", "clipart", "lineart", "animated", "face")},
        "date": {"day": "d1", "week": "w1", "month": "m1", "year": "y1"},
        "license": {
            "any": "",
            "public": "cc_publicdomain",
            "open": "cc_publicdomain|cc_attribute|cc_sharealike|cc_noncommercial|cc_nonderived",
            "commercial": "cc_publicdomain|cc_attribute|cc_sharealike|cc_nonderived",
            "modify": "cc_publicdomain|cc_attribute|cc_sharealike|cc_noncommercial",
        },
        "safe": {"off": "off", "moderate": "active", "strict": "active"},
    }
    otherwise: ClassVar[frozenset[str]] = frozenset({"site", "lang", "region"})
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Google Programmable Search",
        base_url=BASE_URL,
        sentence=f"Google's API with your key and search engine. {_END}.",
        verified="recorded",
        needs=("key", "cx"),
        settings=(
            key_setting("google_cse", "API key of a project that has this API"),
            SourceSetting("cx", "", "id of your search engine, with image search switched on"),
        ),
        delay_s=DELAY_S,
        limit="100 a query; 100 requests a day for nothing",
        terms=f"Google's API terms; results may not be stored beyond their use. {_END}.",
    )
    has_quota: ClassVar[bool] = True

    def __init__(self, settings: Mapping[str, str]) -> None:
        super().__init__(settings)
        self._cx = settings.get("cx", "").strip()

    def unsupported(self) -> SourceStop | None:
        """Return the stop if the key or the id of a search engine is missing."""
        stop = super().unsupported()
        if stop is None and not self._cx:
            message = "google_cse needs the id of a search engine"
            step = "--set google_cse.cx=..."
            stop = SourceStop(SourceOutcome.UNSUPPORTED, message=message, next_step=step)
        return stop

    def explain(self, search: ApiSearch, response: Response, answer: Any) -> SourceStop | None:
        """Return the stop for one of the three meanings of 403, distinguished by its text."""
        words = (value.plain(answer, "error", "message") or "").lower()
        reason = (value.text(answer, "error", "errors", 0, "reason") or "").lower()
        if "limitexceeded" in reason or "quota" in words:
            return search.quota(response, answer)
        if "api key" in words or reason == "keyinvalid":
            message = f"google_cse refuses the key: {words[:200]}"
            return search.blocked(response, "login", message, "check --set google_cse.key=...")
        if response.status == 403 and isinstance(answer, dict):
            message = f"google_cse answers with status 403: {words[:200]}. {_END}"
            step = "projects without this API get no access any more: take another source (bing)"
            return search.blocked(response, "forbidden", message, step)
        return None

    async def batch(self, search: ApiSearch, place: Place) -> Batch:
        """Ask for ten results."""
        start = value.count(place.get("start")) or 1
        params: dict[str, str | int] = {
            "key": self.key, "cx": self._cx, "q": search.query.text, "searchType": "image",
            "num": min(_PER_PAGE, MOST + 1 - start), "start": start,
        }  # fmt: skip
        names = {
            "size": "imgSize", "type": "imgType", "date": "dateRestrict", "license": "rights",
            "safe": "safe",
        }  # fmt: skip
        params |= {
            names[name]: word for name, word in search.words.items() if word and name in names
        }
        if "color" in search.words:
            name, _, word = search.words["color"].partition("=")
            params[name] = word
        filters = search.query.filters
        if filters.site:
            params |= {"siteSearch": filters.site, "siteSearchFilter": "i"}
        if filters.lang:
            params |= {"hl": filters.lang, "lr": f"lang_{filters.lang.partition('-')[0].lower()}"}
        if filters.region:
            params["gl"] = filters.region
        return read_page(await search.json("/customsearch/v1", params))


def read_page(answer: Any) -> Batch:
    """Return the results of one answer. Raises ShapeError."""
    total = value.count(answer, "searchInformation", "totalResults")
    listed = value.at(answer, "items")
    if listed is None and (total is not None or value.at(answer, "queries") is not None):
        return Batch(empty=True)
    if not isinstance(listed, list):
        raise ShapeError("google_cse's answer has no list of items")
    found = tuple(one for one in map(_found, listed) if one is not None)
    following = value.count(answer, "queries", "nextPage", 0, "startIndex")
    more = following is not None and following <= MOST
    return Batch(found, {"start": following} if more else None, empty=total == 0 and not listed)


def _found(item: Any) -> ImageResult | None:
    url = value.url(item, "link")
    if url is None:
        return None
    return ImageResult(
        url=url,
        page_url=value.url(item, "image", "contextLink"),
        title=value.plain(item, "title"),
        width=value.pixels(item, "image", "width"),
        height=value.pixels(item, "image", "height"),
        thumb_url=value.url(item, "image", "thumbnailLink"),
    )
