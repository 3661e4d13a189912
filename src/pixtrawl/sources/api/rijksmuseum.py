"""The Rijksmuseum's Linked Art. Its object is verified against a recorded one.

A search returns ids of objects. An object refers to a visual item, that to a digital object, and
that to an image server: three more requests a picture. The search has no free text: the query is
searched for in titles, then in descriptions. The rights to a picture are stated by the visual item;
those stated by the object concern its metadata.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from pixtrawl import licenses
from pixtrawl.sources.api import iiif, values as value
from pixtrawl.sources.api.json_source import ApiSearch, ImageResult, Place, ShapeError
from pixtrawl.sources.api.lists import Listing, ListingSource
from pixtrawl.sources.base import ReplayHints, SourceInfo

BASE_URL: Final = "https://data.rijksmuseum.nl"
DELAY_S: Final = 0.5

_IDS: Final = "id.rijksmuseum.nl"  # the host of its ids, which leads to the same data
_JSON_LD: Final = {"Accept": "application/ld+json"}
_ENGLISH: Final = "300388277"  # of the Getty's vocabulary


class Rijksmuseum(ListingSource):
    """The Rijksmuseum's collection."""

    name: ClassVar[str] = "rijksmuseum"
    replay: ClassVar[ReplayHints] = ReplayHints(
        front=b'{"partOf": {"totalItems": 1}, "orderedItems": '
        b'[{"id": "https://id.rijksmuseum.nl/1"}]}',
        behind=(
            b'{"digitally_shown_by": [{"id": "https://id.rijksmuseum.nl/3"}]}',
            b'{"access_point": [{"id": "http://replay.invalid/full/max/0/default.jpg"}]}',
        ),
    )
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Rijksmuseum",
        base_url=BASE_URL,
        sentence="Works of art in full size, found by words of their titles and descriptions; "
        "Dutch words find far more than English ones.",
        verified="recorded",
        delay_s=DELAY_S,
        limit="all there are; four requests a picture",
        license="per image",
        terms="Open data without a key; most pictures are in the public domain or CC0.",
    )

    async def listing(self, search: ApiSearch, place: Place) -> Listing:
        """Return one page of ids."""
        by = "description" if place.get("by") == "description" else "title"
        following = value.text(place.get("next"))
        if following is not None:
            answer = await search.json(following, headers=_JSON_LD)
        else:
            params = {by: search.query.text, "imageAvailable": "true"}
            answer = await search.json("/search/collection", params, _JSON_LD)
        ids, more = read_ids(answer)
        path = search.below_base(more, _IDS)
        if path is not None:
            return Listing(ids, {"by": by, "next": path})
        return Listing(ids, {"by": "description"} if by == "title" else None)

    async def pictures(self, search: ApiSearch, record: Any) -> list[ImageResult] | None:
        """Return the picture of one object."""
        made = await self._follow(search, value.url(record))
        shown = await self._follow(search, value.url(made, "shows", 0, "id"))
        if made is None:
            return None
        found = []
        for digital in value.items(shown, "digitally_shown_by")[:5]:
            lying = await self._follow(search, value.url(digital, "id"))
            one = read_picture(made, shown, lying)
            if one is not None:
                found.append(one)
        return found if found or shown is None or "digitally_shown_by" not in shown else None

    async def _follow(self, search: ApiSearch, address: str | None) -> Any:
        """Return the entity behind an id; None where there is none (any more)."""
        path = search.below_base(address, _IDS)
        if path is None:
            return None
        response = await search.get(path, headers=_JSON_LD)
        return None if response.status in {404, 410} else search.read(response)


def read_ids(answer: Any) -> tuple[list[Any], str | None]:
    """Return ids of objects, and the address of the next page. Raises ShapeError."""
    total = value.count(answer, "partOf", "totalItems")
    listed = value.at(answer, "orderedItems")
    if listed is None and total == 0:
        listed = []
    if not isinstance(listed, list) or (not listed and total is None):
        raise ShapeError("rijksmuseum's answer has no list of objects")
    ids = [value.url(one, "id") for one in listed]
    if listed and not any(ids):
        raise ShapeError("rijksmuseum's list holds no ids")
    return [one for one in ids if one], value.url(answer, "next", "id")


def read_picture(made: Any, shown: Any, lying: Any) -> ImageResult | None:
    """Return a picture from the three entities that describe it."""
    url = value.url(lying, "access_point", 0, "id") or value.url(lying, "access_point", "id")
    if url is None:
        return None
    if url.endswith("/info.json"):
        url = url.removesuffix("/info.json") + iiif.FULL
    claim, claim_url = _right(shown)
    if claim is None:
        claim, claim_url = _right(lying)
    return ImageResult(
        url=url,
        page_url=_page(made) or value.url(made, "id"),
        title=_words(one for one in value.items(made, "identified_by") if _is_name(one)),
        license=claim,
        license_url=claim_url,
        creator=_words(value.items(made, "produced_by", "referred_to_by")),
    )


def _right(entity: Any) -> tuple[str | None, str | None]:
    """Return the claim of an entity's rights, and its address where it has one."""
    claims = []
    for right in value.items(entity, "subject_to"):
        name = _words(value.items(right, "identified_by"))
        url = value.url(right, "classified_as", 0, "id")
        claims.append((name or url, url))
    claim = licenses.one_claim(claim for claim, _ in claims)
    return next(((claim, url) for one, url in claims if one == claim and claim), (None, None))


def _page(made: Any) -> str | None:
    """Return the URL of the object's page for people: a text carried by a file."""
    for text in value.items(made, "subject_of"):
        for file in value.items(text, "digitally_carried_by"):
            if (value.text(file, "format") or "text/html") == "text/html":
                url = value.url(file, "access_point", 0, "id")
                if url is not None:
                    return url
    return None


def _is_name(one: Any) -> bool:
    return value.text(one, "type") == "Name"


def _words(texts: Iterable[Any]) -> str | None:
    """Return the first of several texts, English ones first."""
    listed = list(texts)
    english = [one for one in listed if _ENGLISH in (value.text(one, "language", 0, "id") or "")]
    texts = (value.plain(one, "content") for one in [*english, *listed])
    return next((text for text in texts if text), None)
