"""Naver Images over HTTP: no key, no browser; best with Korean queries.

Results are in a script of the page, as a JavaScript object. Written from the documented form; no
result page was recorded.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final

from pixtrawl.net.interface import Response
from pixtrawl.sources.base import SourceInfo
from pixtrawl.sources.filters import Words
from pixtrawl.sources.results import ImageResult, pixels, plain_text, web_url
from pixtrawl.sources.script_data import objects_in, values_after
from pixtrawl.sources.web.html_source import HtmlSource, ResultPage, SearchRequest, WebSearch

_COUNT: Final = 50  # results a page

_DATA: Final = re.compile(r"\bimageSearchTabData\s?=\s?(?=\{)")
_NOTHING: Final = re.compile(r"검색\s?결과가 없습니다")


class Naver(HtmlSource):
    """Naver, images."""

    name: ClassVar[str] = "naver"
    words: ClassVar[Words] = {
        "date": {
            name: f"nso=p:{word}"
            for name, word in {"day": "1d", "week": "1w", "month": "1m", "year": "1y"}.items()
        },
    }
    max_pages: ClassVar[int] = 20
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Naver Images",
        base_url="https://search.naver.com",
        sentence="Reads result pages over HTTP; best with Korean queries.",
        delay_s=1.0,
        limit="about 1000 a query",
        terms="Naver's terms forbid automated collection and point to its search API, which wants "
        "a key; robots.txt disallows the search pages.",
    )

    def request(self, search: WebSearch) -> SearchRequest:
        """Ask for a page; results are counted from 1."""
        start = str(1 + search.number * _COUNT)
        fixed = {"where": "image", "query": search.query.text}
        return SearchRequest("/search.naver", {**fixed, **search.parameters(), "start": start})

    def parse(self, search: WebSearch, response: Response) -> ResultPage | None:
        """Read the scripts' data."""
        for value in values_after(response.text, _DATA):
            results = tuple(one for record in objects_in(value) if (one := _result(record)))
            if results:
                return ResultPage(results=results)
        nothing = _NOTHING.search(search.document(response).text())
        return ResultPage(nothing=True) if nothing else None


def _result(record: dict[str, Any]) -> ImageResult | None:
    if "originalUrl" not in record:
        return None
    url, thumb = web_url(record["originalUrl"]), web_url(record.get("thumb"))
    if url is None and thumb is None:
        return None
    return ImageResult(
        url=url,
        thumb_url=thumb,
        page_url=web_url(record.get("link")),
        title=plain_text(record.get("title")),
        width=pixels(record.get("orgWidth")),
        height=pixels(record.get("orgHeight")),
    )
