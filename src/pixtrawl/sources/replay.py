"""Reads a saved page with a source's own parser: no network, no browser.

Every request of the source is answered with that page, and what it reads from it first is the
result. Some sources ask for something else before (a token, cookies): where the page alone leads
nowhere, the first requests are answered with a made-up front page instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from pixtrawl import sources
from pixtrawl.errors import FetchError, SourceStop, UsageError
from pixtrawl.model import Candidate, Kind, Query, Reason, SourceOutcome
from pixtrawl.net.interface import Response
from pixtrawl.sources.base import Page, Source, SourceContext
from pixtrawl.sources.google_outcome import ONLY_THUMBNAILS, stop_for
from pixtrawl.sources.google_records import records_in
from pixtrawl.sources.google_state import State, classify
from pixtrawl.sources.html import Document, TooComplexError

MAX_BYTES: Final = 16 * 2**20
_MAX_REQUESTS: Final = 12  # a source that reads one page needs no more
_FRONT_PAGES: Final = 2  # answers before the page that are tried
_QUERY: Final = Query("replay", "replay", 100)
_KINDS: Final = {".json": "application/json", ".js": "text/javascript", ".txt": "text/plain"}
_STAND_IN: Final = "stand-in-for-a-key-0"  # never sent; keys are blotted out in answers
_STAND_IN_URL: Final = "http://replay.invalid"
_TEXTS: Final = {"page": f"{_STAND_IN_URL}/page"}  # queries that are no words

# What front pages hold that sources ask for first: Startpage's form, DuckDuckGo's token.
_FRONT_PAGE: Final = (
    b"<!doctype html><form><input type='hidden' name='sc' value='replay'></form>"
    b'<script>vqd="4-1";</script>'
)
# Sources that list ids first: a list of one, so that the page of that one can be read.
_LISTS: Final[Mapping[str, bytes]] = {
    "met": b'{"total": 1, "objectIDs": [1]}',
    "internet_archive": b'{"response": {"numFound": 1, "start": 0, "docs": [{"identifier": "x"}]}}',
}
# What comes behind the page, where a source wants the pieces of a batch together.
_RESTS: Final[Mapping[str, bytes]] = {"wikimedia": b'{"batchcomplete": true}'}
_BEST_FIRST: Final = (
    SourceOutcome.OK,
    SourceOutcome.NO_RESULTS,
    SourceOutcome.BLOCKED,
    SourceOutcome.QUOTA,
    SourceOutcome.CONSENT,
    SourceOutcome.CHANGED,
)
_FIELDS: Final = ("page_url", "title", "size", "thumb_url", "license", "creator")
_CAPTCHA: Final = (
    "form#captcha-form, form[action*=sorry], [data-sitekey], iframe[src*=captcha], "
    "[name=g-recaptcha-response]"
)
_TILES: Final = "[data-docid] img, [data-tbnid] img, [data-lpage] img, [data-ri] img"


class Replayed(Struct, frozen=True):
    """What the source makes of the page."""

    outcome: SourceOutcome
    candidates: tuple[Candidate, ...] = ()
    detail: Mapping[str, object] = field(default_factory=dict)

    @property
    def missing(self) -> dict[str, int]:
        """By field, how many of the candidates lack it; fields that all of them have are left."""
        lacking: Counter[str] = Counter()
        for one in self.candidates:
            has = {name: getattr(one, name, None) for name in _FIELDS}
            has["size"] = one.width and one.height
            lacking.update(name for name in _FIELDS if not has[name])
            lacking["original"] += one.kind is Kind.THUMBNAIL
        return {name: lacking[name] for name in ("original", *_FIELDS) if lacking[name]}


async def replay(name: str, path: Path, settings: Mapping[str, str]) -> Replayed:
    """Reads the page in a file as an answer to the source `name`.

    Raises:
        UsageError: nobody has this name, the file cannot be read, a setting is wrong.
    """
    cls = sources.load(name)
    page = _read(path)
    if name == "google":
        return _google(page.text)
    if "file" in cls.info.needs:
        message = f"{name} asks nobody: a saved page says nothing about it"
        return Replayed(SourceOutcome.UNSUPPORTED, detail={"message": message})
    given = {**_stand_ins(cls, settings), **settings}
    query = replace(_QUERY, text=_TEXTS.get(name, _QUERY.text))
    best = Replayed(SourceOutcome.UNSUPPORTED, detail={"message": f"{name} asks for no page"})
    for front_pages in range(_FRONT_PAGES + 1):
        http = _OnePage(page, front_pages, _LISTS.get(name, _FRONT_PAGE), _RESTS.get(name))
        found = await _ask(cls(given), query, http, path)
        if http.asked <= front_pages:  # the page itself was never read
            break
        if _place(found) <= _place(best):
            best = found
        if best.outcome is SourceOutcome.OK:
            break
    return best


class _OnePage(Struct):
    """An `Http` that gives one page to everybody, behind some made-up front pages."""

    page: Response
    front_pages: int
    front: bytes
    rest: bytes | None
    asked: int = 0

    async def get(
        self,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
    ) -> Response:
        self.asked += 1
        if self.asked > _MAX_REQUESTS:
            raise FetchError(Reason.NOT_FOUND, "the source asks for more than the one page")
        if self.asked <= self.front_pages:
            return _response(url, self.front)
        if self.rest is not None and self.asked > self.front_pages + 1:
            return _response(url, self.rest)
        return replace(self.page, url=url)

    async def post(
        self, url: str, *, body: bytes, headers: Mapping[str, str] | None = None
    ) -> Response:
        return await self.get(url)


class _Kept(Struct):
    """The page is its own evidence."""

    path: Path

    def save(self, name: str, content: bytes | str) -> str:
        return str(self.path)


async def _ask(source: Source, query: Query, http: _OnePage, path: Path) -> Replayed:
    context = SourceContext(http=http, evidence=_Kept(path))
    try:
        page = await _first_page(source, query, context)
    except SourceStop as stop:
        return Replayed(stop.outcome, detail=stop.detail)
    except FetchError as error:
        return Replayed(SourceOutcome.UNSUPPORTED, detail={"message": str(error.detail or error)})
    except Exception as error:  # noqa: BLE001 - what a run would tell as the source's own failure
        message = f"the source itself failed: {type(error).__name__}: {error}"
        return Replayed(SourceOutcome.CHANGED, detail={"message": message})
    finally:
        await source.aclose()
    if page is None:
        message = "the source ends without a result and without saying that there is none"
        return Replayed(SourceOutcome.CHANGED, detail={"message": message})
    return Replayed(SourceOutcome.OK, page.candidates)


async def _first_page(source: Source, query: Query, context: SourceContext) -> Page | None:
    async with aclosing(source.discover(query, context)) as pages:  # type: ignore[type-var]
        async for page in pages:
            if page.candidates:  # some first pages are half an answer
                return page
    return None


def _place(found: Replayed) -> int:
    known = found.outcome in _BEST_FIRST
    return _BEST_FIRST.index(found.outcome) if known else len(_BEST_FIRST)


def _read(path: Path) -> Response:
    try:
        with path.open("rb") as file:
            body = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    if len(body) > MAX_BYTES:
        raise UsageError(f"{path}: larger than {MAX_BYTES >> 20} MiB: no saved page")
    return _response("", body, _KINDS.get(path.suffix.lower()))


def _response(url: str, body: bytes, kind: str | None = None) -> Response:
    is_json = body[:200].lstrip()[:1] in {b"{", b"["}
    kind = kind or ("application/json" if is_json else "text/html")
    return Response(url=url, status=200, body=body, headers={"content-type": kind})


def _stand_ins(cls: type[Source], settings: Mapping[str, str]) -> dict[str, str]:
    """Values for what the source needs and was not given: a key, the user's own server."""
    keys = {setting.key for setting in cls.info.settings}
    wanting = [need for need in cls.info.needs if need in keys and not settings.get(need)]
    return {need: _STAND_IN_URL if need.endswith("url") else _STAND_IN for need in wanting}


def _google(page: str) -> Replayed:
    """The part of Google's reader that needs no browser: records in scripts and links."""
    records = records_in(page)
    candidates = tuple(
        Candidate(
            url=record.url,
            query=_QUERY.text,
            label=_QUERY.label,
            source="google",
            rank=rank,
            page_url=record.page_url,
            title=record.title,
            width=record.width,
            height=record.height,
            thumb_url=record.thumb_url,
        )
        for rank, record in enumerate((one for one in records if one.url), 1)
        if record.url
    )
    if candidates:
        return Replayed(SourceOutcome.OK, candidates)
    try:
        facts = _facts(page)
    except TooComplexError as error:
        return Replayed(SourceOutcome.CHANGED, detail={"message": str(error)})
    state = classify("/search", 200, facts, records=len(records))
    message = ONLY_THUMBNAILS if state is State.GRID else ""
    stop = stop_for(state, visible=False, message=message)
    return Replayed(stop.outcome, detail=stop.detail)


def _facts(page: str) -> dict[str, object]:
    """What google_facts.js tells of a page, as far as a page at rest shows it."""
    document = Document(page)
    return {
        "text": document.text()[:20_000],
        "noscript": " ".join(_inside(page, "noscript"))[:5000],
        "chars": len(page),
        "captcha": document.has(_CAPTCHA),
        "consentForm": document.has("form[action*=consent], form input[name=set_eom]"),
        "password": document.has("input[type=password]"),
        "tiles": len(document.all(_TILES)),
    }


def _inside(page: str, tag: str) -> list[str]:
    """The texts between the tags of a kind, as they are written."""
    pieces = page.split(f"<{tag}")[1:20]
    return [piece.partition(f"</{tag}")[0].partition(">")[2] for piece in pieces]
