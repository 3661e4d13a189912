"""Startpage's image search over HTTP: no key, no browser. The index is Bing's.

Each search needs a value that the form of the front page hides and that is good for about an hour;
each answer carries the one for the next page. Results stand in a script as JSON. Written after the
documented form; no result page was recorded.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Mapping
from typing import Any, ClassVar, Final
from urllib.parse import parse_qs, urlsplit

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
    parameters_of,
    pixels,
    plain_title,
    walk,
    web_url,
)

BASE_URL: Final = "https://www.startpage.com"
DELAY_S: Final = 3.0
_PATH: Final = "/sp/search"
_MAX_PAGES: Final = 20
_TOKEN_AGE_S: Final = 3000.0  # good for about an hour

_COLOURS: Final = (
    "red", "orange", "yellow", "green", "teal", "blue", "purple", "pink", "white", "gray",
    "black", "brown",
)  # fmt: skip
_TYPES: Final = {"photo": "Photo", "clipart": "Clipart", "lineart": "Line",
                 "animated": "AnimatedGif"}  # fmt: skip
_LICENSES: Final = {"any": "Any", "public": "Public", "open": "Share",
                    "commercial": "ShareCommercially", "modify": "Modify"}  # fmt: skip
_WORDS: Final[Words] = {
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
_DATA: Final = re.compile(r"\bUIStartpage\.AppSerpImages\s?,\s?(?=\{)")
_NOTHING: Final = re.compile(
    r"no (?:image )?results (?:were )?found|there are no (?:image )?results"
    r"|did not match any (?:images|documents|results)",
    re.IGNORECASE,
)


class Startpage:
    """Startpage, images."""

    name: ClassVar[str] = "startpage"
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Startpage Images",
        base_url=BASE_URL,
        sentence="Reads result pages over HTTP; the pictures are those of Bing's index.",
        verified="documented only",
        filters=frozenset(_WORDS),
        settings=common_settings(BASE_URL, DELAY_S),
        delay_s=DELAY_S,
        limit="not known",
        license="unknown",
        terms="Startpage's terms forbid automated queries; a captcha enforces that.",
    )

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = read_settings(self.name, self.info, settings)
        self._token = ("", 0.0)  # and when it was got, on the monotonic clock
        self._getting_token = asyncio.Lock()

    async def discover(self, query: Query, context: SourceContext) -> AsyncGenerator[Page, None]:
        """Pages of candidates as Startpage ranks them. Raises SourceStop."""
        base = self._settings.base_url
        visit = Visit(self.name, base, context, headers={"Referer": f"{base}/"})
        words = in_words_of(self.name, query, context, _WORDS, also=frozenset())
        token = await self._fresh_token(visit)
        fields = {
            "query": query.text, "cat": "images", "t": "device", "language": "english",
            "lui": "english", "segment": "startpage.udog", "sc": token,
            **parameters_of(words, self.name, context),
        }  # fmt: skip

        async def ask(number: int) -> Listing:
            fields["page"] = str(number + 1)
            return await visit.read(
                lambda: visit.post(_PATH, fields),
                lambda response: _listing(response, number, fields),
            )

        async for page in walk(visit, query, ask, pages=_MAX_PAGES):
            yield page

    async def aclose(self) -> None:
        """Holds nothing."""

    async def _fresh_token(self, visit: Visit) -> str:
        """The form's hidden value, asked for once an hour. Raises SourceStop."""
        async with self._getting_token:
            token, since = self._token
            if token and time.monotonic() - since < _TOKEN_AGE_S:
                return token
            response, found = await visit.past_consent(lambda: visit.get("/"), _token_in)
            if found is None:
                message = "startpage's front page has no form with the value `sc`"
                raise visit.wall(response) or visit.changed(response, message)
            self._token = (found, time.monotonic())
            return found


def _token_in(response: Response) -> str | None:
    hidden = Document(response.text).first("input[name=sc][value]")
    return hidden.get("value")[:500] or None if hidden else None


def _listing(response: Response, number: int, fields: dict[str, str]) -> Listing | None:
    """Reads a page; `fields` gets the hidden value for the next one."""
    for value in values_after(response.text, _DATA):
        blocks = dig(value, "render", "presenter", "regions", "mainline")
        results = tuple(
            one for block in _blocks(blocks) for record in objects_in(block)
            if (one := _result(record))
        )  # fmt: skip
        if results:
            following = _following(dig(value, "render", "presenter", "pagination"), number + 2)
            token = dig(following, "sc")
            if token:
                fields["sc"] = token[0][:500]
            return Listing(results=results, more=following is not None)
    if _NOTHING.search(Document(response.text).text()[:20_000]):
        return Listing(nothing=True)
    return None


def _blocks(blocks: Any) -> list[Any]:
    """The blocks of pictures; those of related searches have other display types."""
    found = blocks if isinstance(blocks, list) else []
    return [one for one in found if str(dig(one, "display_type")).startswith("images")]


def _following(pagination: Any, page: int) -> dict[str, list[str]] | None:
    """The parameters of the link to page number `page`; {} where the pages are not listed."""
    pages = dig(pagination, "pages")
    if not isinstance(pages, list):
        return {}
    for one in pages[:100]:
        url = dig(one, "url")
        try:
            found = parse_qs(urlsplit(url if isinstance(url, str) else "").query)
        except ValueError:
            continue
        if found.get("page") == [str(page)]:
            return found
    return None


def _result(record: dict[str, Any]) -> Result | None:
    if "altClickUrl" not in record and "rawImageUrl" not in record:
        return None
    url = web_url(record.get("rawImageUrl")) or _unwrapped(record.get("clickUrl"))
    thumb = _unwrapped(record.get("thumbnailUrl"))
    if url is None and thumb is None:
        return None
    return Result(
        url=url,
        thumb=thumb,
        page=web_url(record.get("altClickUrl")),
        title=plain_title(record.get("title")),
        width=pixels(record.get("width")),
        height=pixels(record.get("height")),
    )


def _unwrapped(value: Any) -> str | None:
    """The URL that Startpage's own proxy (`/av/proxy-image?piurl=..`) stands before."""
    if not isinstance(value, str) or len(value) > 20_000:
        return None
    try:
        inner = parse_qs(urlsplit(value).query, max_num_fields=50).get("piurl")
    except ValueError:
        return None
    return web_url(inner[0]) if inner else web_url(value)
