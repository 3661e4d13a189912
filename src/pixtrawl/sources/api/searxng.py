"""SearXNG: the user's own meta search. Verified against a recorded answer and a real searX 1.1.

An instance asks other engines; those that did not answer are reported. The list of engines
matters: with an instance's defaults nearly all "images" are icons of icon engines (656 of 723 in
the recorded answer).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from pixtrawl.errors import SourceStop
from pixtrawl.events import Notice
from pixtrawl.model import Kind, SourceOutcome
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
from pixtrawl.sources.base import SourceInfo, SourceSetting
from pixtrawl.sources.filters import Words

ENGINES: Final = (
    "bing images,duckduckgo images,google images,google cse images,brave.images,openverse,"
    "wikicommons.images,flickr,unsplash,pexels,pixabay images,artic"
)
_RESOLUTION: Final = re.compile(r"(\d{1,6})\s*[x\u00d7*]\s*(\d{1,6})")
_FILE: Final = re.compile(r"\.(?:jpe?g|png|gif|webp|avif|bmp|tiff?)(?:$|\?)", re.IGNORECASE)
_MAX_DATA: Final = 2 * 2**20  # characters of a data: URI
_REFUSED: Final = (
    ("captcha", "captcha"),
    ("too many requests", "rate_limit"),
    ("denied", "forbidden"),
    ("suspended", "rate_limit"),
)


class Searxng(JsonSource):
    """A SearXNG or searX instance."""

    name: ClassVar[str] = "searxng"
    words: ClassVar[Words] = {
        "date": {word: word for word in ("day", "week", "month", "year")},
        "safe": {"off": "0", "moderate": "1", "strict": "2"},
    }
    otherwise: ClassVar[frozenset[str]] = frozenset({"site", "lang"})
    info: ClassVar[SourceInfo] = SourceInfo(
        title="SearXNG (your own instance)",
        base_url="",
        sentence="Meta search of your own; engines that did not answer are named.",
        verified="real server",
        needs=("url",),
        settings=(
            SourceSetting("url", "", "address of the instance, e.g. http://127.0.0.1:8888"),
            SourceSetting("engines", ENGINES, "its engines to ask, by commas; * for all of images"),
        ),
        terms="Your instance, your rules: ask none of other people's without their consent. Needs "
        "`json` in search.formats of its settings.yml.",
    )

    def __init__(self, settings: Mapping[str, str]) -> None:
        given = dict(settings)
        if url := given.get("url", "").strip():
            given.setdefault("base_url", url)
        super().__init__(given)
        self._engines = given.get("engines", "").strip() or ENGINES

    def unsupported(self) -> SourceStop | None:
        """Return the stop if no instance is set."""
        if self.settings.base_url:
            return None
        return SourceStop(
            SourceOutcome.UNSUPPORTED,
            message="searxng needs the address of an instance of yours",
            next_step="--set searxng.url=http://127.0.0.1:8888",
        )

    def explain(self, search: ApiSearch, response: Response, answer: Any) -> SourceStop | None:
        """Return the stop for 403 and 429, which come from the instance's own settings."""
        if response.status == 403:
            message = "the instance answers with status 403: its JSON format is not enabled"
            step = "put `json` into search.formats in the instance's settings.yml, restart it"
            return search.blocked(response, "forbidden", message, step)
        if response.status == 429:
            message = "the instance's limiter refuses (status 429)"
            step = "switch server.limiter off in the settings.yml of your instance, or wait"
            return search.blocked(response, "rate_limit", message, step)
        return None

    async def batch(self, search: ApiSearch, place: Place) -> Batch:
        """Return one page of every engine's results."""
        page = value.count(place.get("page")) or 1
        by_category = place.get("by") == "category" or self._engines == "*"
        answer = await search.json(
            "/search", self._parameters(search, page, by_category=by_category)
        )
        batch, silent = read_results(answer)
        silent = search.memo["silent"] = {**search.memo.get("silent", {}), **silent}
        nothing = page == 1 and batch.empty and not batch.found
        if nothing and not by_category and self._engines == ENGINES:
            # an instance may know none of the usual engines: then those that it has for images
            return Batch(following={"by": "category"}, empty=True)
        self._report_silent(search, silent, any_found=not nothing)
        following = {"page": page + 1, **({"by": "category"} if by_category else {})}
        return Batch(batch.found, following if batch.found else None, batch.empty, batch.related)

    def _parameters(
        self, search: ApiSearch, page: int, *, by_category: bool
    ) -> dict[str, str | int]:
        filters = search.query.filters
        text = search.query.text
        if filters.site:
            text += f" site:{''.join(filters.site.split())}"
        params: dict[str, str | int] = {
            "q": text, "format": "json", "pageno": page, "language": filters.lang or "all",
        }  # fmt: skip
        # never both: a category brings all of its engines, whatever the list of engines says
        # (seen with searX 1.1), and most of them give icons
        if by_category:
            params["categories"] = "images"
        else:
            params["engines"] = self._engines
        if "date" in search.words:
            params["time_range"] = search.words["date"]
        if "safe" in search.words:
            params["safesearch"] = search.words["safe"]
        return params

    def _report_silent(
        self, search: ApiSearch, silent: Mapping[str, str], *, any_found: bool
    ) -> None:
        """Emit the names of engines that did not answer. Raises SourceStop if nothing was found."""
        if not silent or search.memo.get("announced") == silent:
            return
        search.memo["announced"] = silent
        names = "; ".join(f"{name} ({why})" for name, why in silent.items())
        message = f"searxng: these engines did not answer: {names}"[:1000]
        if any_found:
            search.context.emit(Notice(message, "warning"))
            return
        reasons = " ".join(silent.values()).lower()
        kind = next((kind for word, kind in _REFUSED if word in reasons), None)
        detail: dict[str, object] = {
            "message": message,
            "unresponsive_engines": dict(silent),
            "next_step": "look at these engines in the instance, or name others: "
            "--set searxng.engines=...",
        }
        if kind is not None:
            raise SourceStop(SourceOutcome.BLOCKED, kind=kind, **detail)
        raise SourceStop(SourceOutcome.NETWORK_ERROR, **detail)


def read_results(answer: Any) -> tuple[Batch, dict[str, str]]:
    """Return the pictures of one answer, and the engines that did not answer. Raises ShapeError."""
    results = value.at(answer, "results")
    if not isinstance(results, list):
        raise ShapeError("searxng's answer has no list of results")
    if not results and "query" not in answer:
        raise ShapeError("searxng's answer is not one to a query")
    found = tuple(one for one in map(_found, results) if one is not None)
    # results of another kind than pictures are recognised by their template
    kinds = [value.text(one, "template") for one in results]
    empty = all(kind is not None and kind != "images.html" for kind in kinds)
    related = (value.text(one) for one in value.items(answer, "suggestions")[:50])
    silent = {}
    for pair in value.items(answer, "unresponsive_engines")[:200]:
        if name := value.text(pair, 0):
            silent[name] = value.text(pair, 1) or "no reason given"
    return Batch(found, empty=empty, related=tuple(one for one in related if one)), silent


def _found(result: Any) -> ImageResult | None:
    if not isinstance(result, dict):
        return None
    url, kind = value.url(result, "img_src"), Kind.ORIGINAL
    if url is None and "img_src" not in result:
        # engines that an instance's owner put together (searX's json_engine) know no such field
        linked = value.url(result, "url")
        url = linked if linked and _FILE.search(linked) else None
    if url is None:
        data = value.at(result, "img_src")
        # a picture inside the answer is at most a thumbnail
        if not isinstance(data, str) or not data.startswith("data:image/"):
            return None
        if len(data) > _MAX_DATA or not data.isascii():
            return None
        url, kind = data, Kind.THUMBNAIL
    width, height = _size(result)
    return ImageResult(
        url=url,
        kind=kind,
        page_url=value.url(result, "url"),
        title=value.plain(result, "title"),
        page_text=value.plain(result, "content"),
        width=width,
        height=height,
        thumb_url=value.url(result, "thumbnail_src") or value.url(result, "thumbnail"),
        creator=value.plain(result, "author"),
    )


def _size(result: Any) -> tuple[int | None, int | None]:
    """Return width and height from "1882x1264"; several multiplication signs are in use."""
    match = _RESOLUTION.search(value.text(result, "resolution") or "")
    if match is None:
        return None, None
    return value.pixels(match[1]), value.pixels(match[2])
