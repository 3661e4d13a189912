"""Naver Images over HTTP: no key, no browser; best with Korean queries.

Results stand in a script of the page as a JavaScript object. Written after the documented form; no
result page was recorded.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping
from typing import Any, ClassVar, Final

from pixtrawl.model import Query
from pixtrawl.net.interface import Response
from pixtrawl.sources.base import Page, SourceContext, SourceInfo
from pixtrawl.sources.filters import Words, in_words_of
from pixtrawl.sources.html import Document
from pixtrawl.sources.script_data import objects_in, values_after
from pixtrawl.sources.settings import common_settings, read_settings
from pixtrawl.sources.web.result_pages import (
    Listing,
    Result,
    Visit,
    parameters_of,
    pixels,
    plain_title,
    walk,
    web_url,
)

BASE_URL: Final = "https://search.naver.com"
DELAY_S: Final = 1.0
_PATH: Final = "/search.naver"
_COUNT: Final = 50  # results a page
_MAX_PAGES: Final = 20

_WORDS: Final[Words] = {
    "date": {
        name: f"nso=p:{word}"
        for name, word in {"day": "1d", "week": "1w", "month": "1m", "year": "1y"}.items()
    },
}
_DATA: Final = re.compile(r"\bimageSearchTabData\s?=\s?(?=\{)")
_NOTHING: Final = re.compile(r"검색\s?결과가 없습니다")


class Naver:
    """Naver, images."""

    name: ClassVar[str] = "naver"
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Naver Images",
        base_url=BASE_URL,
        sentence="Reads result pages over HTTP; best with Korean queries.",
        verified="documented only",
        filters=frozenset(_WORDS),
        settings=common_settings(BASE_URL, DELAY_S),
        delay_s=DELAY_S,
        limit="about 1000 a query",
        license="unknown",
        terms="Naver's terms forbid automated collection and point to its search API, which wants "
        "a key; robots.txt disallows the search pages.",
    )

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = read_settings(self.name, self.info, settings)

    async def discover(self, query: Query, context: SourceContext) -> AsyncGenerator[Page, None]:
        """Pages of candidates as Naver ranks them. Raises SourceStop."""
        visit = Visit(self.name, self._settings.base_url, context)
        words = in_words_of(self.name, query, context, _WORDS, also=frozenset())
        fixed = {
            "where": "image", "query": query.text, **parameters_of(words, self.name, context),
        }  # fmt: skip

        async def ask(number: int) -> Listing:
            parameters = fixed | {"start": str(1 + number * _COUNT)}
            return await visit.read(lambda: visit.get(_PATH, parameters), _listing)

        async for page in walk(visit, query, ask, pages=_MAX_PAGES):
            yield page

    async def aclose(self) -> None:
        """Holds nothing."""


def _listing(response: Response) -> Listing | None:
    for value in values_after(response.text, _DATA):
        results = tuple(one for record in objects_in(value) if (one := _result(record)))
        if results:
            return Listing(results=results)
    if _NOTHING.search(Document(response.text).text()):
        return Listing(nothing=True)
    return None


def _result(record: dict[str, Any]) -> Result | None:
    if "originalUrl" not in record:
        return None
    url, thumb = web_url(record["originalUrl"]), web_url(record.get("thumb"))
    if url is None and thumb is None:
        return None
    return Result(
        url=url,
        thumb=thumb,
        page=web_url(record.get("link")),
        title=plain_title(record.get("title")),
        width=pixels(record.get("orgWidth")),
        height=pixels(record.get("orgHeight")),
    )
