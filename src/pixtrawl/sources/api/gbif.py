"""GBIF: pictures of specimens and observations from the world's natural history collections.

Verified against recorded answers. The query is taken for a scientific name first, then for words
anywhere in a record. The licence of a record covers its data and is not read; that of the
picture is.
"""

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
)
from pixtrawl.sources.base import SourceInfo
from pixtrawl.sources.filters import Words

BASE_URL: Final = "https://api.gbif.org"
DELAY_S: Final = 0.5

MOST: Final = 100_000  # offset and limit together
_PER_PAGE: Final = 100
_CODES: Final = {"cc0": "CC0_1_0", "cc-by": "CC_BY_4_0", "cc-by-nc": "CC_BY_NC_4_0"}


def _license(text: str) -> str | None:
    word = text.strip().lower()
    wishes = {
        "any": "",
        "open": "CC0_1_0,CC_BY_4_0,CC_BY_NC_4_0",
        "public": "CC0_1_0",
        "commercial": "CC0_1_0,CC_BY_4_0",
        "modify": "CC0_1_0,CC_BY_4_0,CC_BY_NC_4_0",
    }
    return wishes.get(word, _CODES.get(word))


class Gbif(JsonSource):
    """GBIF occurrences with pictures."""

    name: ClassVar[str] = "gbif"
    words: ClassVar[Words] = {
        "license": _license,
        "region": lambda text: text.upper(),
    }
    info: ClassVar[SourceInfo] = SourceInfo(
        title="GBIF",
        base_url=BASE_URL,
        sentence="Pictures of specimens and observations by scientific name, with licences.",
        verified="recorded",
        delay_s=DELAY_S,
        limit="100000 records a query",
        license="per image",
        terms="Free to use with citation of the data sets; the licence of a picture is its "
        "publisher's and may differ from the record's. Pictures lie with their publishers; many "
        "links are dead.",
    )

    async def batch(self, search: ApiSearch, place: Place) -> Batch:
        """Return one page of records."""
        by = "q" if place.get("by") == "q" else "scientificName"
        offset = value.count(place.get("offset")) or 0
        params: list[tuple[str, str | int]] = [
            (by, search.query.text), ("mediaType", "StillImage"), ("limit", _PER_PAGE),
            ("offset", offset),
        ]  # fmt: skip
        licenses = filter(None, search.words.get("license", "").split(","))
        params += [("license", one) for one in licenses]
        if "region" in search.words:
            params.append(("country", search.words["region"]))
        batch, last = read_page(await search.json("/v1/occurrence/search", params))
        if batch.empty and not batch.found and by == "scientificName" and offset == 0:
            return Batch(following={"by": "q"}, empty=True)
        following = {"by": by, "offset": offset + _PER_PAGE}
        more = not last and offset + 2 * _PER_PAGE <= MOST
        return Batch(batch.found, following if more else None, batch.empty)


def read_page(answer: Any) -> tuple[Batch, bool]:
    """Return the pictures of one answer, and whether it is the last. Raises ShapeError."""
    total, results = value.count(answer, "count"), value.at(answer, "results")
    if total is None or not isinstance(results, list):
        raise ShapeError("gbif's answer has no list of results")
    found = []
    for record in results:
        for media in value.items(record, "media"):
            one = _found(record, media)
            if one is not None:
                found.append(one)
    empty = all(_has_none(record) for record in results)
    last = value.at(answer, "endOfRecords") is not False or not results
    return Batch(tuple(found), empty=empty and (bool(results) or total == 0)), last


def _has_none(record: Any) -> bool:
    """Return whether the record states that it has no picture (sounds, descriptions only)."""
    media = value.at(record, "media")
    return isinstance(media, list) and not any(
        value.at(one, "identifier") and value.text(one, "type") in {None, "StillImage"}
        for one in media
    )


def _found(record: Any, media: Any) -> ImageResult | None:
    url = value.url(media, "identifier")
    kind = value.text(media, "type") or "StillImage"
    if url is None or kind != "StillImage":
        return None
    claim = value.text(media, "license")
    creator = value.plain(media, "creator") or value.plain(media, "rightsHolder")
    key = value.count(record, "key")
    page = value.url(media, "references") or value.url(record, "references")
    return ImageResult(
        url=url,
        page_url=page or (f"https://www.gbif.org/occurrence/{key}" if key else None),
        title=value.plain(media, "title") or value.plain(record, "scientificName"),
        license=claim,
        license_url=value.url(claim),
        creator=creator or value.plain(record, "rightsHolder"),
    )
