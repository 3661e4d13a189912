"""Checks of the source contract, for use in any test.

A third party's test is three lines:

    from pixtrawl.sources import contract
    contract.check_class(MySource)
    asyncio.run(contract.check_hostile_answers(lambda: MySource({})))

Each check raises AssertionError with a sentence. Nothing here needs a test framework.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Final
from urllib.parse import urlencode

from msgspec import Struct, field

from pixtrawl.errors import FetchError, SourceStop, UsageError
from pixtrawl.events import Event
from pixtrawl.model import Candidate, Filters, Query, SourceOutcome
from pixtrawl.net.interface import Http, Response
from pixtrawl.sources.base import Page, Position, Source, SourceContext
from pixtrawl.sources.table import ROWS

VERIFIED: Final = ("recorded", "real server", "documented only")
MAX_CPU_S: Final = 5.0  # for one hostile answer
_MAX_REQUESTS: Final = 300

Answer = Callable[[str], Response]  # from a URL
_QUERY: Final = Query("tabby & grey / cat", "tabby & grey _ cat", 100)

_HTML: Final = "<!doctype html><html><head><title>x</title></head><body>{}</body></html>"
HOSTILE_BODIES: Final[Mapping[str, bytes]] = {
    "nothing": b"",
    "white space": b" \n ",
    "a page of something else": _HTML.format("<p>Welcome to our shop.</p>").encode(),
    "a page cut short": b"<!doctype html><html><body><div class='x'><a href='",
    "binary": bytes(range(256)) * 64,
    "deep elements": b"<div>" * 200_000,
    "deep JSON list": b"[" * 200_000,
    "deep JSON object": b'{"a":' * 100_000,
    "JSON null": b"null",
    "JSON number": b"9" * 5000,
    "JSON text": b'"text"',
    "empty JSON object": b"{}",
    "empty JSON list": b"[]",
    "JSON of wrong types": b'{"results": 5, "data": {"a": null}, "query": [], "items": "x"}',
    "attributes without end": b"<a " + b"x " * 200_000 + b">",
    "no UTF-8": b"\xff\xfe\xfd" * 1000,
}


class Ending(Struct):
    """The result of one query: pages, events, evidence and the stop (None: exhausted, ok)."""

    pages: list[Page] = field(default_factory=list)
    stop: SourceStop | None = None
    failure: FetchError | None = None
    events: list[Event] = field(default_factory=list)
    evidence: dict[str, bytes] = field(default_factory=dict)

    @property
    def candidates(self) -> list[Candidate]:
        return [candidate for page in self.pages for candidate in page.candidates]

    @property
    def outcome(self) -> SourceOutcome:
        """The outcome as the pipeline would record it."""
        if self.failure is not None:
            return SourceOutcome.NETWORK_ERROR
        return self.stop.outcome if self.stop else SourceOutcome.OK


class Replay:
    """An `Http` that answers from a function and records the URLs asked for."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.asked: list[str] = []
        self.headers: list[Mapping[str, str]] = []

    async def get(
        self,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
    ) -> Response:
        """Answer from the function; record the URL with its parameters in `asked`."""
        if params:
            url = f"{url}{'&' if '?' in url else '?'}{urlencode(params)}"
        self.asked.append(url)
        self.headers.append(dict(headers or {}))
        if len(self.asked) > _MAX_REQUESTS:
            raise AssertionError(f"the source asked more than {_MAX_REQUESTS} times")
        return self._answer(url)

    async def post(
        self, url: str, *, body: bytes, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Answer like a GET."""
        return await self.get(url, headers=headers)


def answer(
    body: bytes | str, status: int = 200, *, kind: str = "text/html; charset=utf-8"
) -> Answer:
    """Return a function for `Replay` that gives the same answer to every URL."""
    content = body.encode() if isinstance(body, str) else body
    return lambda url: Response(
        url=url, status=status, headers={"content-type": kind}, body=content
    )


def check_class(cls: type[Source]) -> None:
    """Check the facts that `pixtrawl sources` shows, and that settings are validated."""
    info = cls.info
    _that(cls.name.isidentifier() and cls.name == cls.name.lower(), f"{cls.name!r} is no name")
    for what in ("title", "sentence", "terms", "license"):
        _that(bool(getattr(info, what)), f"info.{what} is empty")
    _that(info.verified in VERIFIED, f"info.verified is none of {VERIFIED}")
    unknown = info.filters - set(Filters.__struct_fields__)
    _that(not unknown, f"info.filters has unknown names: {sorted(unknown)}")
    keys = [setting.key for setting in info.settings]
    _that(len(keys) == len(set(keys)), "info.settings has a key twice")
    _that(all(one.sentence for one in info.settings), "a setting has no sentence")
    row = ROWS.get(cls.name)
    asked_unseen = row is not None and row.groups and not row.only_with
    _that(info.verified != "documented only" or not asked_unseen,
          "a source that is only documented has to be switched on for its groups")  # fmt: skip
    try:
        cls({"no_such_setting_of_any_source": "1"})
    except UsageError:
        return
    raise AssertionError("an unknown setting is no UsageError")


async def ask(
    source: Source,
    http: Http,
    query: Query = _QUERY,
    *,
    position: Position | None = None,
    max_pages: int = 50,
) -> Ending:
    """Ask a source as the pipeline does, and check everything that it yields."""
    ending = Ending()

    class _EvidenceInMemory:
        def save(self, name: str, content: bytes | str) -> str:
            data = content.encode() if isinstance(content, str) else content
            ending.evidence[name] = data
            return name

    context = SourceContext(
        http=http, evidence=_EvidenceInMemory(), position=position, emit=ending.events.append
    )
    try:
        async with aclosing(source.discover(query, context)) as pages:  # type: ignore[type-var]
            async for page in pages:
                ending.pages.append(page)
                if len(ending.pages) >= max_pages:
                    break
    except SourceStop as stop:
        ending.stop = stop
    except FetchError as failure:
        ending.failure = failure
    _check_candidates(ending, query, own_list="file" in source.info.needs)
    if ending.stop is not None:
        _check_stop(ending.stop)
    return ending


async def check_hostile_answers(
    make: Callable[[], Source], bodies: Mapping[str, bytes] = HOSTILE_BODIES
) -> None:
    """Check that every answer leads to a typed outcome soon, and never to `no_results`."""
    for name, body in bodies.items():
        for kind in ("text/html; charset=utf-8", "application/json"):
            source = make()
            started = time.process_time()
            ending = await ask(source, Replay(answer(body, kind=kind)))
            elapsed = time.process_time() - started
            await source.aclose()
            _that(elapsed < MAX_CPU_S, f"{name}: took {elapsed:.1f} s")
            _that(
                bool(ending.candidates) or ending.outcome is not SourceOutcome.OK,
                f"{name}: nothing was found, and the outcome is ok",
            )
            _that(
                ending.outcome is not SourceOutcome.NO_RESULTS,
                f"{name}: no_results without a sign of it",
            )


async def check_refusals(make: Callable[[], Source]) -> None:
    """Check that refusals become `blocked` after one request, with the answer as evidence."""
    for status, kind in ((429, "rate_limit"), (403, "forbidden")):
        source = make()
        http = Replay(answer("refused", status))
        ending = await ask(source, http)
        await source.aclose()
        _that(ending.outcome is SourceOutcome.BLOCKED, f"{status}: {ending.outcome}, not blocked")
        assert ending.stop is not None
        found = ending.stop.detail.get("kind")
        _that(found == kind, f"{status}: kind is {found}, not {kind}")
        _that(len(http.asked) == 1, f"{status}: asked {len(http.asked)} times")
        _that(bool(ending.evidence), f"{status}: the answer was not kept")


def _check_candidates(ending: Ending, query: Query, *, own_list: bool) -> None:
    urls = [candidate.url for candidate in ending.candidates]
    _that(len(urls) == len(set(urls)), "a URL is given twice")
    ranks = [candidate.rank for candidate in ending.candidates if candidate.rank]
    _that(ranks == sorted(ranks), "ranks go backwards")
    for candidate in ending.candidates:
        _that(bool(candidate.url) or own_list, "a candidate has no URL")
        same = (candidate.query, candidate.label) == (query.text, query.label)
        _that(same, "a candidate belongs to another query")
        for pixels in (candidate.width, candidate.height):
            _that(pixels is None or pixels > 0, "a size is not positive")
    for page in ending.pages:
        if page.position is not None:
            again = json.loads(json.dumps(page.position))
            _that(again == dict(page.position), "a position is no plain JSON")


def _check_stop(stop: SourceStop) -> None:
    _that(stop.outcome is not SourceOutcome.OK, "ok is no stop: end the generator instead")
    _that(bool(stop.detail.get("message")), f"{stop.outcome}: no message")
    json.dumps(dict(stop.detail))
    if stop.outcome in {SourceOutcome.BLOCKED, SourceOutcome.CHANGED, SourceOutcome.CONSENT}:
        _that(bool(stop.detail.get("next_step")), f"{stop.outcome}: no next step")
    if stop.outcome is SourceOutcome.BLOCKED:
        _that(bool(stop.detail.get("kind")), "blocked: no kind")


def _that(true: bool, otherwise: str) -> None:
    if not true:
        raise AssertionError(otherwise)
