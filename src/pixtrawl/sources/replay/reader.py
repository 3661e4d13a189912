"""Read saved answers with a source's own parser: no network, no browser.

A single page answers every request of the source, and the first results read from it are returned.
Some sources send other requests first (for a token, cookies, a list): if the page alone gives no
result, the first requests are answered with a made-up front page. Several pages answer one request
each, in order: a list, then the requests for its first record.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from pixtrawl import sources
from pixtrawl.errors import FetchError, SourceStop, UsageError
from pixtrawl.model import Query, Reason, SourceOutcome
from pixtrawl.net.interface import Http, Response
from pixtrawl.sources.api.lists import ListingSource
from pixtrawl.sources.base import (
    Evidence,
    Page,
    ReadsSaved,
    ReplayHints,
    Source,
    SourceContext,
)
from pixtrawl.sources.replay.replayed import Replayed

MAX_BYTES: Final = 16 * 2**20
MAX_PACKED_BYTES: Final = 128 * 2**20
_MAX_PAGES: Final = 40
_ANSWER: Final = re.compile(r"answer-(\d{1,3})\.\w{1,5}")
_MAX_REQUESTS: Final = 12  # a source that reads one page needs no more
_FRONT_PAGES: Final = 2  # maximum number of made-up answers before the page
_QUERY: Final = Query("replay", "replay", 100)
_FRONT_PAGE: Final = b"<!doctype html><p>Front page</p>"
_KINDS: Final = {".json": "application/json", ".js": "text/javascript", ".txt": "text/plain"}
_STAND_IN: Final = "stand-in-for-a-key-0"  # never sent; keys are masked in answers
_STAND_IN_URL: Final = "http://replay.invalid"
_BEST_FIRST: Final = (
    SourceOutcome.OK,
    SourceOutcome.NO_RESULTS,
    SourceOutcome.BLOCKED,
    SourceOutcome.QUOTA,
    SourceOutcome.CONSENT,
    SourceOutcome.CHANGED,
)


async def replay(name: str, paths: Sequence[Path], settings: Mapping[str, str]) -> Replayed:
    """Read the pages in files as answers to the source `name`, in their order.

    Raises:
        UsageError: unknown name, unreadable file or wrong setting.
    """
    sources.load(name)
    pages = [page for path in paths for page in _read_all(path)]
    return await replay_answers(name, pages, settings, _KeptPage(paths[0]))


async def replay_answers(
    name: str, pages: Sequence[Response], settings: Mapping[str, str], kept: Evidence
) -> Replayed:
    """Like `replay`, for responses; `kept` receives evidence. Raises UsageError."""
    cls = sources.load(name)
    if issubclass(cls, ReadsSaved):
        candidates, stop = cls.read_saved(pages[0].text, _QUERY)
        outcome = stop.outcome if stop else SourceOutcome.OK
        return Replayed(outcome, candidates, stop.detail if stop else {})
    hints = _hints(cls)
    if "file" in cls.info.needs:
        message = f"{name} asks nobody: a saved page says nothing about it"
        return Replayed(SourceOutcome.UNSUPPORTED, detail={"message": message})
    given = {**_stand_ins(cls, settings), **settings}
    query = replace(_QUERY, text=hints.query)
    if len(pages) > 1:
        return await _in_turn(cls(given), query, pages, kept)
    best = Replayed(SourceOutcome.UNSUPPORTED, detail={"message": f"{name} asks for no page"})
    for front_pages in range(_FRONT_PAGES + 1):
        if hints.behind:
            break
        http = _OnePage(pages[0], front_pages, hints.front or _FRONT_PAGE, hints.rest)
        found = await ask(cls(given), query, http, kept)
        if http.asked <= front_pages:  # the page itself was not read
            break
        if _place(found) <= _place(best):
            best = found
        if best.outcome is SourceOutcome.OK:
            break
    if best.outcome is not SourceOutcome.OK and issubclass(cls, ListingSource):
        best = await _list_or_record(cls, given, query, pages[0], kept, best)
    return best


def _hints(cls: type[Source]) -> ReplayHints:
    hints: ReplayHints = getattr(cls, "replay", ReplayHints())
    return hints


async def _list_or_record(
    cls: type[ListingSource],
    given: Mapping[str, str],
    query: Query,
    page: Response,
    kept: Evidence,
    otherwise: Replayed,
) -> Replayed:
    """Read the page as a list; if it is none, as one record."""
    hints = _hints(cls)
    found = await _in_turn(cls(given), query, [page], kept)
    if found.outcome in {SourceOutcome.OK, SourceOutcome.NO_RESULTS} or not hints.behind:
        return found if _place(found) <= _place(otherwise) else otherwise
    front = _response("", hints.front or _FRONT_PAGE)
    record = [front, page, *(_response("", one) for one in hints.behind)]
    as_record = await _in_turn(cls(given), query, record, kept)
    if as_record.outcome is not SourceOutcome.OK:
        return found
    message = (
        "one record; the next requests give the URL of its picture and its licence: "
        "give their answers too, list first"
    )
    return Replayed(SourceOutcome.OK, as_record.candidates, {"message": message})


async def _in_turn(
    source: Source, query: Query, pages: Sequence[Response], kept: Evidence
) -> Replayed:
    """Answer each request with the next page: the list, then its first record."""
    if isinstance(source, ListingSource):
        source.at_once = 1
    http = _InTurn(list(pages))
    found = await ask(source, query, http, kept)
    if http.wanting and isinstance(source, ListingSource) and source.listed:
        message = (
            f"a list of {source.listed} records; each needs one more request: give "
            "that answer too, after this one"
        )
        return Replayed(SourceOutcome.OK, detail={"message": message})
    return found


class _InTurn(Struct):
    """An `Http` that returns each page once, in order."""

    pages: list[Response]
    wanting: bool = False  # requests were left after the last page

    async def get(
        self,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
    ) -> Response:
        if not self.pages:
            self.wanting = True
            raise FetchError(Reason.NOT_FOUND, "the source asks for more than the given pages")
        return replace(self.pages.pop(0), url=url)

    async def post(
        self, url: str, *, body: bytes, headers: Mapping[str, str] | None = None
    ) -> Response:
        return await self.get(url)


class _OnePage(Struct):
    """An `Http` that returns one page to every request, after some made-up front pages."""

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


class _KeptPage(Struct):
    """The page is its own evidence."""

    path: Path

    def save(self, name: str, content: bytes | str) -> str:
        return str(self.path)


async def ask(source: Source, query: Query, http: Http, kept: Evidence) -> Replayed:
    """Return the candidates or the stop of the first page; closes the source."""
    context = SourceContext(http=http, evidence=kept)
    try:
        page = await _first_page(source, query, context)
    except SourceStop as stop:
        return Replayed(stop.outcome, detail=stop.detail)
    except FetchError as error:
        return Replayed(SourceOutcome.UNSUPPORTED, detail={"message": str(error.detail or error)})
    except Exception as error:  # noqa: BLE001 - a run reports it as the source's own failure
        message = f"the source itself failed: {type(error).__name__}: {error}"
        return Replayed(SourceOutcome.CHANGED, detail={"message": message})
    finally:
        await source.aclose()
    if page is None:
        message = "the source ends without a result and does not state that there is none"
        return Replayed(SourceOutcome.CHANGED, detail={"message": message})
    return Replayed(SourceOutcome.OK, page.candidates)


async def _first_page(source: Source, query: Query, context: SourceContext) -> Page | None:
    async with aclosing(source.discover(query, context)) as pages:  # type: ignore[type-var]
        async for page in pages:
            if page.candidates:  # a first page may have no candidates
                return page
    return None


def _place(found: Replayed) -> int:
    known = found.outcome in _BEST_FIRST
    return _BEST_FIRST.index(found.outcome) if known else len(_BEST_FIRST)


def _read_all(path: Path) -> list[Response]:
    """Return the page in a file, or all answers in an archive of `sources save`."""
    if not zipfile.is_zipfile(path):
        return [_read(path)]
    try:
        with zipfile.ZipFile(path) as packed:
            names = [one for one in packed.infolist() if _ANSWER.fullmatch(one.filename)]
            names.sort(key=lambda one: int(_ANSWER.fullmatch(one.filename)[1]))  # type: ignore[index]
            if sum(one.file_size for one in names) > MAX_PACKED_BYTES:
                raise UsageError(f"{path}: larger than {MAX_PACKED_BYTES >> 20} MiB when unpacked")
            pages = [
                _response("", packed.read(one), _KINDS.get(Path(one.filename).suffix))
                for one in names[:_MAX_PAGES]
            ]
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error) as error:
        raise UsageError(f"{path}: {error}") from None
    if not pages:
        raise UsageError(f"{path}: holds no answers of `pixtrawl sources save`")
    return pages


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
    """Return stand-ins for required settings that are not set: a key, a server."""
    keys = {setting.key for setting in cls.info.settings}
    wanting = [need for need in cls.info.needs if need in keys and not settings.get(need)]
    return {need: _STAND_IN_URL if need.endswith("url") else _STAND_IN for need in wanting}
