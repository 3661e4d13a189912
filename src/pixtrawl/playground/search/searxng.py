"""A synthetic interface in the shape of SearXNG's JSON results (`/searxng/search?format=json`).

Built from documented names. Fields vary by engine, as they do there; one engine is unresponsive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from pixtrawl.playground.messages import ServerRequest, ServerResponse
from pixtrawl.playground.search.apis import json_answer, positive
from pixtrawl.playground.search.listing import Listings, Original

PER_PAGE: Final = 30
PREFIX: Final = "/searxng"


@dataclass
class SearxngApi:
    """Answers for /searxng/search."""

    listings: Listings

    def answer(self, request: ServerRequest, path: str) -> ServerResponse | None:
        """Return the answer to `path`, or None where it is not ours."""
        if path != f"{PREFIX}/search":
            return None
        query = request.query
        if query.get("format") != "json":
            return ServerResponse(b"<!doctype html><h1>403 Forbidden</h1>", 403)
        page = positive(query.get("pageno"), 1)
        text = " ".join(query.get("q", "").split())
        shown = self.listings.all(text)[(page - 1) * PER_PAGE : page * PER_PAGE]
        images = "images" in query.get("categories", "") or "images" in query.get("engines", "")
        return json_answer(
            {
                "query": text, "number_of_results": 0, "answers": [], "corrections": [],
                "infoboxes": [], "suggestions": [f"{text} young"],
                "results": [result(entry) for entry in shown] if images else [],
                "unresponsive_engines": [["duckduckgo images", "CAPTCHA"]],
            }
        )  # fmt: skip


def result(entry: Original) -> dict[str, Any]:
    """Return one result; every third engine gives the required fields only."""
    engine = ("bing images", "openverse", "wikicommons.images")[entry.index % 3]
    least = {
        "template": "images.html", "url": entry.page_url, "img_src": entry.url,
        "title": entry.title, "engine": engine, "engines": [engine], "category": "images",
    }  # fmt: skip
    if entry.index % 3 == 1:
        return least
    sign = "\u00d7" if entry.index % 3 == 0 else "x"
    return {
        **least, "thumbnail_src": entry.thumb_url, "content": "", "source": entry.site,
        "resolution": f"{entry.width}{sign}{entry.height}", "img_format": entry.traits.format,
        "author": entry.traits.creator, "score": 1.0, "positions": [entry.rank],
    }  # fmt: skip
