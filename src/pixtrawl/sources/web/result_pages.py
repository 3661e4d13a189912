"""What sources that read a search engine's result pages share: one query's walk through them.

A source says how page number N is asked and read; cookies, the consent page, walls, repetition and
the end of the list are the business of this module.
"""

from __future__ import annotations

import html
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from msgspec import Struct, field

from pixtrawl.errors import SourceStop
from pixtrawl.events import Notice
from pixtrawl.model import Alternate, Candidate, Kind, Query, SourceOutcome
from pixtrawl.net.interface import Response
from pixtrawl.sources import consent, stops
from pixtrawl.sources.base import Page, SourceContext
from pixtrawl.sources.html import Document, TooComplexError
from pixtrawl.sources.walls import wall_of

_T = TypeVar("_T")

MAX_BYTES: Final = 8 * 2**20
_MAX_RESULTS: Final = 1000  # on one page
_MAX_RELATED: Final = 100
_MAX_PIXELS: Final = 10**6  # on a side; more is a mistake

_WEB_URL: Final = re.compile(r"https?://[^\s\x00-\x1f\x7f\ud800-\udfff]{1,16000}", re.IGNORECASE)
_UNREADABLE: Final = re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff\ud800-\udfff\x00-\x1f\x7f]")
_MARKUP: Final = re.compile(r"<[^<>]{0,200}>")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,6}")


class Result(Struct, frozen=True, kw_only=True):
    """One result as a page tells it: an original, or a thumbnail where nothing better is known."""

    url: str | None
    thumb: str | None = None
    page: str | None = None
    title: str | None = None
    width: int | None = None
    height: int | None = None
    others: tuple[str, ...] = ()  # further URLs of the same picture, best first
    copies: tuple[str, ...] = ()  # those of the search engine's own copies in full size


class Listing(Struct, frozen=True, kw_only=True):
    """What one page says. `nothing`: it says itself that there are no results."""

    results: tuple[Result, ...] = ()
    more: bool = True  # whether there may be a page after it
    nothing: bool = False
    related: tuple[str, ...] = ()


Read = Callable[[Response], Listing | None]  # None: neither results nor a word of their absence


class Visit(Struct):
    """One query's conversation with one server: its headers, its cookies, its consent page."""

    source: str
    base_url: str
    context: SourceContext
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    has_results: bool = False  # of pages before the one that is asked
    _answered_consent: bool = False

    async def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Response:
        """A GET below the base URL. Raises SourceStop, FetchError."""
        url = self.base_url + path + (f"?{urlencode(parameters)}" if parameters else "")
        return self._checked(
            await self.context.http.get(url, headers=self._headers(), max_bytes=MAX_BYTES)
        )

    async def post(self, path: str, fields: Mapping[str, str]) -> Response:
        """A form, sent as browsers send it. Raises SourceStop, FetchError."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._checked(
            await self.context.http.post(
                self.base_url + path,
                body=urlencode(fields).encode(),
                headers={**self._headers(), **kind},
            )
        )

    async def past_consent(
        self, ask: Callable[[], Awaitable[Response]], read: Callable[[Response], _T | None]
    ) -> tuple[Response, _T | None]:
        """Asks and reads; where nothing can be read, a consent page is answered and asked past."""
        response = await ask()
        found = self._tried(read, response)
        if found is None and self._is_consent(response):
            await self._reject(response)
            response = await ask()
            found = self._tried(read, response)
            if found is None and self._is_consent(response):
                raise stops.consent(self.context, response, self.source)
        return response, found

    async def read(self, ask: Callable[[], Awaitable[Response]], read: Read) -> Listing:
        """Asks and reads; a consent page in the way is answered once with "reject all".

        Raises:
            SourceStop: nothing could be read, or the page says that there is nothing.
            FetchError: the network failed.
        """
        response, listing = await self.past_consent(ask, read)
        if listing is None and self.has_results and self.document(response).is_blank:
            return Listing(more=False)  # behind the last page
        if listing is None or not (listing.results or listing.nothing):
            raise self.wall(response) or self.changed(response)
        if listing.nothing and not listing.results:
            raise self.wall(response) or stops.no_results(self.source, response.status)
        return listing

    def wall(self, response: Response) -> SourceStop | None:
        """The stop for a page that stands before the results; None for every other one."""
        wall = wall_of(response, self.document(response))
        if wall is None:
            return None
        kind, said = wall
        return stops.blocked(self.context, response, self.source, kind, f"{self.source} {said}")

    def changed(self, response: Response, message: str = "") -> SourceStop:
        """The answer is not of the form that the source is known by."""
        said = message or (
            f"{self.source}'s answer holds no results and does not say that there are none"
        )
        return stops.changed(self.context, response, self.source, said)

    def document(self, response: Response) -> Document:
        """The answer as a page. Raises SourceStop where it would take too long to read."""
        try:
            return Document(response.text)
        except TooComplexError as error:
            raise self.changed(response, str(error)) from None

    def _headers(self) -> dict[str, str]:
        if not self.cookies:
            return dict(self.headers)
        said = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {**self.headers, "Cookie": said}

    def _checked(self, response: Response) -> Response:
        for cookie in consent.cookies_of(response):
            name, _, value = cookie.partition("=")
            self.cookies[name] = value
        if not 200 <= response.status < 300 and response.status < 500:
            wall = self.wall(response)  # a captcha comes with 403 or 429 from some
            if wall is not None:
                raise wall
        stops.check_status(self.context, response, self.source)
        return response

    def _tried(self, read: Callable[[Response], _T | None], response: Response) -> _T | None:
        try:
            return read(response)
        except TooComplexError as error:
            raise self.changed(response, str(error)) from None

    def _is_consent(self, response: Response) -> bool:
        return consent.is_consent(response, self.document(response))

    async def _reject(self, response: Response) -> None:
        answer = consent.reject_all(response, self.document(response))
        if self._answered_consent or answer is None:
            raise stops.consent(self.context, response, self.source)
        self._answered_consent = True
        self._checked(await consent.send(self.context.http, answer))


async def walk(
    visit: Visit, query: Query, ask: Callable[[int], Awaitable[Listing]], *, pages: int
) -> AsyncGenerator[Page, None]:
    """The candidates of page 0, 1, 2 and so on, each URL once, until one brings nothing new.

    Raises:
        SourceStop: a page could not be had; "no results" behind the first one is the end instead.
    """
    number, rank = _place(visit.context)
    seen: set[str] = set()
    while number < pages:
        visit.has_results = rank > 0
        try:
            listing = await ask(number)
        except SourceStop as stop:
            if rank and stop.outcome is SourceOutcome.NO_RESULTS:
                return
            raise
        found: list[Candidate] = []
        for result in listing.results[:_MAX_RESULTS]:
            candidate = _candidate(visit.source, query, result, rank + len(found) + 1)
            if candidate is not None and candidate.url not in seen:
                seen.add(candidate.url)
                found.append(candidate)
        if not found:
            return
        rank += len(found)
        number = number + 1 if listing.more else pages
        yield Page(tuple(found), {"page": number, "rank": rank}, listing.related[:_MAX_RELATED])


def parameters_of(words: Mapping[str, str], source: str, context: SourceContext) -> dict[str, str]:
    """Filters worded as `name=value` (`&` between two), as parameters of a request.

    Where two filters want the same parameter, the first one has it, and the user is told.
    """
    found: dict[str, str] = {}
    for filter_name, word in words.items():
        for pair in word.split("&"):
            name, _, value = pair.partition("=")
            if found.setdefault(name, value) != value:
                message = f"{source} cannot filter by {filter_name} and another one at once"
                context.emit(Notice(message, "warning"))
    return found


def web_url(value: Any) -> str | None:
    """An http(s) URL as found; one that begins with `//` gets https. None for anything else."""
    if not isinstance(value, str):
        return None
    text = f"https:{value}" if value.startswith("//") else value
    return text if _WEB_URL.fullmatch(text) else None


def plain_title(value: Any) -> str | None:
    """A title as text: entities decoded, highlighting marks and control characters left out."""
    if not isinstance(value, str):
        return None
    text = html.unescape(_MARKUP.sub("", value[:2000]))
    return " ".join(_UNREADABLE.sub(" ", text).split()) or None


def pixels(value: Any) -> int | None:
    """A side of a picture, from a number or its digits; None for what cannot be one."""
    if isinstance(value, str):
        text = value.strip()[:20]
        value = int(text) if _NUMBER.fullmatch(text) else 0
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 1 <= value <= _MAX_PIXELS else None


def once(texts: Iterable[str], text: str) -> tuple[str, ...]:
    """Related queries, each once, without the query itself."""
    found: dict[str, str] = {}
    for other in texts:
        cleaned = plain_title(other) or ""
        if cleaned and cleaned.casefold() != text.casefold():
            found.setdefault(cleaned.casefold(), cleaned)
    return tuple(found.values())


def _place(context: SourceContext) -> tuple[int, int]:
    """Page and rank to go on from; of a position that cannot be read, the beginning."""
    position = context.position or {}
    page, rank = position.get("page"), position.get("rank")
    if isinstance(page, int) and isinstance(rank, int) and page >= 0 and rank >= 0:
        return page, rank
    return 0, 0


def _candidate(source: str, query: Query, result: Result, rank: int) -> Candidate | None:
    kind = Kind.ORIGINAL if result.url else Kind.CACHED if result.copies else Kind.THUMBNAIL
    url = result.url or next(iter(result.copies), result.thumb)
    if url is None:
        return None
    others = dict.fromkeys(result.others, Kind.ORIGINAL)
    others = {**dict.fromkeys(result.copies, Kind.CACHED), **others}
    alternates = [Alternate(one, others[one]) for one in (*result.others, *result.copies)]
    return Candidate(
        url=url,
        query=query.text,
        label=query.label,
        source=source,
        rank=rank,
        kind=kind,
        page_url=result.page,
        title=result.title,
        width=result.width if kind is Kind.ORIGINAL else None,
        height=result.height if kind is Kind.ORIGINAL else None,
        thumb_url=result.thumb,
        alternates=tuple(one for one in dict.fromkeys(alternates) if one.url != url),
    )
