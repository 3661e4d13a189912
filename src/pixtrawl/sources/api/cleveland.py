"""The Cleveland Museum of Art's Open Access. Verified against a recorded (cut) answer."""

from __future__ import annotations

from typing import Any, ClassVar

from pixtrawl.model import Alternate, Kind
from pixtrawl.sources.api import values as value
from pixtrawl.sources.api.paged import ApiSearch, ImageResult, PagedSource, Params
from pixtrawl.sources.base import SourceInfo
from pixtrawl.sources.filters import Words, cc0_words


class Cleveland(PagedSource):
    """The Cleveland Museum of Art's collection."""

    name: ClassVar[str] = "cleveland"
    words: ClassVar[Words] = cc0_words("1")
    total_at = ("info", "total")
    records_at = ("data",)
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Cleveland Museum of Art",
        base_url="https://openaccess-api.clevelandart.org",
        sentence="Works of art as large JPEG (the museum's TIFF as a fall-back); most are CC0.",
        verified="recorded",
        delay_s=1.0,
        license="per image",
        terms="Open Access: works marked CC0 may be used for anything.",
    )

    def request(self, search: ApiSearch, page: int, seen: int) -> tuple[str, Params]:
        """Ask for a hundred works with pictures."""
        names, text = {"license": "cc0"}, search.query.text
        return "/api/artworks/", search.params(names, q=text, has_image=1, limit=100, skip=seen)

    def result(self, record: Any, answer: Any) -> ImageResult | None:
        """Read the largest JPEG, with the TIFF as its alternate."""
        images, claim = value.at(record, "images"), value.text(record, "share_license_status")
        sizes = (name for name in ("print", "full", "web") if value.url(images, name, "url"))
        size, whole = next(sizes, "web"), value.url(images, "full", "url")
        if (url := value.url(images, size, "url")) is None:
            return None
        width, height = value.size(images, size)
        return ImageResult(
            url=url,
            page_url=value.url(record, "url"),
            title=value.plain(record, "title"),
            width=width,
            height=height,
            thumb_url=value.url(images, "web", "url"),
            license=claim or value.plain(record, "copyright"),
            creator=value.plain(record, "creators", 0, "description"),
            alternates=(Alternate(whole, Kind.CACHED),) if whole and whole != url else (),
        )
