"""Baidu Images over HTTP: no key, no browser; the JSON that its own page loads on scrolling.

The server answers "Forbid spider access" to requests without the cookies of its front page, which
is fetched once a run. URLs of originals are encoded by a published substitution of characters;
plain URLs are mostly Baidu's own copies. Verified against a recorded answer.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from pixtrawl.model import Alternate, Kind
from pixtrawl.net.interface import Response
from pixtrawl.sources.base import SourceInfo
from pixtrawl.sources.filters import Words
from pixtrawl.sources.results import ImageResult, number, pixels, plain_text, web_url
from pixtrawl.sources.script_data import ScriptDataError, read_value, value_at
from pixtrawl.sources.web.html_source import HtmlSource, ResultPage, SearchRequest, WebSearch

BASE_URL: Final = "https://image.baidu.com"
DELAY_S: Final = 1.0
_PATH: Final = "/search/acjson"
_COUNT: Final = 30

_COLOURS: Final = {
    "red": 1, "yellow": 2, "green": 4, "teal": 8, "brown": 12, "blue": 16, "purple": 32,
    "pink": 64, "orange": 256, "black": 512, "white": 1024, "gray": 2048,
}  # fmt: skip

_MARKS: Final = re.compile(r"_z2C\$q|_z&e3B|AzdH3F")
_MARK_OF: Final = {"_z2C$q": ":", "_z&e3B": ".", "AzdH3F": "/"}
_LETTERS: Final = str.maketrans(
    "wkv1ju2it3hs4g5r6fp7eo8dn9cm0bla", "abcdefghijklmnoprstuvw1234567890"
)
_ENCODED: Final = re.compile(r"ipprf?_z2C\$q")  # "http:" and "https:"
_FRAMED: Final = re.compile(r"\s*[\[{]")
_COPY_HOSTS: Final = (".bdimg.com", ".bdstatic.com")
_MAX_REPLACED: Final = 10
_NOTHING: Final = re.compile(r"抱歉.{0,12}(?:未找到|没有找到)|没有找到(?:与.{0,100})?相关的?图片")


def decoded(url: str) -> str:
    """Decode an encoded URL; return any other unchanged."""
    if not _ENCODED.match(url):
        return url
    parts: list[str] = []
    end = 0
    for mark in _MARKS.finditer(url):
        parts += [url[end : mark.start()].translate(_LETTERS), _MARK_OF[mark[0]]]
        end = mark.end()
    return "".join([*parts, url[end:].translate(_LETTERS)])


class Baidu(HtmlSource):
    """Baidu Images."""

    name: ClassVar[str] = "baidu"
    words: ClassVar[Words] = {
        "size": {"small": "z=1", "medium": "z=2", "large": "z=3"},
        "color": {name: f"ic={bit}" for name, bit in _COLOURS.items()},
        "type": {"face": "face=1", "clipart": "st=1", "lineart": "st=2", "animated": "lm=6"},
    }
    max_pages: ClassVar[int] = 70  # Baidu ends near 2,000 results
    referer: ClassVar[bool] = True
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Baidu Images",
        base_url=BASE_URL,
        sentence="Reads the JSON of its result list over HTTP; best with Chinese queries.",
        verified="recorded",
        delay_s=DELAY_S,
        limit="about 2000 a query",
        terms="Baidu's terms forbid automated queries; robots.txt allows only named search "
        "engines. Many originals are served only with a Referer.",
    )

    def __init__(self, settings: Mapping[str, str]) -> None:
        super().__init__(settings)
        self._cookies: dict[str, str] | None = None  # None: front page not fetched yet
        self._warming = asyncio.Lock()

    async def prepare(self, search: WebSearch) -> None:
        """Take the cookies of the front page, fetched once a run."""
        async with self._warming:
            if self._cookies is None:
                await search.send(SearchRequest("/"))
                self._cookies = dict(search.cookies)
        search.cookies.update(self._cookies)

    def request(self, search: WebSearch) -> SearchRequest:
        """Ask for the JSON that the page loads on scrolling."""
        fixed = {
            "tn": "resultjson_com", "ipn": "rj", "ie": "utf-8", "oe": "utf-8",
            "word": search.query.text, "rn": str(_COUNT),
        }  # fmt: skip
        place = {"pn": str(search.number * _COUNT)}
        return SearchRequest("/search/acjson", {**fixed, **search.parameters(), **place})

    def parse(self, search: WebSearch, response: Response) -> ResultPage | None:
        """Read the JSON, or the sentence of a page. Raises SourceStop for a refusal."""
        text = response.text
        if not _FRAMED.match(text):
            text = search.document(response).text()
            return ResultPage(nothing=True) if _NOTHING.search(text) else None
        try:
            answer = read_value(text)
        except ScriptDataError:
            return None
        if value_at(answer, "antiFlag"):
            text = plain_text(value_at(answer, "message")) or "no reason given"
            raise search.blocked(response, "forbidden", f"refuses: {text[:100]}")
        records = value_at(answer, "data")
        if not isinstance(records, list):
            return None
        results = tuple(
            one for record in records if isinstance(record, dict) and (one := _result(record))
        )
        if not results:  # the last record is always empty: alone, it means no results
            nothing = not any(records) and _says_none(answer)
            return ResultPage(nothing=True) if nothing else None
        there = number(value_at(answer, "displayNum"))
        more = there is None or (search.number + 1) * _COUNT < there
        return ResultPage(results=results, more=more)


def _says_none(answer: Any) -> bool:
    counts = [value_at(answer, name) for name in ("displayNum", "listNum")]
    return any(isinstance(one, int) and one == 0 for one in counts)


def _result(record: dict[str, Any]) -> ImageResult | None:
    replaced = record.get("replaceUrl")
    clear = replaced[:_MAX_REPLACED] if isinstance(replaced, list) else []
    urls = [record.get("objURL"), *(value_at(one, "ObjURL") for one in clear)]
    known = dict.fromkeys(one for one in map(_clear_url, urls) if one)
    originals = [one for one in known if not _is_copy(one)]
    small = (web_url(record.get(name)) for name in ("hoverURL", "middleURL", "thumbURL"))
    thumb = next((one for one in small if one), None)
    if not known and thumb is None:
        return None
    pages = [record.get("fromURL"), *(value_at(one, "FromURL") for one in clear)]
    titles = (plain_text(record.get(name)) for name in ("fromPageTitleEnc", "fromPageTitle"))
    return ImageResult(
        url=originals[0] if originals else None,
        thumb_url=thumb,
        page_url=next((one for one in map(_clear_url, pages) if one), None),
        title=next((one for one in titles if one), None),
        width=pixels(record.get("width")),
        height=pixels(record.get("height")),
        alternates=(
            *(Alternate(one, Kind.ORIGINAL) for one in originals[1:]),
            *(Alternate(one, Kind.CACHED) for one in known if _is_copy(one)),
        ),
    )


def _is_copy(url: str) -> bool:
    """Return whether the URL is a copy on Baidu's own servers, not an original."""
    host = urlsplit(url).hostname or ""
    return host.endswith(_COPY_HOSTS)


def _clear_url(value: Any) -> str | None:
    return web_url(decoded(value)) if isinstance(value, str) and len(value) < 20_000 else None
