"""Sources that read a search engine's result pages: page after page, until one brings nothing new.

A source is a subclass with two methods: `request` returns the request for a page, `parse` reads it.
Cookies, the consent page, walls, repetition, positions and the end of the list are handled here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping
from typing import ClassVar, Final

from pixtrawl.errors import SourceStop
from pixtrawl.model import Candidate, Query, SourceOutcome
from pixtrawl.net.interface import Response
from pixtrawl.sources.base import Page, Position, SourceContext
from pixtrawl.sources.consent import ConsentGate
from pixtrawl.sources.filters import in_words_of
from pixtrawl.sources.http_source import HttpSource
from pixtrawl.sources.results import candidate_of
from pixtrawl.sources.web.search import ResultPage, SearchRequest, WebSearch

__all__ = ["HtmlSource", "ResultPage", "SearchRequest", "WebSearch"]

_MAX_RESULTS: Final = 1000  # on one page


class HtmlSource(HttpSource, ABC):
    """A source over HTML pages."""

    max_pages: ClassVar[int] = 50  # bounds a server that repeats for ever
    referer: ClassVar[bool] = False  # send the front page as Referer
    consent_banner: ClassVar[str] = ""  # CSS of a consent page without a known form
    reject_cookies: ClassVar[Mapping[str, str]] = {}  # what "reject all" sets by a script

    @abstractmethod
    def request(self, search: WebSearch) -> SearchRequest:
        """Return the request for page `search.number`, from 0."""

    @abstractmethod
    def parse(self, search: WebSearch, response: Response) -> ResultPage | None:
        """Read a page; None if it has neither results nor a statement that there are none.

        Raises SourceStop for a refusal of a form that only this source has.
        """

    async def prepare(self, search: WebSearch) -> None:
        """Prepare a query: cookies, headers, a token. Raises SourceStop, FetchError."""

    async def page(self, search: WebSearch) -> ResultPage:
        """Ask for one page. Raises SourceStop, FetchError."""
        return await search.read(
            lambda: self.request(search), lambda response: self.parse(search, response)
        )

    async def discover(self, query: Query, context: SourceContext) -> AsyncGenerator[Page, None]:
        """Yield candidates as the engine ranks them, each URL once. Raises SourceStop."""
        search = self._search(query, context)
        if search.number >= self.max_pages:
            return
        await self.prepare(search)
        seen: set[str] = set()
        while search.number < self.max_pages:
            try:
                page = await self.page(search)
            except SourceStop as stop:
                if search.rank and stop.outcome is SourceOutcome.NO_RESULTS:
                    return
                raise
            found: list[Candidate] = []
            for result in page.results[:_MAX_RESULTS]:
                candidate = candidate_of(result, query, self.name, search.rank + 1)
                if candidate is not None and candidate.url not in seen:
                    seen.add(candidate.url)
                    search.rank += 1
                    found.append(candidate)
            if not found:
                return
            search.number = search.number + 1 if page.more else self.max_pages
            search.next = page.next
            yield Page(tuple(found), self.position(search), page.related)

    def position(self, search: WebSearch) -> dict[str, str | int]:
        """Return where a later run goes on: plain JSON values."""
        return {"page": search.number, "rank": search.rank}

    def resume(self, search: WebSearch, position: Position) -> None:
        """Resume from an earlier run's position; start anew if it is malformed."""
        number, rank = position.get("page"), position.get("rank")
        if isinstance(number, int) and isinstance(rank, int) and number >= 0 and rank >= 0:
            search.number, search.rank = number, rank

    def _search(self, query: Query, context: SourceContext) -> WebSearch:
        base = self.settings.base_url
        search = WebSearch(
            source=self.name,
            base_url=base,
            query=query,
            context=context,
            words=in_words_of(self.name, query, context, self.words, also=self.otherwise),
            headers={"Referer": f"{base}/"} if self.referer else {},
            gate=ConsentGate(
                source=self.name,
                context=context,
                reject_cookies=self.reject_cookies,
                banner=self.consent_banner,
            ),
        )
        self.resume(search, context.position or {})
        return search
