"""The Source interface: one query in, pages of candidates out, and one outcome at the end.

A source is one file with one class. `discover` is an async generator of `Page`. It returns when the
source has no more results (outcome `ok`, exhausted) and raises `SourceStop` for every other
outcome. The caller stops iterating when it has enough. `discover` must raise nothing else: a
FetchError raised by `context.http` is turned into `network_error` by the caller.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, ClassVar, Protocol, runtime_checkable

from msgspec import Struct, field

from pixtrawl.config.groups import Fetch
from pixtrawl.errors import SourceStop
from pixtrawl.events import Event, ignore
from pixtrawl.model import Candidate, Query
from pixtrawl.net.interface import Http
from pixtrawl.preferences import PreferencePolicy

Position = Mapping[str, Any]  # plain JSON values; opaque to all but the source


class Page(Struct, frozen=True):
    """Some candidates in rank order.

    `position` resumes after this page in a later run; None if the source cannot resume.
    `related` are further queries that the source suggests.
    """

    candidates: tuple[Candidate, ...]
    position: Position | None = None
    related: tuple[str, ...] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)  # for the report; later ones win


class SourceSetting(Struct, frozen=True):
    """A source's own setting: `--set NAME.key=value`, `PIXTRAWL_NAME_KEY`, `[NAME]` in the file."""

    key: str
    default: str
    sentence: str
    secret: bool = False


class SourceInfo(Struct, frozen=True, kw_only=True):
    """The facts about a source that `pixtrawl sources` shows. Its groups: `sources/table.py`."""

    title: str
    base_url: str
    sentence: str
    verified: str = "documented only"  # recorded | real server | documented only
    needs: tuple[str, ...] = ()  # browser, key, ...
    filters: frozenset[str] = frozenset()  # names of model.Filters that it can pass on
    settings: tuple[SourceSetting, ...] = ()
    delay_s: float = 0.0  # live pace, applied with the built-in base URL only
    limit: str = ""  # of results: "about 1000 a query"
    license: str = "unknown"  # per image | unknown | a licence id for all
    crawls: bool = False  # pages of sites: their robots.txt governs, a refusal is one site's
    wants_contact: bool = False  # its rules ask for a contact in the User-Agent
    terms: str = ""  # its terms and robots.txt, in plain words


class Evidence(Protocol):
    """Stores answers of a source for later inspection."""

    def save(self, name: str, content: bytes | str) -> str:
        """Store it and return its path, relative to the data set folder; "" if it is not kept."""
        ...


class SourceContext(Struct, frozen=True, kw_only=True):
    """The parameters and services of one query."""

    http: Http
    evidence: Evidence
    wanted: int | None = None  # number of further candidates needed; a hint
    position: Position | None = None  # of an earlier run
    emit: Callable[[Event], None] = field(default=ignore)
    # Set by the user; for sources that crawl.
    ignore_robots: bool = False
    preferences: PreferencePolicy = PreferencePolicy()


class Source(Protocol):
    """Finds image URLs. One instance serves all queries of a run, concurrently."""

    name: ClassVar[str]
    info: ClassVar[SourceInfo]

    def __init__(self, settings: Mapping[str, str]) -> None:
        """Read the user's `settings`, given as text. Raises UsageError."""
        ...

    def discover(self, query: Query, context: SourceContext) -> AsyncIterator[Page]:
        """Yield pages of candidates in rank order. Raises SourceStop."""
        ...

    async def aclose(self) -> None:
        """Release what the instance holds: a browser, temporary files."""
        ...


class ReplayHints(Struct, frozen=True, kw_only=True):
    """Made-up answers to the requests that a source sends besides that for one saved page.

    A source that needs any declares `replay: ClassVar[ReplayHints]`; see `sources/replay`.
    """

    front: bytes | None = None  # before the page: a form with a token, a list of one record
    behind: tuple[bytes, ...] = ()  # after the page of one record
    rest: bytes | None = None  # after any page
    query: str = "replay"  # the query's text, if it must have a form


@runtime_checkable
class ReadsSaved(Protocol):
    """A source that reads a saved page itself, not by replayed requests: it uses a browser.

    Implemented as class methods: nothing is started.
    """

    @classmethod
    def read_saved(cls, page: str, query: Query) -> tuple[tuple[Candidate, ...], SourceStop | None]:
        """Return the page's candidates, and the stop that a live query would have ended with."""
        ...


@runtime_checkable
class UsesBrowser(Protocol):
    """A source with a browser, which does not use the `Http` of its context."""

    def set_network(self, fetch: Fetch) -> None:
        """Take over which inner addresses and proxies the run may use.

        Called before anything is asked; without it no inner address is reached.
        """
        ...


@runtime_checkable
class StartsEarly(Protocol):
    """A source that can start something slow, such as a browser, before its first query."""

    def begin(self, queries: int) -> None:
        """Start in the background for `queries` queries; must neither wait nor raise."""
        ...
