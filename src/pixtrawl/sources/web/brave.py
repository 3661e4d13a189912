"""Brave's image search over HTTP: no key, one page a query.

Results stand in a script of the page as a JavaScript object (keys without quotes, `void 0`). Its
place in that object is not relied on: a result is what has `properties.url`. Written after the
documented form; no result page was recorded.
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
from pixtrawl.sources.script_data import dig, objects_in, values_after
from pixtrawl.sources.settings import common_settings, read_settings
from pixtrawl.sources.web.result_pages import (
    Listing,
    Result,
    Visit,
    pixels,
    plain_title,
    walk,
    web_url,
)

BASE_URL: Final = "https://search.brave.com"
DELAY_S: Final = 3.0
_PATH: Final = "/images"


def _country(text: str) -> str | None:
    code = text.strip().lower()
    return code if len(code) == 2 and code.isascii() and code.isalpha() else None


_WORDS: Final[Words] = {
    "safe": {name: name for name in ("off", "moderate", "strict")},
    "region": _country,
}
_DATA: Final = re.compile(r"\bdata\s?[:=]\s?(?=\[)")
_NOTHING: Final = re.compile(
    r"no (?:image )?results (?:were )?found|not many great matches|no images (?:were )?found"
    r"|there (?:are no|aren.t any) (?:image )?results",
    re.IGNORECASE,
)


class Brave:
    """Brave Search, images."""

    name: ClassVar[str] = "brave"
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Brave Search Images",
        base_url=BASE_URL,
        sentence="Reads its one result page a query over HTTP, an index of its own.",
        verified="documented only",
        filters=frozenset(_WORDS),
        settings=common_settings(BASE_URL, DELAY_S),
        delay_s=DELAY_S,
        limit="one page a query, about 150",
        license="unknown",
        terms="Brave's terms forbid automated queries of its pages and point to its paid API.",
    )

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = read_settings(self.name, self.info, settings)

    async def discover(self, query: Query, context: SourceContext) -> AsyncGenerator[Page, None]:
        """One page of candidates as Brave ranks them. Raises SourceStop."""
        visit = Visit(self.name, self._settings.base_url, context)
        words = in_words_of(self.name, query, context, _WORDS, also=frozenset())
        visit.cookies["useLocation"] = "0"  # by the cookie below, not by our address
        if "safe" in words:
            visit.cookies["safesearch"] = words["safe"]
        if "region" in words:
            visit.cookies["country"] = words["region"]
        # English, because the sentence that there are no results is known in English.
        visit.cookies["ui_lang"] = "en-us"

        async def ask(number: int) -> Listing:
            return await visit.read(lambda: visit.get(_PATH, {"q": query.text}), _listing)

        async for page in walk(visit, query, ask, pages=1):
            yield page

    async def aclose(self) -> None:
        """Holds nothing."""


def _listing(response: Response) -> Listing | None:
    says_none = False
    for value in values_after(response.text, _DATA):
        results = tuple(one for record in objects_in(value) if (one := _result(record)))
        if results:
            return Listing(results=results, more=False)
        says_none = says_none or any(
            dig(holder, "body", "response", "results") == [] for holder in objects_in(value)
        )
    if says_none or _NOTHING.search(Document(response.text).text()):
        return Listing(nothing=True)
    return None


def _result(record: dict[str, Any]) -> Result | None:
    url = web_url(dig(record, "properties", "url"))
    thumb = web_url(dig(record, "thumbnail", "src"))
    if "properties" not in record or (url is None and thumb is None):
        return None
    return Result(
        url=url,
        thumb=thumb,
        page=web_url(record.get("url")),
        title=plain_title(record.get("title")),
        width=pixels(dig(record, "properties", "width")),
        height=pixels(dig(record, "properties", "height")),
    )
