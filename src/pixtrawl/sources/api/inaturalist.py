"""iNaturalist: photographs of observed species, each with licence and observer.

Verified against recorded answers of its API (v1). The query is the name of a taxon, scientific or
common.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from pixtrawl.model import Alternate, Kind
from pixtrawl.sources.api import values as value
from pixtrawl.sources.api.json_source import (
    ApiSearch,
    Batch,
    ImageResult,
    JsonSource,
    Place,
    ShapeError,
)
from pixtrawl.sources.base import SourceInfo, SourceSetting
from pixtrawl.sources.filters import Words

BASE_URL: Final = "https://api.inaturalist.org"
DELAY_S: Final = 1.0  # 60 requests a minute are asked for, 100 are the end

_PER_PAGE: Final = 200
_LARGE: Final = 1024  # pixels of the longer side of the size "large"
_CODES: Final = ("cc0", "cc-by", "cc-by-sa", "cc-by-nc", "cc-by-nd", "cc-by-nc-sa", "cc-by-nc-nd")
_RESERVED: Final = "all rights reserved"  # what a missing licence code means, by the API's pages


def _license(text: str) -> str | None:
    word = text.strip().lower()
    codes = {
        "any": (),
        "open": _CODES,
        "public": ("cc0",),
        "commercial": tuple(code for code in _CODES if "nc" not in code),
        "modify": tuple(code for code in _CODES if "nd" not in code),
    }
    if word in codes:
        return ",".join(codes[word])
    return word if word in _CODES else None


def _date(text: str) -> str | None:
    first, separator, last = text.partition("..")
    return f"{first}..{last}" if separator else None


class INaturalist(JsonSource):
    """iNaturalist observations."""

    name: ClassVar[str] = "inaturalist"
    words: ClassVar[Words] = {"license": _license, "date": _date}
    info: ClassVar[SourceInfo] = SourceInfo(
        title="iNaturalist",
        base_url=BASE_URL,
        sentence="Photographs of plants and animals by the name of a taxon, identified by people.",
        verified="recorded",
        settings=(
            SourceSetting("quality_grade", "research", "research, needs_id, casual; any for all"),
        ),
        delay_s=DELAY_S,
        limit="all there are; 10000 requests and 24 GB of pictures a day",
        license="per image",
        terms="At most 60 requests a minute and 10000 a day; media at most 5 GB an hour and 24 GB "
        "a day. Photographs belong to their observers, many with all rights reserved: --license.",
    )

    async def batch(self, search: ApiSearch, place: Place) -> Batch:
        """Return the observations after the last id."""
        params: dict[str, str | int] = {
            "taxon_name": search.query.text, "photos": "true", "per_page": _PER_PAGE,
            "order_by": "id", "order": "asc",
        }  # fmt: skip
        grade = self.settings.given.get("quality_grade", "").strip() or "research"
        if grade != "any":
            params["quality_grade"] = grade
        above = value.count(place.get("above"))
        if above:
            params["id_above"] = above
        if search.words.get("license"):
            params["photo_license"] = search.words["license"]
        if "date" in search.words:
            params["d1"], _, params["d2"] = search.words["date"].partition("..")
        batch = read_page(await search.json("/v1/observations", params))
        if not search.words.get("license"):
            return batch
        wanted = set(
            search.words["license"].split(",")
        )  # the filter is met by one photo of several
        kept = tuple(one for one in batch.found if one.license in wanted)
        return Batch(kept, batch.following, empty=batch.empty or bool(batch.found))


def read_page(answer: Any) -> Batch:
    """Return the photographs of one answer. Raises ShapeError."""
    total, results = value.count(answer, "total_results"), value.at(answer, "results")
    if total is None or not isinstance(results, list):
        raise ShapeError("inaturalist's answer has no list of results")
    found = []
    for observation in results:
        for photo in value.items(observation, "photos"):
            one = _found(observation, photo)
            if one is not None:
                found.append(one)
    last = value.count(results, -1, "id")
    more = len(results) < total and last is not None
    empty = all("photos" in one for one in results if isinstance(one, dict))
    empty = (total == 0 and not results) or (
        empty and bool(results) and not any(value.items(one, "photos") for one in results)
    )
    return Batch(tuple(found), {"above": last} if more else None, empty)


def _found(observation: Any, photo: Any) -> ImageResult | None:
    url = value.url(photo, "url")
    if url is None:
        return None
    width = value.pixels(photo, "original_dimensions", "width")
    height = value.pixels(photo, "original_dimensions", "height")
    alternates: tuple[Alternate, ...] = ()
    original = url
    if "/square." in url:
        original = url.replace("/square.", "/original.")
        if width and height and max(width, height) <= _LARGE:  # then "large" is the whole of it
            alternates = (Alternate(url.replace("/square.", "/large."), Kind.CACHED),)
    common = value.text(observation, "species_guess")
    name = value.text(observation, "taxon", "name")
    attribution = value.text(photo, "attribution")
    user = value.text(observation, "user", "name") or value.text(observation, "user", "login")
    return ImageResult(
        url=original,
        page_url=value.url(observation, "uri"),
        title=f"{name} ({common})" if name and common and common != name else name or common,
        width=width,
        height=height,
        thumb_url=url.replace("/square.", "/medium."),
        license=value.text(photo, "license_code") or attribution or _RESERVED,
        creator=user or attribution,
        alternates=alternates,
    )
