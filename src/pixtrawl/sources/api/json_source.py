"""What sources over JSON APIs share: asking in turn, paging, allowances, what ends a query how.

A source is a subclass with one method: `batch` asks for one piece of the answer and gives its
`Batch`. It may raise `ShapeError` for an answer that is not of the form it is known by; everything
else (statuses, repeated results, positions, keys that must not be kept) happens here.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping
from typing import Any, ClassVar, Final

from msgspec import Struct

from pixtrawl.errors import SourceStop
from pixtrawl.model import Query, SourceOutcome
from pixtrawl.net.interface import Response
from pixtrawl.sources import keys, stops
from pixtrawl.sources.api.search import ApiSearch, ShapeError
from pixtrawl.sources.base import Page, SourceContext, SourceSetting
from pixtrawl.sources.filters import in_words_of
from pixtrawl.sources.http_source import HttpSource
from pixtrawl.sources.results import ImageResult, candidate_of

__all__ = ["ApiSearch", "Batch", "ImageResult", "JsonSource", "Place", "ShapeError", "key_setting"]

Place = Mapping[str, Any]  # where in the list: plain JSON values of the source's own

_MAX_BATCHES: Final = 2000  # ends a server that never ends
_MAX_HOLLOW: Final = 2  # pieces without a picture, one after another
_MAX_EMPTY: Final = 50  # and such as tell why: records that have none
_NOTHING_READ: Final = "the answer holds records, and no picture could be read from them"
_MAX_PLACE: Final = 20_000  # characters


class Batch(Struct, frozen=True):
    """One piece of the answer.

    `following` is where the next piece lies; None at the end. `empty` tells that the answer says
    itself that there is nothing here; without it, a piece without pictures means that the source
    has changed.
    """

    found: tuple[ImageResult, ...] = ()
    following: Place | None = None
    empty: bool = False
    related: tuple[str, ...] = ()


def key_setting(name: str, what: str = "access key") -> SourceSetting:
    """The setting `key` of a source."""
    sentence = f"{what}; or the environment variable {keys.variable_of(name)}"
    return SourceSetting("key", "", sentence, secret=True)


class JsonSource(HttpSource, ABC):
    """A source over a JSON API. One request at a time, whatever the number of queries."""

    has_quota: ClassVar[bool] = False  # whether its own 429 means that an allowance is used up

    def __init__(self, settings: Mapping[str, str]) -> None:
        super().__init__(settings)
        has_key = any(one.key == "key" for one in self.info.settings)
        self.key = keys.key_of(self.name, settings) if has_key else ""
        self._turn = asyncio.Lock()

    @abstractmethod
    async def batch(self, search: ApiSearch, place: Place) -> Batch:
        """One piece; `place` is empty for the first. Raises ShapeError, SourceStop, FetchError."""

    def secrets(self) -> tuple[str, ...]:
        """What must not appear in anything that is kept or shown."""
        return (self.key,) if self.key else ()

    def explain(self, search: ApiSearch, response: Response, said: Any) -> SourceStop | None:
        """A status other than 2xx in the source's own terms; None: as everywhere.

        `said` is the answer as JSON, None where it is none.
        """
        return None

    def unsupported(self) -> SourceStop | None:
        """Why it cannot be asked at all with these settings."""
        if "key" in self.info.needs and not self.key:
            return SourceStop(
                SourceOutcome.UNSUPPORTED,
                message=f"{self.name} needs a key",
                next_step=keys.where(self.name),
            )
        return None

    async def discover(self, query: Query, context: SourceContext) -> AsyncGenerator[Page, None]:
        """Pages of candidates in the source's order. Raises SourceStop."""
        if (stop := self.unsupported()) is not None:
            raise stop
        words = in_words_of(self.name, query, context, self.words, also=self.otherwise)
        search = ApiSearch(
            name=self.name, query=query, context=context, words=words, turn=self._turn,
            settings=self.settings, secrets=self.secrets, explain=self.explain,
            has_quota=self.has_quota,
        )  # fmt: skip
        place, rank = _begin(context)
        seen: set[str] = set()
        hollow = 0
        for _ in range(_MAX_BATCHES):
            if place is None:
                break
            batch = await self._piece(search, place)
            hollow = 0 if batch.found else hollow + 1
            if hollow > _MAX_EMPTY:
                break
            if not batch.found and not batch.empty:
                if not rank:
                    raise search.changed(_NOTHING_READ)
                # Behind good pieces it is the end of what is given, whatever total is told; one
                # may be of records without pictures.
                if hollow >= _MAX_HOLLOW:
                    break
                place = batch.following if batch.following != place else None
                continue
            fresh = search.presentable(_fresh(batch.found, seen))
            if batch.found and not fresh:  # it repeats itself: that is its end
                break
            made = (
                candidate_of(one, query, self.name, rank + number)
                for number, one in enumerate(fresh, 1)
            )
            page = tuple(one for one in made if one)
            rank += len(page)
            place = batch.following if batch.following != place else None
            yield Page(page, {"place": place, "rank": rank}, batch.related)
        if not rank:
            raise stops.no_results(self.name)

    async def _piece(self, search: ApiSearch, place: Place) -> Batch:
        try:
            return await self.batch(search, place)
        except ShapeError as error:
            raise search.changed(str(error)) from None


def _begin(context: SourceContext) -> tuple[Place | None, int]:
    """Place and rank: the first ones, or those after an earlier run's last page."""
    position = context.position or {}
    rank, place = position.get("rank"), position.get("place", {})
    if not isinstance(rank, int) or rank < 0:
        return {}, 0
    if place is None or (isinstance(place, dict) and len(str(place)) <= _MAX_PLACE):
        return place, rank
    return {}, 0


def _fresh(found: tuple[ImageResult, ...], seen: set[str]) -> list[ImageResult]:
    """Those whose URL did not come before, each once; `seen` learns of them."""
    fresh = []
    for one in found:
        best = one.best
        if best is not None and best.url not in seen:
            seen.add(best.url)
            fresh.append(one)
    return fresh
