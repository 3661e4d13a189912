"""A synthetic interface in the shape of DuckDuckGo's image search: a token page, then `i.js`.

Built from documented names. The token is bound to the query and to the User-Agent; `i.js` answers
403 without a fitting one or without a Referer.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import urlencode

from pixtrawl.playground.messages import ServerRequest, ServerResponse
from pixtrawl.playground.search.apis import json_answer
from pixtrawl.playground.search.listing import Listings

PER_PAGE: Final = 100
PREFIX: Final = "/duckduckgo"


@dataclass
class DuckDuckGoPages:
    """Answers for /duckduckgo/ (token) and /duckduckgo/i.js."""

    listings: Listings

    def answer(self, request: ServerRequest, path: str) -> ServerResponse | None:
        """Return the answer to `path`, or None where it is not ours."""
        text = " ".join(request.query.get("q", "").split())
        if path in {PREFIX, f"{PREFIX}/"}:
            return ServerResponse(
                (
                    f"<!doctype html><title>{escape(text)}</title>"
                    f'<script>nrj("/d.js");vqd="{_token(request, text)}";</script>'
                ).encode()
            )
        if path != f"{PREFIX}/i.js":
            return None
        known = request.query.get("vqd") == _token(request, text)
        if not known or not request.headers.get("referer"):
            return ServerResponse(b"", 403, "text/html")
        return self._results(request, text)

    def _results(self, request: ServerRequest, text: str) -> ServerResponse:
        start = int(request.query.get("s", "0") or 0)
        entries = self.listings.all(text)
        results = [
            {
                "image": e.url, "thumbnail": e.thumb_url, "url": e.page_url, "title": e.title,
                "width": e.width, "height": e.height, "source": "Bing", "image_token": e.docid,
            }
            for e in entries[start : start + PER_PAGE]
        ]  # fmt: skip
        out: dict[str, object] = {
            "query": text, "queryEncoded": text, "response_type": "places", "ads": None,
            "results": results, "vqd": {text: _token(request, text)},
        }  # fmt: skip
        if start + PER_PAGE < len(entries):
            following = {"q": text, "o": "json", "p": "1", "s": start + PER_PAGE, "u": "bing"}
            out["next"] = "i.js?" + urlencode({**following, "f": ",,,", "l": "us-en"})
        return json_answer(out)


def _token(request: ServerRequest, text: str) -> str:
    agent = request.headers.get("user-agent", "")
    return f"4-{zlib.crc32(f'{text}|{agent}'.encode()) * 7919}"
