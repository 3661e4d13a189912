"""A synthetic interface in the shape of Openverse's image search (`/v1/images/`).

Built from its documented field names, not recorded from it. Anonymous rules hold: at most 20
results a page (401 beyond), and at most
240 a query.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from pixtrawl.playground.messages import ServerRequest, ServerResponse
from pixtrawl.playground.search.apis import is_open, json_answer, positive
from pixtrawl.playground.search.listing import Listings, Original

MOST: Final = 240  # results a query
_COMMERCIAL: Final = frozenset({"by", "by-sa", "by-nd", "cc0", "pdm"})
_MODIFICATION: Final = frozenset({"by", "by-sa", "by-nc", "by-nc-sa", "cc0", "pdm"})


@dataclass
class OpenverseApi:
    """Answers for /v1/images/."""

    listings: Listings

    def answer(self, request: ServerRequest, path: str) -> ServerResponse | None:
        """Return the answer to `path`, or None where it is not ours."""
        if path.rstrip("/") != "/v1/images":
            return None
        size = positive(request.query.get("page_size"), 20)
        page = positive(request.query.get("page"), 1)
        if size > 20:
            detail = "page_size may not exceed 20 for anonymous requests"
            return json_answer({"detail": detail}, 401)
        entries = self._select(request.query)[:MOST]
        pages = math.ceil(len(entries) / size)
        if page > max(pages, 1):
            return json_answer({"detail": "Invalid page."}, 404)
        shown = entries[(page - 1) * size : page * size]
        return json_answer(
            {
                "result_count": len(entries), "page_count": pages, "page_size": size, "page": page,
                "results": [result(entry) for entry in shown],
            },
            200, ("X-RateLimit-Limit-anon_burst", "20/min"),
        )  # fmt: skip

    def _select(self, query: dict[str, str]) -> list[Original]:
        licenses = set(filter(None, query.get("license", "").split(",")))
        types = set(filter(None, query.get("license_type", "").split(",")))
        allowed = [
            *([licenses] if licenses else []),
            *([_COMMERCIAL] if "commercial" in types else []),
            *([_MODIFICATION] if "modification" in types else []),
        ]
        aspects = set(filter(None, query.get("aspect_ratio", "").split(",")))
        extensions = set(filter(None, query.get("extension", "").split(",")))
        return self.listings.select(
            " ".join(query.get("q", "").split()),
            lambda e: (
                is_open(e)
                and all(e.traits.license in names for names in allowed)
                and (not aspects or e.traits.aspect in aspects)
                and (not extensions or e.traits.extension in extensions)
            ),
        )


def result(entry: Original) -> dict[str, Any]:
    """Return one result."""
    t = entry.traits
    label = "CC0 1.0" if t.license == "cc0" else f"CC {t.license.upper()} {t.license_version}"
    return {
        "id": entry.docid, "title": entry.title, "indexed_on": "2026-01-01T00:00:00Z",
        "foreign_landing_url": entry.page_url, "url": entry.url, "creator": t.creator,
        "creator_url": f"{entry.page_url}#creator", "license": t.license,
        "license_version": t.license_version, "license_url": t.license_url,
        "provider": "playground",
        "source": "playground", "category": "photograph" if t.kind == "photo" else None,
        "filesize": None, "filetype": t.extension, "tags": [{"name": entry.query}],
        "attribution": f'"{entry.title}" by {t.creator} is licensed under {label}.',
        "fields_matched": ["title"], "mature": False, "height": entry.height, "width": entry.width,
        "thumbnail": entry.thumb_url, "detail_url": entry.page_url, "related_url": entry.page_url,
    }  # fmt: skip
