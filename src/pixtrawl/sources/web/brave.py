"""Brave's image search over HTTP: no key, one page a query. Written from documents.

Results are in a script of the page, as a JavaScript object (keys without quotes, `void 0`). Any
object with `properties.url` is a result, wherever it is.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final

from pixtrawl.net.interface import Response
from pixtrawl.sources.base import SourceInfo
from pixtrawl.sources.filters import Words
from pixtrawl.sources.results import ImageResult, pixels, plain_text, web_url
from pixtrawl.sources.script_data import objects_in, value_at, values_after
from pixtrawl.sources.web.html_source import HtmlSource, ResultPage, SearchRequest, WebSearch


def _country(text: str) -> str | None:
    code = text.strip().lower()
    return code if len(code) == 2 and code.isascii() and code.isalpha() else None


_DATA: Final = re.compile(r"\bdata\s?[:=]\s?(?=\[)")
_NOTHING: Final = re.compile(
    r"no (?:image )?results (?:were )?found|not many great matches|no images (?:were )?found"
    r"|there (?:are no|aren.t any) (?:image )?results",
    re.IGNORECASE,
)


class Brave(HtmlSource):
    """Brave Search, images."""

    name: ClassVar[str] = "brave"
    words: ClassVar[Words] = {
        "safe": {name: name for name in ("off", "moderate", "strict")},
        "region": _country,
    }
    max_pages: ClassVar[int] = 1
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Brave Search Images",
        base_url="https://search.brave.com",
        sentence="Reads its one result page a query over HTTP, an index of its own.",
        delay_s=3.0,
        limit="one page a query, about 150",
        terms="Brave's terms forbid automated queries of its pages and point to its paid API.",
    )

    async def prepare(self, search: WebSearch) -> None:
        """Set the cookies that hold its settings."""
        # The country by cookie, not by IP address; English, because the "no results" sentence is
        # known in English.
        names = {"safe": "safesearch", "region": "country"}
        asked = {names[name]: word for name, word in search.words.items()}
        search.cookies.update({"useLocation": "0", **asked, "ui_lang": "en-us"})

    def request(self, search: WebSearch) -> SearchRequest:
        """Ask for the only page."""
        return SearchRequest("/images", {"q": search.query.text})

    def parse(self, search: WebSearch, response: Response) -> ResultPage | None:
        """Read the first object of the scripts that holds results."""
        says_none = False
        for value in values_after(response.text, _DATA):
            results = tuple(one for record in objects_in(value) if (one := _result(record)))
            if results:
                return ResultPage(results=results, more=False)
            says_none = says_none or any(
                value_at(one, "body", "response", "results") == [] for one in objects_in(value)
            )
        if says_none or _NOTHING.search(search.document(response).text()):
            return ResultPage(nothing=True)
        return None


def _result(record: dict[str, Any]) -> ImageResult | None:
    url = web_url(value_at(record, "properties", "url"))
    thumb = web_url(value_at(record, "thumbnail", "src"))
    if "properties" not in record or (url is None and thumb is None):
        return None
    return ImageResult(
        url=url,
        thumb_url=thumb,
        page_url=web_url(record.get("url")),
        title=plain_text(record.get("title")),
        width=pixels(value_at(record, "properties", "width")),
        height=pixels(value_at(record, "properties", "height")),
    )
