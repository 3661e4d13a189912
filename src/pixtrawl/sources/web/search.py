"""One query's requests to a search engine's pages: cookies, the consent page, walls, the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from msgspec import Struct, field

from pixtrawl.errors import SourceStop
from pixtrawl.events import Notice
from pixtrawl.model import Query
from pixtrawl.net.interface import Response
from pixtrawl.sources import stops
from pixtrawl.sources.base import SourceContext
from pixtrawl.sources.consent import ConsentGate
from pixtrawl.sources.html import Document, TooComplexError
from pixtrawl.sources.results import ImageResult
from pixtrawl.sources.walls import wall_of

__all__ = ["ResultPage", "SearchRequest", "WebSearch"]

_T = TypeVar("_T")
_MAX_BYTES: Final = 8 * 2**20  # of one answer
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


class SearchRequest(Struct, frozen=True):
    """A request below the base URL; `form` sends the parameters as a POST.

    Parameters given as text are sent unchanged.
    """

    path: str
    parameters: Mapping[str, str] | str = ""
    form: bool = False


class ResultPage(Struct, frozen=True, kw_only=True):
    """The content of one page of results.

    `nothing`: the page states that there are no results. `end`: it is an empty frame of a list,
    which ends a list but does not answer a query. `next` is the place of the next page, for sources
    that follow links.
    """

    results: tuple[ImageResult, ...] = ()
    more: bool = True  # whether there may be a page after it
    nothing: bool = False
    end: bool = False
    next: str = ""
    related: tuple[str, ...] = ()


Parse = Callable[[Response], ResultPage | None]  # None: no results, no sign of their absence


class WebSearch(Struct, kw_only=True):
    """One query's conversation with one server; given to the methods of an `HtmlSource`.

    `words` are the query's filters in the source's own words. `number` is the page to ask for, from
    0, and `next` its place as the previous page stated it. `memo` keeps a source's state between
    pages.
    """

    source: str
    base_url: str
    query: Query
    context: SourceContext
    words: Mapping[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    number: int = 0
    next: str = ""
    rank: int = 0  # of the last result so far
    memo: dict[str, Any] = field(default_factory=dict)
    gate: ConsentGate

    @property
    def cookies(self) -> dict[str, str]:
        """Sent with each request; those that answers set are added."""
        return self.gate.cookies

    def parameters(self) -> dict[str, str]:
        """Return the filters, worded as `name=value&name=value`, as parameters of a request.

        If two filters need the same parameter, the first one gets it, and a notice is emitted once.
        """
        if "parameters" in self.memo:
            return dict(self.memo["parameters"])
        found: dict[str, str] = {}
        for filter_name, word in self.words.items():
            for pair in word.split("&"):
                name, _, value = pair.partition("=")
                if found.setdefault(name, value) != value:
                    message = (
                        f"{self.source} cannot filter by {filter_name} and another one at once"
                    )
                    self.context.emit(Notice(message, "warning"))
        self.memo["parameters"] = found
        return dict(found)

    async def send(self, request: SearchRequest) -> Response:
        """Send a request. Raises SourceStop for a status that is no success, FetchError."""
        url, given = self.base_url + request.path, request.parameters
        text = given if isinstance(given, str) else urlencode(given)
        headers = {**self.headers, **self.gate.headers()}
        http = self.context.http
        if request.form:
            headers |= _FORM
            return self._checked(await http.post(url, body=text.encode(), headers=headers))
        if text:
            url += f"?{text}"
        return self._checked(await http.get(url, headers=headers, max_bytes=_MAX_BYTES))

    async def ask(
        self, request: Callable[[], SearchRequest], parse: Callable[[Response], _T | None]
    ) -> tuple[Response, _T | None]:
        """Ask and parse; a consent page in the way is answered once with "reject all".

        Raises SourceStop, FetchError.
        """
        found: _T | None = None

        def consent_page(response: Response) -> Document | None:
            nonlocal found
            found = parse(response)
            if found is not None:
                return None
            document = self.document(response)
            return document if self.gate.asks(response, document) else None

        async def send() -> Response:
            return await self.send(request())

        response = await self.gate.past(await send(), consent_page, send)
        return response, found

    async def read(self, request: Callable[[], SearchRequest], parse: Parse) -> ResultPage:
        """Ask for one page of results.

        Raises:
            SourceStop: nothing could be read, or the page states that there are no results.
            FetchError: the network failed.
        """
        response, page = await self.ask(request, parse)
        if page is not None and page.results:
            return page
        is_end = self.document(response).is_blank if page is None else page.end
        if self.rank and is_end:
            return ResultPage(more=False)
        wall = wall_of(response, self.document(response))
        # Pages that ask for JavaScript may show the "no results" sentence too.
        if page is not None and page.nothing and (wall is None or wall[0] != "captcha"):
            raise stops.no_results(self.source, response.status)
        raise self.blocked(response, *wall) if wall else self.changed(response)

    def wall(self, response: Response) -> SourceStop | None:
        """Return the stop for a captcha, login or the like in place of results, else None."""
        wall = wall_of(response, self.document(response))
        if wall is None:
            return None
        kind, message = wall
        return self.blocked(response, kind, message)

    def blocked(self, response: Response, kind: str, message: str) -> SourceStop:
        """Return the stop for a refusal; `message` follows the source's name."""
        sentence = f"{self.source} {message}"
        return stops.blocked(self.context, response, self.source, kind, sentence)

    def changed(self, response: Response, message: str = "") -> SourceStop:
        """Return the stop for an answer that does not have the known form."""
        message = message or (
            f"{self.source}'s answer holds no results and does not say that there are none"
        )
        return stops.changed(self.context, response, self.source, message)

    def document(self, response: Response) -> Document:
        """Parse the answer as HTML. Raises SourceStop if it is too complex."""
        known: tuple[Response, Document] | None = self.memo.get("document")
        if known is not None and known[0] is response:
            return known[1]
        try:
            document = Document(response.text)
        except TooComplexError as error:
            raise self.changed(response, str(error)) from None
        self.memo["document"] = (response, document)
        return document

    def _checked(self, response: Response) -> Response:
        self.gate.keep_cookies(response)
        if not 200 <= response.status < 300 and response.status < 500:
            wall = self.wall(response)  # some servers send a captcha with 403 or 429
            if wall is not None:
                raise wall
        stops.check_status(self.context, response, self.source)
        return response
