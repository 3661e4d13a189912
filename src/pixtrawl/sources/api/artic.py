"""The Art Institute of Chicago. Verified against recorded answers."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from pixtrawl.licenses import CC0_URL
from pixtrawl.sources.api import values as value
from pixtrawl.sources.api.json_source import ShapeError
from pixtrawl.sources.api.paged import ApiSearch, ImageResult, PagedSource, Params
from pixtrawl.sources.base import SourceInfo
from pixtrawl.sources.filters import Words, cc0_words

_FIELDS: Final = "id,title,image_id,artist_title,is_public_domain,copyright_notice,thumbnail"
# Widths that its image server is documented to give; larger ones cost it much, others are refused.
_LARGE_PX: Final = 1686  # of works in the public domain
_USUAL_PX: Final = 843


class Artic(PagedSource):
    """The Art Institute of Chicago's collection."""

    name: ClassVar[str] = "artic"
    words: ClassVar[Words] = cc0_words("true")
    total_at = ("pagination", "total")
    records_at = ("data",)
    max_records = 10_000
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Art Institute of Chicago",
        base_url="https://api.artic.edu",
        sentence="Works of art, up to 1686 pixels wide; those in the public domain are CC0.",
        verified="recorded",
        delay_s=1.0,
        limit="10000 a query",
        license="per image",
        terms="At most 60 requests a minute; images of works in the public domain are CC0, others "
        "are shown for private use only.",
    )

    def request(self, search: ApiSearch, page: int, seen: int) -> tuple[str, Params]:
        """A hundred works."""
        word, text = search.words.get("license"), search.query.text
        asked: dict[str, str | int] = {"q": text, "fields": _FIELDS, "limit": 100, "page": page}
        free = {"query[term][is_public_domain]": word} if word else {}
        return "/api/v1/artworks/search", asked | free

    def is_empty(self, record: Any) -> bool:
        """Works without a picture have an image_id of null."""
        return isinstance(record, dict) and record.get("image_id", 0) is None

    def result(self, record: Any, said: Any) -> ImageResult | None:
        """The picture at the image server, whose address the answer tells."""
        images, name = value.url(said, "config", "iiif_url"), value.text(record, "image_id")
        if images is None:
            raise ShapeError("artic's answer does not tell where its images are")
        if name is None or not name.replace("-", "").isalnum():
            return None
        free = value.at(record, "is_public_domain") is True
        width = value.pixels(record, "thumbnail", "width") or 0
        height = value.pixels(record, "thumbnail", "height") or 0
        shown = _LARGE_PX if free and width >= _LARGE_PX else _USUAL_PX
        known = width >= shown and height > 0
        number = value.count(record, "id")
        return ImageResult(
            url=f"{images.rstrip('/')}/{name}/full/{shown},/0/default.jpg",
            page_url=f"https://www.artic.edu/artworks/{number}" if number else None,
            title=value.plain(record, "title"),
            width=shown if known else None,
            height=max(1, round(height * shown / width)) if known else None,
            license="CC0" if free else value.plain(record, "copyright_notice"),
            license_url=CC0_URL if free else None,
            creator=value.plain(record, "artist_title"),
        )
