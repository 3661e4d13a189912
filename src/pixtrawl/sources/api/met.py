"""The Metropolitan Museum of Art: its public domain works, as CC0.

Verified against recorded objects. A search gives ids only; each object is one more request.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from pixtrawl.sources.api import values as value
from pixtrawl.sources.api.json_source import ApiSearch, ImageResult, Place, ShapeError
from pixtrawl.sources.api.lists import Listing, ListingSource
from pixtrawl.sources.base import ReplayHints, SourceInfo
from pixtrawl.sources.filters import Words

BASE_URL: Final = "https://collectionapi.metmuseum.org"
DELAY_S: Final = 0.25  # the museum states 80 requests a second and advises less

_API: Final = "/public/collection/v1"


class Met(ListingSource):
    """The Met's collection."""

    name: ClassVar[str] = "met"
    replay: ClassVar[ReplayHints] = ReplayHints(front=b'{"total": 1, "objectIDs": [1]}')
    # only works in the public domain have pictures, so that all of them meet each of these
    words: ClassVar[Words] = {
        "license": dict.fromkeys(("any", "open", "public", "commercial", "modify", "cc0"), ""),
    }
    info: ClassVar[SourceInfo] = SourceInfo(
        title="The Metropolitan Museum of Art",
        base_url=BASE_URL,
        sentence="Works of art in the public domain, in full size; the search is a loose one.",
        verified="recorded",
        delay_s=DELAY_S,
        license="cc0",
        terms="Open Access: works marked as public domain are CC0; at most 80 requests a second.",
    )

    async def listing(self, search: ApiSearch, place: Place) -> Listing:
        """Return every id that the search gives."""
        params = {"q": search.query.text, "hasImages": "true"}
        return Listing(read_ids(await search.json(f"{_API}/search", params)))

    async def pictures(self, search: ApiSearch, record: Any) -> list[ImageResult] | None:
        """Return one object's pictures; [] if it has been removed meanwhile (404)."""
        response = await search.get(f"{_API}/objects/{record}")
        if response.status == 404:
            return []
        return read_object(search.read(response))


def read_ids(answer: Any) -> list[int]:
    """Return ids of objects. Raises ShapeError."""
    total, listed = value.count(answer, "total"), value.at(answer, "objectIDs")
    if total == 0 and not listed:
        return []
    ids = [one for one in map(value.count, listed if isinstance(listed, list) else []) if one]
    if not ids:
        raise ShapeError("met's answer has no list of objects")
    return ids


def read_object(answer: Any) -> list[ImageResult] | None:
    """Return the pictures of one object; None where it is none."""
    primary = value.at(answer, "primaryImage")
    if value.count(answer, "objectID") is None or not isinstance(primary, str):
        return None
    if primary and value.url(primary) is None:  # empty where the work is not in the public domain
        return None
    free = value.at(answer, "isPublicDomain") is True
    claim = "CC0" if free else value.plain(answer, "rightsAndReproduction")
    additional = value.items(answer, "additionalImages")
    found = []
    for number, image in enumerate([primary, *additional]):
        url = value.url(image)
        if url is not None:
            found.append(
                ImageResult(
                    url=url,
                    page_url=value.url(answer, "objectURL"),
                    title=value.plain(answer, "title"),
                    thumb_url=value.url(answer, "primaryImageSmall") if number == 0 else None,
                    license=claim,
                    creator=value.plain(answer, "artistDisplayName"),
                )
            )
    return found
