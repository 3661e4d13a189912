"""Wellcome Collection. Written from its documentation: no answer of it was recorded."""

from __future__ import annotations

from typing import Any, ClassVar, Final
from urllib.parse import quote

from pixtrawl.sources.api import values as value
from pixtrawl.sources.api.json_source import Ask, Batch, Found, JsonSource, Place, ShapeError
from pixtrawl.sources.base import SourceInfo
from pixtrawl.sources.filters import Words
from pixtrawl.sources.settings import common_settings

BASE_URL: Final = "https://api.wellcomecollection.org"
DELAY_S: Final = 0.5

MOST: Final = 10_000  # results a query
_PER_PAGE: Final = 100
_INFO: Final = "/info.json"
_ALL: Final = "cc-by,cc-by-nc,cc-by-nc-nd,cc-by-nd,cc-by-sa,cc-by-nc-sa,cc-0,pdm,ogl"


class Wellcome(JsonSource):
    """Wellcome Collection's images."""

    name: ClassVar[str] = "wellcome"
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
        base_url=BASE_URL,
        sentence="Medicine, life and art, in full size from its image server, with licences.",
        verified="documented only",
        filters=frozenset(words),
        settings=common_settings(BASE_URL, DELAY_S),
        delay_s=DELAY_S,
        limit="10000 a query",
        license="per image",
        terms="Free to use; each image has a licence of its own, attribution as it asks.",
    )

    async def batch(self, ask: Ask, place: Place) -> Batch:
        """One page of images."""
        page = value.count(place.get("page")) or 1
        params: dict[str, str | int] = {
            "query": ask.query.text, "pageSize": _PER_PAGE, "page": page,
            "include": "source.contributors",
        }  # fmt: skip
        if ask.words.get("license"):
            params["locations.license"] = ask.words["license"]
        batch, pages = read_page(await ask.json("/catalogue/v2/images", params))
        more = page < pages and page * _PER_PAGE < MOST
        return Batch(batch.found, {"page": page + 1} if more else None, batch.empty)


def read_page(said: Any) -> tuple[Batch, int]:
    """The images of one answer, and how many pages there are. Raises ShapeError."""
    total, listed = value.count(said, "totalResults"), value.at(said, "results")
    if total is None or not isinstance(listed, list):
        raise ShapeError("wellcome's answer has no list of results")
    found = tuple(one for one in map(_found, listed) if one is not None)
    return Batch(found, empty=total == 0 and not listed), value.count(said, "totalPages") or 1


def _found(image: Any) -> Found | None:
    where = value.at(image, "thumbnail")
    if value.url(where, "url") is None:
        where = value.at(image, "locations", 0)
    url = value.url(where, "url")
    if url is None:
        return None
    service = url.removesuffix(_INFO)
    served = service != url  # an address of the image server, which gives any size
    work, name = value.text(image, "source", "id"), value.text(image, "id")
    page = f"https://wellcomecollection.org/works/{quote(work)}" if work else None
    if page and name:
        page += f"/images?id={quote(name)}"
    return Found(
        url=f"{service}/full/max/0/default.jpg" if served else url,
        page_url=page,
        title=value.plain(image, "source", "title"),
        thumb_url=f"{service}/full/!400,400/0/default.jpg" if served else None,
        license=value.text(where, "license", "id"),
        license_url=value.url(where, "license", "url"),
        creator=value.plain(image, "source", "contributors", 0, "agent", "label")
        or value.plain(where, "credit"),
    )
