"""Smithsonian Open Access: objects of nineteen museums. Verified against a recorded record."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from pixtrawl.sources.api import values as value
from pixtrawl.sources.api.json_source import (
    ApiSearch,
    Batch,
    ImageResult,
    JsonSource,
    Place,
    ShapeError,
    key_setting,
)
from pixtrawl.sources.base import SourceInfo

BASE_URL: Final = "https://api.si.edu"
DELAY_S: Final = 4.0  # 1000 requests an hour with a key

_PER_PAGE: Final = 100
_NO_KEY: Final = "DEMO_KEY"  # of api.data.gov, for everybody: 30 requests an hour, 50 a day


class Smithsonian(JsonSource):
    """Smithsonian Open Access."""

    name: ClassVar[str] = "smithsonian"
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Smithsonian Open Access",
        base_url=BASE_URL,
        sentence="Objects of the Smithsonian's museums; asks with DEMO_KEY where no key is given.",
        verified="recorded",
        settings=(key_setting("smithsonian"),),
        delay_s=DELAY_S,
        limit="1000 requests an hour with a key, 50 a day without",
        license="per image",
        terms="Open Access media are CC0; others say 'Usage conditions apply'. Keys are given out "
        "by api.data.gov.",
    )
    has_quota: ClassVar[bool] = True

    async def batch(self, search: ApiSearch, place: Place) -> Batch:
        """Return one page of objects."""
        start = value.count(place.get("start")) or 0
        params: dict[str, str | int] = {
            "q": f"{search.query.text} AND online_media_type:Images", "start": start,
            "rows": _PER_PAGE, "api_key": self.key or _NO_KEY,
        }  # fmt: skip
        batch, total = read_page(await search.json("/openaccess/api/v1.0/search", params))
        more = start + _PER_PAGE < total
        return Batch(batch.found, {"start": start + _PER_PAGE} if more else None, batch.empty)


def read_page(answer: Any) -> tuple[Batch, int]:
    """Return the pictures of one answer, and how many objects there are. Raises ShapeError."""
    total = value.count(answer, "response", "rowCount")
    rows = value.at(answer, "response", "rows")
    if total is None or not isinstance(rows, list):
        raise ShapeError("smithsonian's answer has no list of rows")
    found = [one for row in rows for one in read_record(row)]
    return Batch(tuple(found), empty=total == 0 and not rows), total


def read_record(row: Any) -> list[ImageResult]:
    """Return the pictures of one object."""
    about = value.at(row, "content", "descriptiveNonRepeating")
    title = value.plain(about, "title", "content") or value.plain(row, "title")
    found = []
    for media in value.items(about, "online_media", "media"):
        if (value.text(media, "type") or "Images") != "Images":
            continue
        url, width, height = _largest(media)
        if url is None:
            continue
        claim = value.text(media, "usage", "access")
        found.append(
            ImageResult(
                url=url,
                page_url=value.url(about, "record_link") or value.url(about, "guid"),
                title=title,
                width=width,
                height=height,
                thumb_url=value.url(media, "thumbnail"),
                license=claim,
                creator=value.plain(row, "content", "freetext", "name", 0, "content"),
            )
        )
    return found


def _largest(media: Any) -> tuple[str | None, int | None, int | None]:
    """Return the URL of the largest JPEG among the files, else of the picture itself."""
    best: tuple[int, str | None, int | None, int | None] = (
        0,
        value.url(media, "content"),
        None,
        None,
    )
    for file in value.items(media, "resources"):
        url, label = value.url(file, "url"), (value.text(file, "label") or "").lower()
        if url is None or "jpeg" not in label or "thumb" in label:
            continue
        width, height = value.pixels(file, "width"), value.pixels(file, "height")
        area = (width or 1) * (height or 1) + ("high" in label)
        if area > best[0]:
            best = (area, url, width, height)
    return best[1], best[2], best[3]
