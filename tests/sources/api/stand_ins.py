"""Synthetic stand-ins of the JSON APIs: the documented fields, made-up content.

Each function answers one request as its API would for a query with `total` pictures. They are
built from documentation and recorded shapes, not copied from anybody.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.sources.api.stand_in_collections import (
    artic,
    cleveland,
    europeana,
    gbif,
    inaturalist,
    internet_archive,
    loc,
    met,
    nasa,
    rijksmuseum,
    smithsonian,
    wellcome,
)
from tests.sources.api.stand_in_parts import KEY, Answer, Asked, Reply, paged


def openverse(a: Asked, total: int) -> Any:
    shown, pages = paged(a, total, "page", "page_size")
    results = [
        {
            "id": f"o{i}",
            "title": f"Picture {i}",
            "url": a.picture(i),
            "foreign_landing_url": f"https://page.example/{i}",
            "creator": "Ann",
            "license": "by-sa",
            "license_version": "4.0",
            "width": 640,
            "height": 480,
            "mature": False,
            "license_url": "https://creativecommons.org/licenses/by-sa/4.0/",
            "thumbnail": f"https://api.example/v1/images/o{i}/thumb/",
        }
        for i in shown
    ]
    return {"result_count": total, "page_count": pages, "page_size": 20, "results": results}


def wikimedia(a: Asked, total: int) -> Any:
    start = a.number("gsroffset", 0)
    shown = range(start, min(start + a.number("gsrlimit", 10), total))
    if not shown:
        return {"batchcomplete": True}
    pages = [
        {
            "pageid": 100 + i, "ns": 6, "title": f"File:Picture {i}.jpg", "index": i + 1,
            "imageinfo": [
                {
                    "url": a.picture(i), "descriptionurl": f"https://page.example/{i}",
                    "thumburl": a.picture(i) + "?thumb", "width": 640, "height": 480,
                    "mime": "image/jpeg",
                    "extmetadata": {
                        "LicenseShortName": {"value": "CC BY-SA 4.0"},
                        "LicenseUrl": {"value": "https://creativecommons.org/licenses/by-sa/4.0"},
                        "Artist": {"value": "<a href='//x'>Ann &amp; Bob</a>"},
                    },
                }
            ],
        }
        for i in shown
    ]  # fmt: skip
    answer = {"batchcomplete": True, "query": {"pages": pages}}
    if shown.stop < total:
        answer["continue"] = {"gsroffset": shown.stop, "continue": "gsroffset||"}
    return answer


def duckduckgo(a: Asked, total: int) -> Any:
    if a.path.rstrip("/") == "":
        return Reply(
            200, f'<title>{a.query["q"]} at DuckDuckGo</title><script>vqd="4-123"</script>'
        )
    start = a.number("s", 0)
    shown = range(start, min(start + 100, total))
    results = [
        {
            "image": a.picture(i), "thumbnail": f"https://tse.example/{i}", "title": f"Picture {i}",
            "url": f"https://page.example/{i}", "width": 640, "height": 480, "source": "Bing",
        }
        for i in shown
    ]  # fmt: skip
    answer: dict[str, Any] = {"query": a.query.get("q", ""), "results": results, "vqd": {}}
    if shown.stop < total:
        answer["next"] = f"i.js?q=cat&o=json&p=1&s={shown.stop}&u=bing&f=,,,&l=us-en"
    return answer


def searxng(a: Asked, total: int) -> Any:
    start = (a.number("pageno", 1) - 1) * 30
    results = [
        {
            "template": "images.html", "url": f"https://page.example/{i}", "img_src": a.picture(i),
            "thumbnail_src": f"//thumb.example/{i}", "title": "A \ue000cat\ue001",
            "engine": "bing images", "resolution": "640\u00d7480", "author": "Ann",
        }
        for i in range(start, min(start + 30, total))
    ]  # fmt: skip
    return {
        "query": a.query.get("q"), "results": results, "suggestions": ["kitten"],
        "unresponsive_engines": [["flickr", "timeout"]] if total else [],
    }  # fmt: skip


def google_cse(a: Asked, total: int) -> Any:
    start, each = a.number("start", 1), a.number("num", 10)
    shown = range(start - 1, min(start - 1 + each, total))
    answer: dict[str, Any] = {
        "queries": {"request": [{"startIndex": start}]},
        "searchInformation": {"totalResults": str(total)},
    }
    if shown:
        answer["items"] = [
            {
                "link": a.picture(i), "title": f"Picture {i}", "mime": "image/jpeg",
                "image": {
                    "contextLink": f"https://page.example/{i}", "width": 640, "height": 480,
                    "thumbnailLink": f"https://tbn.example/{i}",
                },
            }
            for i in shown
        ]  # fmt: skip
    if shown.stop < total:
        answer["queries"]["nextPage"] = [{"startIndex": shown.stop + 1}]
    return answer


def flickr(a: Asked, total: int) -> Any:
    shown, pages = paged(a, total, "page", "per_page")
    photos = [
        {
            "id": str(i), "owner": "1@N0", "title": f"Picture {i}", "ownername": "Ann",
            "license": "4", "url_l": a.picture(i), "width_l": 640, "height_l": "480",
            "url_n": f"https://img.example/{i}_n.jpg", "media": "photo",
        }
        for i in shown
    ]  # fmt: skip
    return {"stat": "ok", "photos": {"page": 1, "pages": pages, "total": total, "photo": photos}}


def unsplash(a: Asked, total: int) -> Any:
    if a.path.endswith("/download"):
        return {"url": "https://img.example/x"}
    shown, pages = paged(a, total, "page", "per_page")
    results = [
        {
            "id": f"u{i}", "width": 640, "height": 480, "alt_description": f"Picture {i}",
            "urls": {
                "raw": a.picture(i), "full": f"{a.picture(i)}?q=85",
                "small": f"{a.picture(i)}?w=400",
            },
            "links": {
                "html": f"https://page.example/{i}",
                "download_location": f"https://api.unsplash.com/photos/u{i}/download?ixid=1",
            },
            "user": {"name": "Ann"},
        }
        for i in shown
    ]  # fmt: skip
    return {"total": total, "total_pages": pages, "results": results}


def pexels(a: Asked, total: int) -> Any:
    shown, pages = paged(a, total, "page", "per_page")
    page = a.number("page", 1)
    photos = [
        {
            "id": i,
            "width": 640,
            "height": 480,
            "url": f"https://page.example/{i}",
            "photographer": "Ann",
            "alt": f"Picture {i}",
            "src": {"original": a.picture(i), "medium": f"{a.picture(i)}?h=350"},
        }
        for i in shown
    ]
    more = {"next_page": f"{a.base}/v1/search?page={page + 1}"} if page < pages else {}
    return {"total_results": total, "page": page, "photos": photos, **more}


def pixabay(a: Asked, total: int) -> Any:
    shown, _ = paged(a, total, "page", "per_page")
    hits = [
        {
            "id": i,
            "pageURL": f"https://page.example/{i}",
            "tags": "cat, tabby",
            "user": "Ann",
            "largeImageURL": a.picture(i),
            "previewURL": f"https://img.example/{i}_150.jpg",
            "imageWidth": 4000,
            "imageHeight": 3000,
        }
        for i in shown
    ]
    return {"total": total, "totalHits": total, "hits": hits}


@dataclass(frozen=True)
class StandIn:
    """An API: how it answers, and what the source needs to be asked."""

    name: str
    answer: Answer
    total: int  # pictures that take it more than one page
    settings: dict[str, str] = field(default_factory=dict)
    quota: bool = False


_K = {"key": KEY}
ALL = (
    StandIn("openverse", openverse, 47, quota=True),
    StandIn("wikimedia", wikimedia, 70),
    StandIn("duckduckgo", duckduckgo, 130),
    StandIn("searxng", searxng, 47),
    StandIn("google_cse", google_cse, 23, {**_K, "cx": "mine"}, quota=True),
    StandIn("inaturalist", inaturalist, 230),
    StandIn("gbif", gbif, 120),
    StandIn("met", met, 13),
    StandIn("internet_archive", internet_archive, 57),
    StandIn("smithsonian", smithsonian, 120, _K, quota=True),
    StandIn("europeana", europeana, 120, _K, quota=True),
    StandIn("flickr", flickr, 300, _K, quota=True),
    StandIn("artic", artic, 120),
    StandIn("cleveland", cleveland, 120),
    StandIn("nasa", nasa, 107),
    StandIn("loc", loc, 120),
    StandIn("wellcome", wellcome, 120),
    StandIn("rijksmuseum", rijksmuseum, 13),
    StandIn("unsplash", unsplash, 37, _K, quota=True),
    StandIn("pexels", pexels, 97, _K, quota=True),
    StandIn("pixabay", pixabay, 220, _K, quota=True),
)
BY_NAME = {one.name: one for one in ALL}
