"""Startpage's image search over HTTP: no key, no browser. The index is Bing's.

Each search needs a hidden value of the form on the front page, valid for about an hour; each answer
carries the value for the next page. Results are JSON in a script. Written from the documented form;
no result page was recorded.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from typing import Any, ClassVar, Final
from urllib.parse import parse_qs, urlsplit

from pixtrawl.net.interface import Response
from pixtrawl.sources.base import ReplayHints, SourceInfo
from pixtrawl.sources.filters import Words
from pixtrawl.sources.html import Document
from pixtrawl.sources.results import ImageResult, pixels, plain_text, web_url
from pixtrawl.sources.script_data import objects_in, value_at, values_after
from pixtrawl.sources.web.html_source import HtmlSource, ResultPage, SearchRequest, WebSearch

BASE_URL: Final = "https://www.startpage.com"
DELAY_S: Final = 3.0
_PATH: Final = "/sp/search"
_TOKEN_AGE_S: Final = 3000.0  # valid for about an hour

_COLOURS: Final = (
    "red", "orange", "yellow", "green", "teal", "blue", "purple", "pink", "white", "gray",
    "black", "brown",
)  # fmt: skip
_TYPES: Final = {"photo": "Photo", "clipart": "Clipart", "lineart": "Line",
                 "animated": "AnimatedGif"}  # fmt: skip
_LICENSES: Final = {"any": "Any", "public": "Public", "open": "Share",
                    "commercial": "ShareCommercially", "modify": "Modify"}  # fmt: skip
_DATA: Final = re.compile(r"\bUIStartpage\.AppSerpImages\s?,\s?(?=\{)")
_NOTHING: Final = re.compile(
    r"no (?:image )?results (?:were )?found|there are no (?:image )?results"
    r"|did not match any (?:images|documents|results)",
    re.IGNORECASE,
)


class Startpage(HtmlSource):
    """Startpage, images."""

    name: ClassVar[str] = "startpage"
    replay: ClassVar[ReplayHints] = ReplayHints(
        front=b"<!doctype html><form><input type='hidden' name='sc' value='replay'></form>"
    )
    words: ClassVar[Words] = {
        "size": {name: f"flimgsize={name.title()}" for name in ("small", "medium", "large")},
        "color": {
            **{name: f"flimgcolor=ic:specific,isc:{name}" for name in _COLOURS},
            "color": "flimgcolor=ic:color",
            "gray": "flimgcolor=ic:gray",
        },
        "type": {ours: f"flimgtype={theirs}" for ours, theirs in _TYPES.items()},
        "license": {ours: f"flimglicense={theirs}" for ours, theirs in _LICENSES.items()},
        "date": {name: f"with_date={name[0]}" for name in ("day", "week", "month", "year")},
        "safe": {"off": "qadf=none", "moderate": "qadf=moderate", "strict": "qadf=heavy"},
    }
    max_pages: ClassVar[int] = 20
    referer: ClassVar[bool] = True
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Startpage Images",
        base_url=BASE_URL,
        sentence="Reads result pages over HTTP; the pictures are those of Bing's index.",
        delay_s=DELAY_S,
        limit="not known",
        terms="Startpage's terms forbid automated queries; a captcha enforces that.",
    )

    def __init__(self, settings: Mapping[str, str]) -> None:
        super().__init__(settings)
        self._token = ("", 0.0)  # and its time on the monotonic clock
        self._getting_token = asyncio.Lock()

    async def prepare(self, search: WebSearch) -> None:
        """Take the form's hidden value, fetched once an hour."""
        async with self._getting_token:
            token, since = self._token
            if not token or time.monotonic() - since >= _TOKEN_AGE_S:
                response, found = await search.ask(
                    lambda: SearchRequest("/"),
                    lambda response: _token_in(search.document(response)),
                )
                if found is None:
                    message = "startpage's front page has no form with the value `sc`"
                    raise search.wall(response) or search.changed(response, message)
                token = found
                self._token = (found, time.monotonic())
        search.memo["sc"] = token

    def request(self, search: WebSearch) -> SearchRequest:
        """Ask by a form, with the hidden value of the page before."""
        fields = {
            "query": search.query.text, "cat": "images", "t": "device", "language": "english",
            "lui": "english", "segment": "startpage.udog", "sc": search.memo["sc"],
            **search.parameters(), "page": str(search.number + 1),
        }  # fmt: skip
        return SearchRequest("/sp/search", fields, form=True)

    def parse(self, search: WebSearch, response: Response) -> ResultPage | None:
        """Read the script's data, and keep the hidden value for the next page."""
        for value in values_after(response.text, _DATA):
            presenter = value_at(value, "render", "presenter")
            blocks = _blocks(value_at(presenter, "regions", "mainline"))
            found = (_result(record) for block in blocks for record in objects_in(block))
            results = tuple(one for one in found if one)
            if results:
                following = _following(value_at(presenter, "pagination"), search.number + 2)
                if token := value_at(following, "sc"):
                    search.memo["sc"] = token[0][:500]
                return ResultPage(results=results, more=following is not None)
        nothing = _NOTHING.search(search.document(response).text()[:20_000])
        return ResultPage(nothing=True) if nothing else None


def _token_in(document: Document) -> str | None:
    hidden = document.first("input[name=sc][value]")
    return hidden.get("value")[:500] or None if hidden else None


def _blocks(blocks: Any) -> list[Any]:
    """Return the blocks of pictures; related searches have other display types."""
    found = blocks if isinstance(blocks, list) else []
    return [one for one in found if str(value_at(one, "display_type")).startswith("images")]


def _following(pagination: Any, page: int) -> dict[str, list[str]] | None:
    """Return the parameters of the link to page `page`; {} if pages are not listed."""
    pages = value_at(pagination, "pages")
    if not isinstance(pages, list):
        return {}
    for one in pages[:100]:
        url = value_at(one, "url")
        try:
            found = parse_qs(urlsplit(url if isinstance(url, str) else "").query)
        except ValueError:
            continue
        if found.get("page") == [str(page)]:
            return found
    return None


def _result(record: dict[str, Any]) -> ImageResult | None:
    if "altClickUrl" not in record and "rawImageUrl" not in record:
        return None
    url = web_url(record.get("rawImageUrl")) or _unwrapped(record.get("clickUrl"))
    thumb = _unwrapped(record.get("thumbnailUrl"))
    if url is None and thumb is None:
        return None
    return ImageResult(
        url=url,
        thumb_url=thumb,
        page_url=web_url(record.get("altClickUrl")),
        title=plain_text(record.get("title")),
        width=pixels(record.get("width")),
        height=pixels(record.get("height")),
    )


def _unwrapped(value: Any) -> str | None:
    """Return the URL inside Startpage's proxy URL (`/av/proxy-image?piurl=..`)."""
    if not isinstance(value, str) or len(value) > 20_000:
        return None
    try:
        inner = parse_qs(urlsplit(value).query, max_num_fields=50).get("piurl")
    except ValueError:
        return None
    return web_url(inner[0]) if inner else web_url(value)
