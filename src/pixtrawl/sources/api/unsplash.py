"""Unsplash's API: photographs under its own licence. Verified against a recorded answer.

Its guidelines ask for a request to each photo's `download_location` when it is downloaded. A source
hands photos to the downloader, so the request is made then: none is handed out without it.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from pixtrawl.model import Alternate, Kind
from pixtrawl.sources.api import values as value
from pixtrawl.sources.api.json_source import ApiSearch, ImageResult, Place, ShapeError, key_setting
from pixtrawl.sources.api.lists import Listing, ListingSource
from pixtrawl.sources.base import SourceInfo
from pixtrawl.sources.filters import Words

BASE_URL: Final = "https://api.unsplash.com"
DELAY_S: Final = 1.0

_PER_PAGE: Final = 30
_LICENSE_URL: Final = "https://unsplash.com/license"
_COLOURS: Final = (
    "black", "white", "yellow", "orange", "red", "purple", "green", "teal", "blue",
)  # fmt: skip


class Unsplash(ListingSource):
    """Unsplash's photo search."""

    name: ClassVar[str] = "unsplash"
    words: ClassVar[Words] = {
        "aspect": {"wide": "landscape", "tall": "portrait", "square": "squarish"},
        "color": {"gray": "black_and_white", **{word: word for word in _COLOURS}},
        "safe": {"off": "low", "moderate": "low", "strict": "high"},
        "type": {"photo": ""},
    }
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Unsplash",
        base_url=BASE_URL,
        sentence="Photographs in full size under the Unsplash licence.",
        verified="recorded",
        needs=("key",),
        settings=(key_setting("unsplash"),),
        delay_s=DELAY_S,
        limit="50 requests an hour (1000 and more after review), one of them for each photo",
        license="unsplash",
        terms="Its guidelines want non-automated use, attribution, links to its own image host and "
        "a request for each download, which is made. Building data sets in bulk is against them: "
        "ask Unsplash first.",
    )
    has_quota: ClassVar[bool] = True

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Client-ID {self.key}", "Accept-Version": "v1"}

    async def listing(self, search: ApiSearch, place: Place) -> Listing:
        """Return one page of photos."""
        page = value.count(place.get("page")) or 1
        params: dict[str, str | int] = {
            "query": search.query.text, "page": page, "per_page": _PER_PAGE,
        }  # fmt: skip
        names = {"aspect": "orientation", "color": "color", "safe": "content_filter"}
        params |= search.params(names)
        answer = await search.json("/search/photos", params, self._headers())
        photos, pages = read_page(answer, page)
        return Listing(photos, {"page": page + 1} if photos and page < pages else None)

    async def pictures(self, search: ApiSearch, record: Any) -> list[ImageResult] | None:
        """Return one photo, after reporting its download to Unsplash."""
        found = read_photo(record)
        path = search.below_base(value.url(record, "links", "download_location"))
        if found is None or path is None:
            return None
        search.check(await search.get(path, headers=self._headers()))
        return [found]


def read_page(answer: Any, page: int = 1) -> tuple[list[Any], int]:
    """Return photos of one answer, and how many pages there are. Raises ShapeError."""
    total, listed = value.count(answer, "total"), value.at(answer, "results")
    if total is None or not isinstance(listed, list) or (page == 1 and total and not listed):
        raise ShapeError("unsplash's answer has no list of results")
    return listed, value.count(answer, "total_pages") or 1


def read_photo(photo: Any) -> ImageResult | None:
    """Return one photo."""
    raw, full = value.url(photo, "urls", "raw"), value.url(photo, "urls", "full")
    url = raw or full
    if url is None:
        return None
    return ImageResult(
        url=url,
        page_url=value.url(photo, "links", "html"),
        title=value.plain(photo, "description") or value.plain(photo, "alt_description"),
        alt=value.plain(photo, "alt_description"),
        page_text=value.plain(photo, "description"),
        width=value.pixels(photo, "width"),
        height=value.pixels(photo, "height"),
        thumb_url=value.url(photo, "urls", "small"),
        license="Unsplash License",
        license_url=_LICENSE_URL,
        creator=value.plain(photo, "user", "name"),
        alternates=(Alternate(full, Kind.CACHED),) if raw and full and raw != full else (),
    )
