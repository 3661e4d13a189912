"""Wellcome Collection. Written from its documentation: no answer of it was recorded."""

from __future__ import annotations

from typing import Any, ClassVar, Final
from urllib.parse import quote

from pixtrawl.sources.api import iiif, values as value
from pixtrawl.sources.api.paged import ApiSearch, ImageResult, PagedSource, Params
from pixtrawl.sources.base import SourceInfo
from pixtrawl.sources.filters import Words

_INFO: Final = "/info.json"
_ALL: Final = "cc-by,cc-by-nc,cc-by-nc-nd,cc-by-nd,cc-by-sa,cc-by-nc-sa,cc-0,pdm,ogl"


class Wellcome(PagedSource):
    """Wellcome Collection's images."""

    name: ClassVar[str] = "wellcome"
    total_at = ("totalResults",)
    records_at = ("results",)
    max_records = 10_000
    words: ClassVar[Words] = {
        "license": {
            "any": "",
            "open": _ALL,
            "public": "cc-0,pdm",
            "commercial": "cc-by,cc-by-nd,cc-by-sa,cc-0,pdm,ogl",
            "modify": "cc-by,cc-by-nc,cc-by-sa,cc-by-nc-sa,cc-0,pdm,ogl",
            "cc0": "cc-0",
            **{code: code for code in _ALL.split(",")},
        },
    }
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Wellcome Collection",
        base_url="https://api.wellcomecollection.org",
        sentence="Medicine, life and art, in full size from its image server, with licences.",
        delay_s=0.5,
        license="per image",
        terms="Free to use; each image has a licence of its own, attribution as it asks.",
    )

    def request(self, search: ApiSearch, page: int, seen: int) -> tuple[str, Params]:
        """Ask for a hundred images."""
        asked = search.params(
            {"license": "locations.license"}, query=search.query.text, pageSize=100, page=page
        )
        return "/catalogue/v2/images", asked | {"include": "source.contributors"}

    def result(self, record: Any, answer: Any) -> ImageResult | None:
        """Return the picture in full size from the image server."""
        where = value.at(record, "thumbnail")
        if value.url(where, "url") is None:
            where = value.at(record, "locations", 0)
        url = value.url(where, "url")
        if url is None:
            return None
        service = url.removesuffix(_INFO)
        served = service != url  # an address of the image server, which gives any size
        work, name = value.text(record, "source", "id"), value.text(record, "id")
        page = f"https://wellcomecollection.org/works/{quote(work)}" if work else None
        if page and name:
            page += f"/images?id={quote(name)}"
        return ImageResult(
            url=service + iiif.FULL if served else url,
            page_url=page,
            title=value.plain(record, "source", "title"),
            thumb_url=iiif.within(service, 400) if served else None,
            license=value.text(where, "license", "id"),
            license_url=value.url(where, "license", "url"),
            creator=value.plain(record, "source", "contributors", 0, "agent", "label")
            or value.plain(where, "credit"),
        )
