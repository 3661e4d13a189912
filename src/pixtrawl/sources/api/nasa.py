"""NASA's image library. Verified against recorded answers."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final
from urllib.parse import quote

from pixtrawl.sources.api import values as value
from pixtrawl.sources.api.json_source import ApiSearch, ImageResult, Place, ShapeError
from pixtrawl.sources.api.lists import Listing, ListingSource
from pixtrawl.sources.base import ReplayHints, SourceInfo

BASE_URL: Final = "https://images-api.nasa.gov"
DELAY_S: Final = 1.0

MOST: Final = 10_000  # results a query
_PER_PAGE: Final = 100
_SIZES: Final = ("~orig.", "~large.", "~medium.")  # largest first
_IMAGE: Final = re.compile(r"\.(?:jpe?g|png|gif|tiff?|webp)(?:$|\?)", re.IGNORECASE)


class Nasa(ListingSource):
    """NASA's image and video library, images."""

    name: ClassVar[str] = "nasa"
    replay: ClassVar[ReplayHints] = ReplayHints(
        front=b'{"collection": {"metadata": {"total_hits": 1}, '
        b'"items": [{"data": [{"nasa_id": "x"}]}]}}'
    )
    info: ClassVar[SourceInfo] = SourceInfo(
        title="NASA Image and Video Library",
        base_url=BASE_URL,
        sentence="NASA's photographs and renderings in their original size.",
        verified="recorded",
        delay_s=DELAY_S,
        limit="10000 a query",
        terms="NASA's own media are generally not under copyright in the US; some are other "
        "people's, which only the description says. Its name and logo are protected.",
    )

    async def listing(self, search: ApiSearch, place: Place) -> Listing:
        """Return one page of items."""
        page = value.count(place.get("page")) or 1
        params: dict[str, str | int] = {
            "q": search.query.text, "media_type": "image", "page": page, "page_size": _PER_PAGE,
        }  # fmt: skip
        records, total = read_items(await search.json("/search", params))
        more = records and page * _PER_PAGE < min(total, MOST)
        return Listing(records, {"page": page + 1} if more else None)

    async def pictures(self, search: ApiSearch, record: Any) -> list[ImageResult] | None:
        """Return an item's largest file; ask for the list of files only if it is needed."""
        links = read_links(value.items(record, "links"))
        if not any(_SIZES[0] in link for link in links):
            name = value.text(record, "data", 0, "nasa_id")
            if name is None:
                return None
            answer = await search.json(f"/asset/{quote(name, safe='')}")
            links = read_links(value.items(answer, "collection", "items")) or links
        return read_item(record, links)


def read_items(answer: Any) -> tuple[list[Any], int]:
    """Return items and their number. Raises ShapeError."""
    listed = value.at(answer, "collection", "items")
    total = value.count(answer, "collection", "metadata", "total_hits")
    if total is None or not isinstance(listed, list) or (total and not listed):
        raise ShapeError("nasa's answer has no list of items")
    return listed, total


def read_links(links: list[Any]) -> list[str]:
    """Return addresses of image files among links; the library gives some with http."""
    found = (value.url(link, "href") for link in links)
    return [url for url in found if url is not None and _IMAGE.search(url)]


def read_item(record: Any, links: list[str]) -> list[ImageResult] | None:
    """Return the largest of an item's files."""
    about = value.at(record, "data", 0)
    for size in _SIZES:
        url = next((link for link in links if size in link), None)
        if url is not None:
            break
    else:
        return None
    name = value.text(about, "nasa_id")
    facts = next(
        (link for link in value.items(record, "links") if value.url(link, "href") == url), None
    )
    return [
        ImageResult(
            url=url,
            page_url=f"https://images.nasa.gov/details/{quote(name, safe='')}" if name else None,
            title=value.plain(about, "title"),
            page_text=value.plain(about, "description"),
            width=value.pixels(facts, "width"),
            height=value.pixels(facts, "height"),
            thumb_url=next((link for link in links if "~thumb." in link), None),
            creator=value.plain(about, "photographer") or value.plain(about, "secondary_creator"),
        )
    ]
