"""The base of sources over JSON APIs: serial requests, paging, allowances, outcomes.

A source is a subclass with one method: `batch` asks for one piece of the answer and returns its
`Batch`. It raises `ShapeError` for an answer that does not have the known form; everything else
(statuses, repeated results, positions for resuming, secrets) is handled here.
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

Place = Mapping[str, Any]  # position in the list: plain JSON values, opaque to others

_MAX_BATCHES: Final = 2000  # bounds a server that repeats for ever
_MAX_HOLLOW: Final = 2  # consecutive pieces without a picture
_MAX_EMPTY: Final = 50  # the same, if their records state that they have none
_NOTHING_READ: Final = "the answer holds records, and no picture could be read from them"
_MAX_PLACE: Final = 20_000  # characters


class Batch(Struct, frozen=True):
    """One piece of the answer.

    `following` is the place of the next piece; None at the end. `empty`: the answer itself states
    that there is nothing here. A piece without pictures and without it means that the API changed.
    """

    found: tuple[ImageResult, ...] = ()
    following: Place | None = None
    empty: bool = False
    related: tuple[str, ...] = ()


def key_setting(name: str, what: str = "access key") -> SourceSetting:
    """Return the setting `key` of a source."""
    sentence = f"{what}; or the environment variable {keys.variable_of(name)}"
    return SourceSetting("key", "", sentence, secret=True)


class JsonSource(HttpSource, ABC):
    """A source over a JSON API. One request at a time, whatever the number of queries."""

    has_quota: ClassVar[bool] = False  # 429 means a used-up allowance, not a rate limit

    def __init__(self, settings: Mapping[str, str]) -> None:
        super().__init__(settings)
        has_key = any(one.key == "key" for one in self.info.settings)
        self.key = keys.key_of(self.name, settings) if has_key else ""
        self._turn = asyncio.Lock()

    @abstractmethod
    async def batch(self, search: ApiSearch, place: Place) -> Batch:
        """Return one batch; `place` is empty for the first.

        Raises:
            ShapeError: the answer does not have the known form.
            SourceStop: the source refused, or its allowance is used up.
            FetchError: the network failed.
        """

    def secrets(self) -> tuple[str, ...]:
        """Return the values that must never be stored or shown."""
        return (self.key,) if self.key else ()

    def explain(self, search: ApiSearch, response: Response, answer: Any) -> SourceStop | None:
        """Return the stop for a non-2xx status that this API uses in its own way, else None.

        `answer` is the parsed JSON; None if the answer is not JSON.
        """
        return None

    def unsupported(self) -> SourceStop | None:
        """Return the stop if the source cannot be asked with these settings, else None."""
        if "key" in self.info.needs and not self.key:
            return SourceStop(
                SourceOutcome.UNSUPPORTED,
                message=f"{self.name} needs a key",
                next_step=keys.where(self.name),
            )
        return None

    async def discover(self, query: Query, context: SourceContext) -> AsyncGenerator[Page, None]:
        """Yield pages of candidates in the source's order. Raises SourceStop."""
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
                # After good pieces this is the end of the list, whatever total is stated; a single
                # piece may consist of records without pictures.
                if hollow >= _MAX_HOLLOW:
                    break
                place = batch.following if batch.following != place else None
                continue
            fresh = search.presentable(_fresh(batch.found, seen))
            if batch.found and not fresh:  # only repetitions: the end of the list
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
    """Return place and rank of the first batch, or of the one after an earlier run's last page."""
    position = context.position or {}
    rank, place = position.get("rank"), position.get("place", {})
    if not isinstance(rank, int) or rank < 0:
        return {}, 0
    if place is None or (isinstance(place, dict) and len(str(place)) <= _MAX_PLACE):
        return place, rank
    return {}, 0


def _fresh(found: tuple[ImageResult, ...], seen: set[str]) -> list[ImageResult]:
    """Return the results with new URLs, each once, and add these to `seen`."""
    fresh = []
    for one in found:
        best = one.best
        if best is not None and best.url not in seen:
            seen.add(best.url)
            fresh.append(one)
    return fresh
