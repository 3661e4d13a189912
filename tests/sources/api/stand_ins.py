"""Synthetic stand-ins of the JSON APIs: the documented fields, made-up content.

Each function answers one request as its API would for a query with `total` pictures. They are
built from documentation and recorded shapes, not copied from anybody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

KEY = "sEcr3t+key/1"


@dataclass
class Asked:
    """One request; `base` is where the stand-in lives."""

    base: str
    path: str
    query: dict[str, str]
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""

    def number(self, name: str, default: int) -> int:
        return int(self.query.get(name, default))

    def picture(self, index: int) -> str:
        return f"https://img.example/{index}.jpg"


@dataclass
class Reply:
    """An answer that is no JSON with status 200."""

    status: int
    text: str = ""
    kind: str = "text/html"


Answer = Callable[[Asked, int], Any]


def asked(base: str, target: str, headers: dict[str, str] | None = None) -> Asked:
    parts = urlsplit(target)
    return Asked(base, parts.path, dict(parse_qsl(parts.query)), headers or {})


def paged(a: Asked, total: int, page: str, size: str) -> tuple[range, int]:
    """Indexes on the page that is asked for, counted from 1, and the number of pages."""
    each, number = a.number(size, 10), a.number(page, 1)
    return range((number - 1) * each, min(number * each, total)), -(-total // each)


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


def inaturalist(a: Asked, total: int) -> Any:
    above, each = a.number("id_above", 0), a.number("per_page", 30)
    left = range(above + 1, total + 1)
    results = [
        {
            "id": i, "uri": f"https://page.example/{i}", "species_guess": "Tabby",
            "taxon": {"name": "Felis catus"}, "user": {"login": "ann", "name": None},
            "photos": [
                {
                    "id": i, "license_code": "cc-by-nc", "attribution": "(c) ann",
                    "url": f"https://img.example/{i - 1}/square.jpg",
                    "original_dimensions": {"width": 640, "height": 480},
                }
            ],
        }
        for i in left[:each]
    ]  # fmt: skip
    return {"total_results": len(left), "page": 1, "per_page": each, "results": results}


def gbif(a: Asked, total: int) -> Any:
    start, each = a.number("offset", 0), a.number("limit", 20)
    if "q" in a.query:
        total = 0
    shown = range(start, min(start + each, total))
    results = [
        {
            "key": i + 1, "scientificName": "Felis catus L.", "license": "CC0_1_0",
            "media": [
                {
                    "type": "StillImage", "identifier": a.picture(i), "rightsHolder": "Museum",
                    "license": "http://creativecommons.org/licenses/by/4.0/",
                },
                {"type": "Sound", "identifier": "https://img.example/purr.mp3"},
            ],
        }
        for i in shown
    ]  # fmt: skip
    return {
        "offset": start, "limit": each, "endOfRecords": shown.stop >= total, "count": total,
        "results": results,
    }  # fmt: skip


def met(a: Asked, total: int) -> Any:
    if a.path.endswith("/search"):
        return {"total": total, "objectIDs": [i + 1 for i in range(total)] or None}
    i = int(a.path.rpartition("/")[2]) - 1
    return {
        "objectID": i + 1, "isPublicDomain": True, "primaryImage": a.picture(i),
        "primaryImageSmall": f"https://img.example/small/{i}.jpg", "additionalImages": [],
        "title": f"Picture {i}", "artistDisplayName": "Ann", "rightsAndReproduction": "",
        "objectURL": f"https://page.example/{i}",
    }  # fmt: skip


def internet_archive(a: Asked, total: int) -> Any:
    if a.path == "/advancedsearch.php":
        shown, _ = paged(a, total, "page", "rows")
        docs = [
            {
                "identifier": f"item{i}",
                "title": f"Picture {i}",
                "creator": ["Ann"],
                "licenseurl": "https://creativecommons.org/licenses/by/3.0/",
            }
            for i in shown
        ]
        return {"response": {"numFound": total, "start": shown.start, "docs": docs}}
    return {
        "metadata": {"identifier": a.path.rpartition("/")[2]},
        "files": [
            {"name": "a b#1.jpg", "source": "original", "format": "JPEG", "width": "640",
             "height": "480"},
            {"name": "a b#1_thumb.jpg", "source": "derivative", "format": "JPEG Thumb"},
            {"name": "__ia_thumb.jpg", "source": "original", "format": "Item Tile"},
            {"name": "meta.xml", "source": "original", "format": "Metadata"},
        ],
    }  # fmt: skip


def smithsonian(a: Asked, total: int) -> Any:
    start, each = a.number("start", 0), a.number("rows", 10)
    rows = [
        {
            "id": f"ld{i}", "title": f"Picture {i}",
            "content": {
                "descriptiveNonRepeating": {
                    "record_link": f"https://page.example/{i}", "title": {"content": f"Picture {i}"},
                    "online_media": {
                        "media": [
                            {
                                "type": "Images", "content": a.picture(i), "usage": {"access": "CC0"},
                                "thumbnail": f"https://img.example/{i}?thumb",
                            }
                        ]
                    },
                },
                "freetext": {"name": [{"label": "Artist", "content": "Ann"}]},
            },
        }
        for i in range(start, min(start + each, total))
    ]  # fmt: skip
    return {"status": 200, "response": {"rowCount": total, "rows": rows}}


def europeana(a: Asked, total: int) -> Any:
    cursor = a.query["cursor"]
    start = 0 if cursor == "*" else int(cursor)
    shown = range(start, min(start + a.number("rows", 12), total))
    answer: dict[str, Any] = {
        "apikey": a.query.get("wskey"), "success": True, "totalResults": total,
        "itemsCount": len(shown),
        "items": [
            {
                "id": f"/9/{i}", "title": [f"Picture {i}"], "edmIsShownBy": [a.picture(i)],
                "edmPreview": [f"https://api.example/thumb/{i}"],
                "guid": f"https://europeana.example/item/9/{i}?utm_campaign={a.query.get('wskey')}",
                "rights": ["http://creativecommons.org/licenses/by/4.0/"],
                "dcCreator": ["http://data.example/agent/1", "Ann"],
            }
            for i in shown
        ],
    }  # fmt: skip
    if shown.stop < total:
        answer["nextCursor"] = str(shown.stop)
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


def artic(a: Asked, total: int) -> Any:
    shown, pages = paged(a, total, "page", "limit")
    works = [
        {
            "id": i + 1,
            "title": f"Picture {i}",
            "image_id": f"1adf-{i}",
            "artist_title": "Ann",
            "is_public_domain": True,
            "thumbnail": {"width": 3000, "height": 2000},
        }
        for i in shown
    ]
    return {
        "pagination": {"total": total, "total_pages": pages}, "data": works,
        "config": {"iiif_url": "https://img.example/iiif/2"},
    }  # fmt: skip


def cleveland(a: Asked, total: int) -> Any:
    start, each = a.number("skip", 0), a.number("limit", 10)
    works = [
        {
            "id": i, "title": f"Picture {i}", "url": f"https://page.example/{i}",
            "share_license_status": "CC0", "creators": [{"description": "Ann"}],
            "images": {
                "print": {"url": a.picture(i), "width": "640", "height": "480"},
                "full": {"url": f"https://img.example/{i}.tif", "width": "900", "height": "700"},
                "web": {"url": f"https://img.example/{i}_web.jpg", "width": "64"},
            },
        }
        for i in range(start, min(start + each, total))
    ]  # fmt: skip
    return {"info": {"total": total}, "data": works}


def nasa(a: Asked, total: int) -> Any:
    if a.path.startswith("/asset/"):
        name = a.path.rpartition("/")[2]
        links = [{"href": f"http://img.example/{name}~{size}.jpg"} for size in ("orig", "thumb")]
        return {"collection": {"items": links}}
    shown, _ = paged(a, total, "page", "page_size")
    items = [
        {
            "data": [{"nasa_id": f"n {i}", "title": f"Picture {i}", "photographer": "Ann"}],
            "links": [
                {"href": f"http://img.example/{i}~thumb.jpg", "rel": "preview"},
                *([{"href": f"http://img.example/{i}~orig.jpg", "width": 640}] if i % 2 else []),
            ],
        }
        for i in shown
    ]
    return {"collection": {"items": items, "metadata": {"total_hits": total}}}


def loc(a: Asked, total: int) -> Any:
    shown, pages = paged(a, total, "sp", "c")
    results = [
        {
            "id": f"http://page.example/{i}/", "url": f"https://page.example/{i}/",
            "title": f"Picture {i}", "contributor": ["ann"],
            "image_url": [
                f"https://img.example/{i}_150px.jpg#h=150&w=120",
                f"https://img.example/{i}r.jpg#h=640&w=512",
            ],
            "item": {"rights_information": "No known restrictions on publication."},
        }
        for i in shown
    ]  # fmt: skip
    page = a.number("sp", 1)
    following = f"https://www.example/photos/?sp={page + 1}" if page < pages else None
    return {"results": results, "pagination": {"next": following, "of": total}}


def wellcome(a: Asked, total: int) -> Any:
    shown, pages = paged(a, total, "page", "pageSize")
    results = [
        {
            "id": f"w{i}",
            "thumbnail": {
                "url": f"https://img.example/image/V{i}/info.json",
                "license": {"id": "cc-by", "url": "http://creativecommons.org/licenses/by/4.0/"},
            },
            "source": {
                "id": f"s{i}", "title": f"Picture {i}",
                "contributors": [{"agent": {"label": "Ann"}}],
            },
        }
        for i in shown
    ]  # fmt: skip
    return {"totalResults": total, "totalPages": pages, "results": results}


def rijksmuseum(a: Asked, total: int) -> Any:
    if a.path == "/search/collection":
        if "description" in a.query:
            total = 0
        start = a.number("pageToken", 0)
        shown = range(start, min(start + 10, total))
        answer: dict[str, Any] = {
            "type": "OrderedCollectionPage", "partOf": {"totalItems": total},
            "orderedItems": [
                {"id": f"https://id.rijksmuseum.nl/1{i}", "type": "HumanMadeObject"} for i in shown
            ],
        }  # fmt: skip
        if shown.stop < total:
            following = (
                f"https://data.rijksmuseum.nl/search/collection?title=x&pageToken={shown.stop}"
            )
            answer["next"] = {"id": following}
        return answer
    kind, number = a.path[1], a.path[2:]
    other = f"https://id.rijksmuseum.nl/{int(kind) + 1}{number}"
    if kind == "1":
        return {
            "id": f"https://id.rijksmuseum.nl/1{number}", "shows": [{"id": other}],
            "identified_by": [{"type": "Name", "content": f"Picture {number}"}],
            "produced_by": {"referred_to_by": [{"content": "Ann"}]},
        }  # fmt: skip
    right = {"classified_as": [{"id": "https://creativecommons.org/publicdomain/mark/1.0/"}]}
    if kind == "2":
        return {"digitally_shown_by": [{"id": other}], "subject_to": [right]}
    return {"access_point": [{"id": f"https://img.example/{number}/full/max/0/default.jpg"}]}


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
