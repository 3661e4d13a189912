"""Synthetic stand-ins of the JSON APIs of museums, archives and observers: documented fields, made-up content."""

from __future__ import annotations

from typing import Any

from tests.sources.api.stand_in_parts import Asked, paged


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
