"""The Library of Congress, photographs. Verified against a recorded (cut) answer of its search."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final

from pixtrawl import licenses
from pixtrawl.sources.api import values as value
from pixtrawl.sources.api.json_source import (
    ApiSearch,
    Batch,
    ImageResult,
    JsonSource,
    Place,
    ShapeError,
)
from pixtrawl.sources.base import SourceInfo

BASE_URL: Final = "https://www.loc.gov"
DELAY_S: Final = 3.0  # 20 requests a minute; more leads to a refusal of an hour

_PER_PAGE: Final = 100
# The site's own drawings, which stand in for items that are not shown online.
_DRAWING: Final = re.compile(r"https?://(?:[\w-]+\.)*loc\.gov/static/", re.IGNORECASE)
_SIZE: Final = re.compile(r"#(?:.*&)?h=(\d{1,6})&w=(\d{1,6})")


class LibraryOfCongress(JsonSource):
    """The Library of Congress' photographs, prints and drawings."""

    name: ClassVar[str] = "loc"
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Library of Congress",
        base_url=BASE_URL,
        sentence="Historical photographs and prints, in the largest size of its search.",
        verified="recorded",
        delay_s=DELAY_S,
        limit="100000 a query",
        license="per image",
        terms="At most 20 requests a minute. Rights are stated per item, where they are known at "
        "all; 'no known restrictions' is no licence.",
    )

    async def batch(self, search: ApiSearch, place: Place) -> Batch:
        """Return one page of items."""
        page = value.count(place.get("page")) or 1
        params: dict[str, str | int] = {
            "q": search.query.text, "fo": "json", "c": _PER_PAGE, "sp": page,
            "at": "results,pagination",
        }  # fmt: skip
        batch, more = read_page(await search.json("/photos/", params))
        return Batch(batch.found, {"page": page + 1} if more else None, batch.empty)


def read_page(answer: Any) -> tuple[Batch, bool]:
    """Return the items of one answer, and whether there are more. Raises ShapeError."""
    listed, pages = value.at(answer, "results"), value.at(answer, "pagination")
    if not isinstance(listed, list) or not isinstance(pages, dict):
        raise ShapeError("loc's answer has no list of results")
    found = tuple(one for one in map(_found, listed) if one is not None)
    # items without a scan have an empty list of pictures, or a drawing of the site's own
    empty = all(_has_none(one) for one in listed)
    return Batch(found, empty=empty), bool(listed) and value.text(pages, "next") is not None


def _pictures(item: Any) -> list[str]:
    urls = map(value.url, value.items(item, "image_url")[:50])
    return [url for url in urls if url and not _DRAWING.match(url)]


def _has_none(item: Any) -> bool:
    """Return whether the item states that it has no picture."""
    listed = value.at(item, "image_url")
    return isinstance(listed, list) and all(
        isinstance(one, str) and _DRAWING.match(one) for one in listed
    )


def _found(item: Any) -> ImageResult | None:
    pictures = _pictures(item)
    if not pictures:
        return None
    sizes = [_size(url) for url in pictures]
    best = max(range(len(pictures)), key=lambda at: (sizes[at][0] * sizes[at][1], at))
    width, height = sizes[best]
    return ImageResult(
        url=pictures[best],
        page_url=value.url(item, "url") or value.url(item, "id"),
        title=value.plain(item, "title"),
        width=width or None,
        height=height or None,
        thumb_url=pictures[0] if best else None,
        license=licenses.one_claim(
            _record_texts(item, "rights") or _record_texts(item, "rights_information")
        ),
        creator="; ".join(_record_texts(item, "contributors") or _texts(item, "contributor"))
        or None,
    )


def _record_texts(item: Any, name: str) -> list[str]:
    """Return a field of the record inside an item, as the cataloguers wrote it."""
    return _texts(value.at(item, "item"), name)


def _texts(about: Any, name: str) -> list[str]:
    """Return a field's text, or the texts of its list."""
    one = value.plain(about, name)
    listed = [value.plain(text) for text in value.items(about, name)[:10]]
    return [one] if one else [text for text in listed if text]


def _size(url: str) -> tuple[int, int]:
    """Return width and height, which stand in the fragment: `...jpg#h=150&w=120`."""
    match = _SIZE.search(url)
    return (int(match[2]), int(match[1])) if match else (0, 0)
