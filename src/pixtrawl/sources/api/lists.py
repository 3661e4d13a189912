"""APIs of two steps: a list of records, then one more request for the pictures of each."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct

from pixtrawl.sources.api.json_source import ApiSearch, Batch, ImageResult, JsonSource, Place

AT_ONCE: Final = 5  # records per batch


class Listing(Struct, frozen=True):
    """One page of records, and where the next one lies; None at the end."""

    records: Sequence[Any]
    following: Place | None = None


class ListingSource(JsonSource):
    """A source that is asked for a list, then for each of its records."""

    at_once: int = AT_ONCE
    listed: int = 0  # records on the last list read

    @abstractmethod
    async def listing(self, search: ApiSearch, place: Place) -> Listing:
        """Return one page of records; no records means that the list has ended."""

    @abstractmethod
    async def pictures(self, search: ApiSearch, record: Any) -> list[ImageResult] | None:
        """Return one record's pictures; None if the answer is unreadable, [] if it has none."""

    async def batch(self, search: ApiSearch, place: Place) -> Batch:
        """Return the pictures of the next few records."""
        at = place.get("at", 0)
        at = at if isinstance(at, int) and at >= 0 else 0
        outer = {key: given for key, given in place.items() if key != "at"}
        if search.memo.get("place") != outer:
            search.memo.update(listing=await self.listing(search, outer), place=outer)
        listing: Listing = search.memo["listing"]
        self.listed = len(listing.records)
        found: list[ImageResult] = []
        readable = True
        for record in listing.records[at : at + self.at_once]:
            pictures = await self.pictures(search, record)
            found += pictures or []
            readable = readable and pictures is not None
        following = listing.following
        if at + self.at_once < len(listing.records):
            following = {**outer, "at": at + self.at_once}
        return Batch(tuple(found), following, empty=readable)
