"""APIs that give numbered pages of records with a total: the most frequent kind.

A source is a subclass that declares where total and records lie in an answer, and has two methods:
`request` asks for a page, `result` reads one record.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from msgspec.structs import replace

from pixtrawl.sources.api import values as value
from pixtrawl.sources.api.json_source import ApiSearch, Batch, JsonSource, Place, ShapeError
from pixtrawl.sources.api.search import Params
from pixtrawl.sources.results import ImageResult

__all__ = ["ApiSearch", "ImageResult", "PagedSource", "Params", "ShapeError"]


class PagedSource(JsonSource):
    """A source that asks for page after page of records."""

    total_at: ClassVar[tuple[str | int, ...]]  # path of the number of all records
    records_at: ClassVar[tuple[str | int, ...]]  # path of the list of records
    max_records: ClassVar[int] = 1_000_000  # the most that the API gives for one query
    image_at: ClassVar[tuple[str | int, ...]] = ()  # null there: the record has no picture

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if cls.max_records < PagedSource.max_records and not cls.info.limit:
            cls.info = replace(cls.info, limit=f"{cls.max_records} a query")
        super().__init_subclass__(**kwargs)

    @abstractmethod
    def request(self, search: ApiSearch, page: int, seen: int) -> tuple[str, Params]:
        """Return path and parameters of page number `page`, from 1, after `seen` records."""

    @abstractmethod
    def result(self, record: Any, answer: Any) -> ImageResult | None:
        """Read one record of `answer`; None where it has no picture that can be read.

        May raise ShapeError.
        """

    def is_empty(self, record: Any) -> bool:
        """Return whether a record states that it has no picture: a null at `image_at`."""
        if not self.image_at:
            return False
        *path, name = self.image_at
        holder = value.at(record, *path)
        return isinstance(holder, dict) and name in holder and holder[name] is None

    async def batch(self, search: ApiSearch, place: Place) -> Batch:
        """Return one page of records."""
        page, seen = value.count(place.get("page")) or 1, value.count(place.get("seen")) or 0
        return self.parse(await search.json(*self.request(search, page, seen)), page, seen)

    def parse(self, answer: Any, page: int = 1, seen: int = 0) -> Batch:
        """Read an answer. Raises ShapeError."""
        total, records = value.count(answer, *self.total_at), value.at(answer, *self.records_at)
        if total is None or not isinstance(records, list):
            raise ShapeError(f"{self.name}'s answer has no list of records with a total")
        made = (self.result(record, answer) for record in records)
        seen += len(records)
        more = bool(records) and seen < min(total, self.max_records)
        return Batch(
            tuple(one for one in made if one is not None),
            {"page": page + 1, "seen": seen} if more else None,
            empty=all(map(self.is_empty, records)) if records else total == 0,
        )
