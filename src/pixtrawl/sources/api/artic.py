"""The Art Institute of Chicago. Verified against recorded answers."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from pixtrawl.sources.api import values as value
from pixtrawl.sources.api.json_source import Ask, Batch, Found, JsonSource, Place, ShapeError
from pixtrawl.sources.base import SourceInfo
from pixtrawl.sources.filters import Words
from pixtrawl.sources.settings import common_settings

BASE_URL: Final = "https://api.artic.edu"
DELAY_S: Final = 1.0

_PER_PAGE: Final = 100
_FIELDS: Final = "id,title,image_id,artist_title,is_public_domain,copyright_notice,thumbnail"
_CC0: Final = "https://creativecommons.org/publicdomain/zero/1.0/"
# Widths that its image server is documented to give; larger ones cost it much, others are refused.
_LARGE: Final = 1686  # of works in the public domain
_USUAL: Final = 843


class Artic(JsonSource):
    """The Art Institute of Chicago's collection."""

    name: ClassVar[str] = "artic"
    words: ClassVar[Words] = {
        "license": {
            "any": "",
            **dict.fromkeys(("open", "public", "commercial", "modify", "cc0"), "true"),
        },
    }
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Art Institute of Chicago",
        base_url=BASE_URL,
        sentence="Works of art, up to 1686 pixels wide; those in the public domain are CC0.",
        verified="recorded",
        filters=frozenset(words),
        settings=common_settings(BASE_URL, DELAY_S),
        delay_s=DELAY_S,
        limit="10000 a query",
        license="per image",
        terms="At most 60 requests a minute; images of works in the public domain are CC0, others "
        "are shown for private use only.",
    )

    async def batch(self, ask: Ask, place: Place) -> Batch:
        """One page of works."""
        page = value.count(place.get("page")) or 1
        params: dict[str, str | int] = {
            "q": ask.query.text, "fields": _FIELDS, "limit": _PER_PAGE, "page": page,
        }  # fmt: skip
        if ask.words.get("license"):
            params["query[term][is_public_domain]"] = ask.words["license"]
        batch, pages = read_page(await ask.json("/api/v1/artworks/search", params))
        more = page < pages and page * _PER_PAGE < 10_000
        return Batch(batch.found, {"page": page + 1} if more else None, batch.empty)


def read_page(said: Any) -> tuple[Batch, int]:
    """The works of one answer, and how many pages there are. Raises ShapeError."""
    total, listed = value.count(said, "pagination", "total"), value.at(said, "data")
    if total is None or not isinstance(listed, list):
        raise ShapeError("artic's answer has no list of works")
    images = value.url(said, "config", "iiif_url")
    if images is None and listed:
        raise ShapeError("artic's answer does not tell where its images are")
    found = tuple(one for one in (_found(work, images or "") for work in listed) if one)
    # works without a picture have an image_id of null
    told = (total == 0 and not listed) or (
        bool(listed)
        and all(isinstance(one, dict) and one.get("image_id", 0) is None for one in listed)
    )
    return Batch(found, empty=told), value.count(said, "pagination", "total_pages") or 1


def _found(work: Any, images: str) -> Found | None:
    name = value.text(work, "image_id")
    if name is None or not name.replace("-", "").isalnum():
        return None
    free = value.at(work, "is_public_domain") is True
    width, height = (
        value.pixels(work, "thumbnail", "width"),
        value.pixels(work, "thumbnail", "height"),
    )
    shown = _LARGE if free and (width or 0) >= _LARGE else _USUAL
    number = value.count(work, "id")
    known = width is not None and width >= shown and height is not None
    return Found(
        url=f"{images.rstrip('/')}/{name}/full/{shown},/0/default.jpg",
        page_url=f"https://www.artic.edu/artworks/{number}" if number else None,
        title=value.plain(work, "title"),
        width=shown if known else None,
        height=max(1, round(height * shown / width)) if known and width and height else None,
        license="CC0" if free else value.plain(work, "copyright_notice"),
        license_url=_CC0 if free else None,
        creator=value.plain(work, "artist_title"),
    )
