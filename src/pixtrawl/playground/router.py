"""Which part of the playground answers a path. Every host serves every path."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from pixtrawl.playground.faults.browser import HostilePage
from pixtrawl.playground.faults.faultline import FaultLine
from pixtrawl.playground.faults.search import SearchOutage
from pixtrawl.playground.gallery import Galleries
from pixtrawl.playground.landing import credits_table, faults_page, landing_page, robots, tdmrep
from pixtrawl.playground.messages import Answer, ServerRequest, ServerResponse
from pixtrawl.playground.search.bing import BingPages
from pixtrawl.playground.search.duckduckgo import DuckDuckGoPages
from pixtrawl.playground.search.gates import Gates
from pixtrawl.playground.search.google import GooglePages
from pixtrawl.playground.search.listing import Listings, Original, slug_and_index
from pixtrawl.playground.search.openverse import OpenverseApi
from pixtrawl.playground.search.searxng import SearxngApi
from pixtrawl.playground.search.variants import split_variant
from pixtrawl.playground.search.wikimedia import WikimediaApi
from pixtrawl.playground.store import KINDS, PictureStore, PlaygroundImage

Part = Callable[[ServerRequest, str], ServerResponse | None]
_CACHE_CONTROL: Final = ("Cache-Control", "public, max-age=600")


class Router:
    """Answer requests; call `attach` with the listings before the first one."""

    def __init__(self, store: PictureStore, pool: ThreadPoolExecutor) -> None:
        self.store = store
        self._pool = pool
        self._rendering: dict[str, asyncio.Future[PlaygroundImage | None]] = {}
        self._parts: list[Part] = []
        self._thumbs: dict[str, bytes] = {}
        self._variants: Sequence[str] = ()
        self.outages: Sequence[SearchOutage] = ()

    def attach(
        self, listings: Listings, line: FaultLine, variants: Sequence[str], cap: int
    ) -> None:
        """Set what is served."""
        self._listings = listings
        self._line = line
        self._variants = variants
        gates = Gates()
        self._google = GooglePages(listings, gates, self.thumbnail)
        self._bing = BingPages(listings, gates, cap)
        self.galleries = Galleries(listings)
        parts = (OpenverseApi, WikimediaApi, SearxngApi, DuckDuckGoPages)
        self._parts = [HostilePage().answer, self.galleries.answer]
        self._parts += (part(listings).answer for part in parts)

    def handle(self, request: ServerRequest) -> Answer | Awaitable[Answer]:
        """Return the answer to any request."""
        path = request.path
        first = path.split("/", 2)[1] if path.startswith("/") else ""
        if first in KINDS:
            held = self.store.cached(path)
            return _image(held) if held is not None else self._render(path)
        if first == "fault":
            return self._line.answer(request)
        if first in {"images", "th"} and path in {"/images", "/th"}:
            return self._thumb_later(request.query.get("q") or request.query.get("id", ""))
        if path == "/robots.txt":
            return robots(request)
        if path == "/.well-known/tdmrep.json":
            return tdmrep()
        for outage in self.outages:
            answer = outage.answer(request)
            if answer is not None:
                return answer
        return self._page(request)

    def _page(self, request: ServerRequest) -> Answer:
        path = request.path
        if path.startswith("/page/"):
            return self._landing(path)
        if path == "/faults":
            return faults_page(self._line.truth(name) for name in self._line.names())
        if path == "/credits.tsv":
            text = credits_table(self._listings, request.query.get("q", ""))
            return ServerResponse(
                text.encode(), content_type="text/tab-separated-values; charset=utf-8"
            )
        for part in self._parts:
            answer = part(request, path)
            if answer is not None:
                return answer
        variant, rest = split_variant(path, self._variants)
        found = self._bing.answer(request, variant, rest)
        found = found or self._google.answer(request, variant, rest)
        return found or ServerResponse(b"<!doctype html><h1>Not found</h1>", 404)

    def _landing(self, path: str) -> ServerResponse:
        parts = path.split("/")
        if len(parts) != 4 or not parts[3].isdigit():
            return ServerResponse(status=404)
        query = parts[2].rpartition(".")[0].replace("-", " ")
        return landing_page(self._listings.entry(query, parts[2], int(parts[3])))

    async def _render(self, path: str) -> Answer:
        """Render a picture on the pool, once for all who wait for it."""
        waiting = self._rendering.get(path)
        if waiting is None:
            loop = asyncio.get_running_loop()
            waiting = loop.run_in_executor(self._pool, self.store.get, path)
            self._rendering[path] = waiting
        try:
            file = await asyncio.shield(waiting)
        finally:
            self._rendering.pop(path, None)
        return ServerResponse(b"", 404) if file is None else _image(file)

    def thumbnail(self, entry: Original) -> bytes:
        """Return the JPEG of an entry's thumbnail."""
        return self._thumb(entry.docid)

    async def _thumb_later(self, name: str) -> Answer:
        docid = name.removeprefix("tbn:").removeprefix("OIP.")
        body = self._thumbs.get(docid)
        if body is None:
            loop = asyncio.get_running_loop()
            body = await loop.run_in_executor(self._pool, self._thumb, docid)
        return ServerResponse(body, 200, "image/jpeg", [_CACHE_CONTROL])

    def _thumb(self, docid: str) -> bytes:
        held = self._thumbs.get(docid)
        if held is None:
            slug, index = slug_and_index(docid) or (f"thumb.{docid[:20]}", 0)
            file = self.store.get(f"/thumb/{slug}/{index}.jpg")
            assert file is not None
            held = self._thumbs[docid] = file.body
        return held


def _image(file: PlaygroundImage) -> ServerResponse:
    return ServerResponse(file.body, 200, file.content_type, [_CACHE_CONTROL])
