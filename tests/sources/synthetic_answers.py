"""Synthetic answers in the documented forms of each source: one result, and none.

None of these was recorded. They show that a source tells its outcomes apart, not that the live
service answers so.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Body = str | Callable[[str], str]  # or from the path and query string that was asked

PICTURE = "https://pictures.test/cat.jpg"
THUMB = "https://pictures.test/cat-small.jpg"
LANDING = "https://pages.test/cat"


@dataclass(frozen=True)
class Synthetic:
    """What a server of this kind answers."""

    ok: Body
    nothing: Body
    quota: tuple[int, str] | None = None  # status and body that say that the allowance is used up

    @staticmethod
    def text(body: Body, target: str) -> str:
        return body if isinstance(body, str) else body(target)


def page(inside: str) -> str:
    return f"<!doctype html><html><head><title>x</title></head><body>{inside}</body></html>"


def by_path(*pairs: tuple[str, str]) -> Callable[[str], str]:
    """The answer of the first pair whose text the path holds; `{}` for every other one."""
    return lambda target: next((body for part, body in pairs if part in target), "{}")


def number_of(at: int) -> str:
    return f"https://pictures.test/{at}.jpg"


# -- engines that are read from pages


def bing(urls: list[str], size: tuple[int, int] = (640, 480)) -> str:
    tiles = (
        html.escape(json.dumps({"murl": url, "turl": THUMB, "purl": LANDING, "t": "A cat"}))
        for url in urls
    )
    href = "?expw={}&amp;exph={}".format(*size)
    return page("".join(f'<a m="{m}" href="{href}">x</a>' for m in tiles))


def ecosia(urls: list[str], pages: int = 1) -> str:
    tiles = "".join(
        f"<article data-test-id='images-result' class='a1'><a data-test-id='image-result-link' "
        f"href='{url}'><img src='{THUMB}'><div data-test-id='image-result-dimensions'>640 × 480"
        f"</div></a><a href='{LANDING}' class='a2'><h2>A cat</h2></a></article>"
        for url in urls
    )
    links = "".join(f"<a href='/images?q=cat&amp;p={at}'>{at + 1}</a>" for at in range(1, pages))
    return page(f"<section>{tiles}</section><nav>{links}</nav>")


def yandex(urls: list[str], *, flat: bool = False) -> str:
    entities: dict[str, Any] = {}
    for at, url in enumerate(urls):
        if flat:
            entities[f"i{at}"] = {
                "pos": at, "origUrl": url, "origWidth": 640, "origHeight": 480, "alt": "A cat",
                "image": THUMB, "snippet": {"url": LANDING},
            }  # fmt: skip
        else:
            copy = {"url": url, "w": 640, "h": 480, "fileSizeInBytes": 9}
            small = {"url": f"{url}?small", "w": 64, "h": 48}
            entities[f"i{at}"] = {
                "image": THUMB,
                "snippet": {"title": "A cat", "text": "On a <b>sofa</b>.", "url": LANDING},
                "viewerData": {"dups": [small], "preview": [copy], "thumb": {"url": THUMB}},
            }  # fmt: skip
    state = {
        "location": "/images/search/",
        "initialState": {"serpList": {"items": {"entities": entities}}},
    }
    return page(f'<div class="Root" data-state="{html.escape(json.dumps(state))}"></div>')


def baidu(records: list[dict[str, Any]], total: int) -> str:
    body = json.dumps(
        {"queryEnc": "x", "displayNum": total, "listNum": total, "data": [*records, {}]}
    )
    return body.replace("It's", r"It\'s")


def baidu_record(url: str) -> dict[str, Any]:
    return {
        "replaceUrl": [{"ObjURL": url, "FromURL": LANDING}],
        "thumbURL": THUMB, "fromPageTitle": "It's <strong>A</strong> cat", "width": 640, "height": 480,
    }  # fmt: skip


def brave(urls: list[str]) -> str:
    results = ",".join(
        f'{{type:"image_result",title:"A cat",url:"{LANDING}",source:"pages.test",'
        f'thumbnail:{{src:"{THUMB}",original:void 0}},'
        f"properties:{{url:'{url}',width:640,height:480,format:void 0}},confidence:!0,}}"
        for url in urls
    )
    data = f'[{{type:"data",data:null}},{{data:{{body:{{response:{{results:[{results}]}}}}}}}}]'
    return page(f"<script>{{const start={{node_ids:[0],data: {data},form:null}};}}</script>")


def naver(urls: list[str]) -> str:
    items = ",".join(
        f'{{"originalUrl":"{url}","link":"{LANDING}","thumb":"{THUMB}",title:\'A <mark>cat</mark>\','
        f'"source":"x","orgWidth":"640","orgHeight":"480",}}'
        for url in urls
    )
    return page(f"<script>var imageSearchTabData={{content: {{items:[{items}]}}}}</script>")


def startpage(urls: list[str], *, number: int = 1, more: bool = False) -> str:
    results = [
        {
            "rawImageUrl": url, "altClickUrl": LANDING, "title": "A cat", "width": "640",
            "height": "480", "thumbnailUrl": f"/av/proxy-image?piurl={THUMB}&sp=1",
        }
        for url in urls
    ]  # fmt: skip
    pages = [{"name": str(number), "url": ""}]
    if more:
        url = f"/sp/search?q=x&cat=images&page={number + 1}&sc=token{number + 1}"
        pages.append({"name": "Next", "url": url})
    data = {"render": {"presenter": {
        "regions": {"mainline": [
            {"display_type": "query_expansions-bing", "results": [{"title": "cats"}]},
            {"display_type": "images-bing", "results": results},
        ]},
        "pagination": {"pages": pages},
    }}}  # fmt: skip
    script = f"React.createElement(UIStartpage.AppSerpImages, {json.dumps(data)}),"
    return page(f"<script>\n{script}\n</script>")


STARTPAGE_FRONT = page("<form><input type='hidden' name='sc' value='token1'></form>")
DUCKDUCKGO_FRONT = page('<script>vqd="4-123456";</script>')

# -- interfaces that answer in JSON


def _json(value: Any) -> str:
    return json.dumps(value)


def _startpage(body: str) -> Body:
    return by_path(("/sp/search", body), ("", STARTPAGE_FRONT))


def _duckduckgo(results: list[dict[str, Any]]) -> Body:
    return by_path(("i.js", _json({"query": "cat", "results": results})), ("", DUCKDUCKGO_FRONT))


_IIIF = "https://iiif.test/cat"
_SIZE = {"width": 640, "height": 480}

ANSWERS: dict[str, Synthetic] = {
    "baidu": Synthetic(baidu([baidu_record(PICTURE)], 1), baidu([], 0)),
    "bing": Synthetic(bing([PICTURE]), page("There are no results for <b>cat</b>")),
    "brave": Synthetic(brave([PICTURE]), brave([])),
    "duckduckgo": Synthetic(
        _duckduckgo([{"image": PICTURE, "thumbnail": THUMB, "url": LANDING, "title": "A cat", **_SIZE}]),
        _duckduckgo([]),
    ),
    "ecosia": Synthetic(ecosia([PICTURE]), page("<div data-test-id='images-no-results'>None</div>")),
    "naver": Synthetic(naver([PICTURE]), page("<p>'cat'에 대한 검색결과가 없습니다.</p>")),
    "startpage": Synthetic(
        _startpage(startpage([PICTURE])), _startpage(page("Sorry, there are no image results"))
    ),
    "yandex": Synthetic(yandex([PICTURE]), page("<h1>Ничего не нашли</h1>")),
    "artic": Synthetic(
        _json({
            "pagination": {"total": 1, "total_pages": 1, "current_page": 1},
            "data": [{"id": 1, "title": "A cat", "image_id": "abc", "is_public_domain": True}],
            "config": {"iiif_url": "https://iiif.test/2"},
        }),
        _json({"pagination": {"total": 0, "total_pages": 0}, "data": []}),
    ),
    "cleveland": Synthetic(
        _json({"info": {"total": 1}, "data": [{
            "title": "A cat", "url": LANDING, "share_license_status": "CC0",
            "images": {"web": {"url": PICTURE, "width": "640", "height": "480"}},
        }]}),
        _json({"info": {"total": 0}, "data": []}),
    ),
    "europeana": Synthetic(
        _json({"success": True, "totalResults": 1, "itemsCount": 1, "items": [{
            "edmIsShownBy": [PICTURE], "edmPreview": [THUMB], "guid": LANDING, "title": ["A cat"],
            "rights": ["http://creativecommons.org/publicdomain/mark/1.0/"],
        }]}),
        _json({"success": True, "totalResults": 0, "itemsCount": 0, "items": []}),
    ),
    "flickr": Synthetic(
        _json({"stat": "ok", "photos": {"page": 1, "pages": 1, "total": 1, "photo": [{
            "id": "1", "owner": "o", "title": "A cat", "license": "4", "ownername": "N",
            "url_o": PICTURE, "width_o": "640", "height_o": 480, "url_n": THUMB,
        }]}}),
        _json({"stat": "ok", "photos": {"page": 1, "pages": 0, "total": 0, "photo": []}}),
    ),
    "gbif": Synthetic(
        _json({"offset": 0, "limit": 300, "endOfRecords": True, "count": 1, "results": [{
            "key": 1, "scientificName": "Felis catus", "references": LANDING,
            "media": [{"type": "StillImage", "identifier": PICTURE, "license": "CC0_1_0"}],
        }]}),
        _json({"offset": 0, "limit": 300, "endOfRecords": True, "count": 0, "results": []}),
    ),
    "google_cse": Synthetic(
        _json({"searchInformation": {"totalResults": "1"}, "items": [{
            "link": PICTURE, "title": "A cat",
            "image": {"contextLink": LANDING, "thumbnailLink": THUMB, **_SIZE},
        }]}),
        _json({"searchInformation": {"totalResults": "0"}}),
    ),
    "inaturalist": Synthetic(
        _json({"total_results": 1, "page": 1, "per_page": 200, "results": [{
            "id": 1, "uri": LANDING, "taxon": {"name": "Felis catus"}, "species_guess": "cat",
            "photos": [{
                "url": "https://pictures.test/photos/1/square.jpg", "license_code": "cc0",
                "attribution": "N", "original_dimensions": _SIZE,
            }],
        }]}),
        _json({"total_results": 0, "page": 1, "per_page": 200, "results": []}),
    ),
    "internet_archive": Synthetic(
        by_path(
            ("advancedsearch", _json({"response": {"numFound": 1, "start": 0, "docs": [
                {"identifier": "cat", "title": "A cat"}]}})),
            ("metadata", _json({"metadata": {"identifier": "cat"}, "files": [
                {"name": "cat.jpg", "format": "JPEG", "source": "original"}]})),
        ),
        _json({"response": {"numFound": 0, "start": 0, "docs": []}}),
    ),
    "loc": Synthetic(
        _json({"pagination": {"of": 1, "total": 1, "next": None}, "results": [{
            "id": LANDING, "title": "A cat", "url": LANDING, "image_url": [THUMB, PICTURE],
        }]}),
        _json({"pagination": {"of": 0, "total": 0, "next": None}, "results": []}),
    ),
    "met": Synthetic(
        by_path(
            ("/search", _json({"total": 1, "objectIDs": [1]})),
            ("/objects/1", _json({
                "objectID": 1, "isPublicDomain": True, "primaryImage": PICTURE,
                "primaryImageSmall": THUMB, "additionalImages": [], "objectURL": LANDING,
                "title": "A cat",
            })),
        ),
        _json({"total": 0, "objectIDs": None}),
    ),
    "nasa": Synthetic(
        _json({"collection": {"metadata": {"total_hits": 1}, "items": [{
            "data": [{"nasa_id": "a", "title": "A cat", "media_type": "image"}],
            "links": [{"href": "https://pictures.test/a~orig.jpg", "rel": "canonical", "render": "image", **_SIZE}],
        }]}}),
        _json({"collection": {"metadata": {"total_hits": 0}, "items": []}}),
    ),
    "openverse": Synthetic(
        _json({"result_count": 1, "page_count": 1, "page": 1, "results": [{
            "id": "1", "url": PICTURE, "thumbnail": THUMB, "foreign_landing_url": LANDING,
            "title": "A cat", "license": "by", "license_version": "4.0", "creator": "N", **_SIZE,
        }]}),
        _json({"result_count": 0, "page_count": 0, "page": 1, "results": []}),
    ),
    "pexels": Synthetic(
        _json({"total_results": 1, "page": 1, "photos": [{
            "id": 1, "url": LANDING, "alt": "A cat", "photographer": "N",
            "src": {"original": PICTURE, "tiny": THUMB}, **_SIZE,
        }]}),
        _json({"total_results": 0, "page": 1, "photos": []}),
    ),
    "pixabay": Synthetic(
        _json({"total": 1, "totalHits": 1, "hits": [{
            "id": 1, "pageURL": LANDING, "tags": "cat", "previewURL": THUMB, "user": "N",
            "largeImageURL": PICTURE, "imageWidth": 640, "imageHeight": 480,
        }]}),
        _json({"total": 0, "totalHits": 0, "hits": []}),
    ),
    "rijksmuseum": Synthetic(
        by_path(
            ("/search/", _json({"partOf": {"totalItems": 1}, "orderedItems": [
                {"id": "https://id.rijksmuseum.nl/1"}]})),
            ("/3", _json({"access_point": [{"id": PICTURE}]})),
            ("/2", _json({"digitally_shown_by": [{"id": "https://id.rijksmuseum.nl/3"}]})),
            ("/1", _json({"shows": [{"id": "https://id.rijksmuseum.nl/2"}]})),
        ),
        _json({"partOf": {"totalItems": 0}, "orderedItems": []}),
    ),
    "searxng": Synthetic(
        _json({"query": "cat", "results": [{
            "img_src": PICTURE, "thumbnail_src": THUMB, "url": LANDING, "title": "A cat",
            "engine": "bing images", "resolution": "640x480", "category": "images",
        }], "unresponsive_engines": []}),
        _json({"query": "cat", "results": [], "unresponsive_engines": []}),
    ),
    "smithsonian": Synthetic(
        _json({"status": 200, "response": {"rowCount": 1, "rows": [{"title": "A cat", "content": {
            "descriptiveNonRepeating": {"record_link": LANDING, "online_media": {"media": [{
                "type": "Images", "content": PICTURE, "thumbnail": THUMB,
                "usage": {"access": "CC0"},
            }]}}}}]}}),
        _json({"status": 200, "response": {"rowCount": 0, "rows": []}}),
    ),
    "unsplash": Synthetic(
        _json({"total": 1, "total_pages": 1, "results": [{
            "id": "1", "alt_description": "A cat",
            "links": {"html": LANDING, "download_location": "https://api.unsplash.com/photos/1/download"}, "user": {"name": "N"},
            "urls": {"raw": PICTURE, "full": PICTURE, "thumb": THUMB}, **_SIZE,
        }]}),
        _json({"total": 0, "total_pages": 0, "results": []}),
    ),
    "wellcome": Synthetic(
        _json({"totalResults": 1, "totalPages": 1, "pageSize": 100, "results": [{
            "id": "abc", "thumbnail": {"url": f"{_IIIF}/info.json", "license": {"id": "cc-by"}},
            "locations": [{"url": f"{_IIIF}/info.json", "license": {"id": "cc-by"}}],
            "source": {"id": "w", "title": "A cat"},
        }]}),
        _json({"totalResults": 0, "totalPages": 0, "pageSize": 100, "results": []}),
    ),
    "wikimedia": Synthetic(
        _json({"batchcomplete": True, "query": {"pages": [{
            "pageid": 1, "ns": 6, "title": "File:Cat.jpg", "index": 1, "imageinfo": [{
                "url": PICTURE, "thumburl": THUMB, "descriptionurl": LANDING, "mime": "image/jpeg",
                "size": 9, "sha1": "0" * 40, "extmetadata": {}, **_SIZE,
            }]}]}}),
        _json({"batchcomplete": True}),
    ),
}  # fmt: skip
