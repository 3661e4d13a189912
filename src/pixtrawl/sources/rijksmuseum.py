"""The Rijksmuseum's Linked Art. Written from its documentation: no answer of it was recorded.

A search gives ids of objects; an object shows a visual item, that is shown by a digital object, and
that lies on an image server: three more requests a picture. The search has no free text: the query
is looked for in titles, then in descriptions.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from pixtrawl.sources import json_values as value
from pixtrawl.sources.base import SourceInfo
from pixtrawl.sources.json_api import Ask, Found, Place, ShapeError
from pixtrawl.sources.json_lists import Listing, ListingSource
from pixtrawl.sources.settings import common_settings

BASE_URL: Final = "https://data.rijksmuseum.nl"
DELAY_S: Final = 0.5

_IDS: Final = "id.rijksmuseum.nl"  # the host of its ids, which leads to the same data
_JSON_LD: Final = {"Accept": "application/ld+json"}
_ENGLISH: Final = "300388277"  # of the Getty's vocabulary
_FULL: Final = "/full/max/0/default.jpg"


class Rijksmuseum(ListingSource):
    """The Rijksmuseum's collection."""

    name: ClassVar[str] = "rijksmuseum"
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Rijksmuseum",
        base_url=BASE_URL,
        sentence="Works of art in full size, found by words of their titles and descriptions.",
        verified="documented only",
        settings=common_settings(BASE_URL, DELAY_S),
        delay_s=DELAY_S,
        limit="all there are; four requests a picture",
        license="per image",
        terms="Open data without a key; most pictures are in the public domain or CC0.",
    )

    async def listing(self, ask: Ask, place: Place) -> Listing:
        """One page of ids."""
        by = "description" if place.get("by") == "description" else "title"
        following = value.text(place.get("next"))
        if following is not None:
            said = await ask.json(following, headers=_JSON_LD)
        else:
            params = {by: ask.query.text, "imageAvailable": "true"}
            said = await ask.json("/search/collection", params, _JSON_LD)
        ids, more = read_ids(said)
        path = ask.below_base(more, _IDS)
        if path is not None:
            return Listing(ids, {"by": by, "next": path})
        return Listing(ids, {"by": "description"} if by == "title" else None)

    async def pictures(self, ask: Ask, record: Any) -> list[Found] | None:
        """The picture of one object."""
        made = await self._follow(ask, value.url(record))
        shown = await self._follow(ask, value.url(made, "shows", 0, "id"))
        if made is None:
            return None
        found = []
        for digital in value.items(shown, "digitally_shown_by")[:5]:
            lying = await self._follow(ask, value.url(digital, "id"))
            one = read_picture(made, shown, lying)
            if one is not None:
                found.append(one)
        return found if found or shown is None or "digitally_shown_by" not in shown else None

    async def _follow(self, ask: Ask, address: str | None) -> Any:
        """The entity behind an id; None where there is none (any more)."""
        path = ask.below_base(address, _IDS)
        if path is None:
            return None
        response = await ask.get(path, headers=_JSON_LD)
        return None if response.status in {404, 410} else ask.read(response)


def read_ids(said: Any) -> tuple[list[Any], str | None]:
    """Ids of objects, and the address of the next page. Raises ShapeError."""
    total = value.count(said, "partOf", "totalItems")
    listed = value.at(said, "orderedItems")
    if listed is None and total == 0:
        listed = []
    if not isinstance(listed, list) or (not listed and total is None):
        raise ShapeError("rijksmuseum's answer has no list of objects")
    ids = [value.url(one, "id") for one in listed]
    if listed and not any(ids):
        raise ShapeError("rijksmuseum's list holds no ids")
    return [one for one in ids if one], value.url(said, "next", "id")


def read_picture(made: Any, shown: Any, lying: Any) -> Found | None:
    """A picture from the three entities that describe it."""
    url = value.url(lying, "access_point", 0, "id")
    if url is None:
        return None
    if url.endswith("/info.json"):
        url = url.removesuffix("/info.json") + _FULL
    claim = None
    for entity in (lying, shown, made):
        claim = claim or value.url(entity, "subject_to", 0, "classified_as", 0, "id")
    page = value.url(made, "subject_of", 0, "digitally_carried_by", 0, "access_point", 0, "id")
    return Found(
        url=url,
        page_url=page or value.url(made, "id"),
        title=_title(made),
        license=claim,
        license_url=claim,
        creator=value.plain(made, "produced_by", "referred_to_by", 0, "content"),
    )


def _title(made: Any) -> str | None:
    names = [one for one in value.items(made, "identified_by") if value.text(one, "type") == "Name"]
    english = [one for one in names if _ENGLISH in (value.text(one, "language", 0, "id") or "")]
    return next((text for one in [*english, *names] if (text := value.plain(one, "content"))), None)
