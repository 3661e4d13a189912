"""A synthetic interface in the shape of the MediaWiki API as Wikimedia Commons uses it.

Built from documented names. `/w/api.php?action=query&generator=search&prop=imageinfo`: each batch
comes in two pieces, as on the real site: the pages first without image info for the second half,
then again with it; a client has to merge by page id until `batchcomplete`. A User-Agent without
contact (an @ or a URL) gets status 403.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pixtrawl.playground.messages import ServerRequest, ServerResponse
from pixtrawl.playground.search.apis import is_open, json_answer, positive
from pixtrawl.playground.search.listing import Listings, Original


@dataclass
class WikimediaApi:
    """Answers for /w/api.php."""

    listings: Listings

    def answer(self, request: ServerRequest, path: str) -> ServerResponse | None:
        """Return the answer to `path`, or None where it is not ours."""
        if path != "/w/api.php":
            return None
        agent = request.headers.get("user-agent", "")
        if "@" not in agent and "http" not in agent:
            text = b"Please set a user-agent with contact information."
            return ServerResponse(text, 403, "text/plain; charset=utf-8")
        query = request.query
        if query.get("action") != "query" or query.get("generator") != "search":
            error = {"code": "badvalue", "info": "Only generator=search is part of this site."}
            return json_answer({"error": error})
        return self._batch(query)

    def _batch(self, query: dict[str, str]) -> ServerResponse:
        words = query.get("gsrsearch", "").split()
        text = " ".join(word for word in words if ":" not in word)
        entries = self.listings.select(text, is_open)
        limit = min(positive(query.get("gsrlimit"), 10), 500)
        offset = int(query.get("gsroffset", "0") or 0)
        shown = entries[offset : offset + limit]
        if not shown:
            return json_answer({"batchcomplete": True})
        half = max(1, len(shown) // 2)
        second = "iicontinue" in query
        if len(shown) > 1 and not second:
            going_on: dict[str, Any] = {"iicontinue": shown[half].docid, "continue": "gsroffset||"}
            if offset:
                going_on["gsroffset"] = offset
            return json_answer({"continue": going_on, "query": _pages(shown, offset, 0, half)})
        out: dict[str, Any] = {"batchcomplete": True}
        if offset + limit < len(entries):
            out["continue"] = {"gsroffset": offset + limit, "continue": "gsroffset||"}
        first = half if second else 0
        return json_answer({**out, "query": _pages(shown, offset, first, len(shown))})


def _pages(shown: Sequence[Original], offset: int, first: int, last: int) -> dict[str, Any]:
    """Return all pages of the batch; image info only for those from `first` to before `last`."""
    return {
        "pages": [
            {
                "pageid": 1000 + entry.index,
                "ns": 6,
                "title": f"File:{entry.title}.{entry.traits.extension}",
                "index": offset + number + 1,
                "imagerepository": "local",
                **({"imageinfo": [_info(entry)]} if first <= number < last else {}),
            }
            for number, entry in enumerate(shown)
        ]
    }


def _info(entry: Original) -> dict[str, Any]:
    t = entry.traits
    names = {"cc0": "CC0", "pdm": "Public domain"}
    short = names.get(t.license, f"CC {t.license.upper()} {t.license_version}")
    code = {"cc0": "cc0", "pdm": "pd"}.get(t.license, f"cc-{t.license}-{t.license_version}")
    about = {
        "LicenseShortName": short, "License": code, "UsageTerms": short,
        "Artist": f"<a href='{entry.page_url}'>{t.creator}</a>", "Credit": "<i>Own work</i>",
        "AttributionRequired": "false" if t.license in names else "true",
        **({"LicenseUrl": t.license_url} if t.license_url else {}),
    }  # fmt: skip
    return {
        "url": entry.url, "descriptionurl": entry.page_url, "thumburl": entry.thumb_url,
        "thumbwidth": entry.thumb_width, "thumbheight": entry.thumb_height, "width": entry.width,
        "height": entry.height, "size": 0, "mime": f"image/{t.format}",
        "extmetadata": {k: {"value": v, "source": "commons-desc-page"} for k, v in about.items()},
    }  # fmt: skip
