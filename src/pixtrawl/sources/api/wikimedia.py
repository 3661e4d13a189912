"""Wikimedia Commons, or any other MediaWiki: files found by its search, with licence and creator.

Verified against recorded answers and a real MediaWiki 1.39. Answers come in pieces: the content
of `continue` is sent back, and pages are merged by their id until `batchcomplete`. Addresses of
thumbnails are taken as given: Commons refuses widths that are not on its list.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from pixtrawl.config import parse
from pixtrawl.net.interface import Response
from pixtrawl.net.stated_pause import retry_after_s
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

BASE_URL: Final = "https://commons.wikimedia.org"
DELAY_S: Final = 0.5

_PER_PAGE: Final = 50
_MAX_PIECES: Final = 20  # of one batch; real ones have up to 5
_MAX_LAG_S: Final = 5  # `maxlag`, which MediaWiki asks of clients that can wait
# Codes of temporary errors that come with status 200, and the pause where none is stated.
_PASSING_S: Final[Mapping[str, float]] = {"maxlag": 1.0, "ratelimited": 5.0}
_PASSING_TRIES: Final = 3
_LONGEST_REST_S: Final = 60.0  # a longer stated one is a refusal
_ONLY_PICTURES: Final = "filetype:bitmap"  # CirrusSearch; other wikis search for it as a word
_NO_PICTURES: Final = frozenset({"image/vnd.djvu", "image/x-xcf"})
_PATHS: Final = ("/w/api.php", "/api.php")


def _size(text: str) -> str | None:
    if text.strip().lower() == "large":
        return "fileres:>1000"
    width, height = parse.size_px(text)
    return f"filew:>{max(0, width - 1)} fileh:>{max(0, height - 1)}"


class Wikimedia(JsonSource):
    """Wikimedia Commons."""

    name: ClassVar[str] = "wikimedia"
    replay: ClassVar[ReplayHints] = ReplayHints(rest=b'{"batchcomplete": true}')
    words: ClassVar[Words] = {"size": _size}
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Wikimedia Commons",
        base_url=BASE_URL,
        sentence="Freely licensed files with licence and creator; base_url may be any MediaWiki.",
        verified="real server",
        delay_s=DELAY_S,
        limit="10000 a query",
        license="per image",
        wants_contact=True,
        terms="A User-Agent with contact is asked for, one request at a time, and at most 2 "
        "connections and 25 Mbit/s to upload.wikimedia.org: all of it is kept. Attribution and "
        "further duties as each file's licence asks.",
    )

    def __init__(self, settings: Mapping[str, str]) -> None:
        super().__init__(settings)
        self._path = ""  # where another wiki keeps its API, once known
        self._rest_until = 0.0  # by the loop's clock; holds for every query

    async def batch(self, search: ApiSearch, place: Place) -> Batch:
        """Return one batch of files, its pieces merged."""
        going_on = place.get("continue")
        given = dict(going_on) if isinstance(going_on, dict) else {}
        plain = place.get("plain") is True
        batch, following = await self._merged(search, given, plain=plain)
        if batch.empty and not given and not plain and not search.settings.live:
            # a wiki without CirrusSearch looks for the words "filetype:bitmap" too
            return Batch(following={"plain": True}, empty=True)
        if following is None:
            return batch
        return Batch(batch.found, {"continue": following, "plain": plain}, batch.empty)

    async def _merged(
        self, search: ApiSearch, given: dict[str, Any], *, plain: bool
    ) -> tuple[Batch, dict[str, Any] | None]:
        pages: dict[str, dict[str, Any]] = {}
        for _ in range(_MAX_PIECES):
            answer = await self._ask(search, given, plain=plain)
            complete, following = read_piece(answer, pages)
            if complete:
                return read_pages(pages), following
            if following is None:
                break
            given = following
        raise ShapeError("wikimedia's answer does not come to an end: batchcomplete is missing")

    async def _ask(self, search: ApiSearch, given: dict[str, Any], *, plain: bool) -> Any:
        words = [search.query.text] if plain else [_ONLY_PICTURES, search.query.text]
        if "size" in search.words and not plain:
            words.insert(1, search.words["size"])
        params: dict[str, str | int] = {
            "action": "query", "format": "json", "formatversion": 2, "maxlag": _MAX_LAG_S,
            "generator": "search", "gsrnamespace": 6, "gsrsearch": " ".join(words),
            "gsrlimit": _PER_PAGE, "prop": "imageinfo",
            "iiprop": "url|size|mime|sha1|extmetadata", "iiurlwidth": 330,
        }  # fmt: skip
        params |= {key: text for key, text in given.items() if isinstance(text, str | int)}
        tries = 0
        while True:
            tries += 1
            await self._rest()
            response = await self._get(search, params)
            answer = search.read(response)
            code = value.text(answer, "error", "code")
            if code is None or code not in _PASSING_S:
                return self._checked(answer, code)
            pause_s = _pause_s(response, code)
            if tries >= _PASSING_TRIES or pause_s > _LONGEST_REST_S:
                info = value.plain(answer, "error", "info") or "it asks to wait"
                message = f"wikimedia answers: {code}: {info}"[:300]
                raise search.blocked(response, "rate_limit", message)
            self._rest_until = asyncio.get_running_loop().time() + pause_s

    async def _rest(self) -> None:
        """Wait until the pause that the wiki asked for is over; it holds for all queries."""
        left_s = self._rest_until - asyncio.get_running_loop().time()
        if left_s > 0:
            await asyncio.sleep(left_s)

    def _checked(self, answer: Any, code: str | None) -> Any:
        """Return the answer, if it is no error. Raises ShapeError."""
        if code is None:
            return answer
        message = f"wikimedia answers: {code}: {value.plain(answer, 'error', 'info') or ''}"[:300]
        raise ShapeError(message)

    async def _get(self, search: ApiSearch, params: dict[str, str | int]) -> Response:
        """GET the API; on other wikis, try the known paths until one answers."""
        if search.settings.live:
            return await search.get(_PATHS[0], params)
        if search.base_url.endswith(".php"):
            return await search.get("", params)
        paths = [self._path] if self._path else _PATHS
        response = await search.get(paths[0], params)
        for path in paths[1:]:
            if response.status != 404 and not _is_page(response):
                break
            response = await search.get(path, params)
            self._path = path
        return response


def _is_page(response: Response) -> bool:
    return response.status == 200 and "html" in response.headers.get("content-type", "")


def _pause_s(response: Response, code: str) -> float:
    """Return the pause in seconds that the answer states, else the usual one for its code."""
    stated_s = retry_after_s(response.headers.get("retry-after", ""))
    return _PASSING_S[code] if stated_s is None else stated_s


def read_piece(answer: Any, pages: dict[str, dict[str, Any]]) -> tuple[bool, dict[str, Any] | None]:
    """Merge one piece into `pages` (by page id).

    Returns whether the batch is complete, and what to send back for the next piece or batch.
    Raises ShapeError.
    """
    if not isinstance(answer, dict) or not {"batchcomplete", "query", "continue"} & answer.keys():
        raise ShapeError("wikimedia's answer is not that of a query")
    if not isinstance(answer.get("query", {}), dict):
        raise ShapeError("wikimedia's answer has no pages")
    listed = value.at(answer, "query", "pages")
    if isinstance(listed, dict):  # format version 1 has them by id
        listed = list(listed.values())
    for page in listed if isinstance(listed, list) else []:
        if isinstance(page, dict):
            name = value.text(page, "pageid") or value.text(page, "title") or ""
            merged = pages.setdefault(name, {})
            merged |= {key: part for key, part in page.items() if part or key not in merged}
    following = answer.get("continue")
    complete = "batchcomplete" in answer
    return complete, following if isinstance(following, dict) and following else None


def read_pages(pages: dict[str, dict[str, Any]]) -> Batch:
    """Return the files of one complete batch, in the order of the search."""
    ordered = sorted(pages.values(), key=lambda page: value.count(page, "index") or 0)
    found = tuple(one for one in map(_found, ordered) if one is not None)
    return Batch(found, empty=all(_is_none(page) for page in ordered))


def _is_none(page: dict[str, Any]) -> bool:
    """Return whether the answer itself states that this is no picture (sound, PDF, missing)."""
    mime = value.text(page, "imageinfo", 0, "mime")
    return "missing" in page or (mime is not None and not _is_picture(mime))


def _is_picture(mime: str) -> bool:
    return mime.startswith("image/") and mime not in _NO_PICTURES


def _found(page: dict[str, Any]) -> ImageResult | None:
    info = value.at(page, "imageinfo", 0)
    url = value.url(info, "url")
    mime = value.text(info, "mime") or "image/"
    if url is None or not _is_picture(mime):
        return None
    about = value.at(info, "extmetadata")
    title = value.plain(about, "ObjectName", "value") or value.text(page, "title")
    claims = (value.plain(about, name, "value") for name in _CLAIMS)
    return ImageResult(
        url=url,
        page_url=value.url(info, "descriptionurl"),
        title=title,
        page_text=value.plain(about, "ImageDescription", "value"),
        width=value.pixels(info, "width"),
        height=value.pixels(info, "height"),
        thumb_url=value.url(info, "thumburl"),
        license=next((claim for claim in claims if claim), None),
        license_url=value.url(about, "LicenseUrl", "value"),
        creator=value.plain(about, "Artist", "value"),
    )


_CLAIMS: Final = ("LicenseShortName", "License", "UsageTerms", "Copyright")
