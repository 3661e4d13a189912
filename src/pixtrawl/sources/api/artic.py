"""The Art Institute of Chicago. Verified against recorded answers."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from msgspec.structs import replace

from pixtrawl.sources.api import iiif, values as value
from pixtrawl.sources.api.paged import ApiSearch, ImageResult, PagedSource, Params, ShapeError
from pixtrawl.sources.base import SourceInfo
from pixtrawl.sources.filters import Words, cc0_words

_FIELDS: Final = "id,title,image_id,artist_title,is_public_domain,copyright_notice,thumbnail"
_LARGE_PX, _USUAL_PX = 1686, 843  # widths that its server documents; others may be refused


class Artic(PagedSource):
    """The Art Institute of Chicago's collection."""

    name: ClassVar[str] = "artic"
    words: ClassVar[Words] = cc0_words("true")
    total_at = ("pagination", "total")
    records_at = ("data",)
    max_records = 10_000
    image_at = ("image_id",)
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Art Institute of Chicago",
        base_url="https://api.artic.edu",
        sentence="Works of art, up to 1686 pixels wide; those in the public domain are CC0.",
        verified="recorded",
        delay_s=1.0,
        license="per image",
        terms="At most 60 requests a minute; images of works in the public domain are CC0, others "
        "are shown for private use only.",
    )

    def request(self, search: ApiSearch, page: int, seen: int) -> tuple[str, Params]:
        """Ask for a hundred works."""
        names = {"license": "query[term][is_public_domain]"}
        asked = search.params(names, q=search.query.text, fields=_FIELDS, limit=100, page=page)
        return "/api/v1/artworks/search", asked

    def result(self, record: Any, answer: Any) -> ImageResult | None:
        """Read the picture at the image server that the answer names."""
        images, name = value.url(answer, "config", "iiif_url"), value.text(record, "image_id")
        if images is None:
            raise ShapeError("artic's answer does not name its image server")
        if name is None or not name.replace("-", "").isalnum():
            return None
        number = value.count(record, "id")
        free, whole = value.at(record, "is_public_domain") is True, value.size(record, "thumbnail")
        shown = _LARGE_PX if free and (whole[0] or 0) >= _LARGE_PX else _USUAL_PX
        return replace(
            iiif.at_width(f"{images.rstrip('/')}/{name}", shown, whole),
            page_url=f"https://www.artic.edu/artworks/{number}" if number else None,
            title=value.plain(record, "title"),
            license="CC0" if free else value.plain(record, "copyright_notice"),
            creator=value.plain(record, "artist_title"),
        )
